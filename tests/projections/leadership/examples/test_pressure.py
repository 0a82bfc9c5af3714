"""Goading and month-end pressure: getting signals a rep-day in some days and in others."""

from datetime import date

import pytest

from services.kit.instants import DAY, HOUR, parse_rfc3339
from services.projections.leadership.examples.pressure import (
    goading,
    goading_windows,
    month_end_pressure,
    month_ends,
)
from services.projections.leadership.periods import Period
from services.projections.leadership.policy import Goading, MonthEnd
from services.projections.leadership.stretches import EVER

LATE = parse_rfc3339("2030-01-01T00:00:00Z")
PUSH = parse_rfc3339("2026-03-15T09:00:00Z")


def test_a_push_that_doubles_the_pressing() -> None:
    """Two reps press twice in the fortnight before a push and four times in the one after: the ratio is 2."""
    getting = sorted([PUSH - day * DAY for day in (1, 14)] + [PUSH + day * DAY for day in (1, 2, 3, 14)])
    found = goading([PUSH], getting, [EVER, EVER], LATE, Goading())
    assert (found.before, found.after, found.before_days, found.after_days) == (2, 4, 28, 28)
    assert found.value == pytest.approx(2)
    assert found.low is not None
    assert found.low < 1


def test_the_windows_end_where_they_say() -> None:
    """After is past the push up to 14 days later, before is from 14 days earlier up to the push, to the microsecond."""
    edges = [PUSH - 14 * DAY - 1, PUSH - 14 * DAY, PUSH - 1, PUSH, PUSH + 1, PUSH + 14 * DAY, PUSH + 14 * DAY + 1]
    found = goading([PUSH], edges, [EVER], LATE, Goading())
    assert (found.before, found.after) == (2, 2)


def test_what_is_after_one_push_is_not_before_the_next() -> None:
    """A week after a push comes another: the days between are after, the instant of the first is before the second."""
    after, before = goading_windows([PUSH, PUSH + 7 * DAY], LATE, Goading())
    assert after == [(PUSH + 1, PUSH + 21 * DAY + 1)]
    assert before == [(PUSH - 14 * DAY, PUSH + 1)]


def test_a_second_push_on_the_very_end_of_the_first_ones_window() -> None:
    """The instant of a push that is 14 days after another is after it."""
    after, before = goading_windows([PUSH, PUSH + 14 * DAY], LATE, Goading())
    assert after == [(PUSH + 1, PUSH + 28 * DAY + 1)]
    assert before == [(PUSH - 14 * DAY, PUSH + 1)]


def test_as_of_cuts_the_days_after() -> None:
    """Three days after the push, three days count."""
    found = goading([PUSH], [PUSH + DAY], [EVER], PUSH + 3 * DAY, Goading())
    assert (found.before_days, found.after_days) == (14, 3)
    assert (found.value, found.high) == (None, None)
    assert found.low is not None
    assert "before" in str(found.undefined_because)


def test_rep_days_are_the_exact_time_of_stays() -> None:
    """A rep who left six hours after the push was there for a quarter of a day."""
    found = goading([PUSH], [], [[(PUSH - DAY, PUSH + 6 * HOUR + 1)]], LATE, Goading())
    assert (found.before_days, found.after_days) == (1, 0.25)
    assert found.undefined_because == "there was no such signal, before or after"


def test_without_a_push_there_is_nothing_to_compare() -> None:
    """No push, no day before or after one."""
    found = goading([], [PUSH], [EVER], LATE, Goading())
    assert (found.value, found.low, found.high, found.before, found.after) == (None, None, None, 0, 0)
    assert found.undefined_because


def test_the_end_of_a_month_is_its_last_five_days() -> None:
    """In February too, and in a leap year from the 25th."""
    ends = month_ends(Period(date(2028, 2, 10), date(2028, 3, 2), 0), 5)
    assert ends[0] == (parse_rfc3339("2028-02-25T00:00:00Z"), parse_rfc3339("2028-03-01T00:00:00Z"))
    assert len(ends) == 2


def test_pressing_at_the_end_of_the_month() -> None:
    """Of a quarter's getting signals as many fall on its 15 last days as on the 75 others: five times the rate."""
    period = Period(date(2026, 1, 1), date(2026, 4, 1), LATE)
    days_of_getting = ("2026-01-28", "2026-02-25", "2026-03-31", "2026-01-02", "2026-02-10", "2026-03-26")
    getting = sorted(parse_rfc3339(f"{day}T12:00:00Z") for day in days_of_getting)
    found = month_end_pressure(getting, [EVER], EVER, period, MonthEnd())
    assert (found.after, found.before, found.after_days, found.before_days) == (3, 3, 15, 75)
    assert found.value == pytest.approx(5)


def test_days_that_the_leader_did_not_lead_do_not_count() -> None:
    """Neither days nor signals: a leader who left on the 16th has no end of the month."""
    period = Period(date(2026, 1, 1), date(2026, 2, 1), LATE)
    led = [(parse_rfc3339("2025-06-01T00:00:00Z"), parse_rfc3339("2026-01-16T00:00:00Z"))]
    found = month_end_pressure([], [EVER], led, period, MonthEnd())
    assert (found.before_days, found.after_days) == (15, 0)
    assert "no day" in str(found.undefined_because)


def test_the_last_month_of_the_calendar() -> None:
    """December 9999 has an end and no month after it."""
    assert len(month_ends(Period(date(9999, 12, 1), date(9999, 12, 31), 0), 5)) == 1

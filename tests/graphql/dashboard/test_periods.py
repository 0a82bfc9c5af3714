"""Periods: what an address means, what lies before and after, what it is called."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.graphql.dashboard.periods import KINDS, Kind, neighbours, of_kind, period_of
from services.kit.errors import Invalid

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("asked", "first", "last", "name"),
    [
        ({}, date(2026, 1, 1), date(2026, 3, 2), "Q1 2026"),
        ({"period": "week"}, date(2026, 3, 2), date(2026, 3, 2), "Week 10, 2026"),
        ({"period": "week", "on": "2026-01-01"}, date(2025, 12, 29), date(2026, 1, 4), "Week 1, 2026"),
        ({"period": "month", "on": "2024-02-29"}, date(2024, 2, 1), date(2024, 2, 29), "February 2024"),
        ({"period": "quarter", "on": "2025-12-31"}, date(2025, 10, 1), date(2025, 12, 31), "Q4 2025"),
        ({"period": "year", "on": "2026-01-01"}, date(2026, 1, 1), date(2026, 3, 2), "2026"),
        ({"period": "month", "on": "2026-05-01"}, date(2026, 5, 1), date(2026, 5, 1), "May 2026"),
        (
            {"period": "free", "first": "2026-01-05", "last": "2026-01-11"},
            date(2026, 1, 5),
            date(2026, 1, 11),
            "5 Jan 2026 – 11 Jan 2026",
        ),
    ],
)
def test_an_address_names_a_period(asked: dict[str, str], first: date, last: date, name: str) -> None:
    """A kind and a day in it, or two days; what has not ended goes to today; else the quarter of a fortnight ago."""
    period = period_of(asked, TODAY)
    assert (period.first, period.last, period.name) == (first, last, name)
    assert period.variable == {"from": first.isoformat(), "to": (last + timedelta(days=1)).isoformat()}


def test_a_quarter_that_has_just_begun_is_not_what_is_shown_first() -> None:
    """In its first two weeks it would show next to nothing: the one before is whole."""
    assert period_of({}, date(2026, 1, 14)).name == "Q4 2025"
    assert period_of({}, date(2026, 1, 15)).name == "Q1 2026"


@pytest.mark.parametrize(
    "asked",
    [
        {"period": "fortnight"},
        {"period": "free"},
        {"period": "month", "on": "yesterday"},
        {"first": "2026-01-01"},
        {"first": "2026-01-02", "last": "2026-01-01"},
        {"period": "year", "on": "9999-06-01"},
    ],
)
def test_what_is_no_period_is_refused(asked: dict[str, str]) -> None:
    """An unknown kind, a day that is none, half a free period, and what the calendar does not have."""
    with pytest.raises(Invalid):
        period_of(asked, TODAY)


@given(st.dates(date(1980, 1, 1), date(2090, 1, 1)), st.sampled_from(KINDS[:-1]), st.integers(0, 4000))
def test_periods_follow_one_another_without_a_gap(day: date, kind: Kind, ahead: int) -> None:
    """The one before ends the day before the first, and leads back; the address of a period leads to it again."""
    today = day + timedelta(days=ahead)
    period = period_of({"period": kind, "on": day.isoformat()}, today)
    before, after = neighbours(period, today)
    assert before is not None
    assert before.whole_last + timedelta(days=1) == period.first
    assert neighbours(before, today)[1] == period
    assert (after is None) == (period.whole_last >= today)
    assert period_of(period.parameters, today) == period
    assert of_kind(kind, period, today) == period


@given(st.dates(date(1980, 1, 1), date(2090, 1, 1)), st.integers(0, 400))
def test_free_periods_follow_one_another_without_a_gap(first: date, days: int) -> None:
    """They are as long, and one leads to the other and back."""
    asked = {"first": first.isoformat(), "last": (first + timedelta(days=days)).isoformat()}
    period = period_of(asked, date(2095, 1, 1))
    before, after = neighbours(period, date(2095, 1, 1))
    assert before is not None
    assert after is not None
    assert before.days == after.days == period.days == days + 1
    assert neighbours(before, date(2095, 1, 1))[1] == period

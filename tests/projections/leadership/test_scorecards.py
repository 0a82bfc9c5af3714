"""Scores, evidence levels, trends and the guide index from counts."""

from datetime import date

import pytest

from services.kit.instants import DAY, parse_rfc3339
from services.projections.leadership.periods import Bucket, Days, Period, TrendPoint, trend
from services.projections.leadership.policy import DEFAULT_POLICY, Evidence, Policy
from services.projections.leadership.scorecards import (
    EvidenceLevel,
    ReasonCount,
    Tally,
    evidence_level,
    guide_index,
    in_order,
)
from services.projections.leadership.signals import Principle


def _period(from_: str, to: str) -> Period:
    return Period(date.fromisoformat(from_), date.fromisoformat(to), 0)


@pytest.mark.parametrize(
    ("customers", "level"),
    [(0, "NONE"), (1, "THIN"), (4, "THIN"), (5, "FAIR"), (19, "FAIR"), (20, "SOLID"), (1000, "SOLID")],
)
def test_the_evidence_level_goes_by_distinct_customers(customers: int, level: str) -> None:
    """None is none, below 5 thin, below 20 fair, else solid."""
    assert evidence_level(customers, DEFAULT_POLICY.evidence) is EvidenceLevel(level)


def test_the_policy_sets_the_evidence_levels() -> None:
    """Its figures, not ours, say from where on evidence is fair and solid."""
    assert evidence_level(3, Evidence(fair_customers=2, solid_customers=3)) is EvidenceLevel.SOLID


def test_nothing_counted_has_no_rate() -> None:
    """Without signals rate and interval are absent; what was not recorded is no signal."""
    tally = Tally(not_recorded=7)
    assert (tally.n, tally.rate, tally.interval) == (0, None, None)
    assert tally.since(Tally(kept=3)) == (None, None)


def test_a_change_is_the_difference_to_the_previous_period() -> None:
    """This period's rate less the previous one's."""
    change = Tally(kept=3, breached=1).since(Tally(kept=1, breached=3))
    assert change.value == pytest.approx(0.5)
    assert change.interval is not None


def test_reasons_come_most_frequent_first_then_by_name() -> None:
    """Equal counts are in the order of the alphabet."""
    assert in_order({"b": 2, "a": 2, "c": 9}) == (ReasonCount("c", 9), ReasonCount("a", 2), ReasonCount("b", 2))


def test_a_period_is_days_in_utc() -> None:
    """It runs from 00:00 UTC of its first day to 00:00 of the day it ends before."""
    period = _period("2026-03-01", "2026-04-01")
    assert period.start == parse_rfc3339("2026-03-01T00:00:00Z")
    assert period.end - period.start == 31 * DAY


def test_the_previous_period_is_as_long() -> None:
    """It ends where the period begins and has as many days."""
    assert _period("2026-03-01", "2026-04-01").previous == _period("2026-01-29", "2026-03-01")


def test_a_trend_by_week_begins_on_monday_and_shows_empty_weeks() -> None:
    """A week that touches the period has a point under its own Monday, which may lie before the period."""
    points = trend(_period("2026-03-04", "2026-03-17"), Bucket.WEEK, Days([12, 0, 12, 12], [4, 4]))
    assert points == [
        TrendPoint(date(2026, 3, 2), 1, 2),
        TrendPoint(date(2026, 3, 9), 0, 0),
        TrendPoint(date(2026, 3, 16), 3, 0),
    ]


def test_a_trend_by_month_begins_on_the_first() -> None:
    """A period inside two months has two points."""
    points = trend(_period("2026-02-28", "2026-03-02"), Bucket.MONTH, Days([], [1]))
    assert points == [TrendPoint(date(2026, 2, 1), 0, 0), TrendPoint(date(2026, 3, 1), 0, 1)]


def test_a_trend_by_day_has_every_day() -> None:
    """One point a day, the last day not among them."""
    points = trend(_period("2026-02-27", "2026-03-02"), Bucket.DAY, Days([2], [2]))
    assert [point.start.isoformat() for point in points] == ["2026-02-27", "2026-02-28", "2026-03-01"]
    assert points[-1] == TrendPoint(date(2026, 3, 1), 1, 1)


def test_the_guide_index_is_the_mean_of_the_means() -> None:
    """A dimension is the mean of its principles with five signals, the index the mean of the dimensions."""
    card = {
        Principle.ACCEPT_DECISIONS: Tally(kept=5),
        Principle.FOLLOW_THROUGH: Tally(kept=5, breached=5),
        Principle.OWN_GOALS: Tally(breached=10),
        Principle.RIGHT_SOLUTION: Tally(kept=4),  # too few to count
        Principle.TWO_WAY: Tally(kept=3, breached=2),
    }
    index = guide_index(card, DEFAULT_POLICY)
    assert index.trust == pytest.approx(0.75)
    assert index.partnership == 0
    assert index.capability == pytest.approx(0.6)
    assert index.inquiry is None
    assert index.value == pytest.approx((0.75 + 0 + 0.6) / 3)


def test_equal_indices_are_equal_floats() -> None:
    """The same rates in other dimensions make the same index to the last digit, so that a tie is one."""
    principles = (Principle.TWO_WAY, Principle.OWN_GOALS, Principle.NO_PRESSURE)
    one, other = (
        guide_index({p: Tally(kept, 5 - kept) for p, kept in zip(principles, kept_of, strict=True)}, DEFAULT_POLICY)
        for kept_of in ((1, 2, 3), (3, 2, 1))
    )
    assert one.value == other.value == 0.4


def test_two_dimensions_make_no_index() -> None:
    """With fewer than three dimensions the index is absent, the dimensions are not."""
    card = {Principle.ACCEPT_DECISIONS: Tally(kept=5), Principle.TWO_WAY: Tally(kept=5)}
    index = guide_index(card, DEFAULT_POLICY)
    assert (index.value, index.trust, index.capability) == (None, 1, 1)


def test_walk_the_talk_is_in_no_dimension() -> None:
    """The index leaves out what is only said and done: it would count signals twice."""
    assert guide_index({Principle.WALK_THE_TALK: Tally(kept=50)}, Policy()) == (None,) * 5

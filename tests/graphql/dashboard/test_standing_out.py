"""What stands out in an example: only what is clear, only by enough evidence, each with where it is shown."""

from services.graphql.dashboard.answers import (
    CoachingEffect,
    Difference,
    EvidenceLevel,
    ExampleComparison,
    Interval,
    LeaderExample,
    OddsRatio,
    Person,
    Principle,
    Pushing,
    RateComparison,
    RateRatio,
    Score,
    StatedStandard,
)
from services.graphql.dashboard.standing_out import Standing, few_sales, stands_out

KIM = Person(key="kim", name="Kim")
PRESSURE = Principle(id="NO_PRESSURE", title="Guide, don't get")


def difference(value: float, low: float, high: float) -> Difference:
    """A difference with this interval."""
    return Difference(value=value, interval=Interval(low=low, high=high))


def odds(value: float, low: float, high: float) -> OddsRatio:
    """An odds ratio with this interval."""
    return OddsRatio(value=value, interval=Interval(low=low, high=high), strata=8, n=120)


def compared(found: Difference, level: EvidenceLevel = "FAIR") -> LeaderExample:
    """An example of one principle with this difference, by this evidence of the leader's."""
    own = Score(n=10, evidence_level=level)
    one = ExampleComparison(principle=PRESSURE, leader=own, team=Score(n=50, evidence_level="SOLID"), difference=found)
    return LeaderExample(leader=KIM, comparisons=(one,))


def test_of_an_empty_example_nothing_stands_out() -> None:
    """Without figures there is nothing to talk about."""
    assert stands_out(LeaderExample(leader=KIM)) == ([], [])


def test_who_kept_it_less_often_is_whom_to_talk_with() -> None:
    """A clear difference is the leader's matter or the team's, by who is behind; an unclear one is nobody's."""
    behind = stands_out(compared(difference(-0.3, -0.5, -0.1)))
    assert [one.says for one in behind.leader] == [
        "Kim kept it less often than the team, by 30\u00a0points (10 to 50)."
    ]
    ahead = stands_out(compared(difference(0.3, 0.1, 0.5)))
    assert [one.place for one in ahead.team] == ["no-pressure"]
    assert stands_out(compared(difference(0.3, -0.1, 0.5))) == ([], [])


def test_nobody_is_compared_by_thin_evidence() -> None:
    """A clear difference that rests on few customers is not taken up."""
    assert stands_out(compared(difference(-0.8, -0.9, -0.2), "THIN")) == ([], [])


def test_mirroring_stands_out_only_beyond_chance() -> None:
    """Reps doing as the leader does is taken up where a busy month does not explain it."""
    alike = ExampleComparison(principle=PRESSURE, mirroring=odds(3.0, 2.0, 5.0), chance_baseline=odds(1.0, 0.7, 1.4))
    chance = ExampleComparison(principle=PRESSURE, mirroring=odds(3.0, 1.2, 5.0), chance_baseline=odds(1.0, 0.7, 1.4))
    opposite = ExampleComparison(principle=PRESSURE, mirroring=odds(0.3, 0.2, 0.5), chance_baseline=odds(1, 0.7, 1.4))
    found = stands_out(LeaderExample(leader=KIM, comparisons=(alike, chance, opposite)))
    assert [one.says for one in found.leader] == [
        "reps do as Kim does, more than a busy month explains.",
        "reps do rather the opposite of what Kim does, more than chance explains.",
    ]


def test_a_standard_stands_out_that_was_kept_rarely_since() -> None:
    """Words without deeds: where at best one in four was breached, by more than thin evidence."""
    broken = Score(n=33, rate=0.3, interval=Interval(low=0.17, high=0.47), evidence_level="SOLID")
    kept = Score(n=33, rate=0.85, interval=Interval(low=0.7, high=0.94), evidence_level="SOLID")
    thin = Score(n=2, rate=0.0, interval=Interval(low=0.0, high=0.67), evidence_level="THIN")
    standards = tuple(StatedStandard(principle=PRESSURE, score=score) for score in (broken, kept, thin))
    found = stands_out(LeaderExample(leader=KIM, standards=standards))
    assert found.leader == [
        Standing(
            "Guide, don't get", "stated as a standard, and since then kept in 30\u00a0% of 33 signals.", "standards"
        )
    ]


def test_pressure_stands_out_by_its_lower_bound() -> None:
    """After pushes, and at the end of months; an upper bound need not be known."""
    goading = RateRatio(interval=Interval(low=4.1), after=17)
    month_end = RateRatio(value=2.9, interval=Interval(low=1.8, high=4.5))
    found = stands_out(LeaderExample(leader=KIM, goading=goading, month_end_pressure=month_end))
    assert [one.says for one in found.leader] == ["after a push, reps press at least 4.1 times as often as before."]
    assert [one.says for one in found.team] == ["reps press 2.9 times as often as on other days."]
    unclear = RateRatio(value=2.9, interval=Interval(low=0.8, high=9.0))
    assert stands_out(LeaderExample(leader=KIM, goading=unclear, month_end_pressure=unclear)) == ([], [])


def test_what_came_of_pushing_and_coaching_stands_out_where_it_is_clear() -> None:
    """Both ways: pushing that did not pay, and coaching that did."""
    pushed = RateComparison(difference=difference(-0.26, -0.43, -0.05))
    coached = CoachingEffect(principle=PRESSURE, difference=difference(0.2, 0.1, 0.3))
    found = stands_out(
        LeaderExample(leader=KIM, pushing=Pushing(acceptance=pushed), after_coaching=(coached, CoachingEffect()))
    )
    assert [one.place for one in found.team] == ["pushing", "after-coaching"]
    assert found.team[1].says == "after coaching kept more often than before, by 20\u00a0points (10 to 30)."


def test_a_leader_who_hardly_sells_is_seen_by_what_they_say() -> None:
    """Few sales: fair evidence on no principle."""
    assert few_sales(compared(Difference(), "THIN"))
    assert not few_sales(compared(Difference(), "FAIR"))

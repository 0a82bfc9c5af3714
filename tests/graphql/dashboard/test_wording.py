"""Sentences say what the figures say, in plain words, and never more than that."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.events.catalog import acts as catalog
from services.graphql.dashboard import modelling, naming, numbers, wording
from services.graphql.dashboard.answers import (
    Act,
    CoachingEffect,
    Correlation,
    CustomerEquity,
    Difference,
    EvidenceLevel,
    ExampleComparison,
    GuideIndex,
    Interval,
    LeaderExample,
    OddsRatio,
    Principle,
    PrincipleCount,
    Rate,
    RateComparison,
    RateRatio,
    Score,
    StatedStandard,
)
from services.graphql.reads import What
from services.projections import leadership
from services.projections.leadership.policy import Evidence, Mirroring, Policy
from services.projections.leadership.principles import PRINCIPLES

PRESSURE = Principle(id="NO_PRESSURE", title="Guide, don't get")


def plain(said: str) -> str:
    """A sentence with ordinary spaces."""
    return said.replace(numbers.SPACE, " ")


def score(kept: int, n: int, low: float = 0.0, high: float = 1.0, level: EvidenceLevel = "FAIR") -> Score:
    """A score with this interval."""
    if not n:
        return Score()
    interval = Interval(low=low, high=high)
    return Score(kept=kept, breached=n - kept, n=n, rate=kept / n, interval=interval, evidence_level=level)


def difference(value: float, low: float, high: float) -> Difference:
    """A difference with this interval."""
    return Difference(value=value, interval=Interval(low=low, high=high))


def odds(value: float, low: float, high: float, n: int = 118) -> OddsRatio:
    """An odds ratio with this interval, of eight reps."""
    return OddsRatio(value=value, interval=Interval(low=low, high=high), strata=8, n=n)


# ---- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "shown"),
    [(None, "–"), (0.0, "0 %"), (0.004, "<1 %"), (0.84, "84 %"), (0.996, ">99 %"), (1.0, "100 %"), (0.005, "<1 %")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share: float | None, shown: str) -> None:
    """0 % and 100 % are said only of shares that are exactly that."""
    assert plain(numbers.percent(share)) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        *[(None, "–"), (0.0, "0"), (0.001, "under 0.01"), (0.38, "0.38"), (0.9951, "0.995"), (1.0, "1.0")],
        *[
            (0.96, "0.96"),
            (1.004, "1.004"),
            (1.03, "1.03"),
            (1.06, "1.1"),
            (2.31, "2.3"),
            (9.96, "10"),
            (14.2, "14"),
            (4000.0, "over 1,000"),
        ],
    ],
)
def test_a_ratio_has_two_digits_that_count(ratio: float | None, shown: str) -> None:
    """Ratios are as exact as they are meant."""
    assert numbers.times(ratio) == shown


@given(st.floats(0, 1), st.floats(0, 1))
def test_shares_are_in_the_order_of_what_is_shown(one: float, other: float) -> None:
    """A larger share is never shown as a smaller one."""
    low, high = sorted((one, other))
    assert _shown(numbers.percent(low)) <= _shown(numbers.percent(high))


def _shown(said: str) -> float:
    number = float(plain(said).removesuffix(" %").lstrip("<>"))
    return number + {"<": -0.5, ">": 0.5}.get(said[0], 0.0)


# ---- scores ----------------------------------------------------------------------------------------------------------


def test_a_rate_is_said_with_what_it_is_of_and_how_sure_it_is() -> None:
    """Kept, of how many, the share and its likely range."""
    said = wording.score_sentence(score(42, 50, 0.71, 0.92))
    assert plain(said) == "Kept in 42 of 50 signals: 84 %. Allowing for chance, likely between 71 % and 92 %."


def test_thin_evidence_says_so_by_the_policys_figure() -> None:
    """What thin means is told with the policy's own number of customers."""
    policy = Policy(evidence=Evidence(fair_customers=3))
    said = plain(wording.score_sentence(score(2, 2, 0.33, 1.0, "THIN"), policy))
    assert said.endswith("likely between 33 % and 100 %. Thin evidence: fewer than 3 customers.")


def test_where_there_is_nothing_it_says_nothing_to_judge() -> None:
    """No signals are no rate; what was not recorded is said to be that and no misconduct."""
    assert wording.score_sentence(Score()) == "Nothing to judge in this time."
    said = plain(wording.score_sentence(Score(not_recorded=1)))
    assert said == "Nothing to judge in this time. 1 occasion could not be judged: not recorded."
    more = Score(kept=1, n=1, rate=1.0, not_recorded=12)
    assert plain(wording.score_sentence(more)).endswith("12 more occasions could not be judged: not recorded.")


@dataclass(frozen=True)
class Change:
    """A score, and what has changed."""

    score: Score
    says: str


NOW = Score(kept=42, n=50, rate=0.84)
THEN = Score(kept=36, n=50, rate=0.72)
CHANGES = {
    "more": Change(
        replace(NOW, previous=THEN, change=difference(0.12, 0.03, 0.21)),
        "Kept more often than in the period before, by 12 points (3 to 21): 84 % now, 72 % then.",
    ),
    "less": Change(
        Score(kept=30, n=50, rate=0.6, previous=THEN, change=difference(-0.12, -0.21, -0.03)),
        "Kept less often than in the period before, by 12 points (3 to 21): 60 % now, 72 % then.",
    ),
    "unclear": Change(
        replace(NOW, previous=THEN, change=difference(0.12, -0.01, 0.25)),
        "No clear change since the period before: 84 % now, 72 % then.",
    ),
    "thin": Change(
        replace(
            NOW,
            previous=Score(kept=1, n=1, rate=1.0, evidence_level="THIN"),
            change=difference(-0.16, -0.3, 0.4),
        ),
        "No clear change since the period before: 84 % now, 100 % then. Thin evidence.",
    ),
    "nothing before": Change(
        replace(NOW, previous=Score(), change=Difference()),
        "Nothing to compare with: there was nothing to judge in the period before.",
    ),
    "nothing now": Change(
        Score(previous=THEN, change=Difference()), "Nothing to compare: there is nothing to judge in this time."
    ),
    "not asked": Change(NOW, ""),
}


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_a_change_is_clear_or_not(case: Change) -> None:
    """A change whose interval holds 0 is none; any other is said with its size and both rates."""
    assert plain(wording.change_sentence(case.score)) == case.says


def test_a_clear_difference_is_never_shown_from_0_on() -> None:
    """An interval that holds no 0 does not begin with one, however near it begins."""
    assert plain(wording.by_points(difference(0.12, 0.004, 0.21))) == "12 points (<1 to 21)"
    assert plain(wording.by_points(difference(-0.12, -0.21, -0.004))) == "12 points (<1 to 21)"


def test_a_guide_index_is_said_with_its_dimensions() -> None:
    """The index, each dimension, and what has too few signals; without an index, why."""
    found = GuideIndex(value=0.63, trust=0.62, partnership=0.61, capability=None, inquiry=0.69)
    assert plain(wording.guide_sentence(found)) == (
        "Guide index 63 %: trust 62 %, partnership 61 %, capability too few signals, inquiry 69 %."
    )
    assert wording.guide_sentence(GuideIndex()).startswith("No guide index: fewer than 3 of its four dimensions")


def test_customer_equity_is_said_figure_by_figure() -> None:
    """Each figure with its unit; what there is nothing to divide by says so."""
    found = CustomerEquity(
        active_customers=32,
        repeat_share=0.28,
        referrals_per_customer_year=0.09,
        lost_customers=1,
        touches_to_yes_median=4.5,
        share_at_five_to_seven=0.38,
        touch_share_unfit=0.03,
        touch_share_customers=0.1,
    )
    assert [plain(said) for said in wording.equity_sentences(found)] == [
        "32 customers ordered in the year; 28 % of them again.",
        "Each of them referred 0.09 others on average; who is served well may refer one or two a year.",
        "1 customer of the year before ordered nothing in this one.",
        "Half of the yeses came after 4.5 contacts or meetings to sell or fewer; 38 % after 5 to 7.",
        (
            "Of all contacts and meetings, 10 % were with customers who had ordered before, and 3 % with "
            "customers judged "
            "not to fit."
        ),
    ]
    assert wording.equity_sentences(CustomerEquity()) == [
        "Nothing to show: the team has no order and no contact with a customer in the year."
    ]


# ---- the leader's example --------------------------------------------------------------------------------------------


def test_a_leader_is_set_beside_the_team() -> None:
    """Both rates with their counts, and whether they differ."""
    clear = ExampleComparison(leader=score(42, 50), team=score(50, 100), difference=difference(0.34, 0.2, 0.46))
    assert plain(modelling.comparison_sentence(clear, "Kim")) == (
        "Kim kept it in 42 of 50 (84 %), the team in 50 of 100 (50 %): the leader more often, by 34 points (20 to 46)."
    )
    unclear = ExampleComparison(
        leader=score(2, 2, level="THIN"), team=score(50, 100), difference=difference(0.5, -0.1, 0.6)
    )
    assert plain(modelling.comparison_sentence(unclear, "Kim")) == (
        "Kim kept it in 2 of 2 (100 %), the team in 50 of 100 (50 %): no clear difference. Thin evidence: the leader's."
    )


def test_without_an_example_there_was_nothing_to_copy() -> None:
    """A leader who did not act on a principle is not judged on it."""
    said = modelling.comparison_sentence(ExampleComparison(leader=Score(), team=score(7, 9)), "Kim")
    assert plain(said) == (
        "Kim did not act on this with customers: the team had nothing here to copy. The team: 7 of 9 (78 %)."
    )


@dataclass(frozen=True)
class Mirrored:
    """Mirroring and its baseline, the relation that it is and the sentence that concludes."""

    found: OddsRatio
    baseline: OddsRatio
    relation: str
    concludes: str


MIRRORED = {
    "more than a busy month": Mirrored(
        odds(2.3, 1.4, 3.8),
        odds(1.1, 0.9, 1.3),
        "same",
        "So this is more than a busy month: the team does as Kim does.",
    ),
    "the opposite": Mirrored(
        odds(0.4, 0.2, 0.7),
        odds(1.1, 0.9, 1.3),
        "opposite",
        "So this is more than chance: the team does rather the opposite of what Kim does.",
    ),
    "overlapping": Mirrored(
        odds(2.3, 1.2, 3.8),
        odds(1.1, 0.7, 1.8),
        "chance",
        "So this cannot be told apart from chance: a busy month could show as much.",
    ),
    "less than with others": Mirrored(
        odds(1.5, 1.1, 2.0),
        odds(4.0, 3.0, 5.0),
        "chance",
        "So this cannot be told apart from chance: a busy month could show as much.",
    ),
    "below 1, and others further below": Mirrored(
        odds(0.7, 0.6, 0.9),
        odds(0.3, 0.2, 0.4),
        "chance",
        "So this cannot be told apart from chance: a busy month could show as much.",
    ),
    "no relation": Mirrored(
        odds(1.2, 0.8, 1.7),
        odds(1.1, 0.9, 1.3),
        "none",
        "So no relation is shown: 1, where neither goes with the other, lies within the likely range.",
    ),
    "no baseline": Mirrored(
        odds(2.3, 1.4, 3.8),
        OddsRatio(undefined_because="there is no signal to compare"),
        "unsure",
        "So the team does as Kim does, but whether that is more than a busy month cannot be told.",
    ),
    "no baseline, below 1": Mirrored(
        odds(0.4, 0.2, 0.7),
        OddsRatio(undefined_because="there is no signal to compare"),
        "unsure",
        "So the team does rather the opposite of what Kim does, but whether that is more than a busy month cannot be "
        "told.",
    ),
}


@pytest.mark.parametrize("case", MIRRORED.values(), ids=MIRRORED)
def test_mirroring_is_read_beside_its_chance_baseline(case: Mirrored) -> None:
    """Only what lies outside the chance baseline, and holds no 1, is said to be more than a busy month."""
    comparison = ExampleComparison(principle=PRESSURE, mirroring=case.found, chance_baseline=case.baseline)
    found = modelling.mirroring_finding(comparison, "Kim")
    assert found.relation == case.relation
    assert found.sentences[2] == case.concludes


def test_mirroring_is_said_as_odds() -> None:
    """The figure is a ratio of odds; it is not said to be how often."""
    comparison = ExampleComparison(
        principle=PRESSURE, mirroring=odds(2.3, 1.4, 3.8), chance_baseline=odds(1.1, 0.9, 1.3)
    )
    found = modelling.mirroring_finding(comparison, "Kim", Policy(mirroring=Mirroring(example_days=21)))
    assert [plain(said) for said in found.sentences] == [
        (
            "In the 21 days after Kim pressed or pushed, the odds that a rep did so too were 2.3 times those "
            "after the leader "
            "had kept to it (likely 1.4 to 3.8)."
        ),
        (
            "With other leaders in that place, by chance and busy months alone, it would be 1.1 times (likely 0.90 to "
            "1.3)."
        ),
        "So this is more than a busy month: the team does as Kim does.",
        "It rests on 118 signals of 8 reps.",
    ]
    assert not any("times as often" in said for said in found.sentences)


def test_mirroring_in_short_says_first_what_it_comes_to() -> None:
    """The conclusion, the odds on both sides, and the rest apart; without a relation the baseline is in the rest."""
    found = ExampleComparison(principle=PRESSURE, mirroring=odds(2.3, 1.4, 3.8), chance_baseline=odds(1.1, 0.9, 1.3))
    short = modelling.mirroring_in_short(found, "Kim")
    assert short.comes_to == "This is more than a busy month: the team does as Kim does."
    assert plain(short.odds) == (
        "In the 28 days after Kim pressed or pushed, the odds that a rep did so too were 2.3 times those after the "
        "leader had kept to it (likely 1.4 to 3.8); with other leaders in that place 1.1 times (likely 0.90 to 1.3)."
    )
    assert [plain(said) for said in short.more] == ["It rests on 118 signals of 8 reps."]
    none = ExampleComparison(principle=PRESSURE, mirroring=odds(1.2, 0.8, 1.7), chance_baseline=odds(1.1, 0.9, 1.3))
    assert plain(modelling.mirroring_in_short(none, "Kim").odds) == "Odds 1.2 times, likely 0.80 to 1.7."
    assert len(modelling.mirroring_in_short(none, "Kim").more) == 2
    unknown = ExampleComparison(mirroring=OddsRatio(undefined_because="there is no signal to compare"))
    assert modelling.mirroring_in_short(unknown, "Kim") == ("Cannot be said: there is no signal to compare.", "", ())


def test_mirroring_that_is_not_defined_says_why() -> None:
    """The gateway's reason is what the page says."""
    comparison = ExampleComparison(mirroring=OddsRatio(undefined_because="there is no signal to compare"))
    assert modelling.mirroring_finding(comparison, "Kim") == (
        "unknown",
        ["Cannot be said: there is no signal to compare."],
    )


def test_an_imprint_has_no_baseline_and_says_so() -> None:
    """New reps' first days are said as odds too; a busy month is not ruled out."""
    comparison = ExampleComparison(principle=PRESSURE, imprint=odds(4.0, 1.5, 9.0, n=12))
    assert plain(modelling.imprint_sentence(comparison, "Kim")) == (
        "In reps' first 90 days in the team, after Kim pressed or pushed, the odds that a rep did so too were 4.0 "
        "times those after the leader had kept to it (likely 1.5 to 9.0). So new reps did as Kim did; it may be a "
        "busy month. It rests on 12 signals of 8 reps: few signals show little."
    )


def test_a_standard_is_held_against_deeds() -> None:
    """What was stated and when, what was kept since, and the gap; without deeds there is no gap."""
    since = datetime(2026, 3, 5, 8, tzinfo=UTC)
    stated = StatedStandard(since=since, score=score(10, 33, 0.17, 0.47), gap=0.697)
    assert plain(modelling.standard_sentence(stated, "Kim")) == (
        "Kim stated this to the team on 5 March 2026. Since then they kept it in 10 of 33 signals: 30 %, likely "
        "between 17 % and 47 %. Between word and deed lie 70 points."
    )
    assert "no deeds to hold them to" in modelling.standard_sentence(StatedStandard(since=since), "Kim")


RATIOS = {
    "more often": (
        RateRatio(
            value=5.7, interval=Interval(low=2.9, high=12.5), before=10, after=57, before_days=602.0, after_days=602.0
        ),
        (
            "In the 14 days after a push of Kim's, reps GETTING 5.7 times as often as in the 14 days before "
            "one (likely 2.9 "
            "to 12): 57 times in 602 rep-days against 10 in 602 rep-days."
        ),
    ),
    "unclear": (
        RateRatio(value=1.4, interval=Interval(low=0.5, high=4.0), before=5, after=7, before_days=100, after_days=100),
        (
            "No clear difference: in the 14 days after a push of Kim's, reps GETTING 1.4 times as often as in "
            "the 14 days "
            "before one (likely 0.50 to 4.0): 7 times in 100 rep-days against 5 in 100 rep-days."
        ),
    ),
    "only a lower bound": (
        RateRatio(interval=Interval(low=4.1), before=0, after=17, before_days=98, after_days=98, undefined_because="x"),
        (
            "In the 14 days after a push of Kim's, reps GETTING 17 times, in the 14 days before one never: at "
            "least 4.1 times "
            "as often, and no upper bound is known (17 times in 98 rep-days against 0 in 98 rep-days)."
        ),
    ),
    "never": (
        RateRatio(before_days=98, after_days=98, undefined_because="there was no such signal, before or after"),
        "Nobody GETTING: neither in the 14 days after a push of Kim's nor in the 14 days before one.",
    ),
    "no days before": (
        RateRatio(after=3, after_days=98, undefined_because="there was no day of a rep before"),
        "Cannot be said: there was no day of a rep before.",
    ),
    "no push": (
        RateRatio(undefined_because="there was no day of a rep before"),
        "Kim directed no push to the team here, or nobody was a rep of it then.",
    ),
}


@pytest.mark.parametrize("found", RATIOS.values(), ids=RATIOS)
def test_goading_is_said_by_the_days_of_reps(found: tuple[RateRatio, str]) -> None:
    """A ratio of rates is how often; of a lower bound alone no value is claimed; without days nothing is."""
    ratio, says = found
    assert plain(modelling.goading_sentence(ratio, "Kim")) == says.replace("GETTING", modelling.GETTING)


def test_month_end_is_said_of_the_last_days() -> None:
    """The policy's last days against the other days."""
    ratio = RateRatio(value=2.9, interval=Interval(low=1.8, high=4.5), before=55, after=31, before_days=2188.6)
    said = plain(modelling.month_end_sentence(ratio))
    assert said.startswith("In the last 5 days of a month, reps pressed customers")
    assert "2.9 times as often as on other days (likely 1.8 to 4.5): 31 times in 0 rep-days against 55 in 2,189" in said


PUSHED, UNPUSHED = Rate(kept=6, n=29, rate=6 / 29), Rate(kept=28, n=60, rate=28 / 60)


def test_whether_pushing_pays_is_said_with_both_counts() -> None:
    """What came of both, and how far apart; without one of them there is nothing to compare."""
    found = RateComparison(with_=PUSHED, without=UNPUSHED, difference=difference(-0.26, -0.43, -0.05))
    assert plain(modelling.pushing_sentence(found)) == (
        "Of attempts with pushing 6 of 29 (21 %) were accepted; of those without, 28 of 60 (47 %). That is less often "
        "with pushing, by 26 points (5 to 43)."
    )
    assert plain(modelling.pushing_sentence(RateComparison(without=UNPUSHED))) == (
        "Nothing to compare: no decided attempt with pushing. Of those without, 28 of 60 (47 %) were accepted."
    )
    assert modelling.pushing_sentence(RateComparison()) == "Nothing to show: there is no decided attempt."
    unclear = RateComparison(with_=PUSHED, without=UNPUSHED, difference=difference(-0.26, -0.43, 0.05))
    assert modelling.repeat_sentence(unclear).endswith("No clear difference.")


def test_what_came_of_coaching_is_said_without_a_cause() -> None:
    """After and before, with counts; too little on one side is nothing to compare."""
    effect = CoachingEffect(
        principle=PRESSURE, after=Rate(kept=7, n=11, rate=7 / 11), before=Rate(kept=4, n=7, rate=4 / 7)
    )
    assert plain(modelling.coaching_sentence(effect)) == (
        "Guide, don't get: no clear difference. After coaching kept in 7 of 11 (64 %), before in 4 of 7 (57 %)."
    )
    one_side = CoachingEffect(principle=PRESSURE, after=Rate(kept=7, n=11, rate=7 / 11))
    assert plain(modelling.coaching_sentence(one_side)) == (
        "Guide, don't get: nothing to compare. After coaching kept in 7 of 11 (64 %), before coaching no signals."
    )


def test_attention_is_counted() -> None:
    """What was coached, and how much of the recognition went to behaviour."""
    coached = PrincipleCount(principle=PRESSURE, count=6)
    example = LeaderExample(coaching=(coached,), behaviour_recognition_share=0.04)
    assert [plain(said) for said in modelling.attention_sentences(example, "Kim")] == [
        "Kim coached reps of the team 6 times: “Guide, don't get” (6).",
        "Of the recognition that Kim gave, 4 % went to behaviour, the rest to results.",
    ]
    assert modelling.attention_sentences(LeaderExample(), "Kim")[1] == (
        "Kim recognised no rep of the team in this time."
    )


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (
            Correlation(value=0.9, n=8),
            "Those who guide more have more yeses: correlation +0.90 over 8 people, which chance alone seldom shows.",
        ),
        (
            Correlation(value=-0.9, n=8),
            "Those who guide less have more yeses: correlation −0.90 over 8 people, which chance alone seldom shows.",
        ),
        (
            Correlation(value=0.36, n=8),
            (
                "No sign that those who guide more have more yeses: correlation +0.36 over 8 people, and chance alone "
                "could show as much."
            ),
        ),
        (
            Correlation(n=4),
            "Whether those who guide more have more yeses cannot be said of 4 people: at least 5 are needed.",
        ),
        (
            Correlation(n=7),
            "Whether those who guide more have more yeses cannot be said of 7 people: all are alike in one of the two.",
        ),
    ],
)
def test_a_correlation_is_set_against_chance(found: Correlation, says: str) -> None:
    """Few people show a strong correlation by chance alone; that is said."""
    assert plain(modelling.guides_sentence(found, "more yeses")) == says


# ---- names -----------------------------------------------------------------------------------------------------------


def test_every_principle_has_a_breach_in_words() -> None:
    """Mirroring can be said of each principle."""
    assert set(naming.BREACHES) == {principle.name for principle in PRINCIPLES}


@pytest.mark.parametrize(
    ("words", "enumerated"),
    [
        (naming.CHANNELS, catalog.Channel),
        (naming.PURPOSES, catalog.Purpose),
        (naming.TOPICS, catalog.Topic),
        (naming.TACTICS, catalog.Tactic),
    ],
)
def test_every_value_of_the_catalogue_has_words(words: dict[str, str], enumerated: Any) -> None:
    """No name for programs is shown where the catalogue enumerates its values."""
    assert set(words) == set(get_args(enumerated))


@pytest.mark.parametrize("model", catalog.ACTS, ids=catalog.act_name)
def test_every_act_has_a_sentence(model: type[catalog.ActData]) -> None:
    """Each act of the catalogue is said in words, even without a field of its data."""
    act = Act(type=f"exemplar.{catalog.act_name(model)}.v1")
    said = naming.act_sentence(act)
    assert said[0].isupper() or said.startswith("None ")
    assert said != act.name


@pytest.mark.parametrize("model", catalog.ACTS, ids=catalog.act_name)
def test_personal_text_is_shown_apart(model: type[catalog.ActData]) -> None:
    """A personal field is never within the sentence, but given by itself; None where it cannot be read."""
    name = catalog.act_name(model)
    for personal in catalog.personal_fields(model):
        act = Act(type=f"exemplar.{name}.v1", data={personal: "SECRET"})
        assert "SECRET" not in naming.act_sentence(act)
        shown = naming.personal_text(act)
        assert shown is not None
        assert shown.content == "SECRET"
        erased = naming.personal_text(Act(type=act.type, data={personal: None}))
        assert erased is not None
        assert erased.content is None
    if not catalog.personal_fields(model):
        assert naming.personal_text(Act(type=f"exemplar.{name}.v1", data={"text": "x"})) is None


ACTS: list[tuple[str, dict[str, Any], str]] = [
    ("contact.made", {"channel": "call", "purpose": "follow_up"}, "Contacted the customer by phone, to follow up"),
    (
        "contact.received",
        {"channel": "email", "asks": True, "wants_help": True, "offered_channel": "video"},
        "The customer got in touch by email, with a question, wanting help, and offered to talk by video",
    ),
    ("question.asked", {"topic": "motivation"}, "Asked about what motivates them"),
    (
        "meeting.held",
        {"channel": "in_person", "purpose": "explore", "asked_minutes": 30, "actual_minutes": 45},
        "Met in person, to explore: 45 minutes, 30 minutes asked for",
    ),
    ("solution.recommended", {"items": []}, "Recommended nothing: nothing of ours fits"),
    (
        "proposal.made",
        {"items": [{"item": "A", "needs": ["n1", "n2"]}, {"item": "B", "needs": []}]},
        "Proposed A (for the need n1, n2), B (for no need)",
    ),
    (
        "decision.made",
        {"outcome": "deferred", "until": "2026-04-01"},
        "The customer put the decision off to 1 April 2026",
    ),
    ("decision.made", {"outcome": "declined", "no_contact": True}, "The customer said no, and asked to be left alone"),
    ("need.ruled_out", {}, "Found that there is no need at all"),
    ("exemplar.unknown", {}, "exemplar.unknown"),
]


@pytest.mark.parametrize(("name", "data", "says"), ACTS)
def test_an_act_in_words(name: str, data: dict[str, Any], says: str) -> None:
    """What was done, from the act's own data."""
    assert plain(naming.act_sentence(Act(type=f"exemplar.{name}.v1", data=data))) == says


def test_whatever_can_be_looked_at_has_words() -> None:
    """The audit log, and who asks what is held of them, say of every read in words what it was of."""
    assert set(naming.LOOKED_AT) == set(What)


def test_every_reason_of_the_model_has_words() -> None:
    """The reasons that the rules give are all in the table, and the table holds no other."""
    folder = Path(leadership.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in folder.rglob("*.py"))
    given = set(re.findall(r'(?:kept|breached|breached_by_silence)\(\s*"([a-z_]+)"', code))
    assert given <= set(naming.REASONS)
    assert all(f'"{reason}"' in code for reason in naming.REASONS)
    assert naming.reason_words("brand_new") == "Brand new"

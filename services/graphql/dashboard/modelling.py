"""A leader's example in plain sentences: what the leader models, what the team mirrors, what comes of pushing.

A sentence says what was found and how sure it is, never why: a relation is not yet a cause. Odds are called odds.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.graphql.dashboard.answers import (
    CoachingEffect,
    Correlation,
    ExampleComparison,
    Interval,
    LeaderExample,
    OddsRatio,
    PrincipleCount,
    Rate,
    RateComparison,
    RateRatio,
    Score,
    StatedStandard,
)
from services.graphql.dashboard.naming import BREACHES
from services.graphql.dashboard.numbers import SPACE, correlation, day, many, percent, points, times
from services.graphql.dashboard.wording import by_points, clear, likely, short_score
from services.projections.leadership.policy import DEFAULT_POLICY, Policy

Relation = Literal["unknown", "none", "chance", "unsure", "same", "opposite"]
GETTING = "pressed customers, pushed specials that met no need, or appealed to a goal"
FEW_SIGNALS = 20


class Finding(NamedTuple):
    """What mirroring shows, and the sentences that say it."""

    relation: Relation
    sentences: Sequence[str]


class Short(NamedTuple):
    """Mirroring in few words: what it comes to, the odds that say so, and sentences for who wants to know more."""

    comes_to: str
    odds: str
    more: Sequence[str]


# ---- example and mirror ----------------------------------------------------------------------------------------------


def comparison_sentence(comparison: ExampleComparison, leader: str) -> str:
    """The leader's conduct beside the team's on one principle."""
    own, team, difference = comparison.leader, comparison.team, comparison.difference
    if not own.n:
        copied = f"{leader} did not act on this with customers: the team had nothing here to copy."
        return f"{copied} The team: {short_score(team)}."
    if not team.n:
        return f"{leader}: {short_score(own)}. The team has nothing to judge here."
    both = f"{leader} kept it in {short_score(own)}, the team in {short_score(team)}"
    if clear(difference) and difference.value is not None:
        more = "more" if difference.value > 0 else "less"
        said = f"{both}: the leader {more} often, by {by_points(difference)}."
    else:
        said = f"{both}: no clear difference."
    return f"{said} {thin}" if (thin := _whose_is_thin(own, team)) else said


def _whose_is_thin(own: Score, team: Score) -> str:
    whose = [who for who, score in (("the leader's", own), ("the team's", team)) if score.evidence_level == "THIN"]
    return f"Thin evidence: {' and '.join(whose)}." if whose else ""


def mirroring_finding(comparison: ExampleComparison, leader: str, policy: Policy = DEFAULT_POLICY) -> Finding:
    """Does the team do what the leader does, and more than with other leaders in the leader's place?"""
    found, baseline = comparison.mirroring, comparison.chance_baseline
    if found.value is None or found.interval is None:
        return Finding("unknown", [f"Cannot be said: {found.undefined_because or 'there is too little'}."])
    relation = _relation(found.interval, baseline)
    said = [
        _odds_after(found, leader, f"In the {policy.mirroring.example_days} days after", comparison.principle.id),
        _with_others(baseline),
        _conclusion(relation, leader, found.interval),
    ]
    return Finding(relation, [*said, *_rests_on(found)])


def mirroring_in_short(comparison: ExampleComparison, leader: str, policy: Policy = DEFAULT_POLICY) -> Short:
    """Mirroring for where the rest is a click away: what it comes to, the odds, and what more there is to say."""
    relation, said = mirroring_finding(comparison, leader, policy)
    found, baseline = comparison.mirroring, comparison.chance_baseline
    if found.value is None or found.interval is None:
        return Short(said[0], "", ())
    if relation == "none":
        odds = f"Odds {times(found.value)}{SPACE}times, {_ends(found.interval)}."
        return Short("No relation is shown between what the leader does and what reps do.", odds, (said[1], *said[3:]))
    when = f"In the {policy.mirroring.example_days} days after"
    other = "what other leaders in that place would show cannot be said"
    if baseline.value is not None:
        other = f"with other leaders in that place {times(baseline.value)}{SPACE}times ({_ends(baseline.interval)})"
    comes_to = _conclusion(relation, leader, found.interval).removeprefix("So ")
    odds = _odds_after(found, leader, when, comparison.principle.id).rstrip(".")
    return Short(_upper(comes_to), f"{odds}; {other}.", tuple(said[3:]))


def _relation(found: Interval, baseline: OddsRatio) -> Relation:
    if found.holds(1.0):
        return "none"
    if baseline.interval is None:
        return "unsure"
    if found.overlaps(baseline.interval):
        return "chance"
    same = found.low is not None and found.low > 1
    above = found.low is not None and baseline.interval.high is not None and found.low > baseline.interval.high
    if same:
        return "same" if above else "chance"
    return "chance" if above else "opposite"


def _odds_after(found: OddsRatio, leader: str, when: str, principle: str) -> str:
    breach = BREACHES.get(principle, "breached it")
    return (
        f"{when} {leader} {breach}, the odds that a rep did so too were {times(found.value)}{SPACE}times those after "
        f"the leader had kept to it ({_ends(found.interval)})."
    )


def _with_others(baseline: OddsRatio) -> str:
    if baseline.value is None:
        return f"What other leaders in that place would show cannot be said: {baseline.undefined_because}."
    shown = f"{times(baseline.value)}{SPACE}times ({_ends(baseline.interval)})"
    return f"With other leaders in that place, by chance and busy months alone, it would be {shown}."


def _conclusion(relation: Relation, leader: str, found: Interval) -> str:
    same = found.low is not None and found.low > 1
    does = f"the team does as {leader} does" if same else f"the team does rather the opposite of what {leader} does"
    said = {
        "none": "So no relation is shown: 1, where neither goes with the other, lies within the likely range.",
        "unsure": f"So {does}, but whether that is more than a busy month cannot be told.",
        "chance": "So this cannot be told apart from chance: a busy month could show as much.",
        "same": f"So this is more than a busy month: {does}.",
        "opposite": f"So this is more than chance: {does}.",
    }
    return said[relation]


def _rests_on(found: OddsRatio) -> list[str]:
    said = f"It rests on {many(found.n, 'signal')} of {many(found.strata, 'rep')}"
    return [f"{said}: few signals show little." if found.n < FEW_SIGNALS else f"{said}."]


def imprint_sentence(comparison: ExampleComparison, leader: str, policy: Policy = DEFAULT_POLICY) -> str:
    """Mirroring over the first days of each rep in the team."""
    found, first = comparison.imprint, f"first {policy.imprint.first_days} days in the team"
    if found.value is None or found.interval is None:
        return f"In reps' {first}: cannot be said: {found.undefined_because or 'there is too little'}."
    said = _odds_after(found, leader, f"In reps' {first}, after", comparison.principle.id)
    if found.interval.holds(1.0):
        shown = "So no relation is shown."
    else:
        same = found.interval.low is not None and found.interval.low > 1
        shown = (
            f"So new reps did {'as' if same else 'rather the opposite of what'} {leader} did; it may be a busy month."
        )
    return " ".join([said, shown, *_rests_on(found)])


def mirroring_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What mirroring and its chance baseline are."""
    return (
        f"Mirroring: each signal of a rep is set beside what the leader showed in the {policy.mirroring.example_days} "
        "days before it with other customers: breached if any signal was, kept if all were. Odds are breaches for "
        "each time kept: 1 breach to 4 kept is 0.25. The figure is the odds after a breach by the odds after "
        "keeping, rep by rep and pooled; 1 means that neither goes with the other. It is about odds, so it is not "
        "\u201ctimes as often\u201d where breaches are common. Chance baseline: the same with every leader of "
        "another team in the leader's place. A busy month shows in both. That one goes with the other does not say "
        "that it is the cause."
    )


def imprint_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What imprint is."""
    return (
        f"Imprint: mirroring over the signals of each rep's first {policy.imprint.first_days} days in the team, in the "
        "period or before it. There is no chance baseline for it."
    )


# ---- words and deeds -------------------------------------------------------------------------------------------------


def standard_sentence(standard: StatedStandard, leader: str) -> str:
    """What a leader stated, and how the leader kept it since."""
    stated = f"{leader} stated this to the team on {day(standard.since)}."
    if standard.gap is None or not standard.score.n:
        return f"{stated} Since then they had no occasion to keep it: there are words, and no deeds to hold them to."
    score = standard.score
    said = f"{stated} Since then they kept it in {score.kept:,} of {many(score.n, 'signal')}: {percent(score.rate)}"
    said += f", likely {likely(score.interval)}." if score.interval else "."
    said += f" Between word and deed lie {points(standard.gap)}."
    return f"{said} Thin evidence." if score.evidence_level == "THIN" else said


STANDARDS_DEFINITION = (
    "A standard is a principle that the leader stated to the team. The gap is 100 % less the rate at which the "
    "leader's own signals kept it, from the first statement on to the end of the period."
)


# ---- pressure --------------------------------------------------------------------------------------------------------


def goading_sentence(found: RateRatio, leader: str, policy: Policy = DEFAULT_POLICY) -> str:
    """Do reps push customers after they were pushed?"""
    if not found.before_days and not found.after_days:
        return f"{leader} directed no push to the team here, or nobody was a rep of it then."
    after = f"In the {policy.goading.after_days} days after a push of {leader}'s"
    before = f"in the {policy.goading.before_days} days before one"
    return _ratio_sentence(found, after, before)


def month_end_sentence(found: RateRatio, policy: Policy = DEFAULT_POLICY) -> str:
    """Do reps push at the end of the month?"""
    if not found.before_days and not found.after_days:
        return "Nothing to show: nobody was a rep of the team in this time."
    return _ratio_sentence(found, f"In the last {policy.month_end.last_days} days of a month", "on other days")


def _ratio_sentence(found: RateRatio, after: str, before: str) -> str:
    days, other_days = (many(round(one), "rep-day") for one in (found.after_days, found.before_days))
    counts = f"{many(found.after, 'time')} in {days} against {found.before:,} in {other_days}"
    if found.interval is None:
        if found.undefined_because and not (found.before_days and found.after_days):
            return f"Cannot be said: {found.undefined_because}."
        return f"Nobody {GETTING}: neither {_lower(after)} nor {before}."
    if found.value is None:
        low = f"at least {times(found.interval.low)}{SPACE}times as often, and no upper bound is known"
        return f"{after}, reps {GETTING} {many(found.after, 'time')}, {before} never: {low} ({counts})."
    often = f"{times(found.value)}{SPACE}times as often as {before} ({_ends(found.interval)}): {counts}."
    if found.interval.holds(1.0):
        return f"No clear difference: {_lower(after)}, reps {GETTING} {often}"
    return f"{after}, reps {GETTING} {often}"


def goading_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What goading is."""
    return (
        f"How often reps {GETTING}, for each day of a rep: in the {policy.goading.after_days} days after any push "
        f"that the leader directed, against the {policy.goading.before_days} days before one that are not after "
        "another. 1 means as often."
    )


def month_end_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What month-end pressure is."""
    return (
        f"How often reps {GETTING}, for each day of a rep: in the last {policy.month_end.last_days} days of calendar "
        "months (UTC) against all other days of the period. 1 means as often."
    )


# ---- does pushing pay ------------------------------------------------------------------------------------------------


def pushing_sentence(found: RateComparison) -> str:
    """Of attempts with and without pushing, how many were accepted."""
    return _pushing(found, "were accepted", "decided attempt")


def repeat_sentence(found: RateComparison, policy: Policy = DEFAULT_POLICY) -> str:
    """Of those that were accepted, with and without pushing, how many ordered again."""
    days = policy.pushing.repeat_days
    return _pushing(found, f"ordered again within {days} days", f"accepted attempt that is {days} days old")


def _pushing(found: RateComparison, did: str, attempt: str) -> str:
    pushed, unpushed = found.with_, found.without
    if not pushed.n and not unpushed.n:
        return f"Nothing to show: there is no {attempt}."
    if not pushed.n or not unpushed.n:
        which, there = ("with", unpushed) if not pushed.n else ("without", pushed)
        other = "without" if which == "with" else "with"
        return f"Nothing to compare: no {attempt} {which} pushing. Of those {other}, {_of(there)} {did}."
    both = f"Of attempts with pushing {_of(pushed)} {did}; of those without, {_of(unpushed)}."
    if not clear(found.difference) or found.difference.value is None:
        return f"{both} No clear difference."
    more = "more" if found.difference.value > 0 else "less"
    return f"{both} That is {more} often with pushing, by {by_points(found.difference)}."


def _of(rate: Rate) -> str:
    return f"{rate.kept:,} of {rate.n:,} ({percent(rate.rate)})"


def pushing_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What pushing and its outcomes are."""
    return (
        "Attempts in which a rep of the team began to sell in the period, and that ended in a yes or a no. With "
        "pushing: somebody pressed, promoted a special that met no need, or appealed to a goal in it. Ordered again: "
        f"of the accepted ones that are {policy.pushing.repeat_days} days old, those with an order more than "
        f"{policy.pushing.repeat_hours} hours after and within those days. Attempts that were pushed may have been "
        "harder from the start: this says what came of them, not why."
    )


# ---- attention -------------------------------------------------------------------------------------------------------


def coaching_sentence(effect: CoachingEffect) -> str:
    """How those coached on a principle kept it after and before."""
    return f"{effect.principle.title}: {_coaching(effect)}"


def _coaching(effect: CoachingEffect) -> str:
    after, before = effect.after, effect.before
    if not after.n and not before.n:
        return "no signals of those coached, before or after."
    if not after.n or not before.n:
        return f"nothing to compare. {_upper(_kept_or_none(after, 'after'))}, {_kept_or_none(before, 'before')}."
    both = f"After coaching kept in {_of(after)}, before in {_of(before)}"
    if not clear(effect.difference) or effect.difference.value is None:
        return f"no clear difference. {both}."
    more = "more" if effect.difference.value > 0 else "less"
    return f"{more} often after coaching, by {by_points(effect.difference)}. {both}."


def _kept_or_none(rate: Rate, when: str) -> str:
    return f"{when} coaching kept in {_of(rate)}" if rate.n else f"{when} coaching no signals"


def coaching_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What after coaching is."""
    return (
        f"Signals of the coached rep on that principle in the {policy.coaching.after_days} days after any such "
        f"coaching, against the {policy.coaching.before_days} days before one that are not after another. Coaching "
        "often comes when things go badly, and they might have got better without it."
    )


def attention_sentences(example: LeaderExample, leader: str) -> Sequence[str]:
    """What the leader coached on, and what they recognised."""
    return [_coached(example.coaching, leader), _recognised(example, leader)]


def _coached(counts: Sequence[PrincipleCount], leader: str) -> str:
    if not counts:
        return f"{leader} coached no rep of the team in this time."
    return f"{leader} coached reps of the team {many(sum(one.count for one in counts), 'time')}: {_listed(counts)}."


def _recognised(example: LeaderExample, leader: str) -> str:
    if example.behaviour_recognition_share is None:
        return f"{leader} recognised no rep of the team in this time."
    share = percent(example.behaviour_recognition_share)
    named = f" Principles named: {_listed(example.recognition)}." if example.recognition else ""
    return f"Of the recognition that {leader} gave, {share} went to behaviour, the rest to results.{named}"


def _listed(counts: Sequence[PrincipleCount]) -> str:
    return ", ".join(f"\u201c{one.principle.title}\u201d ({one.count:,})" for one in counts)


# ---- do guides win ---------------------------------------------------------------------------------------------------


def guides_sentence(found: Correlation, what: str, policy: Policy = DEFAULT_POLICY) -> str:
    """Whether those with a higher guide index have more of `what`, such as "more of their attempts accepted"."""
    people = many(found.n, "person", "people")
    if found.value is None:
        least = policy.guides_win.people_at_least
        why = f"at least {least} are needed" if found.n < least else "all are alike in one of the two"
        return f"Whether those who guide more have {what} cannot be said of {people}: {why}."
    shown = f"correlation {correlation(found.value)} over {people}"
    if abs(found.value) <= chance_correlation(found.n):
        return f"No sign that those who guide more have {what}: {shown}, and chance alone could show as much."
    who = "guide more" if found.value > 0 else "guide less"
    return f"Those who {who} have {what}: {shown}, which chance alone seldom shows."


def chance_correlation(people: int) -> float:
    """How strong a rank correlation chance alone seldom goes beyond: 1.96 / √(people − 1), for about 19 of 20."""
    return 1.96 / math.sqrt(people - 1) if people > 1 else math.inf


def guides_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What the correlations are."""
    return (
        "Spearman's rank correlation of reps' guide index with what they achieved in the period: +1 if whoever "
        "guides more always achieved more, −1 if always less, 0 if neither. Chance alone shows less than 1.96 / "
        f"√(people − 1), either way, about 19 times in 20. At least {policy.guides_win.people_at_least} people."
    )


def _ends(interval: Interval | None) -> str:
    if interval is None:
        return "range not known"
    if interval.high is None:
        return f"at least {times(interval.low)}"
    return f"likely {times(interval.low)} to {times(interval.high)}"


def _lower(said: str) -> str:
    return said[0].lower() + said[1:]


def _upper(said: str) -> str:
    return said[0].upper() + said[1:]

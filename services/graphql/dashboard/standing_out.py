"""What stands out in a leader's example: what is clear, and whom to talk with about it. Nobody is ranked.

Only what chance does not explain is taken up, each with where it is shown; no score adds up to a verdict on a person.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.graphql.dashboard.answers import ExampleComparison, LeaderExample, RateRatio
from services.graphql.dashboard.modelling import mirroring_finding
from services.graphql.dashboard.numbers import percent, times
from services.graphql.dashboard.scores import slug
from services.graphql.dashboard.wording import by_points, clear
from services.projections.leadership.policy import DEFAULT_POLICY, Policy

KEPT_RARELY = 0.75
"""A stated standard is taken up where its leader likely kept it less often than this: a breach in four."""


class Standing(NamedTuple):
    """Something that stands out: what it is about, in a sentence, and the name of the place that shows it."""

    about: str
    says: str
    place: str


class Talks(NamedTuple):
    """What to talk about with the leader, and with the team."""

    leader: Sequence[Standing]
    team: Sequence[Standing]


def stands_out(example: LeaderExample, policy: Policy = DEFAULT_POLICY) -> Talks:
    """What is clear in an example, in the order of the page."""
    with_leader = [*_modelled(example, policy), *_said_and_not_done(example), *_pushes(example)]
    return Talks(with_leader, [*_behind(example), *_month_end(example), *_pushing(example), *_coached(example)])


def few_sales(example: LeaderExample) -> bool:
    """Whether the leader sold too little here to be an example by it: fair evidence on no principle."""
    return all(one.leader.evidence_level in ("NONE", "THIN") for one in example.comparisons)


def _at(comparison: ExampleComparison, says: str) -> Standing:
    return Standing(comparison.principle.title, says, slug(comparison.principle.id))


def _modelled(example: LeaderExample, policy: Policy) -> Iterator[Standing]:
    leader = example.leader.called
    for one in example.comparisons:
        relation = mirroring_finding(one, leader, policy).relation
        if relation == "same":
            yield _at(one, f"reps do as {leader} does, more than a busy month explains.")
        elif relation == "opposite":
            yield _at(one, f"reps do rather the opposite of what {leader} does, more than chance explains.")
        if _differ(one) and (one.difference.value or 0.0) < 0:
            yield _at(one, f"{leader} kept it less often than the team, by {by_points(one.difference)}.")


def _differ(one: ExampleComparison) -> bool:
    """Whether a leader and a team clearly differ; nobody is compared by thin evidence."""
    return clear(one.difference) and "THIN" not in (one.leader.evidence_level, one.team.evidence_level)


def _said_and_not_done(example: LeaderExample) -> Iterator[Standing]:
    for one in example.standards:
        interval, score = one.score.interval, one.score
        likely_most = interval.high if interval else None
        if score.evidence_level != "THIN" and likely_most is not None and likely_most < KEPT_RARELY:
            says = f"stated as a standard, and since then kept in {percent(score.rate)} of {score.n:,} signals."
            yield Standing(one.principle.title, says, "standards")


def _pushes(example: LeaderExample) -> Iterator[Standing]:
    if _more_often(example.goading):
        yield Standing("Pushes", f"after a push, reps press {_how_often(example.goading)} before.", "goading")


def _behind(example: LeaderExample) -> Iterator[Standing]:
    for one in example.comparisons:
        if _differ(one) and (one.difference.value or 0.0) > 0:
            yield _at(one, f"the team kept it less often than its leader, by {by_points(one.difference)}.")


def _month_end(example: LeaderExample) -> Iterator[Standing]:
    found = example.month_end_pressure
    if _more_often(found):
        yield Standing("The end of the month", f"reps press {_how_often(found)} on other days.", "month-end")


def _pushing(example: LeaderExample) -> Iterator[Standing]:
    for found, did in ((example.pushing.acceptance, "were accepted"), (example.pushing.repeat, "ordered again")):
        if clear(found.difference):
            more = "more" if (found.difference.value or 0.0) > 0 else "less"
            says = f"attempts with pushing {did} {more} often than those without, by {by_points(found.difference)}."
            yield Standing("Pushing", says, "pushing")


def _coached(example: LeaderExample) -> Iterator[Standing]:
    for one in example.after_coaching:
        if clear(one.difference):
            more = "more" if (one.difference.value or 0.0) > 0 else "less"
            says = f"after coaching kept {more} often than before, by {by_points(one.difference)}."
            yield Standing(one.principle.title, says, "after-coaching")


def _more_often(found: RateRatio) -> bool:
    return found.interval is not None and found.interval.low is not None and found.interval.low > 1


def _how_often(found: RateRatio) -> str:
    if found.value is not None:
        return f"{times(found.value)} times as often as"
    low = found.interval.low if found.interval else None
    return f"at least {times(low)} times as often as"

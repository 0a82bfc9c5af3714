"""A team: one row a principle, in a plain sentence, with the leader's value beside the team's and what has changed."""

from collections.abc import Sequence

from msgspec import Struct

from services.graphql.dashboard.answers import LeaderExample, Score, Scorecard, Team
from services.graphql.dashboard.figures import Figure, Link, Missing, Shown
from services.graphql.dashboard.places import team_tabs, to_person, trail_to
from services.graphql.dashboard.scores import Beside, card_context, card_figures, nothing_judged, slug
from services.graphql.dashboard.visiting import Page, Visit

NO_SIGNALS = nothing_judged("No rep of the team has an act with a customer here that a principle judges.")
NOT_YOURS = Missing(
    "The figures of this team are not yours to see",
    "Those who lead a team see them. Your own card is yours to see in full.",
)


class Asked(Struct):
    """What the document answers."""

    team: Team


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    period = visit.period
    asked = await visit.ask(
        "team",
        Asked,
        team=visit.needed("team"),
        period=period.variable,
        by=period.bucket,
        includeSubteams=visit.chosen("subteams"),
    )
    team, card = asked.team, asked.team.scorecard
    context = {"team": team, "reps": _reps(visit, team), **card_context(card.scores if card else ())}
    if card is None:
        return Shown(team.name, (), context, trail_to(visit, team), missing=NOT_YOURS)
    return Shown(
        team.name,
        _figures(visit, team, card),
        context,
        trail_to(visit, team),
        team_tabs(visit, team),
        team.name,
        None if any(score.n for score in card.scores) else NO_SIGNALS,
        team.key,
    )


def _figures(visit: Visit, team: Team, card: Scorecard) -> Sequence[Figure]:
    return card_figures(
        visit,
        card,
        team.name,
        "The team",
        lambda score: signals_of(visit, team, score),
        lambda score: _links(visit, team, score),
        lambda score: _leaders(score, team.examples or ()),
    )


def signals_of(visit: Visit, team: Team, score: Score, **period: str | None) -> str:
    """The address of the signals of a team's score; over another period where its parameters are given."""
    subteams = "true" if visit.chosen("subteams") else None
    return visit.link("signals", **period, team=team.key, principle=slug(score.principle.id), subteams=subteams)


def _links(visit: Visit, team: Team, score: Score) -> Sequence[Link]:
    principle = slug(score.principle.id)
    return [
        Link("The leader’s own", visit.link("example", team=team.key) + f"#{principle}"),
        Link("What it asks", visit.link("principle", principle=principle)),
    ]


def _leaders(score: Score, examples: Sequence[LeaderExample]) -> Sequence[Beside]:
    """Each leader's own score on the principle, those that have one."""
    return [
        Beside(example.leader.called, comparison.leader)
        for example in examples
        for comparison in example.comparisons
        if comparison.principle.id == score.principle.id
    ]


def _reps(visit: Visit, team: Team) -> Sequence[Link]:
    """The cards of who is in the team as a rep now, by key."""
    return [to_person(visit, member.person) for member in team.members or () if member.role == "REP"]


PAGE = Page("team", build)

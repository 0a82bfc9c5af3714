"""A team: one row a principle, in a plain sentence, with the leader's value beside the team's and what has changed."""

from collections.abc import Sequence

from msgspec import Struct

from services.graphql.dashboard.answers import LeaderExample, Score, Scorecard, Team
from services.graphql.dashboard.figures import Figure, Link, Missing, Shown
from services.graphql.dashboard.places import team_tabs, trail_to
from services.graphql.dashboard.scores import (
    Beside,
    Told,
    clear_changes,
    comparable,
    guide_figure,
    principle_figures,
    score_table,
    slug,
)
from services.graphql.dashboard.visiting import Page, Visit
from services.graphql.dashboard.wording import change_sentence, score_sentence

NO_SIGNALS = Missing(
    "Nothing to show in this period",
    "No rep of the team has an act with a customer here that a principle judges. Choose another period, or send acts.",
    ("contact.made", "question.asked", "meeting.held", "proposal.made", "decision.made"),
)
NOT_YOURS = Missing(
    "The figures of this team are not yours to see",
    "Those who lead a team see them. Your own card is yours to see in full.",
)


class Asked(Struct):
    """What the document answers."""

    team: Team


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    period, subteams = visit.period, visit.chosen("subteams")
    asked = await visit.ask(
        "team",
        Asked,
        team=visit.needed("team"),
        period=period.variable,
        by=period.bucket,
        includeSubteams=subteams,
    )
    team = asked.team
    context = {"team": team, "subteams": subteams, "reps": _reps(visit, team)}
    if team.scorecard is None:
        return Shown(team.name, (), {**context, "scores": ()}, trail_to(visit, team), missing=NOT_YOURS)
    scores = team.scorecard.scores
    return Shown(
        team.name,
        _figures(visit, team, team.scorecard),
        {**context, "scores": scores, "changes": clear_changes(scores), "comparable": comparable(scores), "slug": slug},
        trail_to(visit, team),
        team_tabs(visit, team),
        team.name,
        None if any(score.n for score in scores) else NO_SIGNALS,
        team.key,
    )


def _figures(visit: Visit, team: Team, card: Scorecard) -> Sequence[Figure]:
    examples = team.examples or ()
    caption = f"{team.name}, {visit.period.name}"
    overview = Figure(
        "principles",
        "All principles in numbers",
        table=score_table(caption, card.scores, visit.policy, lambda score: _signals(visit, team, score)),
    )
    beside = {score.principle.id: _leaders(score, examples) for score in card.scores}
    each = principle_figures(
        card.scores, "The team", visit.period.bucket, beside, lambda score: _told(visit, team, score, examples)
    )
    return [overview, *each, guide_figure(caption, card, visit.policy, lambda score: _signals(visit, team, score))]


def _leaders(score: Score, examples: Sequence[LeaderExample]) -> Sequence[Beside]:
    """Each leader's own score on the principle, those that have one."""
    return [
        Beside(example.leader.called, comparison.leader)
        for example in examples
        for comparison in example.comparisons
        if comparison.principle.id == score.principle.id
    ]


def _told(visit: Visit, team: Team, score: Score, examples: Sequence[LeaderExample]) -> Told:
    principle = slug(score.principle.id)
    links = [
        Link("The signals", _signals(visit, team, score)),
        Link("The leader’s own", visit.link("example", team=team.key) + f"#{principle}"),
        Link("What it asks", visit.link("principle", principle=principle)),
    ]
    return Told([score_sentence(score, visit.policy), change_sentence(score)], links if score.n else links[1:])


def _signals(visit: Visit, team: Team, score: Score) -> str:
    subteams = "true" if visit.chosen("subteams") else None
    return visit.link("signals", team=team.key, principle=slug(score.principle.id), subteams=subteams)


def _reps(visit: Visit, team: Team) -> Sequence[Link]:
    """The cards of who is in the team as a rep now, by key."""
    members = [member.person for member in team.members or () if member.role == "REP"]
    return [Link(person.called, visit.link("person", person=person.key)) for person in members]


PAGE = Page("team", build)

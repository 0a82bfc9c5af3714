"""A person's card: the same rows as a team's, of one person; who it is about sees all that their leader sees.

Nobody else stands beside them: a card compares a person with their own period before, and with nobody.
"""

from collections.abc import Sequence

from msgspec import Struct

from services.graphql.dashboard.answers import Membership, Person, Score, Scorecard
from services.graphql.dashboard.figures import NOTHING, Cell, Column, Figure, Link, Missing, Shown, Table
from services.graphql.dashboard.numbers import short_day
from services.graphql.dashboard.places import TEAMS, live_team, person_tabs
from services.graphql.dashboard.scores import (
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

_NONE = Missing(
    "Nothing to show in this period",
    "No act of this person with a customer here is one that a principle judges. Choose another period, or send acts.",
    ("contact.made", "question.asked", "meeting.held", "proposal.made", "decision.made"),
)
_NOT_YOURS = Missing("This card is not yours to see", "Who it is about sees it, and who leads a team that they are in.")


class Asked(Struct):
    """What the document answers."""

    person: Person


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    period = visit.period
    asked = await visit.ask(
        "person",
        Asked,
        person=visit.needed("person"),
        period=period.variable,
        by=period.bucket,
        after=visit.query.get("after"),
    )
    person = asked.person
    card = person.scorecard
    figures = [_stays(visit, person), _customers(visit, person)]
    context = {"person": person, "stays": _teams(visit, person), "scores": (), "slug": slug, **_more(visit, person)}
    if card is None:
        return Shown(person.called, figures, context, [TEAMS], missing=_NOT_YOURS)
    return Shown(
        person.called,
        [*_of_card(visit, person, card), *figures],
        {
            **context,
            "scores": card.scores,
            "changes": clear_changes(card.scores),
            "comparable": comparable(card.scores),
        },
        [TEAMS],
        person_tabs(visit, person),
        person.called,
        None if any(score.n for score in card.scores) else _NONE,
        live_team(person),
    )


def _of_card(visit: Visit, person: Person, card: Scorecard) -> Sequence[Figure]:
    caption = f"{person.called}, {visit.period.name}"
    overview = Figure(
        "principles",
        "All principles in numbers",
        table=score_table(caption, card.scores, visit.policy, lambda score: _signals(visit, person, score)),
    )
    each = principle_figures(
        card.scores, person.called, visit.period.bucket, {}, lambda score: _told(visit, person, score)
    )
    return [overview, *each, guide_figure(caption, card, visit.policy, lambda score: _signals(visit, person, score))]


def _told(visit: Visit, person: Person, score: Score) -> Told:
    asks = Link("What it asks", visit.link("principle", principle=slug(score.principle.id), person=person.key))
    links = [Link("The signals", _signals(visit, person, score)), asks] if score.n else [asks]
    return Told([score_sentence(score, visit.policy), change_sentence(score)], links)


def _signals(visit: Visit, person: Person, score: Score) -> str:
    return visit.link("signals", person=person.key, principle=slug(score.principle.id))


def _teams(visit: Visit, person: Person) -> Sequence[Link]:
    """The teams that the person is in now, each with the role; who leads one is led to their example there."""
    return [
        Link(f"{stay.role.lower()} in {stay.team.name}", _team(visit, person, stay))
        for stay in person.memberships or ()
        if stay.to is None
    ]


def _team(visit: Visit, person: Person, stay: Membership) -> str:
    if stay.role == "LEADER":
        return visit.link("example", team=stay.team.key, leader=person.key)
    return visit.link("team", team=stay.team.key)


def _stays(visit: Visit, person: Person) -> Figure:
    columns = (Column("Team", "text"), Column("Role", "text"), Column("From", "text"), Column("To", "text"))
    rows = [
        (
            Cell(stay.team.name, href=_team(visit, person, stay)),
            Cell(stay.role.lower()),
            Cell(short_day(stay.from_), stay.from_.isoformat()),
            Cell(short_day(stay.to), stay.to.isoformat()) if stay.to else NOTHING,
        )
        for stay in person.memberships or ()
    ]
    return Figure(
        "stays", "Teams", table=Table(f"{person.called}: teams, the first first", columns, rows), open_table=True
    )


def _customers(visit: Visit, person: Person) -> Figure:
    columns = (Column("Customer", "text"), Column("Name", "text"), Column("Segment", "text"))
    found = person.relationships.nodes if person.relationships else ()
    rows = [
        (
            Cell(one.customer_key, href=visit.link("relationship", customer=one.customer_key)),
            Cell(one.customer_name or ""),
            Cell(one.segment or ""),
        )
        for one in found
    ]
    table = Table(f"{person.called}: customers, by key", columns, rows)
    return Figure("customers", "Customers", table=table, open_table=True)


def _more(visit: Visit, person: Person) -> dict[str, object]:
    """Where the list of customers goes on."""
    page = person.relationships.page_info if person.relationships else None
    return {
        "further": visit.again(after=page.end_cursor) if page and page.has_next_page else None,
        "beginning": visit.again(after=None) if "after" in visit.query else None,
    }


PAGE = Page("person", build)

"""A person's card: the same rows as a team's, of one person; who it is about sees all that their leader sees.

Nobody else stands beside them: a card compares a person with their own period before, and with nobody.
"""

from collections.abc import Sequence

from msgspec import Struct

from services.graphql.dashboard.answers import Connection, Membership, Person, Relationship, Score, Scorecard
from services.graphql.dashboard.figures import NOTHING, Cell, Column, Figure, Link, Missing, Shown, Table
from services.graphql.dashboard.numbers import short_day
from services.graphql.dashboard.places import TEAMS, live_team, person_tabs
from services.graphql.dashboard.scores import card_context, card_figures, nothing_judged, slug
from services.graphql.dashboard.visiting import Page, Visit

_NONE = nothing_judged("No act of this person with a customer here is one that a principle judges.")
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
    person, card = asked.person, asked.person.scorecard
    customers = person.relationships or Connection[Relationship]()
    figures = [_stays(visit, person), _customers(visit, person, customers.nodes)]
    context = {
        "person": person,
        "stays": _teams(visit, person),
        "paging": visit.paging(after=customers.page_info.further),
        **card_context(card.scores if card else ()),
    }
    if card is None:
        return Shown(person.called, figures, context, [TEAMS], missing=_NOT_YOURS)
    return Shown(
        person.called,
        [*_of_card(visit, person, card), *figures],
        context,
        [TEAMS],
        person_tabs(visit, person),
        person.called,
        None if any(score.n for score in card.scores) else _NONE,
        live_team(person),
    )


def _of_card(visit: Visit, person: Person, card: Scorecard) -> Sequence[Figure]:
    def signals(score: Score) -> str:
        return visit.link("signals", person=person.key, principle=slug(score.principle.id))

    def links(score: Score) -> Sequence[Link]:
        asks = visit.link("principle", principle=slug(score.principle.id), person=person.key)
        return [Link("What it asks", asks)]

    return card_figures(visit, card, person.called, person.called, signals, links)


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


def _customers(visit: Visit, person: Person, found: Sequence[Relationship]) -> Figure:
    columns = (Column("Customer", "text"), Column("Name", "text"), Column("Segment", "text"))
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


PAGE = Page("person", build)

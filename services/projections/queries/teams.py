"""Teams, who is in them, and the stays that decide whose signals a team's scorecard pools (domain.md §4)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, bindparam, or_, select

from services.projections.queries.listing import INTEGER, TEXT, as_json, keys, parameter_table
from services.projections.queries.paging import Page, page
from services.projections.queries.rows import StayRow, TeamRow
from services.projections.tables import entities, memberships, teams

ALWAYS = 2**62
"""An instant later than any."""


class TeamCard(NamedTuple):
    """Whose signals to pool: those of a team's reps, with the teams below it or without."""

    team: str
    with_subteams: bool


class Span(NamedTuple):
    """The signals of a person that belong to an instant in [from_, to)."""

    person: str
    from_: int
    to: int


def find_teams(connection: Connection, wanted: Iterable[str]) -> Mapping[str, TeamRow]:
    """The teams that exist among these keys."""
    rows = connection.execute(_known_teams(connection.dialect.name), {"wanted": as_json([key] for key in wanted)})
    return {row.key: TeamRow(row.key, row.name or row.key, row.parent) for row in rows}


@cache
def _known_teams(dialect: str) -> Select[Any]:
    wanted = parameter_table(dialect, {"key": TEXT}, "wanted")
    known = and_(entities.c.kind == "team", entities.c.key == wanted.c.key)
    joined = wanted.join(entities, known).outerjoin(teams, teams.c.team == entities.c.key)
    return select(entities.c.key, teams.c.name, teams.c.parent).select_from(joined)


def list_teams(connection: Connection, among: Iterable[str] | None, first: int, after: str | None) -> Page[TeamRow]:
    """Teams by key; of those `among`, if it is given."""
    query = select(entities.c.key, teams.c.name, teams.c.parent).where(entities.c.kind == "team")
    query = query.select_from(entities.outerjoin(teams, teams.c.team == entities.c.key))
    if among is not None:
        query = query.where(entities.c.key.in_(select(keys(connection, among).c.key)))
    if after is not None:
        query = query.where(entities.c.key > after)
    rows = connection.execute(query.order_by(entities.c.key).limit(first + 1)).all()
    return page([TeamRow(row.key, row.name or row.key, row.parent) for row in rows], first, after)


def children(connection: Connection, parents: Iterable[str]) -> Mapping[str, Sequence[TeamRow]]:
    """The teams whose parent each of these is, by key."""
    key = keys(connection, parents)
    query = select(teams.c.team, teams.c.name, teams.c.parent).join(key, teams.c.parent == key.c.key)
    found: dict[str, list[TeamRow]] = defaultdict(list)
    for row in connection.execute(query.order_by(teams.c.team)):
        found[row.parent].append(TeamRow(row.team, row.name, row.parent))
    return found


def members(connection: Connection, of_teams: Iterable[str], as_of: int) -> Mapping[str, Sequence[StayRow]]:
    """The stays of each team that hold the instant, by the person's key."""
    asked = {"teams": as_json([team] for team in of_teams), "as_of": as_of}
    found: dict[str, list[StayRow]] = defaultdict(list)
    for row in connection.execute(_members(connection.dialect.name), asked):
        found[row.team].append(_seen(StayRow(row.team, row.person, row.role, row.from_us, row.to_us), as_of))
    return found


@cache
def _members(dialect: str) -> Select[Any]:
    key = parameter_table(dialect, {"key": TEXT}, "teams")
    query = select(memberships).join(key, memberships.c.team == key.c.key)
    return query.where(holds(bindparam("as_of", type_=INTEGER))).order_by(memberships.c.person)


def stays(connection: Connection, persons: Iterable[str], as_of: int) -> Mapping[str, Sequence[StayRow]]:
    """All stays of each person that have begun, the oldest first."""
    key = keys(connection, persons)
    query = select(memberships).join(key, memberships.c.person == key.c.key).where(memberships.c.from_us <= as_of)
    found: dict[str, list[StayRow]] = defaultdict(list)
    for row in connection.execute(query.order_by(memberships.c.from_us, memberships.c.team)):
        found[row.person].append(_seen(StayRow(row.team, row.person, row.role, row.from_us, row.to_us), as_of))
    return found


def rep_spans(connection: Connection, cards: Sequence[TeamCard], as_of: int) -> list[list[Span]]:
    """For each card the stays with role rep, as of an instant; those of one person that overlap are made one.

    So each signal is in one span at most, and counts once. A walk down the tree stops at a team already met.
    """
    roots = as_json([i, card.team, int(card.with_subteams)] for i, card in enumerate(cards))
    spans: list[list[Span]] = [[] for _ in cards]
    for owner, person, from_, to in connection.execute(
        _reps(connection.dialect.name), {"roots": roots, "as_of": as_of}
    ):
        _add(spans[owner], Span(person, from_, ALWAYS if to is None else to))
    return spans


@cache
def _reps(dialect: str) -> Select[Any]:
    """The stays with role rep of the teams in `roots` (owner, team, and 1 for those below too), as of `as_of`."""
    roots = parameter_table(dialect, {"owner": INTEGER, "team": TEXT, "deep": INTEGER}, "roots")
    below = select(roots.c.owner, roots.c.team, roots.c.deep).cte(recursive=True)
    further = select(below.c.owner, teams.c.team, below.c.deep).where(teams.c.parent == below.c.team, below.c.deep == 1)
    below = below.union(further)
    return (
        select(below.c.owner, memberships.c.person, memberships.c.from_us, memberships.c.to_us)
        .join(memberships, memberships.c.team == below.c.team)
        .where(memberships.c.role == "rep", memberships.c.from_us <= bindparam("as_of", type_=INTEGER))
        .order_by(below.c.owner, memberships.c.person, memberships.c.from_us)
    )


def holds(as_of: int | BindParameter[int]) -> ColumnElement[bool]:
    """Whether a stay holds the instant."""
    return and_(memberships.c.from_us <= as_of, or_(memberships.c.to_us.is_(None), memberships.c.to_us > as_of))


def _add(spans: list[Span], span: Span) -> None:
    """Add the span, or widen the last one if the two overlap; they come by person and beginning."""
    last = spans[-1] if spans else None
    if last is None or last.person != span.person or span.from_ > last.to:
        spans.append(span)
    elif span.to > last.to:
        spans[-1] = last._replace(to=span.to)


def _seen(stay: StayRow, as_of: int) -> StayRow:
    """The stay as it is seen then: a leaving later than that leaves it open."""
    return stay._replace(to=None) if stay.to is not None and stay.to > as_of else stay

"""Whom a person may look at: what follows from the stays that are open now (architecture.md, *Credentials*).

And the other way round: the teams that persons and teams below them are part of. And whom the clock concerns.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, exists, or_, select

from services.projections.queries.listing import keys
from services.projections.queries.teams import holds
from services.projections.tables import memberships, signals, teams


class Reach(NamedTuple):
    """For a person at an instant: the teams they are in, those they lead with all below, and who is in the latter."""

    in_teams: frozenset[str] = frozenset()
    led_teams: frozenset[str] = frozenset()
    led_persons: frozenset[str] = frozenset()


NOBODY = Reach()


def reach(connection: Connection, person: str, now: int) -> Reach:
    """What a person leads, and whom. A walk down the tree stops at a team already met."""
    query = select(memberships.c.team, memberships.c.role).where(memberships.c.person == person, holds(now))
    own = connection.execute(query).all()
    leads = [row.team for row in own if row.role == "leader"]
    if not leads:
        return Reach(frozenset(row.team for row in own))
    below = select(keys(connection, leads).c.key.label("team")).cte(recursive=True)
    below = below.union(select(teams.c.team).join(below, teams.c.parent == below.c.team))
    led = select(below.c.team, memberships.c.person)
    led = led.outerjoin(memberships, (memberships.c.team == below.c.team) & holds(now))
    rows = connection.execute(led).all()
    persons = frozenset(row.person for row in rows if row.person is not None)
    return Reach(frozenset(row.team for row in own), frozenset(row.team for row in rows), persons)


def turned(connection: Connection, after: int, until: int) -> frozenset[str]:
    """The persons of whom a signal or a stay lies in (after, until]: time alone makes it count, or end."""
    person = select(memberships.c.person).distinct().subquery().c.person
    closing = exists().where(signals.c.person == person, signals.c.at_us > after, signals.c.at_us <= until)
    turning = [(column > after) & (column <= until) for column in (memberships.c.from_us, memberships.c.to_us)]
    stays = select(memberships.c.person).where(or_(*turning))
    return frozenset(connection.scalars(select(person).where(closing).union(stays)))


def teams_over(connection: Connection, persons: Iterable[str], below: Iterable[str]) -> frozenset[str]:
    """The teams whose figures rest on these persons or teams: where the persons have any stay, and all teams above."""
    person, team = keys(connection, persons), keys(connection, below)
    theirs = select(memberships.c.team).join(person, memberships.c.person == person.c.key)
    named = theirs.union(select(team.c.key)).subquery()
    above = select(named.c.team).cte(recursive=True)
    above = above.union(
        select(teams.c.parent).join(above, teams.c.team == above.c.team).where(teams.c.parent.is_not(None))
    )
    return frozenset(connection.scalars(select(above.c.team)))

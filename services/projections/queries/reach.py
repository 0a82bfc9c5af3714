"""Whom a person may look at: what follows from the stays that are open now (architecture.md, *Credentials*)."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from services.projections.queries.listing import keys
from services.projections.queries.teams import holds
from services.projections.tables import memberships, teams


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

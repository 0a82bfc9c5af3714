"""Stays in a team, from the acts of that team (domain.md §4, Membership)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.events.catalog.acts import TeamFormed, TeamJoined, TeamLeft
from services.events.catalog.envelope import Act


class Stay(NamedTuple):
    """A person's stay in a team, [from_, to) in microseconds; `to` is None while it is open."""

    team: str
    person: str
    role: str
    from_: int
    to: int | None


class Team(NamedTuple):
    """A team's name and parent by its latest `team.formed`; its key and None without one."""

    key: str
    name: str
    parent: str | None


def stays_of(team: str, acts: Iterable[Act]) -> Iterator[Stay]:
    """The stays in a team, from its acts that count in the order of §2. A stay without length is none.

    Joining again in the same role changes nothing, in another role ends the earlier stay; leaving ends the open one.
    """
    open_: dict[str, Stay] = {}
    for act in acts:
        if not isinstance(act.data, (TeamJoined, TeamLeft)):
            continue
        person = act.data.person
        stay = open_.get(person)
        role = act.data.role if isinstance(act.data, TeamJoined) else None
        if stay is not None and stay.role == role:
            continue
        if stay is not None:
            del open_[person]
            if stay.from_ < act.time:
                yield stay._replace(to=act.time)
        if role is not None:
            open_[person] = Stay(team, person, role, act.time, None)
    yield from open_.values()


def team_of(key: str, acts: Iterable[Act]) -> Team | None:
    """The team by the latest `team.formed` among its acts; None if they hold neither that nor a join."""
    found = None
    for act in acts:
        if isinstance(act.data, TeamFormed):
            found = Team(key, act.data.name, act.data.parent)
        elif isinstance(act.data, (TeamJoined, TeamLeft)) and found is None:
            found = Team(key, key, None)
    return found

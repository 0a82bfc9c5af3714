"""How many teams there are and how many people are in each: what a question may cost is known before it is answered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from heapq import nlargest

from sqlalchemy import Connection, case, func, select

from services.projections.queries.teams import holds
from services.projections.tables import entities, memberships, teams

ANY = 1
"""One team, whichever."""
Teams = Collection[str] | int
"""Certain teams, each once, or so many, whichever."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """By team: who is in it now, all stays ever, those as a leader, and the teams below it. By person: all stays.

    It is of all there is, or of what somebody may see: else what a question costs would tell of the rest.
    """

    teams: frozenset[str]
    members: Mapping[str, int]
    stays: Mapping[str, int]
    led: Mapping[str, int]
    children: Mapping[str, Collection[str]]
    persons: Mapping[str, int]

    def seen(self, visible: Collection[str], led: Collection[str], persons: Collection[str]) -> "Sizes":
        """The same of the teams that may be looked at, of who is in those that are led, and of certain persons."""
        return Sizes(
            frozenset(visible),
            {team: self.members[team] for team in led if team in self.members},
            {team: self.stays[team] for team in led if team in self.stays},
            {team: self.led[team] for team in led if team in self.led},
            {team: [child for child in self.children.get(team, ()) if child in visible] for team in visible},
            {person: self.persons[person] for person in persons if person in self.persons},
        )

    @property
    def most_stays(self) -> int:
        """The most stays that any person has."""
        return max(self.persons.values(), default=0)

    def below(self, of: Teams) -> Teams:
        """The teams right below these."""
        if isinstance(of, int):
            return self.each_below(of) * of
        return [child for team in of for child in self.children.get(team, ())]

    def each_below(self, of: Teams) -> int:
        """How many teams are right below each of these, as `each` counts."""
        return self.each({team: len(children) for team, children in self.children.items()}, of)

    @staticmethod
    def each(counts: Mapping[str, int], of: Teams) -> int:
        """How many there are for each of these teams, on average, rounded up; of teams unknown, for the largest."""
        some = nlargest(of, counts.values()) if isinstance(of, int) else [counts.get(team, 0) for team in of]
        return -(-sum(some) // max(of if isinstance(of, int) else len(some), 1))


NO_SIZES = Sizes(frozenset(), {}, {}, {}, {}, {})


def sizes(connection: Connection, now: int) -> Sizes:
    """The sizes of now."""
    is_open, leads = case((holds(now), 1), else_=0), case((memberships.c.role == "leader", 1), else_=0)
    counts = select(memberships.c.team, func.sum(is_open), func.count(), func.sum(leads)).group_by(memberships.c.team)
    rows = connection.execute(counts).all()
    children: dict[str, list[str]] = {}
    for team, parent in connection.execute(select(teams.c.team, teams.c.parent).where(teams.c.parent.is_not(None))):
        children.setdefault(parent, []).append(team)
    persons = connection.execute(select(memberships.c.person, func.count()).group_by(memberships.c.person)).all()
    return Sizes(
        frozenset(connection.scalars(select(entities.c.key).where(entities.c.kind == "team"))),
        {team: open_ for team, open_, _, _ in rows},
        {team: ever for team, _, ever, _ in rows},
        {team: led for team, _, _, led in rows},
        children,
        {person: count for person, count in persons},  # noqa: C416  # of rows, which dict is not typed for
    )

"""What pulls at people while they sell: their leader's example, her pushes, the end of the month, coaching.

This is the causal half of the made-up year. Everything else asks one question here: does this person, now, forget
this principle?
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from random import Random

from services.demo.cast import Person, Team
from services.demo.office import month_end_begins
from services.demo.styles import GETTING, shifted

Month = tuple[int, int]
"""A calendar month as (year, month)."""

EXAMPLE_LASTS = timedelta(days=28)
PUSH_LASTS = timedelta(days=14)
COACHING_LASTS = timedelta(days=60)


class Climate:
    """The influences of one year. Leaders' stories must be told before those of their reps, who copy them."""

    def __init__(self, begins: datetime, short_months: Collection[Month]) -> None:
        self.begins = begins
        self._short_months = frozenset(short_months)
        self._breaches: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
        self._pushes: defaultdict[str, list[datetime]] = defaultdict(list)
        self._coached: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)

    def push(self, team: Team, at: datetime) -> None:
        """The leader goads her team, and so breaches `no-pressure` herself."""
        self._pushes[team.key].append(at)
        self._breaches[team.leader, "no-pressure"].append(at)

    def coach(self, person: Person, principle: str, at: datetime) -> None:
        """Somebody is coached on a principle."""
        self._coached[person.key, principle].append(at)

    def set_example(self, leader: str, principle: str, at: datetime) -> None:
        """A leader breaches a principle, for the team to see."""
        self._breaches[leader, principle].append(at)

    def slips(self, person: Person, principle: str, at: datetime, rng: Random) -> bool:
        """Whether `person` breaches `principle` at `at`; a leader who does sets an example."""
        team = person.stay_on(self.day(at)).team
        leading = team.leader == person.key
        style = team.leads if leading else team.works
        factors = [person.temper]
        if not leading and _lately(self._breaches[team.leader, principle], at, EXAMPLE_LASTS):
            factors.append(style.copying)
        if _lately(self._coached[person.key, principle], at, COACHING_LASTS):
            factors.append(style.coached)
        if principle in GETTING and _lately(self._pushes[team.key], at, PUSH_LASTS):
            factors.append(style.goaded)
        if principle in GETTING and self.is_short_month_end(at):
            factors.append(style.month_end)
        slipped = rng.random() < shifted(style.chance(principle), *factors)
        if slipped and leading:
            self.set_example(person.key, principle, at)
        return slipped

    def day(self, at: datetime) -> float:
        """Days since the year began."""
        return (at - self.begins) / timedelta(days=1)

    def is_short_month_end(self, at: datetime) -> bool:
        """Whether `at` is in the last days of a month that is short of its goal."""
        return (at.year, at.month) in self._short_months and at.date() >= month_end_begins(at.date())


def _lately(times: list[datetime], at: datetime, lasting: timedelta) -> bool:
    """Whether one of `times` is in the `lasting` before `at`."""
    return any(at - lasting <= time < at for time in times)

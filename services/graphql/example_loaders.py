"""Loaders of what the leader models: each question of domain.md §5 is asked for all examples of an answer at once.

What several questions rest on, the signals of an example, is read once; what is worked out from it is worked out in
worker threads.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection
from strawberry.dataloader import DataLoader

from services.events.catalog.envelope import Catalogue
from services.projections.leadership.association import RateRatio
from services.projections.leadership.examples.guides import GuidesWin
from services.projections.leadership.examples.pushing import Pushing
from services.projections.leadership.periods import Period
from services.projections.leadership.policy import Policy
from services.projections.leadership.scorecards import Card
from services.projections.leadership.signals import Principle
from services.projections.queries import examples, leading, outcomes
from services.projections.queries.examples import Associations, Attention, Observed, StatedStandard
from services.projections.queries.leading import ExampleKey, Led

Value = TypeVar("Value")
At = TypeVar("At")
Of = TypeVar("Of")
Key = tuple[Period, ExampleKey]


class Read(Protocol):
    """Calls a query on one snapshot in a worker thread: see `loaders.Asked.read`."""

    def __call__(self, query: Callable[[Connection], list[Value]], /) -> Awaitable[list[Value]]:
        """What the query answers."""


class Cards(NamedTuple):
    """The tallies of a leader while leading, and of the team's reps meanwhile."""

    leader: Card
    team: Card


class Work(Protocol):
    """Calls something in a worker thread: see `loaders.Asked.work`."""

    def __call__(self, work: Callable[[], list[Value]], /) -> Awaitable[list[Value]]:
        """What it answers."""


class ExampleLoaders:
    """A loader for each question. `check` raises once the request is over: what takes long calls it now and then."""

    def __init__(self, read: Read, work: Work, check: Callable[[], None], policy: Policy, catalogue: Catalogue) -> None:
        self._read = read
        self._work = work
        self._check = check
        self._policy = policy
        one = self._one
        self.leaders: DataLoader[tuple[Period, str], list[str]] = one(
            lambda connection, period, teams: leading.leaders(connection, teams, period)
        )
        self.lone_rep: DataLoader[Key, Collection[str]] = one(
            lambda connection, period, keys: [_lone(of, period) for of in leading.led(connection, keys, period.as_of)]
        )
        self.observed: DataLoader[Key, Observed] = one(
            lambda connection, period, keys: examples.observe(connection, keys, period, policy)
        )
        self.goading: DataLoader[Key, RateRatio] = one(
            lambda connection, period, keys: examples.goadings(connection, keys, period, policy, catalogue)
        )
        self.attention: DataLoader[Key, Attention] = one(
            lambda connection, period, keys: examples.attention(connection, keys, period, policy, catalogue)
        )
        self.standards: DataLoader[Key, list[StatedStandard]] = one(
            lambda connection, period, keys: examples.stated_standards(connection, keys, period)
        )
        self.pushing: DataLoader[Key, Pushing] = one(
            lambda connection, period, keys: outcomes.pushings(connection, keys, period, policy)
        )
        self.equity: DataLoader[tuple[int, str], outcomes.Base] = one(
            lambda connection, as_of, teams: outcomes.equities(connection, teams, as_of, policy)
        )
        self.cards: DataLoader[Key, Cards] = DataLoader(self._cards)
        self.associations: DataLoader[Key, Mapping[Principle, Associations]] = DataLoader(self._associations)
        self.month_ends: DataLoader[Key, RateRatio] = DataLoader(self._month_ends)
        self.guides: DataLoader[Key, GuidesWin] = DataLoader(self._guides)

    def _one(self, query: Callable[[Connection, At, list[Of]], list[Value]]) -> DataLoader[tuple[At, Of], Value]:
        """A loader over a query that is asked once for each period, or instant."""

        async def load(keys: list[tuple[At, Of]]) -> list[Value]:
            by_time: dict[At, list[Of]] = defaultdict(list)
            for time, of in keys:
                by_time[time].append(of)
            found: dict[tuple[At, Of], Value] = {}
            for time, wanted in by_time.items():
                read: list[Value] = await self._read(partial(_answered, query, time, wanted))
                found.update(zip(((time, of) for of in wanted), read, strict=True))
            return [found[key] for key in keys]

        return DataLoader(load)

    async def _cards(self, keys: list[Key]) -> list[Cards]:
        observed = await self.observed.load_many(keys)
        return await self._work(lambda: [_cards(one) for one in observed])

    async def _associations(self, keys: list[Key]) -> list[Mapping[Principle, Associations]]:
        observed = await self.observed.load_many(keys)
        return await self._work(lambda: [examples.associations(one, self._policy, self._check) for one in observed])

    async def _month_ends(self, keys: list[Key]) -> list[RateRatio]:
        observed = await self.observed.load_many(keys)
        return await self._work(
            lambda: [
                examples.pressure_at_month_ends(one, period, self._policy)
                for one, (period, _) in zip(observed, keys, strict=True)
            ]
        )

    async def _guides(self, keys: list[Key]) -> list[GuidesWin]:
        observed = dict(zip(keys, await self.observed.load_many(keys), strict=True))

        def guides(connection: Connection, period: Period, of: list[ExampleKey]) -> list[GuidesWin]:
            return outcomes.guides(connection, [observed[period, key] for key in of], period, self._policy)

        return await self._one(guides).load_many(keys)


def _lone(led: Led, period: Period) -> Collection[str]:
    """The rep whom the leader led in the period, or ever if nobody then; nobody if there are several."""
    reps = {rep: led.counting(rep) for rep in led.reps}
    then = [rep for rep, during in reps.items() if any(a < period.end and b > period.start for a, b in during)]
    found = then or [rep for rep, during in reps.items() if during]
    return found if len(found) == 1 else ()


def _cards(one: Observed) -> Cards:
    return Cards(one.leader.card, one.team.card)


def _answered(
    query: Callable[[Connection, At, list[Of]], list[Value]], time: At, wanted: list[Of], connection: Connection
) -> list[Value]:
    return query(connection, time, wanted)

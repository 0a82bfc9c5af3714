"""What one request reads, through loaders: a list's children are read together, in a fixed number of statements.

A loader gathers the keys that are asked for at the same time and calls one plain query function of projections with
all of them, in a worker thread, on one snapshot.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Thread
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from strawberry.dataloader import DataLoader

from services.events.catalog.acts import person_of
from services.events.catalog.envelope import Act, Catalogue
from services.events.vault.cipher import open_acts
from services.events.vault.protocol import Vault
from services.graphql.errors import TimedOut
from services.graphql.example_loaders import ExampleLoaders
from services.graphql.permissions import Access
from services.graphql.reads import Noted, What
from services.kit.database import interrupt, reading
from services.kit.errors import Corrupt
from services.projections.audit.reading import Proof, prove_all
from services.projections.leadership.periods import Period
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Principle, Verdict
from services.projections.queries import acts, figures, people, teams
from services.projections.queries.acts import ActKey
from services.projections.queries.figures import Counted, SignalKey
from services.projections.queries.leading import ExampleCard, card_spans
from services.projections.queries.paging import Page
from services.projections.queries.position import next_offsets
from services.projections.queries.rows import ActRow, SignalRow, StayRow, TeamRow
from services.projections.queries.sizes import NO_SIZES, Sizes
from services.projections.queries.teams import ALWAYS, Span, TeamCard
from services.projections.queries.unfolded import Unfolded

Key = TypeVar("Key")
Group = TypeVar("Group")
Value = TypeVar("Value")
Result = TypeVar("Result")

TOLD_AGAIN_SECONDS = 0.2  # until a read has ended
OPENED_AT_ONCE = 1_000  # acts, before it is looked whether the request is over
_log = structlog.get_logger(__name__)


class PersonCard(NamedTuple):
    """Whose signals to count: a person's."""

    person: str


CardKey = PersonCard | TeamCard | ExampleCard
FindUnfolded = Callable[[Mapping[int, int], str, str, str | None], Unfolded | None]
"""`queries.unfolded.find_unfolded` over the log that the composition root opened."""
Watch = Callable[[str, str | None, bool], None]
"""Is told which team a subscription is about, the key of the person who asks, and whether they lead the team."""


def unwatched(team: str, person: str | None, leads: bool) -> None:
    """Who is told of a question that is answered once: nobody."""


class SignalsPage(NamedTuple):
    """Which page of a list of signals, of one verdict or both."""

    period: Period
    verdict: Verdict | None
    first: int
    after: SignalKey | None


class SignalsKey(NamedTuple):
    """A page of the signals of a card on a principle."""

    card: CardKey
    principle: Principle
    page: SignalsPage


class Paged(NamedTuple):
    """A page of something's list; `after` is the sort key of a cursor."""

    of: str
    first: int
    after: Any
    as_of: int = 0


class OpenedAct(NamedTuple):
    """An act with the texts of its personal fields, None where nobody can read them any more."""

    act: Act
    personal: Mapping[str, str | None]


@dataclass(slots=True)
class Sources:
    """What every request reads with, beside the model; `audit` is an engine on the area of the audit tree."""

    vault: Vault
    catalogue: Catalogue
    policy: Policy
    audit: Engine


@dataclass(slots=True)
class Asked:
    """One request: who asks, of which model, at which instant (which is also the `asOf` of all that name none).

    `fields`: the names of all fields in the document, for who would read for many at once. `trusted`: the document
    is one of those that the gateway knows. `names_operation`: the request says which of its operations is
    meant. `threads`: where it is read, as many reads at once as have `turns`; `searching`: where the log is searched;
    asyncio's own by default. `sizes`: what its cost is worked out from.
    """

    access: Access
    engine: Engine
    now: int
    sources: Sources
    cost_ceiling: int
    unfolded: FindUnfolded
    watch: Watch = unwatched
    reading: "Reading" = field(default_factory=lambda: Reading())
    threads: Executor | None = None
    turns: asyncio.Semaphore | None = None
    searching: Executor | None = None
    trusted: bool = False
    names_operation: bool = False
    sizes: Sizes = NO_SIZES
    cost: int | None = None
    fields: frozenset[str] = frozenset()
    ran: bool = False
    load: "Loaders" = field(init=False)
    noted: Noted = field(init=False)

    def __post_init__(self) -> None:
        self.load = Loaders(self)
        self.noted = Noted(self.access.key)

    async def find_unfolded(self, source: str, act_id: str, subject: str | None) -> Unfolded | None:
        """The act in the part of the log that the fold has not reached."""
        following = await self.read(next_offsets)
        search = partial(self.unfolded, following, source, act_id, subject)
        return await asyncio.get_running_loop().run_in_executor(self.searching, search)

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """What a query function answers on one snapshot, called in a worker thread."""
        return await self.work(partial(self._read, query))

    async def read_audit(self, query: Callable[[Connection], Result]) -> Result:
        """The same of the audit tree."""
        return await self.work(partial(self._read, query, self.sources.audit))

    async def work(self, work: Callable[[], Result]) -> Result:
        """What it answers, called in a worker thread when it is this credential's turn.

        The turn ends with the work, though nobody may wait for it any more.
        """
        turns, loop = self.turns, asyncio.get_running_loop()
        if turns is None or self.threads is None:
            return await asyncio.to_thread(work)
        await turns.acquire()

        def release(_job: object) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(turns.release)

        job = self.threads.submit(work)
        job.add_done_callback(release)
        return await asyncio.wrap_future(job)

    def _read(self, query: Callable[[Connection], Result], engine: Engine | None = None) -> Result:
        with reading(engine or self.engine) as connection, self.reading.of(connection):
            return query(connection)


class Reading:
    """The reads of a request that are under way, so that they can be ended before it is their time.

    `waited`: seconds that it stood behind others of the same credential.
    """

    waited = 0.0

    def __init__(self) -> None:
        self._changed = Condition()
        self._connections: set[Connection] = set()
        self._over = False

    @contextmanager
    def of(self, connection: Connection) -> Iterator[None]:
        """Read on this connection meanwhile. Raises TimedOut if reading is over already."""
        with self._changed:
            self.check()
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._changed:
                self._connections.discard(connection)
                self._changed.notify_all()

    def check(self) -> None:
        """Raises TimedOut if reading is over."""
        if self._over:
            raise TimedOut("the request is over")

    def end_soon(self) -> None:
        """End what is read, and let nothing more be read; a thread of its own tells the database."""
        self._over = True
        Thread(target=self._end, name="ending-reads", daemon=True).start()

    def _end(self) -> None:
        """Tell the database until all have ended: one that is told between two statements has nothing to end."""
        with self._changed:  # while it is held, no connection goes on to anybody else
            while self._connections:
                for connection in self._connections:
                    _interrupt(connection)
                self._changed.wait(TOLD_AGAIN_SECONDS)


def _interrupt(connection: Connection) -> None:
    try:
        interrupt(connection)
    except Exception as error:  # noqa: BLE001  # a database that cannot even be told is told again
        _log.warning("a read cannot be ended yet", reason=type(error).__name__)


class Loaders:
    """A loader for each kind of thing that lists hold. Each finds what it is asked for, or the empty value."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        one, many = self._one, self._many
        self.team: DataLoader[str, TeamRow | None] = one(teams.find_teams, None)
        self.children: DataLoader[str, Sequence[TeamRow]] = one(teams.children, ())
        self.members: DataLoader[tuple[int, str], Sequence[StayRow]] = many(_members)
        self.stays: DataLoader[str, Sequence[StayRow]] = one(self._stays, ())
        self.exists: DataLoader[tuple[str, str], bool] = many(_exists)
        self.reps: DataLoader[str, Sequence[str]] = one(people.reps_of, ())
        self.sees_relationship: DataLoader[str, bool] = one(self._visible_relationships, False)
        self.customers: DataLoader[Paged, Page[str]] = many(_customers)
        self.relationship_acts: DataLoader[Paged, Page[ActRow]] = many(_relationship_acts)
        self.relationship_signals: DataLoader[Paged, Page[SignalRow]] = many(self._relationship_signals)
        self.act_at: DataLoader[tuple[int, int], ActRow | None] = one(acts.find_places, None)
        self.refused_at: DataLoader[tuple[int, int], str | None] = one(acts.refused_at, None)
        self.proof: DataLoader[int, Proof] = DataLoader(self._proofs)
        self.act: DataLoader[ActKey, ActRow | None] = one(acts.find_acts, None)
        self.visible_act: DataLoader[ActKey, ActRow | None] = one(self._visible_acts, None)
        self.disputes: DataLoader[str, Sequence[ActRow]] = one(acts.disputes, ())
        self.spans: DataLoader[tuple[int, TeamCard | ExampleCard], Sequence[Span]] = many(_spans)
        self.naming: DataLoader[tuple[str, str], ActRow | None] = many(_naming)
        self.knowing: DataLoader[str, Sequence[ActRow]] = one(people.knowing_acts, ())
        self.card: DataLoader[tuple[Period, CardKey], Counted] = DataLoader(self._cards)
        self.signals: DataLoader[SignalsKey, Page[SignalRow]] = DataLoader(self._signals)
        self.example = ExampleLoaders(
            asked.read, asked.work, asked.reading.check, asked.sources.policy, asked.sources.catalogue
        )
        self.opened: DataLoader[tuple[ActRow, bool], OpenedAct] = DataLoader(self._opened)

    def forget(self) -> None:
        """Nothing more is asked: let go of all that was read, which is bound in cycles, before the collector comes."""
        vars(self.example).clear()
        vars(self).clear()

    def _one(
        self, query: Callable[[Connection, Iterable[Any]], Mapping[Any, Any] | Collection[Any]], empty: Any
    ) -> DataLoader[Any, Any]:
        """A loader over a query that takes keys and answers by key, or with those of the keys that are so."""

        async def load(keys: list[Any]) -> list[Any]:
            found = await self._asked.read(lambda connection: query(connection, keys))
            if isinstance(found, Mapping):
                return [found.get(key, empty) for key in keys]
            return [key in found for key in keys]

        return DataLoader(load)

    def _many(self, query: Callable[[Connection, list[Any]], list[Any]]) -> DataLoader[Any, Any]:
        """A loader over a query that takes keys of any form and answers in their order."""

        async def load(keys: list[Any]) -> list[Any]:
            return await self._asked.read(lambda connection: query(connection, keys))

        return DataLoader(load)

    def _stays(self, connection: Connection, persons: Iterable[str]) -> Mapping[str, Sequence[StayRow]]:
        return teams.stays(connection, persons, self._asked.now)

    def _visible_relationships(self, connection: Connection, customers: Iterable[str]) -> Collection[str]:
        access = self._asked.access
        if access.all:
            return people.which_exist(connection, people.RELATIONSHIP, customers)
        return acts.relationships_visible_to(connection, customers, access.persons)

    def _visible_acts(self, connection: Connection, keys: Iterable[ActKey]) -> Mapping[ActKey, ActRow]:
        return acts.find_acts(connection, keys, self._asked.access.within)

    def _relationship_signals(self, connection: Connection, keys: list[Paged]) -> list[Page[SignalRow]]:
        persons = self._asked.access.within

        def read(of: list[str], page: Paged) -> Mapping[str, Page[SignalRow]]:
            return figures.list_signals_of_relationships(connection, of, persons, page.as_of, page.first, page.after)

        return paged(keys, read)

    async def _pools(self, as_of: int, cards: Sequence[CardKey]) -> list[Sequence[Span]]:
        """The spans of each card: all of a person, or certain stays."""
        found = await self.spans.load_many((as_of, card) for card in cards if not isinstance(card, PersonCard))
        of_stays = iter(found)
        return [
            [Span(card.person, -ALWAYS, ALWAYS)] if isinstance(card, PersonCard) else next(of_stays) for card in cards
        ]

    async def _cards(self, keys: list[tuple[Period, CardKey]]) -> list[Counted]:
        reasons = "reasons" in self._asked.fields
        found: dict[tuple[Period, CardKey], Counted] = {}
        for period, cards in gathered(keys, lambda key: key).items():
            pools = await self._pools(period.as_of, cards)
            self._note_cards(pools)
            read = await self._asked.read(partial(_counted, pools, period, reasons))
            found.update(zip(((period, card) for card in cards), read, strict=True))
        return [found[key] for key in keys]

    def _note_cards(self, pools: Sequence[Sequence[Span]]) -> None:
        """A card is somebody's where all of its signals are one person's; a team's is nobody's."""
        for pool in pools:
            persons = {span.person for span in pool}
            if len(persons) == 1:
                self._asked.noted.note(What.CARD, persons)

    async def _signals(self, keys: list[SignalsKey]) -> list[Page[SignalRow]]:
        found: dict[SignalsKey, Page[SignalRow]] = {}
        for page, wanted in gathered(keys, lambda key: (key.page, key)).items():
            cards = list(dict.fromkeys(key.card for key in wanted))
            pools = await self._pools(page.period.as_of, cards)
            read = partial(_listed, pools, page, {key.principle for key in wanted})
            pages = dict(zip(cards, await self._asked.read(read), strict=True))
            found.update({key: pages[key.card][key.principle] for key in wanted})
        return [found[key] for key in keys]

    async def _proofs(self, indexes: list[int]) -> list[Proof]:
        return await self._asked.read_audit(partial(prove_all, indexes=indexes))

    async def _opened(self, wanted: list[tuple[ActRow, bool]]) -> list[OpenedAct]:
        opened = await self._asked.work(partial(self._open, wanted))
        for (row, _), (act, personal) in zip(wanted, opened, strict=True):
            if any(text is not None for text in personal.values()):
                whose = person_of(row.subject, act.data) if row.rep is None else row.rep
                self._asked.noted.note(What.PERSONAL, [whose])
        return opened

    def _open(self, wanted: list[tuple[ActRow, bool]]) -> list[OpenedAct]:
        """Decode the records, and decrypt what may be read; the vault is asked once for so many."""
        opened: list[OpenedAct] = []
        for some in (wanted[first : first + OPENED_AT_ONCE] for first in range(0, len(wanted), OPENED_AT_ONCE)):
            self._asked.reading.check()
            opened += self._open_some(some)
        return opened

    def _open_some(self, wanted: list[tuple[ActRow, bool]]) -> list[OpenedAct]:
        catalogue, vault = self._asked.sources.catalogue, self._asked.sources.vault
        decoded = [catalogue.decode_record(row.record) for row, _ in wanted]
        readable = [act for act, (_, reads) in zip(decoded, wanted, strict=True) if reads]
        texts = iter(open_acts(readable, catalogue, vault, _tell_corrupt))
        return [
            OpenedAct(act, next(texts) if reads else dict.fromkeys(catalogue.personal[act.name]))
            for act, (_, reads) in zip(decoded, wanted, strict=True)
        ]


def gathered(keys: Iterable[Key], split: Callable[[Key], tuple[Group, Value]]) -> dict[Group, list[Value]]:
    """The keys by group, in their order."""
    groups: dict[Group, list[Value]] = defaultdict(list)
    for key in keys:
        group, value = split(key)
        groups[group].append(value)
    return groups


def paged(keys: list[Paged], read: Callable[[list[str], Paged], Mapping[str, Page[Value]]]) -> list[Page[Value]]:
    """A page for each key: `read` is called once for each `first`, `after` and `as_of`, with all that ask for it."""
    groups = gathered(keys, lambda key: (key._replace(of=""), key.of))
    found = {group: read(of, group) for group, of in groups.items()}
    return [found[key._replace(of="")][key.of] for key in keys]


def _members(connection: Connection, keys: list[tuple[int, str]]) -> list[Sequence[StayRow]]:
    groups = gathered(keys, lambda key: key)
    found = {as_of: teams.members(connection, of, as_of) for as_of, of in groups.items()}
    return [found[as_of].get(team, ()) for as_of, team in keys]


def _exists(connection: Connection, keys: list[tuple[str, str]]) -> list[bool]:
    found = {kind: people.which_exist(connection, kind, of) for kind, of in gathered(keys, lambda key: key).items()}
    return [key in found[kind] for kind, key in keys]


def _naming(connection: Connection, keys: list[tuple[str, str]]) -> list[ActRow | None]:
    found = {kind: people.naming_acts(connection, kind, of) for kind, of in gathered(keys, lambda key: key).items()}
    return [found[kind].get(key) for kind, key in keys]


def _spans(connection: Connection, keys: list[tuple[int, TeamCard | ExampleCard]]) -> list[Sequence[Span]]:
    found: dict[tuple[int, TeamCard | ExampleCard], Sequence[Span]] = {}
    for as_of, cards in gathered(keys, lambda key: key).items():
        of_teams = [card for card in cards if isinstance(card, TeamCard)]
        of_examples = [card for card in cards if isinstance(card, ExampleCard)]
        found |= {(as_of, c): s for c, s in zip(of_teams, teams.rep_spans(connection, of_teams, as_of), strict=True)}
        found |= {(as_of, c): s for c, s in zip(of_examples, card_spans(connection, of_examples, as_of), strict=True)}
    return [found[key] for key in keys]


def _customers(connection: Connection, keys: list[Paged]) -> list[Page[str]]:
    return paged(keys, lambda of, page: people.list_customers_of(connection, of, page.first, page.after))


def _relationship_acts(connection: Connection, keys: list[Paged]) -> list[Page[ActRow]]:
    return paged(keys, lambda of, page: acts.list_acts_of_relationships(connection, of, page.first, page.after))


def _counted(cards: figures.Cards, period: Period, reasons: bool, connection: Connection) -> list[Counted]:
    return figures.count(connection, cards, period, reasons=reasons)


def _listed(
    cards: figures.Cards, page: SignalsPage, principles: Collection[Principle], connection: Connection
) -> list[Mapping[Principle, Page[SignalRow]]]:
    return figures.list_signals(connection, cards, page.period, principles, page.verdict, page.first, page.after)


def _tell_corrupt(error: Corrupt) -> None:
    _log.error("a personal field does not open", reason=str(error))

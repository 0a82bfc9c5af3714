"""Building the read model afresh from the log, beside the live one, and switching to it in one step.

All acts are kept first and each subject is folded once, so that a rebuild reads every act twice, however scattered over
the log its subject is; then it catches up like any projector. Until the switch, the live model serves as it was.

Helping processes (`crew`) share the work: the partitions while acts are kept, then subjects, some at a time. SQLite has
one writer: there this process keeps the acts, and writes what the helpers fold.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import URL, Connection, Engine, Table, case, func, insert, select, update

from services.events.log.protocol import Identity, LogReader, Position, Record
from services.events.vault.protocol import Vault
from services.kit import instants
from services.kit.database import end_if_hung, one_writer, open_engine, reading, refresh_statistics, sync_area, writing
from services.projections.applying import (
    Drawn,
    Rules,
    Touched,
    first_fold,
    sizes_of_subjects,
    together,
    write_first,
)
from services.projections.crew import Crew
from services.projections.leadership.signals import Principle, Verdict
from services.projections.projector import Partition, Projector, Sizes, load_partitions, lock_partitions
from services.projections.stores import Built, ModelSource, Stores, area_of, check_beginnings, check_log, read_facts
from services.projections.tables import acts, dead_letters, dealings, facts, model, partitions, signals

STILL_SECONDS = 300.0  # a rebuild that hangs while everybody waits for its switch is given up after so long
ACTS_AT_ONCE = 5_000  # of the log, kept in one transaction: with 20,000 that takes 30 MB more and is no faster
SUBJECTS_AT_ONCE = 5_000
RATE_FACT = "rebuilt_acts_per_second"
ASSUMED_RATE = 10_000  # acts a second, until a rebuild has measured it
MOVES_SHOWN = 50


class Plan(NamedTuple):
    """What a rebuild would do: records to read at most, under which policy, and about how many seconds it takes."""

    records: int
    policy_before: str
    policy_after: str
    catalogue_changed: bool
    seconds: float

    @property
    def policy_changes(self) -> bool:
        """Whether the model changes its policy."""
        return self.policy_before != self.policy_after


class Progress(NamedTuple):
    """How far a rebuild is: acts done of about how many, acts a second, and seconds left by that rate."""

    done: int
    total: int
    rate: float
    seconds_left: float


class Counts(NamedTuple):
    """Signals of a person on a principle, over all time."""

    kept: int
    breached: int


class Move(NamedTuple):
    """A person's counts on a principle that are not what they were."""

    person: str
    principle: Principle
    before: Counts
    after: Counts


class Rebuilt(NamedTuple):
    """What a rebuild has done. `moves`: the largest first, MOVES_SHOWN at most, of `moved` in all."""

    generation: int
    acts: int
    seconds: float
    dead_letters_before: int
    dead_letters_after: int
    moved: int
    moves: list[Move]


class Help(NamedTuple):
    """How many processes build, and how each of them opens the log, and gets the rules: functions to be pickled.

    Of fewer records than `least` one process builds: to start others takes longer than they save.
    """

    processes: int
    open_log: Callable[[], LogReader]
    rules: Callable[[], Rules]
    least: int = 50_000


class Source(NamedTuple):
    """What a model is built from. The reader is used by the thread that builds, and by nobody else meanwhile.

    Without help this process does all.
    """

    log: LogReader
    vault: Vault
    rules: Rules
    built: Built
    clock: Callable[[], int]
    help: Help | None = None


class _Some(NamedTuple):
    """Subjects, from the first to the last one in their order, and how many acts they have."""

    first: str
    last: str
    acts: int


Listener = Callable[[Progress], None]


def plan(stores: Stores, source: Source) -> Plan:
    """What a rebuild would do now. Raises Corrupt if the log is not the one that the live model was built on, or has
    lost its beginning.
    """
    ends = source.log.ends()
    check_beginnings(dict.fromkeys(ends, 0), source.log.beginnings())
    records = sum(ends.values())
    with reading(stores.model()) as connection:
        check_log(connection, source.built)
        known = read_facts(connection)
    rate = float(known.get(RATE_FACT, ASSUMED_RATE))
    changed = known["catalogue"] != source.built.catalogue
    return Plan(records, known["policy"], source.built.policy, changed, records / rate)


def rebuild(stores: Stores, source: Source, on_progress: Listener = lambda progress: None) -> Rebuilt:
    """Build a fresh generation and make it the live one. Raises Conflict if another rebuild is running, Corrupt if the
    log is not the one that the live model was built on.

    On any error, and on KeyboardInterrupt, the live model stays as it was and what was built is removed; what a killed
    rebuild left is removed at the next start (`Stores.sweep`). The caller keeps projectors of an SQLite model out.
    """
    stores.sweep()
    with stores.rebuilding():
        started = time.monotonic()
        before = stores.live()
        with reading(stores.engine(before)) as connection:
            check_log(connection, source.built)
        generation = stores.begin(source.built, source.clock())
        switching = False
        try:
            folded = _build(stores, generation, source, on_progress)
            with writing(stores.engine(before)) as still:
                old = _stand_still(still)
                folded += _catch_up(stores.engine(generation), source, old)
                seconds = time.monotonic() - started
                _finish(stores.engine(generation), old, folded / max(seconds, 0.001))
                _fence(still)
                switching = True
                stores.switch(generation, source.clock())
        except BaseException:
            if not switching:  # else it may be the live one
                stores.discard(generation)
            raise
        return _report(stores, before, generation, folded, seconds)  # before a start elsewhere may sweep the old one


def build(url: URL, area: str, source: Source, until: Position, on_progress: Listener = lambda progress: None) -> int:
    """Fill the prepared, empty model of an area with the log up to a position; how many acts that were.

    Relaxed in durability until the end, and without the indexes that only readers need until all rows are there.
    """
    engine = open_engine(url, area, lax=True)
    pace = _Pace(sum(until.values()), on_progress)
    try:
        with (
            _without_indexes(engine, acts, besides="acts_key"),
            _without_indexes(engine, signals),
            _without_indexes(engine, dealings),
        ):
            _fill(engine, url, area, source, until, pace)
        refresh_statistics(engine, model.sorted_tables)
    finally:
        engine.dispose()
    sync_area(url, area)
    return pace.acts


class LogUntil:
    """LogReader: a log as it was when it ended at a position."""

    def __init__(self, log: LogReader, until: Position) -> None:
        self._log = log
        self._left = dict(until)
        self._until = until

    def identity(self) -> Identity:
        """See LogReader."""
        return self._log.identity()

    def beginnings(self) -> Position:
        """See LogReader."""
        return self._log.beginnings()

    def ends(self) -> Position:
        """The position up to which it is read."""
        return self._until

    def read(self, position: Position, limit: int, wait: float) -> list[Record]:
        """See LogReader; there is nothing to wait for."""
        while left := {p: offset for p, offset in position.items() if offset < self._left.get(p, 0)}:
            records = self._log.read(left, limit, 0.0)
            kept = [record for record in records if record.place.offset < self._left.get(record.place.partition, 0)]
            for partition in {record.place.partition for record in records} - {r.place.partition for r in kept}:
                self._left[partition] = 0  # what comes now of this partition is all beyond the position
            if kept or not records:
                return kept
        return []

    def close(self) -> None:
        """Leaves the log itself open: it is another's."""


def _build(stores: Stores, generation: int, source: Source, on_progress: Listener) -> int:
    """Fold the log into the generation, first in bulk and then like a projector, until it is where the live one is.

    A partition that is halted in the live model is folded up to there; elsewhere what is unreadable halts nothing.
    """
    live = load_partitions(stores.model())
    ends = source.log.ends()
    until = {p: live[p].next_offset if live[p].halted_because else end for p, end in ends.items()}
    folded = build(stores.url, area_of(generation), source, until, on_progress)
    projector = _projector(lambda: stores.engine(generation), source)
    projector.take([p for p in until if not live[p].halted_because])
    while projector.step():
        pass
    return folded + projector.status.acts


def _projector(model: ModelSource, source: Source, **more: Any) -> Projector:
    log, vault, rules, built, clock, _ = source
    sizes = Sizes(ACTS_AT_ONCE, ACTS_AT_ONCE, halt_after=None)
    return Projector(model, log, vault, rules, built, clock, owner="rebuild", sizes=sizes, **more)


def _fill(engine: Engine, url: URL, area: str, source: Source, until: Position, pace: "_Pace") -> None:
    """Keep all acts up to a position, then fold each subject, alone or with help."""
    help_ = source.help
    if help_ is None or help_.processes < 2 or sum(until.values()) < help_.least:
        _keep_all(engine, source, until, pace)
        for some in _subjects(engine):
            with writing(engine) as connection:
                write_first(connection, first_fold(connection, some.first, some.last, source.rules))
            pace.folded(some.acts)
        return
    with Crew(help_.processes, partial(_tools, url, area, source.built, help_)) as crew:
        if one_writer(engine):
            _keep_all(engine, source, until, pace)
            for drawn, count in crew.work(partial(_draw, some=some) for some in _subjects(engine)):
                with writing(engine) as connection:
                    write_first(connection, drawn)
                pace.folded(count)
        else:
            for count in crew.work(partial(_keep_share, until=share) for share in _shares(until, help_.processes)):
                pace.kept(count)
            for count in crew.work(partial(_fold_share, some=some) for some in _subjects(engine)):
                pace.folded(count)


def _keep_all(engine: Engine, source: Source, until: Position, pace: "_Pace") -> None:
    for count in _keep(engine, source, until):
        pace.kept(count)


def _keep(engine: Engine, source: Source, until: Position) -> Iterator[int]:
    """Store every act up to a position, fold none; tells how many records were read, some at a time."""
    projector = _projector(
        lambda: engine, source._replace(log=LogUntil(source.log, until)), refold=lambda *args: Touched(set(), set())
    )
    projector.take(until.keys())
    while count := projector.step():
        yield count


def _subjects(engine: Engine) -> Iterator[_Some]:
    """All subjects, some at a time."""
    for some in together(_sizes(engine)):
        yield _Some(some[0][0], some[-1][0], sum(count for _, count in some))


def _sizes(engine: Engine) -> Iterator[tuple[str, int, int]]:
    """Every subject in order, with the number and the bytes of its acts."""
    last = ""
    while True:
        page = sizes_of_subjects().where(acts.c.subject > last).order_by(acts.c.subject).limit(SUBJECTS_AT_ONCE)
        with reading(engine) as connection:
            found = connection.execute(page).all()
        if not found:
            return
        yield from ((subject, count, size) for subject, count, size in found)
        last = found[-1][0]


# ---- in helping processes ----


class _Tools(NamedTuple):
    """What a helping process works with."""

    engine: Engine
    source: Source


@contextmanager
def _tools(url: URL, area: str, built: Built, help_: Help) -> Iterator[_Tools]:
    engine = open_engine(url, area, lax=True)
    with closing(help_.open_log()) as log:
        yield _Tools(engine, Source(log, _LeftAlone(), help_.rules(), built, instants.now))
    engine.dispose()


class _LeftAlone:
    """Vault of a helping process, which destroys nothing: who goes on with what was built does (`Projector.take`)."""

    def destroy(self, persons: Collection[str]) -> None:
        """Leave it to them."""

    def keys_for(self, persons: Collection[str]) -> NoReturn:
        """Not for a rebuild, which reads nothing personal."""
        raise LookupError

    existing_keys = keys_for


def _keep_share(tools: _Tools, until: Position) -> Iterator[int]:
    """Store the acts of some partitions."""
    return _keep(tools.engine, tools.source, until)


def _fold_share(tools: _Tools, some: _Some) -> Iterator[int]:
    """Fold some subjects, and write what that gives."""
    with writing(tools.engine) as connection:
        write_first(connection, first_fold(connection, some.first, some.last, tools.source.rules))
    yield some.acts


def _draw(tools: _Tools, some: _Some) -> Iterator[tuple[Drawn, int]]:
    """Fold some subjects, for another process to write what that gives."""
    with reading(tools.engine) as connection:
        drawn = first_fold(connection, some.first, some.last, tools.source.rules)
    yield drawn, some.acts


def _shares(until: Position, number: int) -> list[Position]:
    """The partitions in so many shares at most, about equal in records."""
    shares: list[dict[int, int]] = [{} for _ in range(number)]
    for partition, end in sorted(until.items(), key=lambda item: -item[1]):
        min(shares, key=lambda share: sum(share.values()))[partition] = end
    return [share for share in shares if share]


@contextmanager
def _without_indexes(engine: Engine, table: Table, besides: str = "") -> Iterator[None]:
    """Fill a table faster: its indexes, but one, are made when all rows are there."""
    indexes = sorted((index for index in table.indexes if index.name != besides), key=lambda index: str(index.name))
    with writing(engine) as connection:
        for index in indexes:
            index.drop(connection)
    yield
    with writing(engine) as connection:
        for index in indexes:
            index.create(connection)


class _Pace:
    """Tells how far it is. Keeping an act and folding it are taken as half of the work each."""

    def __init__(self, total: int, listener: Listener) -> None:
        self._total = total
        self._listener = listener
        self._began = time.monotonic()
        self._kept = self._folded = 0

    @property
    def acts(self) -> int:
        """How many acts were folded."""
        return self._folded

    def kept(self, count: int) -> None:
        """So many records more were kept."""
        self._kept += count
        self._tell()

    def folded(self, count: int) -> None:
        """So many acts more were folded; copies and what cannot be read never are."""
        self._folded += count
        self._tell()

    def _tell(self) -> None:
        done = min((self._kept + self._folded) // 2, self._total)
        rate = done / max(time.monotonic() - self._began, 0.001)
        self._listener(Progress(done, self._total, rate, (self._total - done) / rate if rate else 0.0))


def _stand_still(connection: Connection) -> Mapping[int, Partition]:
    """The partitions of a model, to which nobody else commits until this transaction ends."""
    end_if_hung(connection, STILL_SECONDS)
    return lock_partitions(connection)


def _fence(connection: Connection) -> None:
    """Let nobody commit to what it stands still for afterwards either; projectors find the live one. Raises Unavailable
    where it did not stand still, since the connection was lost.
    """
    connection.execute(update(partitions).values(epoch=partitions.c.epoch + 1, owner="a rebuild"))


def _catch_up(engine: Engine, source: Source, old: Mapping[int, Partition]) -> int:
    """Fold on to where the old model stands, so that what was once folded stays so for who waited for it.

    As far as the log goes: it may have lost its end, which is what a rebuild is for then. How many acts that were.
    """
    ends = source.log.ends()
    until = {p: min(row.next_offset, ends[p]) for p, row in old.items() if not row.halted_because}
    projector = _projector(lambda: engine, source)
    projector.take(until.keys())
    while any(projector.status.positions[p] < offset for p, offset in until.items()):
        projector.step()
    return projector.status.acts


def _finish(engine: Engine, old: Mapping[int, Partition], rate: float) -> None:
    """Carry over what is not in the log: which partitions are halted, and how fast a rebuild is."""
    halted = {p: row.halted_because for p, row in old.items() if row.halted_because}
    with writing(engine) as connection:
        for partition, because in halted.items():
            mine = (partitions.c.partition == partition) & (partitions.c.unreadable_in_row > 0)
            connection.execute(update(partitions).where(mine).values(halted_because=because))
        connection.execute(insert(facts).values(name=RATE_FACT, value=f"{rate:.0f}"))


def _report(stores: Stores, before: int, generation: int, folded: int, seconds: float) -> Rebuilt:
    old, old_letters = _tally(stores.engine(before))
    new, new_letters = _tally(stores.engine(generation))
    nothing = Counts(0, 0)
    moves = [
        Move(person, Principle(principle), was, now)
        for person, principle in old.keys() | new.keys()
        if (was := old.get((person, principle), nothing)) != (now := new.get((person, principle), nothing))
    ]
    moves.sort(key=lambda move: (-_size(move), move.person, move.principle))
    return Rebuilt(generation, folded, seconds, old_letters, new_letters, len(moves), moves[:MOVES_SHOWN])


def _size(move: Move) -> int:
    return abs(move.after.kept - move.before.kept) + abs(move.after.breached - move.before.breached)


def _tally(engine: Engine) -> tuple[Mapping[tuple[str, int], Counts], int]:
    """Counts of each person on each principle, and the number of dead letters."""
    kept, breached = (
        func.sum(case((signals.c.verdict == verdict, 1), else_=0)) for verdict in (Verdict.KEPT, Verdict.BREACHED)
    )
    query = select(signals.c.person, signals.c.principle, kept, breached).group_by(
        signals.c.person, signals.c.principle
    )
    with reading(engine) as connection:
        counts = {
            (person, principle): Counts(int(yes), int(no)) for person, principle, yes, no in connection.execute(query)
        }
        letters = connection.scalar(select(func.count()).select_from(dead_letters)) or 0
    return counts, letters

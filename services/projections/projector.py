"""The projector: reads the log in batches and takes each into the model in one transaction with the next offsets.

Killed anywhere, it goes on with nothing lost and nothing counted twice. Whoever takes a partition raises its epoch, and
every commit is conditional on it, so that one who was replaced (a zombie) commits nothing. Several share the partitions
of a log by a `Share`: between batches each takes what has become its own, and lets go of what no longer is.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from threading import Event
from typing import NamedTuple

import structlog
from sqlalchemy import Connection, Engine, bindparam, select, update

from services.events.catalog.envelope import Act
from services.events.log.protocol import LogReader, Place, Position, Record, Share
from services.events.trace import trace_of_record
from services.events.vault.protocol import Vault
from services.kit.database import end_if_hung, reading, writing
from services.kit.errors import Conflict, Corrupt, Invalid, Unavailable
from services.kit.instants import SECOND
from services.projections.applying import (
    ERASED,
    Arrival,
    Rules,
    Touched,
    bury,
    destroy_keys,
    enter,
    keep,
    pointed_at,
    refold,
    reps_of,
)
from services.projections.changes import Change, changed
from services.projections.stores import (
    REMEMBERED_SECONDS,
    Built,
    ModelSource,
    check_beginnings,
    check_built,
    check_ends,
)
from services.projections.tables import acts, partitions

WAIT_SECONDS = 1.0  # for the log to have something new
STOP_SECONDS = 0.2  # how soon one that waits for it sees that it is to stop
LONGEST_REST_SECONDS = 0.1
IDLE_SECONDS = 0.2  # how often one with no partition looks whether it has some
HUNG_SECONDS = 10.0  # in a transaction without asking anything: what it holds is let go of, for others to take
_LONGEST_HUNG_SECONDS = 300.0
MOST_TOLD = 20  # dead letters of a batch that are told one by one
_LONGEST_PAUSE_SECONDS = 2.0  # what has come back is noticed within it

_log = structlog.get_logger(__name__)


class Fenced(Conflict):
    """Another projector has taken partitions of this one's, which must not write for them any more."""

    def __init__(self, partitions: Collection[int]) -> None:
        super().__init__(f"another projector has taken partitions {sorted(partitions)}")
        self.partitions = partitions


class Sizes(NamedTuple):
    """Acts in a batch near the log's end and far behind it; unreadable records in a row that halt nothing (None: any).

    `read` is how many records are read, and so held in memory, at once; a larger batch is read bit by bit.
    """

    batch: int = 2_000
    catch_up: int = 100_000
    halt_after: int | None = 50
    read: int = 5_000  # with 10,000 a server takes 13 MB more and is no faster


DEFAULT_SIZES = Sizes()


class Commit(NamedTuple):
    """What a committed batch changed: next offsets, and whose figures may be others now."""

    positions: Position
    change: Change


@dataclass(frozen=True, slots=True)
class FoldStatus:
    """How the fold stands, for metrics and `status`: counts since it started, and positions as next offsets.

    `lag_seconds`: how long the oldest record that waits has been waiting at most; 0 when none waits. `halted` has the
    reason for each halted partition; `failure` the one why the projector stopped, `unavailable` the one why it tries
    again and again: what else is told here stands still then.
    """

    positions: Position
    waiting: int = 0
    lag_seconds: float = 0.0
    acts: int = 0
    duplicates: int = 0
    conflicts: int = 0
    unreadable: int = 0
    batches: int = 0
    halted: Mapping[int, str] | None = None
    failure: str | None = None
    unavailable: str | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition as its row has it: the next offset, who may write, and whether it is halted."""

    next_offset: int
    epoch: int
    applied: int
    unreadable_in_row: int
    halted_because: str | None


@dataclass(slots=True)
class _Batch:
    """What a batch has taken in so far: the partitions after it, the subjects to fold anew, and counts."""

    after: dict[int, Partition]
    records: int = 0
    acts: int = 0
    duplicates: int = 0
    conflicts: int = 0
    unreadable: int = 0
    read: set[int] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    named: set[tuple[str, str]] = field(default_factory=set)
    pointed_at: set[tuple[str, str, str]] = field(default_factory=set)
    decoded: dict[tuple[int, int], Act] = field(default_factory=dict)
    buried: list[Record] = field(default_factory=list)  # the first MOST_TOLD of them

    def position(self) -> Position:
        """Where to read on, in the partitions that are not halted."""
        return {p: row.next_offset for p, row in self.after.items() if row.halted_because is None}

    def keys(self, kind: str) -> set[str]:
        """The entities of a kind that the new acts name: something of theirs is new, if only the act."""
        return {key for of, key in self.named if of == kind}


class _Stopped(Exception):
    """The fold is to stop: what is under way is rolled back, to be done again at the next start."""


Refold = Callable[
    [Connection, Collection[str], Rules, Mapping[tuple[int, int], Act], Callable[[], None]],
    Touched,
]
"""Folds the subjects of a batch anew: `applying.refold`; a rebuild does that later, for all batches at once."""


def _nowhere(step: str) -> None:
    """What happens at a step of a batch: nothing, but in the fault tests."""


def _nobody(commit: Commit) -> None:
    """Who is told of a commit: nobody."""


def _silent(connection: Connection, change: Change) -> None:
    """What a transaction tells of its change: nothing."""


class Projector:
    """Folds partitions of a log, its share or those it is told, into the model that `model` gives. For one thread.

    `at_step` is called with `read`, `begun`, `written` and `committed` in each batch; `announce` in each transaction
    with what it changes (`changes.announce`, where others show the model), and `on_commit` after each commit.
    """

    def __init__(
        self,
        model: ModelSource,
        log: LogReader,
        vault: Vault,
        rules: Rules,
        built: Built,
        clock: Callable[[], int],
        *,
        owner: str,
        share: Share | None = None,
        sizes: Sizes = DEFAULT_SIZES,
        refold: Refold = refold,
        at_step: Callable[[str], None] = _nowhere,
        announce: Callable[[Connection, Change], None] = _silent,
        on_commit: Callable[[Commit], None] = _nobody,
    ) -> None:
        self._model = model
        self._reader = log
        self._vault = vault
        self._rules = rules
        self._built = built
        self._clock = clock
        self._owner = owner
        self._share = share
        self._sizes = sizes
        self._refold = refold
        self._at_step = at_step
        self._announce = announce
        self._on_commit = on_commit
        self._wanted: Collection[int] | None = None
        self._taken: dict[int, Partition] = {}
        self._engine: Engine | None = None
        self._must_reload = False
        self._patience = HUNG_SECONDS
        self._stop = Event()
        self._took_seconds = 0.0
        self.status = FoldStatus({})

    # ---- taking partitions ----

    def take(self, wanted: Collection[int] | None = None) -> None:
        """Take partitions from whoever has them: those of the share, else the wanted ones, by default all.

        Destroys again the keys of all who were erased. Raises Corrupt or Misconfigured if the model was built on
        something else or the log was truncated.
        """
        self._wanted = wanted
        self._follow(self._enter())

    def _enter(self) -> Engine:
        """Begin with the live generation, of which nothing is taken yet."""
        engine = self._model()
        if self._reader.identity() != (self._built.log_id, self._built.partitions):
            raise Corrupt("the log is another one than at the start: restart, once it is clear which one is right")
        with reading(engine) as connection:
            check_built(connection, self._built)
            erased = connection.scalars(select(acts.c.subject).where(acts.c.name == ERASED).distinct()).all()
        destroy_keys(self._vault, erased)
        self._taken = {}
        self._must_reload = False
        self._engine = engine
        return engine

    def _follow(self, engine: Engine) -> None:
        """Let go of what is not ours any more, and take what is now."""
        ours = self._ours()
        if gone := self._taken.keys() - ours:
            self._taken = {p: row for p, row in self._taken.items() if p in ours}
            _log.info("partitions are let go of", partitions=sorted(gone))
        if missing := ours - self._taken.keys():
            self._take(engine, missing)

    def _ours(self) -> frozenset[int]:
        if self._share is not None:
            return self._share.partitions()
        return frozenset(range(self._built.partitions) if self._wanted is None else self._wanted)

    def _take(self, engine: Engine, missing: Collection[int]) -> None:
        """Raise the epochs of partitions. Where they are shared, one that is being committed right now comes later."""
        with writing(engine) as connection:
            free = _load(connection, missing, lock=True, skip_locked=self._share is not None)
            mine = partitions.c.partition.in_(free)
            connection.execute(update(partitions).where(mine).values(epoch=partitions.c.epoch + 1, owner=self._owner))
            taken = _load(connection, free)
        self._taken = self._taken | taken  # before the log is asked: while it is away, none is taken again and again
        beginnings, ends = self._reader.beginnings(), self._reader.ends()
        positions = {p: row.next_offset for p, row in taken.items()}
        check_beginnings(positions, beginnings)
        check_ends(positions, ends)
        if lost := {p: beginnings[p] for p in positions if beginnings.get(p)}:
            _log.warning("the log has lost its beginning: this model can never be rebuilt", beginnings=lost)
        self._tell(ends, set())
        if taken and self._share is not None:
            self._share.show(self.status.positions)
            _log.info("partitions are taken", partitions=sorted(taken))

    def _lose(self, error: Fenced) -> None:
        """Let go of what another projector has taken, until the share says that it is ours again.

        Raises the error where nothing is shared, and it was not a rebuild that switched to a generation of its own.
        """
        if self._share is None:
            self._stop.wait(2 * REMEMBERED_SECONDS)
            if self._model() is self._engine:
                raise error
            return
        _log.warning(str(error))
        self._share.doubt({p: row.next_offset for p, row in self._taken.items() if p in error.partitions})
        self._taken = {p: row for p, row in self._taken.items() if p not in error.partitions}
        if not self._taken:
            self._stop.wait(REMEMBERED_SECONDS)

    def _refresh(self) -> None:
        """Follow a switch of generations and the share; read rows again after an unknown outcome or in a halt."""
        live = self._model()
        if self._engine is not live:
            live = self._enter()
        self._follow(live)
        halted = any(row.halted_because is not None for row in self._taken.values())
        if not (self._must_reload or halted):
            return
        with reading(live) as connection:
            rows = _load(connection, self._taken.keys())
        _check_epochs(self._taken, rows)
        self._taken = rows
        self._must_reload = False

    # ---- folding ----

    def run(self, stop: Event) -> None:
        """Fold until `stop` is set. What is unavailable is tried again; any other error ends the fold and is raised.

        A batch that is under way when `stop` is set is rolled back, to be done again at the next start. Near the log's
        end it rests after a batch as long as that took, so that more acts share the next one and others get to work.
        """
        self._stop = stop
        try:
            self._run(stop)
        except BaseException as error:
            self._fail(error)
            raise

    def _run(self, stop: Event) -> None:
        pauses = 0
        while not stop.is_set():
            try:
                self.step(WAIT_SECONDS)
                pauses = 0
                if self.status.waiting < self._sizes.batch:
                    stop.wait(min(self._took_seconds, LONGEST_REST_SECONDS))
            except _Stopped:
                return
            except Unavailable as error:
                pause = min(0.1 * 2.0**pauses, _LONGEST_PAUSE_SECONDS)
                _log.warning("the fold waits for what is unavailable", reason=str(error), seconds=pause)
                if pauses:
                    self.status = replace(self.status, unavailable=str(error))
                pauses += 1
                stop.wait(pause)
            except Fenced as error:
                self._lose(error)

    def step(self, wait: float = 0.0) -> int:
        """Take one batch into the model; how many records that were (0: there are none, or they are halted)."""
        self._took_seconds = 0.0
        self._refresh()
        if not self._taken:
            self._tell({}, set())
            self._stop.wait(min(wait, IDLE_SECONDS))
            return 0
        batch = _Batch(dict(self._taken))
        goal = min(self._sizes.catch_up, self.status.waiting)
        records = self._read(batch.position(), max(self._sizes.batch, goal), wait)
        self._at_step("read")
        if records:
            self._apply(batch, records, goal)
        ends = self._reader.ends()
        check_ends({p: row.next_offset for p, row in self._taken.items()}, ends)
        self._tell(ends, batch.read)
        return batch.records

    def _read(self, position: Position, limit: int, wait: float = 0.0) -> list[Record]:
        if not position:
            self._stop.wait(wait)  # every partition is halted: nothing to read, and nothing that would wake us
            return []
        until = time.monotonic() + wait
        while True:
            left = until - time.monotonic()
            records = self._reader.read(position, min(limit, self._sizes.read), max(min(left, STOP_SECONDS), 0.0))
            if records or left <= STOP_SECONDS:
                return records
            self._check_stop()

    def _apply(self, batch: _Batch, records: Sequence[Record], goal: int) -> None:
        """Take the records, and more up to `goal`, into the model: one transaction, each subject folded once."""
        if self._engine is None:
            raise Corrupt("no partition was taken")
        started = time.monotonic()
        self._must_reload = True  # until the outcome is known
        patience, self._patience = self._patience, min(2 * self._patience, _LONGEST_HUNG_SECONDS)  # if it fails: more
        with writing(self._engine) as connection:
            end_if_hung(connection, patience)
            self._check_fence(connection)
            self._at_step("begun")
            self._take_in(connection, records, batch, goal <= self._sizes.read)
            while batch.records < goal and (more := self._read(batch.position(), goal - batch.records)):
                self._take_in(connection, more, batch, remember=False)
            touched = self._refold(connection, batch.subjects, self._rules, batch.decoded, self._check_stop)
            change = changed(
                touched.persons | batch.erased | batch.keys("person") | reps_of(connection, batch.pointed_at),
                touched.teams | batch.keys("team"),
            )
            self._announce(connection, change)
            enter(connection, batch.named)
            _save(connection, {p: batch.after[p] for p in batch.read})
            destroy_keys(self._vault, batch.erased)  # before the commit: killed in between, it is done again
            self._at_step("written")
        self._must_reload = False
        self._patience = HUNG_SECONDS
        self._taken = batch.after
        self._at_step("committed")
        self._count(batch)
        _tell_of_the_buried(batch)
        following = {p: row.next_offset for p, row in self._taken.items()}
        if self._share is not None:
            self._share.show(following)
        self._on_commit(Commit(following, change))
        self._took_seconds = time.monotonic() - started

    def _take_in(self, connection: Connection, records: Sequence[Record], batch: _Batch, remember: bool) -> None:
        """Keep the acts among the records, and the unreadable as dead letters."""
        self._check_stop()
        arrivals: list[Arrival] = []
        unreadable: list[tuple[Record, str]] = []
        in_order = sorted(records, key=lambda record: record.place)
        for partition, its_records in groupby(in_order, key=lambda record: record.place.partition):
            batch.after[partition] = self._decode(batch.after[partition], its_records, arrivals, unreadable)
            batch.read.add(partition)
        kept = keep(connection, arrivals, self._rules)
        bury(connection, unreadable)
        batch.records += len(records)
        batch.acts += len(kept.new)
        batch.duplicates += kept.duplicates
        batch.conflicts += len(kept.conflicts)
        batch.unreadable += len(unreadable)
        if unreadable or kept.conflicts:
            dead = {*kept.conflicts, *(record.place for record, _ in unreadable)}
            batch.buried += [record for record in in_order if record.place in dead][: MOST_TOLD - len(batch.buried)]
        batch.named |= kept.named
        batch.subjects.update(new.act.subject for new in kept.new)
        batch.pointed_at.update(filter(None, (pointed_at(new.act) for new in kept.new)))
        batch.erased.update(new.act.subject for new in kept.new if new.act.name == ERASED)
        if remember:
            batch.decoded.update(((new.place.partition, new.place.offset), new.act) for new in kept.new)

    def _decode(
        self,
        row: Partition,
        records: Iterable[Record],
        arrivals: list[Arrival],
        unreadable: list[tuple[Record, str]],
    ) -> Partition:
        """Read the records of one partition, in order; its row after them.

        With too many unreadable ones in a row it halts, and the rest stays unread.
        """
        most = self._sizes.halt_after
        in_row = row.unreadable_in_row
        last: Place | None = None
        because: str | None = None
        for record in records:
            try:
                act = self._rules.catalogue.decode_record(record.value)
            except Invalid as error:
                reason = f"{error} ({error.pointer})" if error.pointer else str(error)
                unreadable.append((record, reason))
                in_row += 1
            else:
                arrivals.append(Arrival(record.place, record.value, act))
                in_row = 0
            last = record.place
            if most is not None and in_row > most:
                because = (
                    f"{in_row} unreadable records in a row up to offset {last.offset}: see `exemplar dead-letters`"
                )
                _log.error("a partition is halted", partition=last.partition, reason=because)
                break
        return row if last is None else Partition(last.offset + 1, row.epoch, last.recorded_at, in_row, because)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _check_fence(self, connection: Connection) -> None:
        """Lock our rows. Raises Fenced if one is another's, Unavailable if we are out of date."""
        rows = _load(connection, self._taken.keys(), lock=True)
        _check_epochs(self._taken, rows)
        if any(rows[p].next_offset != self._taken[p].next_offset for p in rows):
            raise Unavailable("a commit whose outcome was unknown had succeeded: the position is read again")

    # ---- telling ----

    def _count(self, batch: _Batch) -> None:
        before = self.status
        self.status = replace(
            before,
            acts=before.acts + batch.acts,
            duplicates=before.duplicates + batch.duplicates,
            conflicts=before.conflicts + batch.conflicts,
            unreadable=before.unreadable + batch.unreadable,
            batches=before.batches + 1,
        )

    def _tell(self, ends: Position, just_read: Collection[int]) -> None:
        """Work out what waits and since when: at most since the last record applied before it was taken in."""
        waiting = {p: ends.get(p, 0) - row.next_offset for p, row in self._taken.items()}
        behind = {p: count for p, count in waiting.items() if count > 0}
        now = self._clock()
        since = [
            self._taken[p].applied
            for p in behind
            if p in just_read or (self._taken[p].halted_because is not None and self._taken[p].applied)
        ]
        self.status = replace(
            self.status,
            positions={p: row.next_offset for p, row in self._taken.items()},
            waiting=sum(behind.values()),
            lag_seconds=max((now - at for at in since), default=0) / SECOND,
            halted={p: row.halted_because for p, row in self._taken.items() if row.halted_because is not None},
            unavailable=None,
        )

    def _fail(self, error: BaseException) -> None:
        _log.critical("the fold has stopped", reason=str(error), kind=type(error).__name__)
        self.status = replace(self.status, failure=str(error) or type(error).__name__)


def _tell_of_the_buried(batch: _Batch) -> None:
    """Tell of dead letters where they are, and of which trace their posts were a part: who sent them may know why."""
    for place, _key, _value, headers in batch.buried:
        trace = trace_of_record(headers)
        _log.info("a record is a dead letter", partition=place.partition, offset=place.offset, trace=trace)
    if more := batch.unreadable + batch.conflicts - len(batch.buried):
        _log.info("more records of this batch are dead letters", records=more)


def load_partitions(engine: Engine) -> dict[int, Partition]:
    """Every partition of a model."""
    with reading(engine) as connection:
        return _load(connection, None)


def lock_partitions(connection: Connection) -> dict[int, Partition]:
    """Every partition of a model, to which nobody else commits until the transaction ends."""
    return _load(connection, None, lock=True)


def positions_of(connection: Connection) -> dict[int, int]:
    """The next offset of each partition of a model."""
    return {p: row.next_offset for p, row in _load(connection, None).items()}


def _load(
    connection: Connection, wanted: Collection[int] | None, lock: bool = False, skip_locked: bool = False
) -> dict[int, Partition]:
    query = select(partitions).order_by(partitions.c.partition)
    if wanted is not None:
        query = query.where(partitions.c.partition.in_(wanted))
    if lock:
        query = query.with_for_update(skip_locked=skip_locked)
    return {
        row.partition: Partition(row.next_offset, row.epoch, row.applied_us, row.unreadable_in_row, row.halted_because)
        for row in connection.execute(query)
    }


def _save(connection: Connection, rows: Mapping[int, Partition]) -> None:
    """Write partitions, each conditional on its epoch."""
    mine = (partitions.c.partition == bindparam("p")) & (partitions.c.epoch == bindparam("e"))
    change = (
        update(partitions)
        .where(mine)
        .values(
            next_offset=bindparam("o"),
            applied_us=bindparam("a"),
            unreadable_in_row=bindparam("u"),
            halted_because=bindparam("h"),
        )
    )
    written = connection.execute(
        change,
        [
            {"p": p, "e": r.epoch, "o": r.next_offset, "a": r.applied, "u": r.unreadable_in_row, "h": r.halted_because}
            for p, r in rows.items()
        ],
    )
    if written.rowcount != len(rows):
        raise Fenced(rows.keys())


def _check_epochs(mine: Mapping[int, Partition], now: Mapping[int, Partition]) -> None:
    if lost := [p for p in now if now[p].epoch != mine[p].epoch]:
        raise Fenced(lost)

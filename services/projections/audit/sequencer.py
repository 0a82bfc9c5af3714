"""The sequencer: gives every record of the log, and every leaf of what else was done, its number in the tree, once.

It reads the log by itself, from where the tree is. So no fold has to hand it anything, none of its faults can lose or
repeat a number, and it goes on while a fold is behind or halted. Numbers, tiles, the place in the log and the signed
checkpoint are one transaction. Only one process at a time does it; that no two ever can is the transaction's to see to.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from threading import Event
from typing import NamedTuple

import structlog
from sqlalchemy import Connection, Engine, bindparam, delete, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from services.events.leaves import leaves
from services.events.log.protocol import COPYING, LogReader, Position, Record
from services.kit.database import (
    asking,
    delete_rows,
    end_if_hung,
    insert_missing,
    insert_rows,
    one_writer,
    reading,
    writing,
)
from services.kit.errors import Corrupt, Invalid, Misconfigured, Unavailable
from services.kit.instants import to_date
from services.projections.audit.copies import Copies
from services.projections.audit.entries import ERASURE, Entry, erasure, of_document, of_record
from services.projections.audit.merkle import EMPTY_ROOT, leaf_hash, root
from services.projections.audit.notes import (
    Checkpoint,
    Signer,
    newest,
    open_checkpoint,
    parse_checkpoint,
    sign,
    signed_by,
)
from services.projections.audit.reading import stored_nodes, stored_tile
from services.projections.audit.tables import concerned, documents, entries, positions, tiles, tree
from services.projections.audit.tiles import Tiles, check_edge, edge, edge_root, grow
from services.projections.stores import check_beginnings

ROUND_SECONDS = 1.0  # how often a checkpoint is signed at most, and so how late an entry may be by its fault
ERASURES_SECONDS = 10.0  # how often the vault is asked who was erased
BEGINNINGS_SECONDS = 60.0  # how often the log is asked whether it has lost its beginning
HUNG_SECONDS = 5.0  # what a process holds that hangs is let go of, so that another signs within 10 s of an act
_READ_SECONDS = 0.5  # for the log to hand out what it says it has
_LEAVES_AT_ONCE = 500
_LONGEST_PAUSE_SECONDS = 2.0  # what has come back is noticed within it
_LOCK = 0x6578656D61756469  # any number of its own, for PostgreSQL's advisory lock
_TREE = 1

_log = structlog.get_logger(__name__)


class Things(NamedTuple):
    """What the tree is made of: the log, by a reader of the sequencer's own, the control area with its leaves, and
    who was erased: persons, with the instant at which the key was destroyed.
    """

    log: LogReader
    control: Engine
    erased: Callable[[], Sequence[tuple[str, int]]]


class Signing(NamedTuple):
    """Whose tree it is, and by which keys it is signed: one or, while another takes over, two."""

    origin: str
    signers: Sequence[Signer]


@dataclass(frozen=True, slots=True)
class TreeStatus:
    """How the tree stands here: its size as signed by this process; `failure` is why it was given up, `unavailable` why
    it is tried again and again. `log_missing`: how many records the log has lost before the first ones that it kept.
    """

    size: int = 0
    leading: bool = False
    failure: str | None = None
    unavailable: str | None = None
    log_missing: int = 0


@dataclass(frozen=True, slots=True)
class _State:
    """The tree as a round found it."""

    note: str
    checkpoint: Checkpoint
    introduced: bool
    positions: Position


@dataclass(slots=True)
class _Round:
    """What a round has found to number, in order, and where the log is read on after it."""

    after: dict[int, int]
    introduced: bool
    new: list[Entry] = field(default_factory=list)
    numbered: list[int] = field(default_factory=list)  # ids of leaves
    more: bool = False


def _nowhere(step: str) -> None:
    """What happens at a step of a round: nothing, but in the fault tests."""


class Sequencer:
    """Numbers what is to be in the tree, and signs it. For one thread; `check` may be called before by another.

    `at_step` is called with `read`, `begun`, `written`, `committed`, `forgotten` and `kept` in each round.
    """

    def __init__(
        self,
        audit: Engine,
        things: Things,
        signing: Signing,
        copies: Copies,
        clock: Callable[[], int],
        *,
        batch: int = 2_500,
        at_step: Callable[[str], None] = _nowhere,
    ) -> None:
        self._audit = audit
        self._things = things
        self._signing = signing
        self._copies = copies
        self._clock = clock
        self._batch = batch
        self._at_step = at_step
        self._verifiers = [signer.verifier for signer in signing.signers]
        self._signed = Checkpoint(signing.origin, 0, EMPTY_ROOT)  # what this process has seen or signed last
        self._there: Position | None = None  # where the log ended when this process began to introduce it
        self._erased: set[str] | None = None
        self._asked_vault = -ERASURES_SECONDS
        self._log_missing = 0
        self._asked_log = -BEGINNINGS_SECONDS
        self._to_copy: str | None = None
        self.status = TreeStatus()

    # ---- beginning ----

    def check(self) -> None:
        """Make sure that the tree may be continued. Changes nothing.

        Raises Corrupt if it is smaller than a checkpoint that was kept outside or another one, or of another log, or
        that log has lost records which are not in it; Misconfigured if the keys are not those that signed it, or the
        origin is another; Unavailable.
        """
        kept = self._newest_copy()
        state = self._state()
        if state is None:
            if kept is not None and kept.size:
                raise Corrupt(_LOST.format(there="there is no audit tree", kept=kept.size))
            return
        if kept is not None and kept.size > state.checkpoint.size:
            raise Corrupt(_LOST.format(there=f"the audit tree has {state.checkpoint.size} entries", kept=kept.size))
        with reading(self._audit) as connection:
            log_id = connection.scalar(select(tree.c.log_id))
            found = None if kept is None else root(stored_nodes(connection), kept.size)
        if log_id != self._things.log.identity().id:
            raise Corrupt(
                "the audit tree has the records of another log: put that log back, or begin another tree "
                "(docs/design/audit.md, When a tree cannot be continued)"
            )
        if kept is not None and found != kept.root:
            raise Corrupt(_LOST.format(there="the audit tree is another one", kept=kept.size))
        check_beginnings(state.positions, self._things.log.beginnings())

    def _newest_copy(self) -> Checkpoint | None:
        """The largest checkpoint of this tree that was kept outside; it must be signed by a key that is known."""
        found: list[tuple[int, str]] = []
        for note in self._copies.kept():
            try:
                kept = parse_checkpoint(note)
            except Invalid as error:
                raise Corrupt("a copy of a checkpoint of the audit tree is damaged: restore or remove it") from error
            if kept.origin == self._signing.origin:
                found.append((kept.size, note))
        return self._open(newest(found, self._verifiers), "a copy of it") if found else None

    def _open(self, note: str, what: str) -> Checkpoint:
        try:
            checkpoint = open_checkpoint(note, self._verifiers)
        except Invalid as error:
            raise Misconfigured(
                f"EXEMPLAR_AUDIT_KEY_FILE: the audit tree, or {what}, was signed by another key: restore that key; to "
                "change it, first name the new one in EXEMPLAR_AUDIT_NEXT_KEY_FILE"
            ) from error
        if checkpoint.origin != self._signing.origin:
            raise Misconfigured(
                f"EXEMPLAR_AUDIT_ORIGIN: the audit tree was begun as {checkpoint.origin}, which stays its origin"
            )
        return checkpoint

    def _state(self) -> _State | None:
        with reading(self._audit) as connection:
            row = connection.execute(select(tree)).first()
            if row is None:
                return None
            found = {row.partition: row.next_offset for row in connection.execute(select(positions))}
        return _State(row.checkpoint, self._open(row.checkpoint, "its checkpoint"), row.introduced, found)

    def take_over(self) -> None:
        """Begin the tree where there is none, and have it signed by our keys. Raises as `check`."""
        self.check()
        identity, beginnings = self._things.log.identity(), self._things.log.beginnings()
        with writing(self._audit) as connection:
            empty = sign(Checkpoint(self._signing.origin, 0, EMPTY_ROOT), self._signing.signers)
            insert_missing(connection, tree, [(_TREE, self._signing.origin, identity.id, False, empty)])
            insert_missing(connection, positions, sorted(beginnings.items()))
            note = connection.scalar(select(tree.c.checkpoint).with_for_update()) or ""
            if signed_by(note) != [(one.name, one.key_id) for one in self._verifiers]:
                note = sign(self._open(note, "its checkpoint"), self._signing.signers)
                connection.execute(update(tree).values(checkpoint=note))
        self._signed = parse_checkpoint(note)
        self._erased = None
        self._keep(note)

    # ---- numbering ----

    def run(self, stop: Event) -> None:
        """Number until `stop` is set, and what is there then. What is unavailable is tried again; any other error ends
        it and is raised.
        """
        try:
            self._run(stop)
        except BaseException as error:
            _log.critical("the audit tree is not continued", reason=str(error), kind=type(error).__name__)
            self.status = replace(self.status, failure=str(error) or type(error).__name__)
            raise

    def _run(self, stop: Event) -> None:
        pauses = 0
        while not stop.is_set():
            try:
                with _leading(self._audit) as still_leading:
                    if still_leading():
                        self.take_over()
                        self._lead(stop, still_leading)
                    else:
                        self.status = replace(self.status, leading=False, unavailable=None, log_missing=0)
                        stop.wait(ROUND_SECONDS)
                pauses = 0
            except Unavailable as error:
                pause = min(0.1 * 2.0**pauses, _LONGEST_PAUSE_SECONDS)
                _log.warning("the audit tree waits for what is unavailable", reason=str(error), seconds=pause)
                self.status = replace(self.status, unavailable=str(error) if pauses else None)
                pauses += 1
                stop.wait(pause)

    def _lead(self, stop: Event, still_leading: Callable[[], bool]) -> None:
        while still_leading():
            last = stop.is_set()
            began = time.monotonic()
            more = self.step()
            self._look_for_beginnings()
            self.status = TreeStatus(self._signed.size, leading=True, log_missing=self._log_missing)
            if last:
                return
            if not more:
                stop.wait(max(ROUND_SECONDS - (time.monotonic() - began), 0.0))

    def _look_for_beginnings(self) -> None:
        """See now and then what the log has lost: it stops nothing that is past it, and no model can be rebuilt."""
        if time.monotonic() - self._asked_log >= BEGINNINGS_SECONDS:
            self._log_missing = sum(self._things.log.beginnings().values())
            self._asked_log = time.monotonic()

    def step(self) -> bool:
        """Number what there is, a batch at most, and sign the tree if that is anything; whether there is more.

        Raises Corrupt if the tree is not what was signed last, or the log lacks records that are in it; Unavailable.
        """
        state = self._state()
        if state is None or not _goes_on(state.checkpoint, self._signed):
            raise Corrupt(_LOST.format(there="the audit tree was put back", kept=self._signed.size))
        found = self._find(state)
        self._at_step("read")
        if found.new or found.introduced != state.introduced:
            with writing(self._audit) as connection:
                end_if_hung(connection, HUNG_SECONDS)
                _lock_tree(connection, state)
                self._at_step("begun")
                note = self._write(connection, state, found)
                self._at_step("written")
            self._signed = parse_checkpoint(note)
            self._at_step("committed")
            if note != state.note:
                self._to_copy = note
        if found.numbered:
            with writing(self._things.control) as connection:
                connection.execute(delete(leaves).where(leaves.c.id.in_(found.numbered)))
            self._at_step("forgotten")
        if self._to_copy is not None:
            self._keep(self._to_copy)
        self._at_step("kept")
        return found.more

    def _find(self, state: _State) -> _Round:
        """What is new in the log, among the leaves, and in the vault."""
        found = _Round(dict(state.positions), state.introduced)
        ends = self._things.log.ends()
        if set(state.positions) != set(ends):
            raise Corrupt(
                "the audit tree has not the partitions that the log has: copy that into one with the former number "
                f"({COPYING})"
            )
        if gone := [p for p, offset in state.positions.items() if ends[p] < offset]:
            raise Corrupt(
                f"partition {gone[0]} of the log ends before what is in the audit tree: restore the log, or copy "
                f"what is left into a new one and begin again with that ({COPYING})"
            )
        behind = [p for p in sorted(state.positions) if ends[p] > state.positions[p]]
        records = self._records(found, behind, ends)
        found.new.extend(map(of_record, records))
        if not found.introduced:
            found.more = True
            return found
        self._find_leaves(found)
        found.new.extend(self._erasures())
        found.more = len(records) >= self._batch or len(found.numbered) == _LEAVES_AT_ONCE
        return found

    def _records(self, found: _Round, behind: Sequence[int], ends: Position) -> list[Record]:
        """The next records. What is there when a tree is begun is taken a partition at a time, by offset; after that
        all that is new, in the order in which the log took it in as far as its instants tell.
        """
        if found.introduced:
            return _by_time(self._read(found, behind, ends))
        if self._there is None:
            self._there = ends
        for partition in behind:
            there = found.after[partition] < self._there[partition]
            if there and (records := self._read(found, [partition], ends)):
                return records
        found.introduced = True
        return []

    def _read(self, found: _Round, which: Collection[int], ends: Position) -> list[Record]:
        """Records of these partitions up to where the log ended, those of a partition in order."""
        records: list[Record] = []
        deadline = time.monotonic() + ROUND_SECONDS
        while any(found.after[p] < ends[p] for p in which) and len(records) < self._batch:
            if time.monotonic() > deadline:
                break
            position = {p: found.after[p] for p in which}
            more = self._things.log.read(position, self._batch - len(records), 0.0 if records else _READ_SECONDS)
            if not more:
                break
            records.extend(more)
            found.after.update((record.place.partition, record.place.offset + 1) for record in more)
        return records

    def _erasures(self) -> list[Entry]:
        """Those who were erased and are not in the tree as such. While the vault does not say, the rest goes on."""
        if time.monotonic() - self._asked_vault < ERASURES_SECONDS:
            return []
        try:
            erased = self._things.erased()
        except Unavailable as error:
            _log.warning("who was erased is asked later for the audit tree", reason=str(error))
            return []
        finally:
            self._asked_vault = time.monotonic()
        if self._erased is None:
            with reading(self._audit) as connection:
                known = select(entries.c.subject).where(entries.c.type == ERASURE, entries.c.kind == ERASURE)
                self._erased = {subject for subject in connection.scalars(known) if subject is not None}
        return [erasure(person, at) for person, at in erased if person not in self._erased]

    def _find_leaves(self, found: _Round) -> None:
        """The leaves that wait, but those that were numbered by one who was killed before it could take them away."""
        query = select(leaves.c.id, leaves.c.document).order_by(leaves.c.id).limit(_LEAVES_AT_ONCE)
        with reading(self._things.control) as connection:
            waiting = connection.execute(query).all()
        if not waiting:
            return
        hashes = {sha256(document).digest(): document for _, document in waiting}
        with reading(self._audit) as connection:
            numbered = connection.scalars(select(documents.c.sha256).where(documents.c.sha256.in_(hashes))).all()
        for hash_ in numbered:
            del hashes[hash_]
        found.numbered.extend(id_ for id_, _ in waiting)
        found.new.extend(map(of_document, hashes.values()))

    # ---- writing ----

    def _write(self, connection: Connection, state: _State, found: _Round) -> str:
        """Write what was found; the checkpoint of the tree with it."""
        size = state.checkpoint.size
        before = _edge_tiles(connection, size)
        if edge_root(before, size) != state.checkpoint.root:
            raise Corrupt("the tiles of the audit tree are not those that were signed: restore the area `audit`")
        changed = grow(before, size, [leaf_hash(new.entry) for new in found.new])
        delete_rows(connection, tiles, [place for place in changed if place in before])
        insert_rows(connection, tiles, [(*place, hashes) for place, hashes in sorted(changed.items())])
        _write_entries(connection, size, found.new)
        note, size = state.note, size + len(found.new)
        if found.new:
            after = {place: changed.get(place) or before[place] for place in edge(size)}
            checkpoint = Checkpoint(self._signing.origin, size, edge_root(after, size))
            note = sign(checkpoint, self._signing.signers)
        connection.execute(update(tree).values(checkpoint=note, introduced=found.introduced))
        _write_positions(connection, {p: offset for p, offset in found.after.items() if offset != state.positions[p]})
        if self._erased is not None:
            self._erased.update(subject for new in found.new if new.kind == ERASURE for subject in new.subjects)
        return note

    def _keep(self, note: str) -> None:
        """Keep a copy outside. Where that fails, the tree goes on, and the next round tries again."""
        self._to_copy = note
        try:
            self._copies.keep(note, to_date(self._clock()).isoformat())
        except Unavailable as error:
            _log.warning("the checkpoint is not kept outside the database", reason=str(error))
        else:
            self._to_copy = None


_LOST = (
    "{there}, and a checkpoint kept outside the database has {kept}: what was signed must never be unsaid. Restore a "
    "backup of the area `audit` that has all of it, or begin another tree (docs/design/audit.md, When a tree cannot be "
    "continued)"
)


@contextmanager
def _leading(audit: Engine) -> Iterator[Callable[[], bool]]:
    """Be the only one who numbers, if nobody else is; gives whether it is still so, to be asked in every round.

    In PostgreSQL by a lock that ends with the connection, and so with a process that hangs: the server ends one that
    asks nothing for HUNG_SECONDS. In SQLite whoever serves holds the data folder's lock.
    """
    if one_writer(audit):
        yield lambda: True
        return
    with asking(audit) as connection:
        got = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK})
        _end_if_idle(connection, HUNG_SECONDS if got else 0.0)

        def still() -> bool:
            return bool(got and connection.scalar(text("SELECT true")))

        try:
            yield still
        finally:
            if got:
                with suppress(SQLAlchemyError):  # a connection that was lost has let go of it
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                    _end_if_idle(connection, 0.0)


def _end_if_idle(connection: Connection, seconds: float) -> None:
    """Have PostgreSQL end the connection once nothing was asked on it for so long; 0: never."""
    connection.execute(select(func.set_config("idle_session_timeout", str(int(seconds * 1000)), False)))


def _by_time(records: Sequence[Record]) -> list[Record]:
    """Records in the order of their instants, those of a partition in their own."""
    latest: dict[int, int] = {}
    when: list[int] = []
    for record in records:
        partition, _, at = record.place
        latest[partition] = max(at, latest.get(partition, at))
        when.append(latest[partition])
    return [records[number] for number in sorted(range(len(records)), key=when.__getitem__)]


def _goes_on(now: Checkpoint, earlier: Checkpoint) -> bool:
    """Whether a tree can be the earlier one or what it grew to."""
    return now.size > earlier.size or now == earlier


def _lock_tree(connection: Connection, state: _State) -> None:
    """Keep everybody else from writing until the transaction ends. Raises Unavailable if somebody was faster."""
    if connection.scalar(select(tree.c.checkpoint).with_for_update()) != state.note:
        raise Unavailable("another process has numbered meanwhile: it is read again")


def _edge_tiles(connection: Connection, size: int) -> Tiles:
    """The partial tiles of the tree. Raises Corrupt if they are not of this size."""
    found: dict[tuple[int, int], bytes] = {}
    for level, number in edge(size):
        found[level, number] = stored_tile(connection, level, number)
    check_edge(found, size)
    return found


def _write_entries(connection: Connection, size: int, new: Sequence[Entry]) -> None:
    numbered = list(enumerate(new, size))
    rows = [
        (
            number,
            one.entry,
            one.kind,
            one.at,
            one.type,
            one.actor,
            one.subject,
            *(one.place or (None, None)),
        )
        for number, one in numbered
    ]
    insert_rows(connection, entries, rows)
    with_documents = [(number, one.document) for number, one in numbered if one.document is not None]
    insert_rows(connection, documents, [(number, sha256(told).digest(), told) for number, told in with_documents])
    several = {(subject, number) for number, one in numbered if len(one.subjects) > 1 for subject in one.subjects}
    insert_rows(connection, concerned, sorted(several))


def _write_positions(connection: Connection, changed: Position) -> None:
    if changed:
        here = update(positions).where(positions.c.partition == bindparam("p")).values(next_offset=bindparam("o"))
        connection.execute(here, [{"p": partition, "o": offset} for partition, offset in changed.items()])

"""Checking the whole tree: its entries against the log and its documents, its tiles and root against the entries, its
checkpoint against the key, and the copies of checkpoints kept outside against the tree.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, select

from services.events.log.protocol import LogReader, Position
from services.kit.database import among, reading
from services.kit.errors import Invalid
from services.kit.instants import SECOND
from services.projections.audit.entries import ACT, Entry, of_document, of_record, read_entry
from services.projections.audit.merkle import Growing, leaf_hash
from services.projections.audit.notes import Checkpoint, Verifier, newest, open_checkpoint, parse_checkpoint
from services.projections.audit.reading import AuditRow, latest_checkpoint, range_of_entries, stored_tile
from services.projections.audit.records import Following
from services.projections.audit.tables import concerned, entries, positions
from services.projections.audit.tiles import WIDTH, edge, grow

COVERED_SECONDS = 10
SHOWN = 20  # faults
_AT_ONCE = 20 * WIDTH


class TreeChecked(NamedTuple):
    """What was checked: so many entries, against so many copies; `faults` in all, of which the first SHOWN are told."""

    size: int
    copies: int
    faults: int
    told: list[str]

    @property
    def sound(self) -> bool:
        """Whether the tree is what it says."""
        return self.faults == 0


class _Faults:
    def __init__(self) -> None:
        self.count = 0
        self.told: list[str] = []

    def add(self, fault: str) -> None:
        """Note a fault."""
        self.count += 1
        if len(self.told) < SHOWN:
            self.told.append(fault)


def check_tree(
    audit: Engine,
    log: LogReader,
    verifiers: Collection[Verifier],
    copies: Sequence[str],
    now: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> TreeChecked:
    """Check all of the tree as it is now; works beside whoever numbers. `copies` are checkpoints kept outside.

    Raises NotFound before the first checkpoint, Invalid if that is none.
    """
    faults = _Faults()
    with reading(audit) as connection:
        note = latest_checkpoint(connection)
        found = {row.partition: row.next_offset for row in connection.execute(select(positions))}
    taken = dict.fromkeys(range(log.identity().partitions), 0) | found
    try:
        checkpoint = open_checkpoint(note, verifiers)
    except Invalid as error:
        faults.add(f"the checkpoint: {error}")
        checkpoint = parse_checkpoint(note)
    kept = _Kept(copies, verifiers, checkpoint, faults)
    against = _Log(log, taken, faults)
    _check_entries(audit, checkpoint, against, kept, faults, on_progress)
    against.finish(now)
    return TreeChecked(checkpoint.size, len(copies), faults.count, faults.told)


def _check_entries(
    audit: Engine,
    checkpoint: Checkpoint,
    against: "_Log",
    kept: "_Kept",
    faults: _Faults,
    on_progress: Callable[[int, int], None],
) -> None:
    """Read all entries, and build the tree anew from them."""
    growing = Growing()
    kept.at(growing)
    edge_tiles: dict[tuple[int, int], bytes] = {}
    for rows in _pages(audit, checkpoint.size):
        hashes = [leaf_hash(row.entry) for row in rows]
        changed = grow(edge_tiles, growing.size, hashes)
        for row, hash_ in zip(rows, hashes, strict=True):
            _check_row(row, growing.size, against, faults)
            growing.add(hash_)
            kept.at(growing)
        with reading(audit) as connection:
            _check_tiles(connection, changed, growing.size, checkpoint.size, faults)
            _check_concerned(connection, rows, faults)
        edge_tiles = {place: changed.get(place) or edge_tiles[place] for place in edge(growing.size)}
        on_progress(growing.size, checkpoint.size)
    with reading(audit) as connection:
        end = max(parse_checkpoint(latest_checkpoint(connection)).size, checkpoint.size)
        if connection.execute(select(entries.c.number).where(entries.c.number >= end).limit(1)).first():
            faults.add("there are entries behind the last one of the checkpoint")
    if growing.size < checkpoint.size:
        faults.add(f"entries are missing: there are {growing.size}, the checkpoint has {checkpoint.size}")
    elif growing.root() != checkpoint.root:
        faults.add("the entries do not give the root that was signed: one was changed, dropped, added or moved")


def _pages(audit: Engine, size: int) -> Iterator[Sequence[AuditRow]]:
    """The entries before a size in order, some at a time."""
    for start in range(0, size, _AT_ONCE):
        with reading(audit) as connection:
            yield range_of_entries(connection, start, min(start + _AT_ONCE, size))


def _check_row(row: AuditRow, number: int, against: "_Log", faults: _Faults) -> None:
    """Check an entry against what it is about, and against what it is found by."""
    if row.number != number:
        faults.add(f"entry {number} is missing: entry {row.number} stands in its place")
    try:
        told = read_entry(row.entry)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        faults.add(f"entry {row.number} is none of Exemplar's")
        return
    if told.kind == ACT and told.partition is not None and told.offset is not None:
        expected = against.at(told.partition, told.offset)
    else:
        expected = _of_document(row.document)
    if expected is None or expected.entry != row.entry:
        faults.add(f"entry {row.number} does not commit to what is kept of it: {row.entry.decode(errors='replace')}")
    elif not _is_shown_as(expected, row):
        faults.add(f"entry {row.number} is found by what its record or document does not say")


def _of_document(document: bytes | None) -> Entry | None:
    try:
        return None if document is None else of_document(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        return None


def _is_shown_as(expected: Entry, row: AuditRow) -> bool:
    shown = (row.kind, row.at, row.type, row.actor, row.subject, row.place)
    return shown == (expected.kind, expected.at, expected.type, expected.actor, expected.subject, expected.place)


def _check_concerned(connection: Connection, rows: Sequence[AuditRow], faults: _Faults) -> None:
    """Check that entries which concern several are found by each of them."""
    expected = {
        (subject, row.number)
        for row in rows
        if row.subject is None and (said := _of_document(row.document)) is not None and len(said.subjects) > 1
        for subject in said.subjects
    }
    here = among(connection, (concerned.c.subject, concerned.c.number), sorted(expected))
    found = {tuple(pair) for pair in connection.execute(select(concerned.c.subject, concerned.c.number).where(here))}
    for number in sorted({number for _, number in expected - found}):
        faults.add(f"entry {number} is not found by all whom its document says it concerns")


def _check_tiles(
    connection: Connection, expected: dict[tuple[int, int], bytes], size: int, last: int, faults: _Faults
) -> None:
    """Check the tiles that are complete; those at the edge once the last entry was read."""
    at_edge = set() if size == last else set(edge(size))
    for (level, number), hashes in expected.items():
        if (level, number) not in at_edge and stored_tile(connection, level, number)[: len(hashes)] != hashes:
            faults.add(f"tile {level}/{number} is not what the entries give")


class _Log:
    """The log beside the entries about it: each record must have one entry, in the order of its partition."""

    def __init__(self, log: LogReader, taken: Position, faults: _Faults) -> None:
        self._log = log
        self._taken = taken
        self._faults = faults
        self._following = {partition: Following(log, partition, end) for partition, end in taken.items()}

    def at(self, partition: int, offset: int) -> Entry | None:
        """The entry that the record at a place should have; None where there is no such record to come."""
        following = self._following.get(partition)
        while following is not None and (record := following.peek()) is not None and record.place.offset <= offset:
            following.take()
            if record.place.offset == offset:
                return of_record(record)
            self._faults.add(f"the record at {partition}:{record.place.offset} has no entry, or a later one")
        return None

    def finish(self, now: int) -> None:
        """Look for records that have no entry: in the tree's part of the log, or since longer than may be."""
        for partition, following in self._following.items():
            while (record := following.peek()) is not None:
                following.take()
                self._faults.add(f"the record at {partition}:{record.place.offset} has no entry")
        for partition, offset in self._taken.items():
            waiting = self._log.read({partition: offset}, 1, 0.0)
            if waiting and waiting[0].place.recorded_at < now - COVERED_SECONDS * SECOND:
                place = f"{partition}:{waiting[0].place.offset}"
                self._faults.add(f"the tree is stale: it lacks the record at {place} since over {COVERED_SECONDS} s")


class _Kept:
    """The copies of this tree kept outside beside it, as it grows; those of other trees say nothing of it."""

    def __init__(
        self, copies: Sequence[str], verifiers: Collection[Verifier], now: Checkpoint, faults: _Faults
    ) -> None:
        self._faults = faults
        self._roots: dict[int, set[bytes]] = {}
        found: list[tuple[int, str]] = []
        for note in copies:
            try:
                copy = parse_checkpoint(note)
            except Invalid as error:
                faults.add(f"a copy kept outside: {error}")
                continue
            if copy.origin != now.origin:
                continue
            found.append((copy.size, note))
            if copy.size > now.size:
                faults.add(f"a copy kept outside has {copy.size} entries, the tree has {now.size}: it was put back")
            else:
                self._roots.setdefault(copy.size, set()).add(copy.root)
        if found:
            _check_newest(newest(found, verifiers), verifiers, faults)

    def at(self, growing: Growing) -> None:
        """Compare the copies of this size."""
        if growing.size in self._roots and self._roots[growing.size] != {growing.root()}:
            self._faults.add(
                f"a copy kept outside with {growing.size} entries has another root: the log shows two views"
            )


def _check_newest(note: str, verifiers: Collection[Verifier], faults: _Faults) -> None:
    """The newest copy must be signed by the present keys; older ones may be of keys that are not used any more."""
    try:
        open_checkpoint(note, verifiers)
    except Invalid as error:
        faults.add(f"the newest copy kept outside: {error}")

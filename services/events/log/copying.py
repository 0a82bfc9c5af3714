"""Copying a log into another one: from one machine to several, as a backup and back, or where a log must be made anew.

It knows the ports alone, so that any log can be copied into any other. Every record keeps its key, value and headers
and, where both logs have as many partitions, its partition and what is before it there. When the log took it in becomes
the time of the copying.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from heapq import merge
from typing import NamedTuple

from services.events.log.partitioning import partition_for
from services.events.log.protocol import Log, LogReader, LogWriter, NewRecord, Position, Record
from services.kit.errors import Conflict

READ_RECORDS = 2_000
# One append at a time, and so little that Kafka's client sends of each partition one batch (`kafka.BATCH_BYTES`), which
# is kept whole or not at all: whatever becomes of an append, what a partition has of the copy is the beginning of it.
APPEND_BYTES = 128 * 2**10
_ROW_OVERHEAD = 64  # bytes that a record takes in a batch beside key, value and headers, at most about

Progress = Callable[[int, int], None]


class Copied(NamedTuple):
    """How many records were copied, how many of the source were there already, how many of these have another place
    than in the source, and how many are there that the source has lost, which are the only ones not compared.
    """

    copied: int
    there: int
    moved: int
    lost: int


def copy(source: Log, target: Log, on_progress: Progress = lambda done, total: None) -> Copied:
    """Copy what the source holds now behind what the target holds of it, then read that back and compare.

    What the target holds is compared first: where it is anything but the beginning of the source, or the logs have not
    as many partitions and it is anything, nothing is written. Where the source has lost its first records since they
    were copied, the target keeps them, and is compared from there on. Nobody else may write to the target meanwhile.
    Raises Conflict where it holds something else, before or after; Unavailable or Corrupt as readers and writers do,
    and then copying again goes on.
    """
    if source.identity.id == target.identity.id:
        raise Conflict("both are the same log, or one is a copy of the other's file")
    with closing(source.reader()) as original, closing(target.reader()) as other, closing(target.writer()) as writer:
        return _Copying(original, other, on_progress).run(writer)


class _Stream:
    """What a log holds from a position to an end, in steps: partition by partition, or merged by when it was taken in.

    `taken` is the position behind what was handed out.
    """

    def __init__(self, reader: LogReader, start: Position, ends: Position) -> None:
        self.taken = dict(start)
        self._reader = reader
        self._next = dict(start)
        self._ends = ends
        self._held: dict[int, deque[Record]] = {partition: deque() for partition in ends}

    def next(self, partition: int) -> Record | None:
        """The next record of a partition; None at its end."""
        held = self._held[partition]
        while not held and self._next[partition] < self._ends[partition]:
            self._read()
        if not held:
            return None
        self.taken[partition] = held[0].place.offset + 1
        return held.popleft()

    def merged(self) -> Iterator[Record]:
        """What is left of all partitions, each in its own order."""
        return merge(*(iter(partial(self.next, each), None) for each in self._ends), key=_taken_in)

    def _read(self) -> None:
        """Read on wherever nothing is held: of all such partitions at once, so that none is waited for in vain."""
        wanted = {p: at for p, at in self._next.items() if at < self._ends[p] and not self._held[p]}
        records = self._reader.read(wanted, READ_RECORDS, 0.0)
        if not records:  # offsets without a record (of transactions) are left
            self._next.update({partition: self._ends[partition] for partition in wanted})
        for record in records:
            partition, offset, _ = record.place
            self._next[partition] = offset + 1
            if offset < self._ends[partition]:
                self._held[partition].append(record)


class _Copying:
    """The copying of what one log holds into another, once. Each record is a step when copied and one when compared."""

    def __init__(self, source: LogReader, target: LogReader, on_progress: Progress) -> None:
        self._source = source
        self._target = target
        self._on_progress = on_progress
        self._partitions = target.identity().partitions
        self._alike = source.identity().partitions == self._partitions
        self._start, self._ends = source.beginnings(), source.ends()
        self._left = _Stream(source, self._start, self._ends)
        self._total = 2 * sum(end - self._start[partition] for partition, end in self._ends.items())
        self._done = 0
        self._moved = 0

    def run(self, writer: LogWriter) -> Copied:
        """See `copy`."""
        start, ends = self._target.beginnings(), self._target.ends()
        first = self._kept_longer(start, ends) if self._alike else start
        there = self._pass_what_is_there(_Stream(self._target, first, ends))
        begun = dict(self._left.taken)
        copied = self._append(writer)
        self._compare(_Stream(self._source, begun, self._ends), _Stream(self._target, ends, self._target.ends()))
        self._on_progress(self._total, self._total)
        return Copied(copied, there, self._moved, sum(first[partition] - start[partition] for partition in start))

    def _kept_longer(self, start: Position, ends: Position) -> Position:
        """Where the target is compared from: behind what it still has of the source and the source has lost."""
        firsts = _Stream(self._source, self._start, self._ends), _Stream(self._target, start, ends)
        compared = dict(start)
        for partition, first in self._start.items():
            if start[partition] < first <= ends[partition]:
                original, copied = (stream.next(partition) for stream in firsts)
                if original is None or copied is None or _content(original) != _content(copied):
                    compared[partition] = first  # else what is left was copied, and has moved
        return compared

    def _pass_what_is_there(self, found: _Stream) -> int:
        """Compare what was found in the target with the beginning of the source, and go past it; how much it is."""
        there = 0
        for copied in found.merged():
            if not self._alike:
                raise Conflict(
                    "TO is not empty, and has not as many partitions as FROM: nothing was written. If it is what an"
                    " interrupted copying has left, remove it and begin again"
                )
            original = self._left.next(copied.place.partition)
            if original is None or not self._same(original, copied):
                raise Conflict(
                    f"TO holds something else at {_place(copied)} than FROM{_at(original)}: nothing was written. TO"
                    " must be empty, or what copying this log has left, and nobody else may write to it"
                )
            self._step(2)
            there += 1
        return there

    def _append(self, writer: LogWriter) -> int:
        """Append what is left of the source; how much it is."""
        copied, size = 0, 0
        batch: list[NewRecord] = []
        for record in self._left.merged():
            batch.append(NewRecord(record.key, record.value, record.headers, self._partition(record)))
            size += _size(record)
            if size >= APPEND_BYTES:
                copied += self._kept(writer, batch)
                batch, size = [], 0
        return copied + self._kept(writer, batch)

    def _kept(self, writer: LogWriter, batch: list[NewRecord]) -> int:
        writer.append(batch).result()
        self._step(len(batch))
        return len(batch)

    def _compare(self, originals: _Stream, copies: _Stream) -> None:
        """Read back what was appended. Raises Conflict where it is not the source's, or there is more."""
        for original in originals.merged():
            copied = copies.next(self._partition(original))
            if copied is None or not self._same(original, copied):
                raise Conflict(
                    f"what was copied from {_place(original)} is not what TO holds{_at(copied)}: something else has"
                    " written to TO meanwhile. Remove it and begin again"
                )
            self._step(1)
        for more in copies.merged():
            raise Conflict(f"something else has written to TO meanwhile, at {_place(more)}: remove TO and begin again")

    def _partition(self, record: Record) -> int:
        """Where a record is in the target: where it is now or, among other partitions, where its key belongs."""
        if self._alike or record.key is None:
            return record.place.partition % self._partitions
        return partition_for(record.key, self._partitions)

    def _same(self, original: Record, copied: Record) -> bool:
        self._moved += original.place[:2] != copied.place[:2]
        return _content(original) == _content(copied)

    def _step(self, steps: int) -> None:
        self._done += steps
        self._on_progress(self._done, self._total)


def _content(record: Record) -> tuple[object, ...]:
    return record.key, record.value, tuple(record.headers)


def _taken_in(record: Record) -> int:
    return record.place.recorded_at


def _size(record: Record) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or "") + len(record.value) + headers + _ROW_OVERHEAD


def _place(record: Record) -> str:
    return f"{record.place.partition}:{record.place.offset}"


def _at(record: Record | None) -> str:
    return ", which has nothing there" if record is None else f" at {_place(record)}"

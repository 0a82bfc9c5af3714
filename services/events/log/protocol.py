"""The port of the log: what everything above may rely on, whichever adapter is below."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

COPYING = "docs/operating.md, Copying a log"
"""Where operators read how a log is copied, for messages that lead there."""


class NewRecord(NamedTuple):
    """A record to append: the key decides the partition (`partitioning.partition_for`).

    Only a copy of what is in a log already names its partition and may have no key: others wrote it, to wherever.
    """

    key: str | None
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None


class Place(NamedTuple):
    """Where a record is: partition, offset (≥ 0), and the instant at which the log took it in (microseconds)."""

    partition: int
    offset: int
    recorded_at: int


class Record(NamedTuple):
    """A record as it was appended, with its place. A header that others wrote without a value has an empty one."""

    place: Place
    key: str | None
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


class Identity(NamedTuple):
    """Which log this is: `id` is another one after the log was deleted and made anew; the partitions never change."""

    id: str
    partitions: int


Position = Mapping[int, int]
"""For partitions, the offset of the next record to read."""


class LogWriter(Protocol):
    """Appending.

    MUST: a future resolves only after its records are durable, with one place each, in the order given; records of one
    key keep the order in which they were appended; offsets of a partition rise (gaps MAY occur). Safe to call from any
    thread, and never blocks for longer than 2 s. A failed future has `Unavailable` (the outcome MAY be unknown: the
    records may be in the log; the caller sends again, which is harmless) or `Corrupt`. A batch MAY be kept in part.
    """

    def append(self, records: Sequence[NewRecord]) -> Future[list[Place]]:
        """Take the records; the future has their places once they are durable."""
        ...

    def close(self) -> None:
        """Finish what was taken, within 10 s, and let go of everything. Later appends fail with Unavailable."""
        ...


class LogReader(Protocol):
    """Reading. Not safe to share between threads. Raises Unavailable (try again) or Corrupt (stop).

    MUST: `read` returns the records of each partition in the order of their offsets, from the first at or after the
    position's offset, without leaving one out; only partitions that the position names are read. It returns at once
    when there is something, else waits up to `wait` seconds and returns what came, maybe nothing. Which partitions
    come first MAY differ, and no partition waits for ever behind another one.
    """

    def identity(self) -> Identity:
        """Which log this is."""
        ...

    def beginnings(self) -> Position:
        """The beginning of every partition: no record before it is there. Beyond 0 where a log has lost its first."""
        ...

    def ends(self) -> Position:
        """The end of every partition: the offset that the next record would get at the least."""
        ...

    def read(self, position: Position, limit: int, wait: float) -> list[Record]:
        """At most `limit` records at or after the position; fewer once they hold 32 MiB of values, or less."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Share(Protocol):
    """Which partitions are this process's to fold, where others may fold the rest. Safe from any thread; never waits.

    MUST: as long as nobody joins, leaves or fails, every partition is exactly one process's; after that it is so again
    within seconds, with nobody's help. In between, two processes MAY take one partition for theirs, and one that hung
    MAY do so until it hears otherwise: whoever writes for a partition keeps the other out by other means (epochs).
    """

    def partitions(self) -> frozenset[int]:
        """Those that are ours by what the log has said last; none before it has said anything."""
        ...

    def doubt(self, position: Position) -> None:
        """Another one wrote for these: they are not ours before the log has said from now on that they are."""
        ...

    def show(self, position: Position) -> None:
        """Let operators see how far these are folded, in the log's own tools. Nothing relies on it."""
        ...

    def close(self) -> None:
        """Leave them to the others at once, within 5 s."""
        ...


class Log(Protocol):
    """A log that is there. Holds nothing open itself: close what it hands out."""

    @property
    def identity(self) -> Identity:
        """Which log it was when it was opened."""
        ...

    def writer(self, waiting_records: int = 100_000, waiting_bytes: int = 64 * 2**20) -> LogWriter:
        """A writer, with the most that may wait in it; one a process is enough."""
        ...

    def reader(self) -> LogReader:
        """A reader, for one thread at a time."""
        ...

    def share(self) -> Share:
        """The share of this process, which takes part from now on; one a process."""
        ...

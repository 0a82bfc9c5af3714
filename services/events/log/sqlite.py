"""The log in one SQLite file: for one machine, with nothing to install, and a real log all the same.

Appends of all threads wait in one queue; a writer thread takes whatever waits and commits it in one transaction, so
that many share one fsync. Offsets are allocated inside that transaction: other processes may append to the same file.
"""

import os
import sqlite3
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Condition, Thread
from typing import NamedTuple

import msgspec

from services.events.log.partitioning import partition_of
from services.events.log.protocol import Identity, NewRecord, Place, Position, Record
from services.kit import instants
from services.kit.errors import Corrupt, ExemplarError, Misconfigured, Unavailable

SCHEMA_VERSION = 1
BUSY_SECONDS = 5.0  # how long another process's transaction is waited for
CLOSE_SECONDS = 10.0
POLL_SECONDS = 0.25  # how often a waiting reader looks for what other processes appended
COMMIT_BYTES = 8 * 2**20  # a transaction takes no more than this, unless one append is larger
READ_BYTES = 32 * 2**20  # a read ends when it holds this much, whatever its limit

_URL = "sqlite:///"
# A record's rowid is its place: partition << 48 | offset. Measured with 200,000 records of 400 bytes in 12 partitions,
# reading so is 1.9 times as fast as WITHOUT ROWID on (partition, offset) and 2.4 times as fast as an index on them.
_OFFSET_BITS = 48
_OFFSET_MASK = (1 << _OFFSET_BITS) - 1
_SCHEMA = (
    "CREATE TABLE log (id TEXT NOT NULL, partitions INTEGER NOT NULL, version INTEGER NOT NULL)",
    """CREATE TABLE records (
        place INTEGER PRIMARY KEY, recorded_at INTEGER NOT NULL, key TEXT, value BLOB NOT NULL, headers BLOB
    )""",
)
_INSERT = "INSERT INTO records (place, recorded_at, key, value, headers) VALUES (?, ?, ?, ?, ?)"
_LAST = "SELECT place, recorded_at FROM records WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT 1"
_FIRST = "SELECT min(place) FROM records WHERE place >= ? AND place < ?"
_FROM = """SELECT place, recorded_at, key, value, headers FROM records
    WHERE place >= ? AND place < ? ORDER BY place LIMIT ?"""
_ROW_OVERHEAD = 200  # bytes that a waiting record takes in memory beside its key and value, about

Clock = Callable[[], int]


def open_log(url: str, partitions: int | None, clock: Clock = instants.now) -> "SqliteLog":
    """The log in the file of `sqlite:///FILE`, made if there is none, unless `partitions` is None; one that exists
    keeps its own.

    Raises Misconfigured if the URL or the file is not a log's, Corrupt if the file is damaged, Unavailable.
    """
    file = url.removeprefix(_URL)
    if file == url or file in ("", ":memory:"):
        raise Misconfigured("EXEMPLAR_LOG_URL must be sqlite:///FILE")
    path = Path(file).absolute()
    return SqliteLog(path, _prepare(path, partitions), clock)


class SqliteLog:
    """A log file that is there; holds nothing open itself. Readers wake at once for appends by writers made here."""

    def __init__(self, path: Path, identity: Identity, clock: Clock) -> None:
        self.path = path
        self.identity = identity
        self._clock = clock
        self._commits = _Commits()

    def writer(self, waiting_records: int = 100_000, waiting_bytes: int = 64 * 2**20) -> "SqliteWriter":
        """A writer, with the most that may wait in it; one a process is enough."""
        return SqliteWriter(self, self._clock, self._commits, waiting_records, waiting_bytes)

    def reader(self) -> "SqliteReader":
        """A reader, for one thread at a time."""
        return SqliteReader(self, self._commits)

    def share(self) -> "SqliteShare":
        """Every partition: a file has one process that folds it."""
        return SqliteShare(self.identity.partitions)

    def connect(self) -> "_LogConnection":
        """A connection that has made sure that the file still holds this log."""
        return _LogConnection(self.path, self.identity)


class _Append(NamedTuple):
    """What one call appends: rows of (partition, key, value, headers), in order."""

    rows: list[tuple[int, str | None, bytes, bytes | None]]
    size: int
    future: Future[list[Place]]


class SqliteWriter:
    """LogWriter on an SQLite file. `append` never waits: where too much waits already, its future fails at once."""

    def __init__(
        self, log: SqliteLog, clock: Clock, commits: "_Commits", waiting_records: int, waiting_bytes: int
    ) -> None:
        self._log = log
        self._clock = clock
        self._commits = commits
        self._most_records = waiting_records
        self._most_bytes = waiting_bytes
        self._records = 0
        self._bytes = 0
        self._queue: deque[_Append] = deque()
        self._changed = Condition()
        self._closed = False
        self._connection: _LogConnection | None = None
        self._thread = Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def commits(self) -> int:
        """Transactions committed so far: appends ÷ commits is how many share one fsync."""
        return self._commits.count

    @property
    def waiting(self) -> int:
        """Records taken that are neither durable nor failed yet."""
        return self._records

    def append(self, records: Sequence[NewRecord]) -> Future[list[Place]]:
        """See LogWriter."""
        future: Future[list[Place]] = Future()
        if not records:
            future.set_result([])
            return future
        rows = [_row(record, self._log.identity.partitions) for record in records]
        size = sum(len(key or "") + len(value) + _ROW_OVERHEAD for _, key, value, _ in rows)
        with self._changed:
            refusal = self._refusal(len(rows), size)
            if refusal is None:
                self._queue.append(_Append(rows, size, future))
                self._records += len(rows)
                self._bytes += size
                self._changed.notify()
        if refusal is not None:
            future.set_exception(refusal)
        return future

    def close(self) -> None:
        """See LogWriter."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)
        self._refuse_waiting()

    def _refusal(self, records: int, size: int) -> Unavailable | None:
        """Why so much cannot be taken now. What is larger than the bounds is taken when nothing else waits."""
        if self._closed:
            return Unavailable("the log was closed")
        full = self._records + records > self._most_records or self._bytes + size > self._most_bytes
        if full and self._records:
            return Unavailable("the log is taking in as much as it can")
        return None

    def _run(self) -> None:
        try:
            while group := self._next_group():
                self._settle(group)
        finally:
            with self._changed:
                self._closed = True
            self._refuse_waiting()
            self._disconnect()

    def _next_group(self) -> list[_Append]:
        """What waits, up to COMMIT_BYTES; waits for something. Empty once the writer was closed and nothing waits."""
        group: list[_Append] = []
        size = 0
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            while self._queue and (not group or size + self._queue[0].size <= COMMIT_BYTES):
                append = self._queue.popleft()
                size += append.size
                group.append(append)
        return group

    def _settle(self, group: list[_Append]) -> None:
        """Commit the group and resolve its futures. What was cancelled while it waited is left out."""
        wanted = [append for append in group if append.future.set_running_or_notify_cancel()]
        error: ExemplarError = Unavailable("the log stopped while it took this in")
        places: list[list[Place]] = []
        try:
            places = self._commit(wanted) if wanted else []
        except ExemplarError as failure:
            error = failure
            self._disconnect()
        finally:
            self._release(group)
            for index, append in enumerate(wanted):
                if places:
                    append.future.set_result(places[index])
                else:
                    append.future.set_exception(error)

    def _commit(self, group: list[_Append]) -> list[list[Place]]:
        if self._connection is None:
            self._connection = self._log.connect()
        with self._connection.using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            places = _allocate(connection, group, self._clock())
            connection.executemany(_INSERT, _inserts(group, places))
            connection.execute("COMMIT")
        self._commits.add()
        return places

    def _release(self, group: list[_Append]) -> None:
        with self._changed:
            self._records -= sum(len(append.rows) for append in group)
            self._bytes -= sum(append.size for append in group)

    def _refuse_waiting(self) -> None:
        with self._changed:
            left = list(self._queue)
            self._queue.clear()
        self._release(left)
        for append in left:
            if append.future.set_running_or_notify_cancel():
                append.future.set_exception(Unavailable("the log was closed before it took this in"))

    def _disconnect(self) -> None:
        """Let go of the connection, whatever state a failure left it in; the next commit opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class SqliteReader:
    """LogReader on an SQLite file. A read ends early when it holds READ_BYTES of values."""

    def __init__(self, log: SqliteLog, commits: "_Commits") -> None:
        self._identity = log.identity
        self._commits = commits
        self._connection = log.connect()
        self._turn = 0

    def identity(self) -> Identity:
        """See LogReader."""
        with self._connection.using():
            return self._identity

    def beginnings(self) -> Position:
        """See LogReader."""
        with self._connection.using() as connection:
            return {p: _first(connection, p) for p in range(self._identity.partitions)}

    def ends(self) -> Position:
        """See LogReader."""
        with self._connection.using() as connection:
            return {p: _last(connection, p)[0] + 1 for p in range(self._identity.partitions)}

    def read(self, position: Position, limit: int, wait: float) -> list[Record]:
        """See LogReader."""
        deadline = time.monotonic() + wait
        while True:
            seen = self._commits.count
            records = self._read_now(position, limit)
            left = deadline - time.monotonic()
            if records or left <= 0:
                return records
            self._commits.wait_for_more(seen, min(left, POLL_SECONDS))

    def close(self) -> None:
        """See LogReader."""
        self._connection.close()

    def _read_now(self, position: Position, limit: int) -> list[Record]:
        """What is there: each partition gets an equal share of the limit, and every one is the first in its turn."""
        records: list[Record] = []
        size = 0
        with self._connection.using() as connection:
            behind = [p for p in sorted(position) if _last(connection, p)[0] >= position[p]]
            if behind:
                self._turn = (self._turn + 1) % len(behind)
            for index, partition in enumerate(behind[self._turn :] + behind[: self._turn]):
                share = -(-(limit - len(records)) // (len(behind) - index))
                first = _place(partition, position[partition])
                rows = connection.execute(_FROM, (first, _place(partition + 1, 0), share))
                for place, at, key, value, headers in rows:
                    records.append(Record(Place(partition, place & _OFFSET_MASK, at), key, value, _headers(headers)))
                    size += len(value)
                    if size >= READ_BYTES:
                        return records
        return records


class SqliteShare:
    """Share of a log that one process alone folds: all of it, always."""

    def __init__(self, partitions: int) -> None:
        self._all = frozenset(range(partitions))

    def partitions(self) -> frozenset[int]:
        """See Share."""
        return self._all

    def doubt(self, position: Position) -> None:
        """See Share; there is nobody to doubt for."""

    def show(self, position: Position) -> None:
        """See Share; there is nowhere to show it."""

    def close(self) -> None:
        """See Share."""


class _Commits:
    """Counts the commits of this process, and wakes readers that wait for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = Condition()

    def add(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait_for_more(self, seen: int, seconds: float) -> None:
        """Wait until there are more than `seen` commits, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self.count > seen, seconds)


class _LogConnection:
    """A connection to the file of one log, which notices when another file, or none, has taken its place."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self._path = path
        self._inode = _inode(path)
        with _translated(path), ExitStack() as failing:
            self._connection = failing.enter_context(closing(_connect(path, "rw")))
            if _identity(self._connection, path) != identity:
                raise Corrupt(f"{path} holds another log than before: stop everything that uses it and start again")
            failing.pop_all()

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """The connection, its errors told by what the caller can do about them."""
        if _inode(self._path) != self._inode:
            raise Corrupt(f"{self._path} was replaced while it was in use: stop everything that uses it, start again")
        with _translated(self._path):
            yield self._connection

    def close(self) -> None:
        self._connection.close()


def _prepare(path: Path, partitions: int | None) -> Identity:
    """Make the log if there is none and we may; which one it is. Of two processes that do so at once, one makes it."""
    with _translated(path):
        if partitions is not None:
            _make_folder(path.parent)
        ahead = path.with_name(path.name + "-wal")
        if not path.exists() and ahead.exists() and ahead.stat().st_size:
            raise Corrupt(f"{path} is gone, and {ahead.name} beside it holds acts of it: put both back as they were")
        if partitions is None and not path.exists():
            raise Misconfigured(f"EXEMPLAR_LOG_URL: there is no log {path}")
        with closing(_connect(path, "rw" if partitions is None else "rwc")) as connection:
            if partitions is not None and _is_empty(connection):
                _create(connection, partitions)
            return _identity(connection, path)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"EXEMPLAR_LOG_URL: the folder {folder} cannot be made") from error


def _create(connection: sqlite3.Connection, partitions: int) -> None:
    _turn_wal_on(connection)
    connection.execute("BEGIN IMMEDIATE")
    if _is_empty(connection):
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO log VALUES (?, ?, ?)", (uuid.uuid4().hex, partitions, SCHEMA_VERSION))
    connection.execute("COMMIT")


def _turn_wal_on(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL. SQLite does not always wait by itself when another process does the same just then."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            if mode != "wal":
                raise Misconfigured("EXEMPLAR_LOG_URL: the file system cannot hold a log (SQLite's WAL mode)")
            return


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous=FULL")  # each commit is on the disk before it returns
    connection.execute("PRAGMA journal_size_limit=67108864")
    return connection


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def _identity(connection: sqlite3.Connection, path: Path) -> Identity:
    if connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'log'").fetchone() is None:
        raise Misconfigured(f"EXEMPLAR_LOG_URL: {path} is a database, but not a log")
    row = connection.execute("SELECT id, partitions, version FROM log").fetchone()
    if row is None:
        raise Corrupt(f"{path} does not say which log it is: restore it from a backup")
    if row[2] != SCHEMA_VERSION:
        raise Misconfigured(f"EXEMPLAR_LOG_URL: {path} was made by another version of Exemplar")
    return Identity(row[0], row[1])


def _inode(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except FileNotFoundError as error:
        raise Corrupt(f"{path} is gone: put it back, or stop everything that uses it to begin a new log") from error
    except OSError as error:
        raise Unavailable("the log's file does not answer") from error
    return status.st_dev, status.st_ino


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise Corrupt(f"{path} is damaged or no log: stop, keep a copy, restore it from a backup") from error
        if isinstance(error, sqlite3.OperationalError):
            raise Unavailable(f"the log cannot be used now ({error})") from error
        raise


def _row(record: NewRecord, partitions: int) -> tuple[int, str | None, bytes, bytes | None]:
    headers = msgspec.json.encode(record.headers) if record.headers else None
    return partition_of(record, partitions), record.key, record.value, headers


@lru_cache(maxsize=64)  # most records have the same ones
def _headers(stored: bytes | None) -> Sequence[tuple[str, bytes]]:
    return () if stored is None else msgspec.json.decode(stored, type=tuple[tuple[str, bytes], ...])


def _allocate(connection: sqlite3.Connection, group: list[_Append], now: int) -> list[list[Place]]:
    """The places of all rows: offsets go on where each partition ends, and its time never goes back."""
    last: dict[int, tuple[int, int]] = {}
    places: list[list[Place]] = []
    for append in group:
        taken: list[Place] = []
        for partition, *_ in append.rows:
            if partition not in last:
                offset, at = _last(connection, partition)
                last[partition] = offset, max(at, now)
            offset, at = last[partition]
            last[partition] = offset + 1, at
            taken.append(Place(partition, offset + 1, at))
        places.append(taken)
    return places


def _inserts(
    group: list[_Append], places: list[list[Place]]
) -> Iterator[tuple[int, int, str | None, bytes, bytes | None]]:
    for append, taken in zip(group, places, strict=True):
        for (_, key, value, headers), (partition, offset, at) in zip(append.rows, taken, strict=True):
            yield _place(partition, offset), at, key, value, headers


def _first(connection: sqlite3.Connection, partition: int) -> int:
    """Offset of a partition's first record; 0 where there is none."""
    place = connection.execute(_FIRST, (_place(partition, 0), _place(partition + 1, 0))).fetchone()[0]
    return 0 if place is None else int(place) & _OFFSET_MASK


def _last(connection: sqlite3.Connection, partition: int) -> tuple[int, int]:
    """Offset and time of a partition's last record; -1 and 0 where there is none."""
    row = connection.execute(_LAST, (_place(partition, 0), _place(partition + 1, 0))).fetchone()
    return (row[0] & _OFFSET_MASK, row[1]) if row else (-1, 0)


def _place(partition: int, offset: int) -> int:
    return partition << _OFFSET_BITS | offset

"""What the SQLite log promises beyond the contract: shared commits, bounds, and clear words when the file is wrong."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from services.events.log import sqlite
from services.events.log.protocol import NewRecord, Place
from services.events.log.sqlite import SqliteLog, open_log
from services.kit.errors import Corrupt, Misconfigured, Unavailable
from services.kit.instants import SECOND
from tests.fixed_clock import FixedClock

PATIENCE = 30.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log will be: a path with everything that a URL would read otherwise."""
    return tmp_path / "folder with ?#% in it" / "log.sqlite"


@pytest.fixture
def log(path: Path, clock: FixedClock) -> SqliteLog:
    """An empty log."""
    return open_log(f"sqlite:///{path}", 4, clock)


def appended(log: SqliteLog) -> Place:
    """Append one record through a writer of its own; where it is."""
    with closing(log.writer()) as writer:
        return writer.append([record()]).result(PATIENCE)[0]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """While another connection holds the write lock, a writer can take appends and commit none."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def record(value: bytes = b"1") -> NewRecord:
    """A record of key `a`, which is in partition 0."""
    return NewRecord("a", value)


def test_appends_that_wait_share_one_commit(log: SqliteLog) -> None:
    """What comes in while a commit is under way is committed together, in one transaction."""
    writer = log.writer()
    with locked(log.path):
        futures = [writer.append([record()]) for _ in range(500)]
    for future in futures:
        future.result(PATIENCE)
    assert 1 <= writer.commits <= 2
    assert writer.waiting == 0
    writer.close()


def test_a_cancelled_append_is_left_out(log: SqliteLog) -> None:
    """An append whose future was cancelled while it waited is not written, and harms no other."""
    writer, reader = log.writer(), log.reader()
    with locked(log.path):
        futures = [writer.append([record(str(n).encode())]) for n in range(10)]
        cancelled = {n for n, future in enumerate(futures) if n % 2 and future.cancel()}
    writer.close()
    kept = [int(r.value) for r in reader.read({0: 0}, 100, wait=0)]
    assert kept == [n for n in range(10) if n not in cancelled]
    assert len(cancelled) >= 4
    reader.close()


@pytest.mark.parametrize(("most_records", "most_bytes"), [(5, 2**20), (1000, 3000)])
def test_a_full_queue_refuses_at_once(log: SqliteLog, most_records: int, most_bytes: int) -> None:
    """With as many records or bytes waiting as may, the next append fails at once and what was taken is kept."""
    writer = log.writer(most_records, most_bytes)
    with locked(log.path):
        futures = [writer.append([record(b"x" * 400)]) for _ in range(20)]
        refused = [f for f in futures if f.done()]
        assert len(futures) - len(refused) == (5 if most_records == 5 else 4)
        for future in refused:
            with pytest.raises(Unavailable):
                future.result(0)
    taken = [f.result(PATIENCE) for f in futures if f not in refused]
    assert [places[0].offset for places in taken] == list(range(len(taken)))
    writer.close()


def test_an_append_larger_than_the_bounds_is_taken_alone(log: SqliteLog) -> None:
    """An append that could never fit is taken when nothing else waits, so that it does not fail for ever."""
    writer = log.writer(waiting_records=2, waiting_bytes=100)
    assert len(writer.append([record()] * 10).result(PATIENCE)) == 10
    writer.close()


def test_time_in_a_partition_never_goes_back(log: SqliteLog, clock: FixedClock) -> None:
    """Where the clock is set back, a record has the time of the one before it; never an earlier one."""
    first = appended(log)
    clock.advance(-60 * SECOND)
    assert appended(log).recorded_at == first.recorded_at
    clock.advance(61 * SECOND)
    assert appended(log).recorded_at == first.recorded_at + SECOND


def test_a_lock_held_too_long_is_unavailable_and_passes(log: SqliteLog, path: Path) -> None:
    """While another process keeps the file locked, appends fail with Unavailable; afterwards the next succeeds."""
    writer = log.writer()
    with locked(path):
        future = writer.append([record()])
        with pytest.raises(Unavailable):
            future.result(PATIENCE)
    assert writer.append([record()]).result(PATIENCE)[0].offset == 0
    writer.close()


def test_a_full_disk_is_unavailable_and_passes(log: SqliteLog, path: Path) -> None:
    """Where the disk is full, the append fails with Unavailable and leaves no trace; with room again, it succeeds."""
    command = [sys.executable, "-m", "tests.events.log.full_disk", f"sqlite:///{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["taken", "Unavailable", "taken"], done.stderr
    reader = log.reader()
    assert [len(r.value) for r in reader.read({0: 0}, 10, wait=0)] == [1, 1]
    reader.close()


def test_an_existing_log_keeps_its_partitions(log: SqliteLog, path: Path) -> None:
    """Opened with another number of partitions, a log keeps the number that it was made with."""
    assert open_log(f"sqlite:///{path}", 7).identity == log.identity
    assert log.identity.partitions == 4


def test_a_log_made_anew_is_another_one(log: SqliteLog, path: Path) -> None:
    """After the file was deleted, the log that is made in its place has another id."""
    path.unlink()
    assert open_log(f"sqlite:///{path}", 4).identity.id != log.identity.id


def test_processes_that_create_at_once_share_one_log(tmp_path: Path) -> None:
    """Of several processes that open a log that is not there yet, one makes it, for all."""
    url = f"sqlite:///{tmp_path / 'log.sqlite'}"
    program = f"from services.events.log.sqlite import open_log; print(open_log({url!r}, 3).identity.id)"
    processes = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(4)]
    ids = {process.communicate(timeout=60)[0] for process in processes}
    assert ids == {open_log(url, 3).identity.id.encode() + b"\n"}


def test_a_file_replaced_in_use_is_noticed(log: SqliteLog, path: Path) -> None:
    """When the file is deleted or replaced, the open writer and reader say so instead of going on beside it."""
    writer, reader = log.writer(), log.reader()
    writer.append([record()]).result(PATIENCE)
    path.unlink()
    with pytest.raises(Corrupt, match="is gone"):
        writer.append([record()]).result(PATIENCE)
    with pytest.raises(Corrupt, match="put both back"):  # a new file there would make SQLite forget what is ahead
        open_log(f"sqlite:///{path}", 4)
    assert not path.exists()
    path.with_name(path.name + "-wal").unlink()
    other = open_log(f"sqlite:///{path}", 4)
    with pytest.raises(Corrupt, match="another log"):
        writer.append([record()]).result(PATIENCE)
    for question in (reader.identity, reader.ends, lambda: reader.read({0: 0}, 1, 0)):
        with pytest.raises(Corrupt, match="was replaced"):
            question()
    assert other.reader().ends()[0] == 0
    writer.close()
    reader.close()


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    """A file of something else is not written to; the message says what to do."""
    file = tmp_path / "log.sqlite"
    file.write_bytes(b"something else altogether" * 100)
    with pytest.raises(Corrupt, match="restore it from a backup"):
        open_log(f"sqlite:///{file}", 4)
    assert file.read_bytes() == b"something else altogether" * 100


def test_a_damaged_file_is_corrupt(log: SqliteLog, path: Path) -> None:
    """Where the pages of the file are damaged, reading says so and what to do."""
    writer = log.writer()
    writer.append([record(b"x" * 1000)] * 200).result(PATIENCE)
    writer.close()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(path.stat().st_size - 8192))
    reader = log.reader()
    with pytest.raises(Corrupt, match="damaged"):
        reader.read({0: 0}, 1000, wait=0)
    reader.close()


def test_another_database_is_refused(tmp_path: Path) -> None:
    """An SQLite database that is no log is a wrong setting, and is left as it is."""
    file = tmp_path / "model.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE acts (id)")
    with pytest.raises(Misconfigured, match="EXEMPLAR_LOG_URL"):
        open_log(f"sqlite:///{file}", 4)


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql://x/y", "log.sqlite"])
def test_other_urls_are_refused(url: str) -> None:
    """Only sqlite:///FILE names a log in a file; the message names the variable."""
    with pytest.raises(Misconfigured, match="EXEMPLAR_LOG_URL"):
        open_log(url, 4)


def test_a_read_is_bounded_in_memory(log: SqliteLog) -> None:
    """A read ends early when it holds much, whatever its limit, and the next one goes on from there."""
    writer, reader = log.writer(), log.reader()
    value = b"x" * (4 * 2**20)
    for _ in range(10):
        writer.append([record(value)]).result(PATIENCE)
    first = reader.read({0: 0}, 1000, wait=0)
    assert len(first) == sqlite.READ_BYTES // len(value)
    assert len(reader.read({0: first[-1].place.offset + 1}, 1000, wait=0)) == 10 - len(first)
    writer.close()
    reader.close()

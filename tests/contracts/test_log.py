"""What every log must do (services/events/log/protocol.py), whichever adapter is below."""

import random
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from services.events.log.partitioning import partition_for
from services.events.log.protocol import LogReader, LogWriter, NewRecord, Place, Record
from services.kit.errors import Unavailable
from tests.contracts.conftest import LogInTest

PATIENCE = 30.0


def append(writer: LogWriter, *records: tuple[str, bytes]) -> list[Place]:
    """Append keys with their values, and wait until they are durable."""
    return writer.append([NewRecord(key, value) for key, value in records]).result(timeout=PATIENCE)


def everything(reader: LogReader, limit: int = 1000) -> list[Record]:
    """All records, read in steps of `limit` from the start to the ends of now."""
    position = dict.fromkeys(range(reader.identity().partitions), 0)
    ends = reader.ends()
    records: list[Record] = []
    while any(position[p] < ends[p] for p in position):
        step = reader.read(position, limit, wait=PATIENCE)
        assert step
        assert len(step) <= limit
        for record in step:
            assert record.place.offset >= position[record.place.partition]
            position[record.place.partition] = record.place.offset + 1
        records += step
    return records


def start_appending(log: LogInTest, name: str, threads: int, appends: int) -> "subprocess.Popen[str]":
    """Another process that appends to the log; see there."""
    command = [sys.executable, "-m", "tests.contracts.appending_process", log.url, name, str(threads), str(appends)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def check_acknowledged(lines: list[str], records: list[Record]) -> None:
    """Every acknowledged append is in the log where it was said to be, its key's appends in order, each record once."""
    by_key: dict[str | None, list[Record]] = defaultdict(list)
    for record in records:
        by_key[record.key].append(record)
    for key, found in by_key.items():
        values = [record.value.decode() for record in found]
        assert values == [f"{key} {number // 2} {'ab'[number % 2]}" for number in range(len(values))]
    for line in lines:
        key, number, *offsets = line.split()
        for part, offset in enumerate(offsets):
            assert by_key[key][2 * int(number) + part].place.offset == int(offset)


def test_append_gives_a_place_for_each_record_in_the_order_given(log: LogInTest) -> None:
    """The future has one place a record, in order, in the key's partition, with the time at which the log took it."""
    before = log.now() // log.tick * log.tick
    places = append(log.writer(), ("a", b"1"), ("b", b"2"), ("a", b"3"))
    assert [place.partition for place in places] == [partition_for(key, log.partitions) for key in "aba"]
    assert places[0].offset < places[2].offset
    assert all(before <= place.recorded_at <= log.now() for place in places)


def test_what_was_appended_is_read_as_it_was(log: LogInTest) -> None:
    """Key, value and place of a record are read as they were given, any UTF-8 and any bytes, even none."""
    writer, reader = log.pair()
    given = [("Zoë 🦊", bytes(range(256))), ("k" * 128, b""), ("public", b"x" * 300_000)]
    places = append(writer, *given)
    read = {record.place: (record.key, record.value) for record in everything(reader)}
    assert read == dict(zip(places, given, strict=True))


def test_headers_are_read_as_they_were(log: LogInTest) -> None:
    """The headers of a record are read in their order, names twice and any bytes; a record without has none."""
    writer, reader = log.pair()
    headers = (("traceparent", b"00-0a-0b-01"), ("x", bytes(range(256))), ("x", b""))
    writer.append([NewRecord("a", b"1", headers), NewRecord("a", b"2")]).result(timeout=PATIENCE)
    assert [record.headers for record in everything(reader)] == [headers, ()]


def test_a_record_that_names_its_partition_is_there(log: LogInTest) -> None:
    """A copy of what others wrote is put where they put it, and may have no key; offsets count on with the others."""
    writer, reader = log.pair()
    wanted = (partition_for("a", log.partitions) + 1) % log.partitions
    elsewhere = [NewRecord("a", b"1", (), wanted), NewRecord(None, b"2", (), wanted), NewRecord("a", b"3")]
    places = writer.append(elsewhere).result(timeout=PATIENCE)
    assert [place[:2] for place in places] == [(wanted, 0), (wanted, 1), (partition_for("a", log.partitions), 0)]
    read = {record.place: (record.key, record.value) for record in everything(reader)}
    assert [read[place] for place in places] == [("a", b"1"), (None, b"2"), ("a", b"3")]


def test_appending_nothing_resolves(log: LogInTest) -> None:
    """An append without records has no places."""
    assert append(log.writer()) == []


def test_offsets_rise_and_a_reader_sees_them_in_order(log: LogInTest) -> None:
    """In each partition a later append has a higher offset, and reading in small steps leaves none out."""
    writer, reader = log.pair()
    places = [append(writer, (f"key-{n % 17}", str(n).encode()))[0] for n in range(100)]
    for partition in range(log.partitions):
        offsets = [place.offset for place in places if place.partition == partition]
        assert offsets == sorted(set(offsets))
        read = [r.place.offset for r in everything(reader, limit=7) if r.place.partition == partition]
        assert read == offsets


def test_threads_keep_the_order_of_their_own_appends(log: LogInTest) -> None:
    """Appends that one thread makes one after the other, without waiting, keep their order among those of others."""
    writer, reader = log.pair()

    def append_many(name: str) -> None:
        futures = [writer.append([NewRecord(name, str(n).encode())]) for n in range(200)]
        for future in futures:
            future.result(timeout=PATIENCE)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(append_many, [f"thread-{n}" for n in range(8)]))
    values = defaultdict(list)
    for record in everything(reader):
        values[record.key].append(int(record.value))
    assert dict(values) == {f"thread-{n}": list(range(200)) for n in range(8)}


def test_reading_begins_at_any_position_and_only_where_asked(log: LogInTest) -> None:
    """A read starts at the offsets of the position, and leaves partitions alone that it does not name."""
    writer, reader = log.pair()
    places = append(writer, *[("a", str(n).encode()) for n in range(10)], *[("c", b"-")] * 3)
    partition = places[0].partition
    assert places[-1].partition != partition
    read = reader.read({partition: places[4].offset}, limit=3, wait=0)
    assert [record.value for record in read] == [b"4", b"5", b"6"]
    assert reader.read({partition: reader.ends()[partition]}, limit=10, wait=0) == []


def test_ends_are_where_the_next_records_go(log: LogInTest) -> None:
    """The end of an empty partition is the start, else it is behind the last record."""
    writer, reader = log.pair()
    assert reader.ends() == dict.fromkeys(range(log.partitions), 0)
    place = append(writer, ("a", b"1"))[0]
    assert reader.ends()[place.partition] == place.offset + 1
    assert append(writer, ("a", b"2"))[0].offset >= place.offset + 1


def test_beginnings_are_where_the_first_records_are(log: LogInTest) -> None:
    """A log that has lost nothing begins at 0 in every partition, with records and without."""
    writer, reader = log.pair()
    append(writer, ("a", b"1"), ("a", b"2"))
    assert reader.beginnings() == dict.fromkeys(range(log.partitions), 0)


def test_no_partition_waits_behind_a_long_one(log: LogInTest) -> None:
    """A record in a short partition comes within a few reads, though another has far more than a read's limit."""
    writer, reader = log.pair()
    append(writer, *[("a", b"long")] * 500, ("c", b"short"))
    position = dict.fromkeys(range(log.partitions), 0)
    values: list[bytes] = []
    for _ in range(log.partitions):
        for record in reader.read(position, limit=1, wait=PATIENCE):
            position[record.place.partition] = record.place.offset + 1
            values.append(record.value)
    assert b"short" in values


def test_a_read_of_large_records_ends_early(log: LogInTest) -> None:
    """Whatever the limit, a read hands out no more than 32 MiB or so; the rest comes by the next ones."""
    writer, reader = log.pair()
    value = random.Random(1).randbytes(2**18)
    append(writer, *[(f"customer-{number}", value) for number in range(150)])
    position = dict.fromkeys(range(reader.identity().partitions), 0)
    assert 0 < len(reader.read(position, 1000, wait=PATIENCE)) * len(value) <= 2**25
    assert len(everything(reader)) == 150


def test_a_read_without_news_comes_back_empty(log: LogInTest) -> None:
    """A read that waited in vain returns nothing."""
    assert log.reader().read({0: 0, 1: 0}, limit=10, wait=0.05) == []


@pytest.mark.parametrize("same_process", [True, False])
def test_a_waiting_read_wakes_for_an_append(log: LogInTest, same_process: bool) -> None:
    """A read that waits returns what is appended meanwhile, by the same process or by another one."""
    writer, reader = log.pair() if same_process else (log.writer(), log.reader())
    read: list[Record] = []
    waiting = Event()

    def wait_for_records() -> None:
        waiting.set()
        read.extend(reader.read(dict.fromkeys(range(log.partitions), 0), limit=10, wait=PATIENCE))

    thread = Thread(target=wait_for_records)
    thread.start()
    waiting.wait(PATIENCE)
    append(writer, ("a", b"news"))
    thread.join(PATIENCE)
    assert [record.value for record in read] == [b"news"]


def test_identity_stays_over_reopening(log: LogInTest) -> None:
    """A log is the same one, with the same partitions, whenever it is opened."""
    writer, reader = log.pair()
    append(writer, ("a", b"1"))
    before = reader.identity()
    log.close()
    assert log.reader().identity() == before
    assert before.partitions == log.partitions


def test_close_finishes_what_was_taken(log: LogInTest) -> None:
    """Whatever was taken before the close is durable after it."""
    writer = log.writer()
    futures = [writer.append([NewRecord("a", str(n).encode())]) for n in range(500)]
    writer.close()
    assert all(future.done() for future in futures)
    assert [int(record.value) for record in everything(log.reader())] == list(range(500))


def test_append_after_close_is_unavailable(log: LogInTest) -> None:
    """A closed writer takes nothing more, and closing it again does no harm."""
    writer = log.writer()
    writer.close()
    writer.close()
    with pytest.raises(Unavailable):
        append(writer, ("a", b"1"))


def test_two_processes_append_at_once(log: LogInTest) -> None:
    """Two processes and their threads append to one log; all is there, in the order of each key."""
    processes = [start_appending(log, name, threads=4, appends=25) for name in ("one", "two")]
    lines = [line for process in processes for line in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    records = everything(log.reader())
    assert len(lines) == 200
    assert len(records) == 400
    check_acknowledged(lines, records)


def test_what_was_acknowledged_survives_a_kill_at_once(log: LogInTest) -> None:
    """A process killed straight after its first acknowledgement leaves the record in the log."""
    process = start_appending(log, "killed", threads=1, appends=10_000)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.kill()
    lines = [first, *process.communicate(timeout=60)[0].splitlines()]
    check_acknowledged(lines, everything(log.reader()))


def test_kills_under_load_lose_nothing_acknowledged(log: LogInTest) -> None:
    """Killed at random moments under load, again and again, the log has every acknowledged record, in order, once."""
    rnd = random.Random(7)
    told: list[str] = []
    for round_ in range(4):
        process = start_appending(log, f"round{round_}", threads=8, appends=10_000)
        assert process.stdout is not None
        told += [process.stdout.readline() for _ in range(rnd.randint(1, 400))]
        process.kill()
        rest = process.communicate(timeout=60)[0]
        told += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    check_acknowledged(told, everything(log.reader()))

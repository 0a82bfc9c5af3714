"""Copying a log into another one: everything is there, where it was, or nothing was written and it is said why."""

import shutil
import sqlite3
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewPartitions
from kafka.structs import TopicPartition

from services.events.log import kafka, sqlite
from services.events.log.access import KafkaAccess
from services.events.log.copying import APPEND_BYTES, READ_RECORDS, Copied, copy
from services.events.log.partitioning import partition_for
from services.events.log.protocol import Log, LogWriter, NewRecord, Record
from services.kit.errors import Conflict, Unavailable
from tests.events.log.interrupted import Disturbed

PARTITIONS = 4
PATIENCE = 30.0
AnyLog = TypeVar("AnyLog", bound=Log)
Content = tuple[str | None, bytes, tuple[tuple[str, bytes], ...]]

RECORDS = st.lists(
    st.builds(
        NewRecord,
        st.none() | st.sampled_from(["a", "b", "Zoë 🦊", ""]) | st.text(st.characters(exclude_categories=["Cs"])),
        st.binary(max_size=20),
        st.lists(st.tuples(st.sampled_from(["traceparent", "x"]), st.binary(max_size=3)), max_size=2).map(tuple),
        st.none() | st.integers(0, PARTITIONS - 1),
    ),
    max_size=30,
)


def made(folder: Path, name: str = "log", partitions: int = PARTITIONS) -> Log:
    """A log in a file of the folder, made if there is none."""
    return sqlite.open_log(f"sqlite:///{folder / name}.sqlite", partitions)


def filled(log: AnyLog, records: Sequence[NewRecord]) -> AnyLog:
    """The log, with these records appended."""
    with closing(log.writer()) as writer:
        writer.append(records).result(PATIENCE)
    return log


def held(log: Log) -> dict[int, list[Record]]:
    """Everything in a log, by partition."""
    found: dict[int, list[Record]] = {partition: [] for partition in range(log.identity.partitions)}
    with closing(log.reader()) as reader:
        position, ends = dict(reader.beginnings()), reader.ends()
        while behind := {p: at for p, at in position.items() if at < ends[p]}:
            records = reader.read(behind, 1_000, 0)
            if not records:
                break  # offsets without a record are left
            for record in records:
                position[record.place.partition] = record.place.offset + 1
                found[record.place.partition].append(record)
    return found


def contents(log: Log) -> dict[int, list[Content]]:
    """Key, value and headers of everything in a log, by partition, in order."""
    return {p: [(each.key, each.value, tuple(each.headers)) for each in records] for p, records in held(log).items()}


def everything(of: Mapping[int, Sequence[Content]]) -> list[Content]:
    """What is in all partitions, one after the other."""
    return [each for partition in of.values() for each in partition]


def numbered(count: int, start: int = 0, size: int = 0) -> list[NewRecord]:
    """Records of a few keys, each with a value of its own of about so many bytes."""
    return [NewRecord(f"customer-{n % 7}", f"{n}".encode() + b"." * size) for n in range(start, start + count)]


@given(records=RECORDS, more=RECORDS)
@settings(max_examples=30)
def test_with_as_many_partitions_everything_keeps_its_place(records: list[NewRecord], more: list[NewRecord]) -> None:
    """Whatever is in a log is in the copy, byte for byte at its place; copied again, only what is new is added."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = filled(made(Path(folder), "from"), records), made(Path(folder), "to")
        assert copy(source, target) == Copied(len(records), 0, 0, 0)
        assert contents(target) == contents(source)
        filled(source, more)
        assert copy(source, target) == Copied(len(more), len(records), 0, 0)
        assert contents(target) == contents(source)
        assert [[one.place[:2] for one in of] for of in held(target).values()] == [
            [one.place[:2] for one in of] for of in held(source).values()
        ]


@given(records=RECORDS, partitions=st.integers(1, 9).filter(lambda count: count != PARTITIONS))
@settings(max_examples=30)
def test_with_other_partitions_keys_keep_their_order(records: list[NewRecord], partitions: int) -> None:
    """Among other partitions everything is there once, each key where it belongs, in the order of each partition."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = filled(made(Path(folder), "from"), records), made(Path(folder), "to", partitions)
        done = copy(source, target)
        assert (done.copied, done.there) == (len(records), 0)
        before, after = contents(source), contents(target)
    assert sorted(map(repr, everything(after))) == sorted(map(repr, everything(before)))
    for partition, found in after.items():
        assert all(partition_for(key, partitions) == partition for key, *_ in found if key is not None)
    for key in {record.key for record in records}:
        for of in before.values():
            _assert_in_order(
                [each for each in of if each[0] == key], [e for f in after.values() for e in f if e[0] == key]
            )


def _assert_in_order(wanted: list[Content], found: list[Content]) -> None:
    left = iter(found)
    assert all(each in left for each in wanted)


@given(records=RECORDS.filter(bool), data=st.data())
@settings(max_examples=30)
def test_what_was_interrupted_goes_on(records: list[NewRecord], data: st.DataObject) -> None:
    """Whatever part of a failed append some partitions kept, copying again adds the rest."""
    kept_of = data.draw(st.sets(st.integers(0, PARTITIONS - 1)))

    def in_part(_: LogWriter, appended: Sequence[NewRecord]) -> Sequence[NewRecord]:
        return [record for record in appended if record.partition in kept_of]

    with tempfile.TemporaryDirectory() as folder:
        source, target = filled(made(Path(folder), "from"), records), made(Path(folder), "to")
        with pytest.raises(Unavailable):
            copy(source, Disturbed(target, in_part))
        there = sum(map(len, held(target).values()))
        assert copy(source, target) == Copied(len(records) - there, there, 0, 0)
        assert contents(target) == contents(source)


def test_a_log_of_many_steps(tmp_path: Path) -> None:
    """More records than are read at once, and more bytes than are appended at once, with progress up to the end."""
    many = filled(made(tmp_path, "many"), numbered(3 * READ_RECORDS))
    large = filled(made(tmp_path, "large"), numbered(12, size=APPEND_BYTES // 3))
    told: list[tuple[int, int]] = []
    for source, name in ((many, "a"), (large, "b")):
        copy(source, made(tmp_path, name), lambda done, total: told.append((done, total)))
        assert contents(made(tmp_path, name)) == contents(source)
    assert len(told) > 6
    assert told[-1] == (24, 24)


def test_what_comes_meanwhile_is_left_for_the_next_time(tmp_path: Path) -> None:
    """The source may be in use: what it held at the start is copied, and what was appended since the next time."""
    source, target = filled(made(tmp_path, "from"), numbered(10)), made(tmp_path, "to")

    def appending(_: LogWriter, appended: Sequence[NewRecord]) -> None:
        if appended:
            filled(source, numbered(5, start=10))

    assert copy(source, Disturbed(target, appending)) == Copied(10, 0, 0, 0)
    assert copy(source, target) == Copied(5, 10, 0, 0)
    assert contents(target) == contents(source)


@pytest.mark.parametrize("other", [[NewRecord("a", b"2")], [NewRecord("a", b"1")] * 2, [NewRecord("b", b"1")]])
def test_another_log_is_refused(tmp_path: Path, other: list[NewRecord]) -> None:
    """Where the target holds another record, more of them or others in other places, it is said where; it stays so."""
    source, target = filled(made(tmp_path, "from"), [NewRecord("a", b"1")]), filled(made(tmp_path, "to"), other)
    before, partition = contents(target), partition_for(str(other[0].key), PARTITIONS)
    with pytest.raises(Conflict, match=rf"holds something else at {partition}:{len(other) - 1} .*nothing was written"):
        copy(source, target)
    assert contents(target) == before


def test_a_header_more_is_another_record(tmp_path: Path) -> None:
    """What is there is compared with its headers, too."""
    source = filled(made(tmp_path, "from"), [NewRecord("a", b"1", [("traceparent", b"1")])])
    target = filled(made(tmp_path, "to"), [NewRecord("a", b"1")])
    with pytest.raises(Conflict, match="something else"):
        copy(source, target)


def test_other_partitions_need_an_empty_log(tmp_path: Path) -> None:
    """Among other partitions nothing is continued: what was begun is to be removed."""
    source, target = filled(made(tmp_path, "from"), numbered(10)), made(tmp_path, "to", 3)
    copy(source, target)
    with pytest.raises(Conflict, match=r"not empty.*remove it and begin again"):
        copy(source, target)


def test_a_log_is_not_copied_onto_itself(tmp_path: Path) -> None:
    """The same log is refused by whatever name, and so is a copy of its file."""
    source = filled(made(tmp_path, "from"), numbered(10))
    shutil.copy(tmp_path / "from.sqlite", tmp_path / "to.sqlite")
    for same in ("from", "to"):
        with pytest.raises(Conflict, match="the same log"):
            copy(source, made(tmp_path, same))


@pytest.mark.parametrize("first", [True, False])
def test_who_writes_to_the_copy_meanwhile_is_found(tmp_path: Path, first: bool) -> None:
    """What others appended to the target before or behind what was copied is found when it is read back."""
    source, target = filled(made(tmp_path, "from"), numbered(10)), made(tmp_path, "to")

    def beside(writer: LogWriter, appended: Sequence[NewRecord]) -> Sequence[NewRecord] | None:
        if first and appended:
            writer.append([NewRecord("customer-1", b"other")]).result(PATIENCE)
        elif appended:
            writer.append(appended).result(PATIENCE)
            writer.append([NewRecord("customer-1", b"other")]).result(PATIENCE)
            appended = []
        return None if appended or first else []

    with pytest.raises(Conflict if first else Unavailable):
        copy(source, Disturbed(target, beside))
    with pytest.raises(Conflict, match="something else"):
        copy(source, target)


def test_a_log_without_its_beginning(tmp_path: Path) -> None:
    """Of a log that has lost its first records the rest is copied, from offset 0 on: the result counts what moved."""
    source, target = filled(made(tmp_path, "from"), numbered(10)), made(tmp_path, "to")
    lost = partition_for("customer-1", PARTITIONS)
    with closing(sqlite3.connect(tmp_path / "from.sqlite")) as file, file:
        file.execute("DELETE FROM records WHERE place = ?", (lost << 48,))
    left = contents(source)
    assert copy(source, target) == Copied(9, 0, len(left[lost]), 0)
    assert copy(source, target) == Copied(0, 9, len(left[lost]), 0)
    assert contents(target) == left


@pytest.mark.parametrize("lost", [3, 10])
def test_a_copy_outlasts_the_beginning_of_its_log(tmp_path: Path, lost: int) -> None:
    """What a log has lost since it was copied stays in the copy, which goes on: from it the whole log comes back."""
    source, target = filled(made(tmp_path, "from", 1), numbered(10)), made(tmp_path, "to", 1)
    copy(source, target)
    filled(source, numbered(5, start=10))
    whole = contents(source)
    _lose(tmp_path / "from.sqlite", lost)
    assert copy(source, target) == Copied(5, 10 - lost, 0, lost)
    assert copy(source, target) == Copied(0, 15 - lost, 0, lost)
    assert contents(target) == whole


def test_a_log_that_has_lost_what_no_copy_has(tmp_path: Path) -> None:
    """Where records between the end of a copy and the beginning of its log are lost, the copy is left as it is."""
    source, target = filled(made(tmp_path, "from", 1), numbered(10)), made(tmp_path, "to", 1)
    copy(source, target)
    before = contents(target)
    filled(source, numbered(5, start=10))
    _lose(tmp_path / "from.sqlite", 12)
    with pytest.raises(Conflict, match="nothing was written"):
        copy(source, target)
    assert contents(target) == before


def _lose(file: Path, first: int) -> None:
    """Take the records before an offset away from a log of one partition."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM records WHERE place < ?", (first,))


# ---- on Kafka ----


def topic(bootstrap: str, partitions: int = PARTITIONS) -> kafka.KafkaLog:
    """An empty topic."""
    url = f"kafka://{bootstrap}/copied-{uuid.uuid4().hex}"
    kafka.create_topic(url, partitions, KafkaAccess())
    return kafka.open_log(url, KafkaAccess())


@pytest.mark.kafka
def test_a_topic_to_a_file_and_back(tmp_path: Path, kafka_bootstrap: str) -> None:
    """What others wrote to a topic, without a key, in any partition or transaction, comes back as Exemplar reads it."""
    source = topic(kafka_bootstrap)
    filled(source, numbered(300))
    for settings_ in ({}, {"transactional_id": uuid.uuid4().hex}):
        with closing(KafkaProducer(bootstrap_servers=kafka_bootstrap, **settings_)) as producer:
            _write_oddly(producer, source.topic, transactions=bool(settings_))
    filled(source, numbered(300, start=300))
    assert copy(source, made(tmp_path)).copied == 300 + 4 + 4 + 300
    back = topic(kafka_bootstrap)
    copy(made(tmp_path), back)
    assert contents(back) == contents(made(tmp_path)) == contents(source)
    assert {key for key, *_ in everything(contents(back))} >= {None, "�"}
    assert copy(source, back).copied == 0


def _write_oddly(producer: Any, name: str, transactions: bool) -> None:
    """Records that Exemplar would not write; in transactions, with some of one that was given up before them."""
    if transactions:
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(name, b"never", partition=1).get(PATIENCE)
        producer.abort_transaction()
        producer.begin_transaction()
    producer.send(name, b"no key", partition=3, headers=[("x", b"1")])
    producer.send(name, None, key=b"customer-1", partition=0)
    producer.send(name, b"", key=b"\xff", partition=1)
    producer.send(name, b"\x00", key=b"", partition=1)
    if transactions:
        producer.commit_transaction()


@pytest.mark.kafka
def test_a_topic_with_more_partitions_into_one_with_the_former_number(kafka_bootstrap: str) -> None:
    """What was written before a topic was given more partitions is where it was; of each key all is together again."""
    source = filled(topic(kafka_bootstrap), numbered(100))
    before = contents(source)
    with closing(KafkaAdminClient(bootstrap_servers=kafka_bootstrap)) as admin:
        admin.create_partitions({source.topic: NewPartitions(7)})
    grown = kafka.open_log(f"kafka://{kafka_bootstrap}/{source.topic}", KafkaAccess())
    target = topic(kafka_bootstrap)
    assert copy(grown, target) == Copied(100, 0, 0, 0)
    assert contents(target) == before
    filled(grown, numbered(100, start=100))
    target = topic(kafka_bootstrap)
    assert copy(grown, target).copied == 200
    values = defaultdict(list)
    for key, value, _ in everything(contents(target)):
        values[key].append(int(value))
    assert all(of == sorted(of) for of in values.values())
    assert len(values) == 7


@pytest.mark.kafka
def test_a_topic_without_its_beginning(tmp_path: Path, kafka_bootstrap: str) -> None:
    """A copy keeps what its topic has lost since; else what is left is copied, and the result says that it moved."""
    source, backup = filled(topic(kafka_bootstrap, 1), numbered(10)), made(tmp_path, partitions=1)
    copy(source, backup)
    with closing(KafkaAdminClient(bootstrap_servers=kafka_bootstrap)) as admin:
        admin.delete_records({TopicPartition(source.topic, 0): 4})
        assert copy(source, made(tmp_path, "left", partitions=1)) == Copied(6, 0, 6, 0)
        assert copy(source, backup) == Copied(0, 6, 0, 4)
        admin.delete_records({TopicPartition(source.topic, 0): 10})
        filled(source, numbered(1, start=10))
    assert copy(source, backup) == Copied(1, 0, 0, 10)
    assert everything(contents(backup)) == [(each.key, each.value, ()) for each in numbered(11)]

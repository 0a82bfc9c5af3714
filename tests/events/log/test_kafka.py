"""What the Kafka log promises beyond the contract: settings, bounds, faults of brokers, clients and topics."""

import gc
import os
import re
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions
from kafka.structs import TopicPartition
from structlog.testing import capture_logs
from testcontainers.community.kafka import KafkaContainer

from services.events.log import kafka
from services.events.log.access import KafkaAccess
from services.events.log.kafka import KafkaLog
from services.events.log.protocol import Identity, LogReader, LogWriter, NewRecord, Place, Record
from services.kit.errors import Corrupt, Misconfigured, Unavailable
from services.kit.serving import MOST_HEADER_BYTES
from services.kit.settings import MOST_EVENT_BYTES
from tests.events.log.guarded_broker import PASSWORD, USERNAME, guarded_broker
from tests.events.log.odd_clients import OnceBroken, OnceDeaf, OnceDeafOf, OnceMute, OnceWithoutOffset
from tests.serving import run
from tests.waiting import wait_until

PATIENCE = 30.0
PARTITIONS = 4
OPEN = KafkaAccess()


@pytest.fixture
def url(kafka_bootstrap: str) -> str:
    """The URL of an empty topic."""
    made = f"kafka://{kafka_bootstrap}/log-{uuid.uuid4().hex}"
    kafka.create_topic(made, PARTITIONS, OPEN)
    return made


@pytest.fixture
def log(url: str) -> KafkaLog:
    """An empty log."""
    return kafka.open_log(url, OPEN)


@pytest.fixture
def admin(kafka_bootstrap: str) -> Iterator[Any]:
    """Somebody who may do anything to topics."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka_bootstrap)) as client:
        yield client


@pytest.fixture(autouse=True)
def _sockets_left_lying(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Collects the sockets that the client leaves unclosed where a connection is refused, or an answer is late.

    Its log lines hold them.
    """
    yield
    caplog.clear()
    caplog.get_records("call").clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def record(value: bytes = b"1") -> NewRecord:
    """A record of key `a`."""
    return NewRecord("a", value)


def appended(log: KafkaLog, *values: bytes) -> list[Place]:
    """Append records of key `a` through a writer of its own; where they are."""
    with closing(log.writer()) as writer:
        return writer.append([record(value) for value in values]).result(PATIENCE)


def read_values(reader: LogReader, position: dict[int, int], count: int) -> list[bytes]:
    """So many records from the position on."""
    records: list[Record] = []
    while len(records) < count:
        step = reader.read(position, 100, PATIENCE)
        position |= {found.place.partition: found.place.offset + 1 for found in step}
        records += step
    return [found.value for found in records]


@contextmanager
def stopped(broker: KafkaContainer) -> Iterator[None]:
    """While the broker's process stands still: connections stay, and nothing answers."""
    container = broker.get_wrapped_container()
    container.pause()
    try:
        yield
    finally:
        container.unpause()


def do_until_it_fails(act: Callable[[], object]) -> None:
    """Do it again and again; what went wrong is raised. The brokers hear of a change to a topic one after the other."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        act()


def is_there(url: str) -> bool:
    """Whether the brokers know of the topic."""
    try:
        kafka.open_log(url, OPEN)
    except Misconfigured:
        return False
    return True


def read_while_others_append(writer: LogWriter, reader: LogReader, position: dict[int, int], seconds: float) -> None:
    """Append records of key `c` and read them, again and again, until a read fails or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        writer.append([NewRecord("c", b"more")]).result(PATIENCE)
        for found in reader.read(position, 100, 0):
            position[found.place.partition] = found.place.offset + 1


def eventually(act: Callable[[], Any], seconds: float) -> Any:
    """What the act gives, once it no longer finds the log unavailable; not later than after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            return act()
        except Unavailable:
            assert time.monotonic() < end


@pytest.mark.parametrize(
    "url",
    [
        "kafka://",
        "kafka://broker:9092",
        "kafka://broker:9092/",
        "kafka://broker/topic",
        "kafka://broker:9092,/topic",
        "kafka://user:secret@broker:9092/topic",
        "kafka://broker:9092/a topic",
        "kafka://broker:9092/topic/more",
    ],
)
def test_a_url_must_name_brokers_and_a_topic(url: str) -> None:
    """Anything else names the variable, and does not repeat what may be a password."""
    with pytest.raises(Misconfigured, match="EXEMPLAR_LOG_URL") as caught:
        kafka.open_log(url, OPEN)
    assert "secret" not in str(caught.value)


def test_nobody_there_is_unavailable() -> None:
    """Where no broker listens, opening says so within seconds, and why."""
    began = time.monotonic()
    with pytest.raises(Unavailable, match="ECONNREFUSED"):
        kafka.open_log("kafka://127.0.0.1:9/topic", OPEN)
    assert time.monotonic() - began < 8


def test_the_many_words_of_the_client_are_left_out(tmp_path: Path) -> None:
    """A command that finds no broker says so in one line."""
    done = run(tmp_path, ["status"], log_url="kafka://127.0.0.1:9/topic")
    assert done.returncode == 1
    assert re.fullmatch(r"exemplar: no broker .*ECONNREFUSED.*\n", done.stderr), done.stderr


def test_a_certificate_that_is_not_there_is_misconfigured() -> None:
    """A file of the settings that cannot be read is a wrong setting."""
    access = KafkaAccess(protocol="SSL", cafile=Path("nowhere.pem"))
    with pytest.raises(Misconfigured, match="EXEMPLAR_KAFKA"):
        kafka.open_log("kafka://127.0.0.1:9/topic", access)


@pytest.mark.parametrize("missing", ["mechanism", "username", "password"])
def test_a_login_must_be_whole(missing: str) -> None:
    """SASL without a mechanism, a user name or a password names the variables."""
    given = {"mechanism": "PLAIN", "username": "exemplar", "password": "secret", missing: ""}
    access = KafkaAccess("SASL_SSL", given["mechanism"], given["username"], given["password"])
    with pytest.raises(Misconfigured, match="EXEMPLAR_KAFKA_SASL"):
        kafka.open_log("kafka://127.0.0.1:9/topic", access)


@pytest.mark.kafka
def test_a_topic_is_made_to_keep_everything(log: KafkaLog, admin: Any) -> None:
    """A topic made here is never cut short by age or size, and the broker stamps its records."""
    assert log.identity.partitions == PARTITIONS
    settings = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, log.topic)])["topic"][log.topic]
    assert {name: setting["value"] for name, setting in settings.items()} == {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "1",
    }


@pytest.mark.kafka
def test_making_a_topic_again_leaves_it_as_it_is(url: str, log: KafkaLog) -> None:
    """A topic that exists keeps its identity and its partitions, whatever is asked for."""
    with capture_logs() as told:
        kafka.create_topic(url, PARTITIONS + 3, OPEN)
    assert kafka.open_log(url, OPEN).identity == log.identity
    assert told == []


@pytest.mark.kafka
def test_a_topic_that_is_not_kept_for_ever_is_told(kafka_bootstrap: str, admin: Any) -> None:
    """A topic that others made with the brokers' defaults loses acts after a week: who migrates hears what to do."""
    topic = f"log-{uuid.uuid4().hex}"
    admin.create_topics({topic: {"num_partitions": PARTITIONS, "replication_factor": 1}}, wait_for_metadata=True)
    with capture_logs() as told:
        kafka.create_topic(f"kafka://{kafka_bootstrap}/{topic}", PARTITIONS, OPEN)
    change = f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config retention.ms=-1"
    assert [(each["log_level"], each["change_it_by"]) for each in told] == [("warning", change)]


@pytest.mark.kafka
def test_a_topic_that_is_not_there_is_misconfigured(url: str) -> None:
    """Opening makes no topic: it says what does."""
    with pytest.raises(Misconfigured, match="exemplar migrate"):
        kafka.open_log(f"{url}-not", OPEN)


@pytest.mark.kafka
def test_the_largest_event_fits_into_a_record(log: KafkaLog) -> None:
    """What the settings allow at most is taken with all its fields sealed: else it would fail for ever."""
    appended(log, os.urandom(MOST_EVENT_BYTES * 4 // 3 + MOST_HEADER_BYTES))


@pytest.mark.kafka
def test_a_full_queue_refuses_at_once(log: KafkaLog, kafka_broker: KafkaContainer) -> None:
    """What is beyond the bounds fails without waiting; an append itself never waits either."""
    with closing(log.writer(waiting_records=3)) as writer:
        writer.append([record()]).result(PATIENCE)
        with stopped(kafka_broker):
            began = time.monotonic()
            taken = writer.append([record()] * 3)
            with pytest.raises(Unavailable):
                writer.append([record()]).result(0)
            assert time.monotonic() - began < 0.5
        eventually(lambda: taken.result(PATIENCE), PATIENCE)
        assert writer.waiting == 0


@pytest.mark.kafka
@pytest.mark.parametrize("offset", [None, -1])
def test_a_success_without_an_offset_is_a_failure(log: KafkaLog, offset: int | None) -> None:
    """A client that reports success for a record that is nowhere is not believed, and another one takes its place."""
    producers = OnceWithoutOffset(offset)
    with closing(log.writer(make_producer=producers)) as writer:
        with pytest.raises(Unavailable):
            writer.append([record(), record()]).result(PATIENCE)
        assert writer.append([record()]).result(PATIENCE)[0].offset == 0
    assert producers.made == 2


@pytest.mark.kafka
@pytest.mark.slow
def test_a_producer_that_says_nothing_is_replaced(log: KafkaLog) -> None:
    """Where the brokers answer and the client does not, what it has fails, and another one takes its place."""
    producers = OnceMute()
    with closing(log.writer(make_producer=producers)) as writer:
        unanswered = writer.append([record()])
        time.sleep(kafka.SILENCE_SECONDS)  # that the client says nothing is the case tested
        assert eventually(lambda: writer.append([record()]).result(PATIENCE), PATIENCE)[0].offset == 0
        with pytest.raises(Unavailable):
            unanswered.result(0)
    assert producers.made == 2


def test_a_producer_that_cannot_even_be_made_ends_nothing() -> None:
    """Whatever a client raises, it is Unavailable, and so is the next append: the thread of the writer goes on."""
    made = []

    def make(**settings: object) -> NoReturn:
        made.append(settings)
        raise RuntimeError("broken")

    log = KafkaLog("topic", Identity("id", PARTITIONS), {"bootstrap_servers": ["127.0.0.1:1"]}, "group")
    with closing(log.writer(make_producer=make)) as writer:
        for _ in range(2):
            with pytest.raises(Unavailable, match="RuntimeError"):
                writer.append([record()]).result(PATIENCE)
    assert len(made) == 2


@pytest.mark.kafka
def test_what_brokers_say_but_that_a_topic_is_not_there_halts_nothing(log: KafkaLog) -> None:
    """Of a name that is none, or of a topic that we may not see, they say something else: it is not gone."""
    nameless = KafkaLog("..", log.identity, log.connection, log.group)
    with closing(nameless.writer()) as writer, pytest.raises(Unavailable, match="InvalidTopicError"):
        writer.append([record()]).result(PATIENCE)


@pytest.mark.kafka
@pytest.mark.parametrize("consumers", [OnceDeaf(), OnceBroken()], ids=["deaf", "broken"])
def test_a_consumer_that_hands_out_nothing_is_replaced(log: KafkaLog, consumers: OnceDeaf | OnceBroken) -> None:
    """Where records are there and none comes, the read fails, and the next one has a consumer that works."""
    appended(log, b"1")
    position = dict.fromkeys(range(PARTITIONS), 0)
    with closing(log.reader(consumers)) as reader:
        with pytest.raises(Unavailable):
            reader.read(position, 10, 0)
        assert [found.value for found in reader.read(position, 10, 0)] == [b"1"]
    assert consumers.made == 2


@pytest.mark.kafka
@pytest.mark.slow
def test_a_partition_that_stands_still_is_noticed_while_others_go_on(log: KafkaLog) -> None:
    """What others bring does not hide that the records of one do not come; then another consumer reads on."""
    still = appended(log, b"1")[0].partition
    consumers = OnceDeafOf(TopicPartition(log.topic, still))
    position = dict.fromkeys(range(PARTITIONS), 0)
    with closing(log.writer()) as writer, closing(log.reader(consumers)) as reader:
        with pytest.raises(Unavailable, match=rf"partitions \[{still}\]"):
            read_while_others_append(writer, reader, position, 12 * kafka.STALL_SECONDS)
        assert sum(position.values()) > position[still] == 0
        while position[still] == 0:
            read_values(reader, position, 1)
    assert consumers.made == 2


# kafka-python leaves a socket to the collector of garbage when a broker does not answer.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_that_stands_still_is_unavailable_and_passes(log: KafkaLog, kafka_broker: KafkaContainer) -> None:
    """Appends fail within 12 s, reads too, and both work again after the broker's return, in order."""
    position = dict.fromkeys(range(PARTITIONS), 0)
    with closing(log.writer()) as writer, closing(log.reader()) as reader:
        writer.append([record(b"before")]).result(PATIENCE)
        assert read_values(reader, position, 1) == [b"before"]
        with stopped(kafka_broker):
            lost = writer.append([record(b"lost")])
            with pytest.raises(Unavailable):
                reader.read(position, 10, 0)
            with pytest.raises(Unavailable):
                lost.result(12)
        eventually(lambda: writer.append([record(b"after")]).result(PATIENCE), 2 * PATIENCE)
        values = eventually(lambda: [found.value for found in reader.read(position, 10, PATIENCE)], 2 * PATIENCE)
        while values[-1] != b"after":
            values += read_values(reader, position, 1)
    assert set(values[values.index(b"after") :]) == {b"after"}  # twice, where the first was thought to be lost


@pytest.mark.kafka
@pytest.mark.parametrize("change", ["deleted", "made anew", "more partitions"])
def test_another_topic_in_its_place_is_corrupt(url: str, log: KafkaLog, admin: Any, change: str) -> None:
    """A topic that is gone, made anew or has more partitions stops readers and writers, with what to do."""
    position = dict.fromkeys(range(PARTITIONS), 0)
    with closing(log.writer()) as writer, closing(log.reader()) as reader:
        writer.append([record()]).result(PATIENCE)
        assert read_values(reader, position, 1)
        if change == "more partitions":
            admin.create_partitions({log.topic: NewPartitions(PARTITIONS + 1)})
        else:
            admin.delete_topics([log.topic])
        if change == "made anew":
            eventually(lambda: kafka.create_topic(url, PARTITIONS, OPEN), PATIENCE)
            wait_until(lambda: is_there(url) and kafka.open_log(url, OPEN).identity.id != log.identity.id)
            appended(kafka.open_log(url, OPEN), b"1", b"2", b"3")
        for use in (reader.identity, reader.ends):
            with pytest.raises(Corrupt, match=log.topic):
                do_until_it_fails(use)
        with pytest.raises(Corrupt, match=log.topic):
            do_until_it_fails(lambda: writer.append([record()]).result(PATIENCE))
        if change == "made anew":
            for offset in (1, 9):  # the other topic has something at one of them and ends before the other
                with pytest.raises(Corrupt, match=f"{log.topic} was deleted and made anew"):
                    reader.read(dict.fromkeys(range(PARTITIONS), offset), 10, PATIENCE)


@pytest.mark.kafka
def test_a_truncated_topic_is_corrupt(log: KafkaLog, admin: Any) -> None:
    """A position before the first record left, or behind the last one, is never moved silently."""
    last = appended(log, b"1", b"2", b"3")[-1]
    admin.delete_records({TopicPartition(log.topic, last.partition): 2})
    with closing(log.reader()) as reader:
        assert reader.beginnings() == {number: 2 * (number == last.partition) for number in range(PARTITIONS)}
        assert [found.value for found in reader.read({last.partition: 2}, 10, PATIENCE)] == [b"3"]
        with pytest.raises(Corrupt, match="truncated"):
            reader.read({last.partition: 1}, 10, PATIENCE)
        with pytest.raises(Corrupt, match="truncated"):
            reader.read({last.partition: 9}, 10, PATIENCE)


@pytest.mark.kafka
def test_offsets_without_records_are_passed_over(log: KafkaLog, kafka_bootstrap: str) -> None:
    """Where others wrote in transactions, their markers are no records: nothing is left out, and a read comes back."""
    partition = appended(log, b"1")[0].partition
    others = KafkaProducer(bootstrap_servers=kafka_bootstrap, transactional_id=uuid.uuid4().hex)
    others.init_transactions()
    for number, finish in enumerate([others.commit_transaction, others.abort_transaction, others.commit_transaction]):
        others.begin_transaction()
        others.send(log.topic, b"t%d" % number, key=b"a", partition=partition).get(PATIENCE)
        finish()
    others.close()
    position = dict.fromkeys(range(PARTITIONS), 0)
    with closing(log.reader()) as reader:
        assert read_values(reader, position, 3) == [b"1", b"t0", b"t2"]
        began = time.monotonic()
        assert reader.read(position, 10, 0) == []
        assert time.monotonic() - began < 4
        assert reader.ends()[partition] > position[partition]
        with closing(log.reader()) as fresh:  # which begins before a marker that nothing comes after
            assert fresh.read(position, 10, 0) == []
        appended(log, b"2")
        assert read_values(reader, position, 1) == [b"2"]


@pytest.mark.kafka
def test_records_of_others_are_read_as_far_as_they_can_be(log: KafkaLog, kafka_bootstrap: str) -> None:
    """A record without key or value, or with a key that is no text, is handed out: others decide what it is worth."""
    with closing(KafkaProducer(bootstrap_servers=kafka_bootstrap)) as others:
        others.send(log.topic, b"1", partition=0).get(PATIENCE)
        others.send(log.topic, b"2", key=b"\xff", partition=0).get(PATIENCE)
        others.send(log.topic, None, key=b"k", partition=0).get(PATIENCE)
    with closing(log.reader()) as reader:
        records = reader.read({0: 0}, 10, PATIENCE)
        while len(records) < 3:
            records += reader.read({0: len(records)}, 10, PATIENCE)
    assert [(found.key, found.value) for found in records] == [(None, b"1"), ("\ufffd", b"2"), ("k", b"")]


@pytest.mark.kafka
@pytest.mark.slow
def test_brokers_that_want_tls_and_a_login(tmp_path: Path, kafka_broker: KafkaContainer) -> None:
    """With the certificate to trust and the password the log works; without either of them it is not reached."""
    with guarded_broker(tmp_path, kafka_broker.get_container_host_ip()) as (address, trusted):
        url = f"kafka://{address}/guarded"
        access = KafkaAccess("SASL_SSL", "PLAIN", USERNAME, PASSWORD, trusted)
        kafka.create_topic(url, PARTITIONS, access)
        log = kafka.open_log(url, access)
        appended(log, b"1")
        with closing(log.reader()) as reader:
            assert read_values(reader, dict.fromkeys(range(PARTITIONS), 0), 1) == [b"1"]
        for wrong, why in (
            (access._replace(password="another"), "Authentication failed|socket disconnected"),  # as the broker likes
            (access._replace(cafile=None), "CERTIFICATE_VERIFY_FAILED"),
        ):
            with pytest.raises(Unavailable, match=rf"({why}).*EXEMPLAR_KAFKA"):
                kafka.open_log(url, wrong)

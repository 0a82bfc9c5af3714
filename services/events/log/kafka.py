"""The log in a topic of Apache Kafka: for several machines, kept for ever, the same log to everything above.

The client (kafka-python) is given every setting that matters, since several of its defaults lose data here. Its futures
are bridged to one future an append; whatever it answers is checked before it counts: an offset that is not there is
no acknowledgement, and records are handed out only once the topic is known to be the one that was opened.
"""

import logging
import re
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from threading import Condition, Lock, Thread
from typing import Any, NamedTuple

import structlog
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    CorruptRecordError,
    KafkaConfigurationError,
    KafkaError,
    LogTruncationError,
    NoError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from kafka.net.compat import KafkaNetClient
from kafka.protocol.consumer.offsets import IsolationLevel, OffsetSpec
from kafka.structs import TopicPartition

from services.events.log.access import KafkaAccess
from services.events.log.group import KafkaShare
from services.events.log.network import TogetherNetwork, WordlessSelector
from services.events.log.partitioning import partition_of
from services.events.log.protocol import COPYING, Identity, NewRecord, Place, Position, Record
from services.kit.errors import Corrupt, ExemplarError, Misconfigured, Unavailable

DELIVERY_SECONDS = 10.0  # from taking a record to its acknowledgement, all repetitions within
REQUEST_SECONDS = 5.0
ASK_SECONDS = 3.0  # for an answer to who reads or asks: where a connection is half open, several such waits add up
BLOCK_SECONDS = 2.0  # the longest that the client may hold up a send
BOOTSTRAP_SECONDS = 4.0
CLOSE_SECONDS = 10.0
SILENCE_SECONDS = REQUEST_SECONDS + 1.0  # a producer that says nothing for so long, while the brokers answer, is stuck
DRAIN_SECONDS = 1.0  # what else is on its way when something failed has so long to be answered
CHECK_SECONDS = 1.0  # how often a writer makes sure that the topic is still the same one
STALL_SECONDS = 5.0  # records are there and none comes: the consumer is made anew
AGAIN_SECONDS = 0.5  # how often it is looked whether they are still to come
GONE_SECONDS = 2.0  # a topic is gone once it was not there for so long
BATCH_BYTES = 256 * 2**10
FETCH_BYTES = 2**20  # as compressed; of what a reader holds it is some tenth
READ_BYTES = 8 * 2**20  # a read ends when it holds this much, whatever its limit
# A poll takes all that was fetched. Cut short, the client (3.0.12) sets the rest of a partition that is paused then
# aside, and forgets it there for as long as no other partition brings anything.
POLL_RECORDS = 2**31 - 1

_URL = re.compile(r"kafka://([^/@\s]+)/([A-Za-z0-9._-]{1,249})")
_OF_CLIENT = re.compile(r"<.*?>: ")  # with which of its objects a message of the client begins
_SERVER = re.compile(r".+:\d{1,5}")
_log = structlog.get_logger(__name__)

_ROW_OVERHEAD = 200  # bytes that a waiting record takes in memory beside its key and value, about
_TOPIC_SETTINGS = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
}
_KEPT = ("cleanup.policy", "retention.ms", "retention.bytes")


def open_log(url: str, access: KafkaAccess) -> "KafkaLog":
    """The log in the topic of `kafka://HOST:PORT,HOST:PORT/TOPIC`, which must be there (`create_topic`).

    Raises Misconfigured if the URL, the access or the topic is none, Unavailable while no broker answers.
    """
    servers, topic = _parse(url)
    connection = _connection(servers, access)
    with _admin(connection) as admin:
        found = _described(admin, topic)
    if found["error_code"]:
        raise Misconfigured(
            f"EXEMPLAR_LOG_URL: there is no topic {topic} to use: run `exemplar migrate` for a new one; one that was"
            f" lost, bring back from a copy ({COPYING})"
        )
    identity = Identity(str(found["topic_id"]), len(found["partitions"]))
    return KafkaLog(topic, identity, connection, access.group or f"{topic}-projections")


def create_topic(url: str, partitions: int, access: KafkaAccess) -> None:
    """Make the topic, kept for ever and stamped by the brokers' clock; one that exists is left as it is, with a warning
    where it is not kept so.

    Three copies, two of them written before an acknowledgement, where there are three brokers, else one copy.
    Raises Misconfigured or Unavailable.
    """
    servers, topic = _parse(url)
    with _admin(_connection(servers, access)) as admin:
        copies = 3 if len(admin.describe_cluster()["brokers"]) >= 3 else 1
        settings = {**_TOPIC_SETTINGS, "min.insync.replicas": "2" if copies == 3 else "1"}
        wanted = {topic: {"num_partitions": partitions, "replication_factor": copies, "configs": settings}}
        try:
            admin.create_topics(wanted, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            _warn_if_not_kept(admin, topic)


class KafkaLog:
    """A topic that is there; holds nothing open itself."""

    def __init__(self, topic: str, identity: Identity, connection: Mapping[str, object], group: str) -> None:
        self.topic = topic
        self.identity = identity
        self.connection = connection
        self.group = group

    def writer(
        self,
        waiting_records: int = 100_000,
        waiting_bytes: int = 64 * 2**20,
        make_producer: Callable[..., Any] = KafkaProducer,
    ) -> "KafkaWriter":
        """A writer, with the most that may wait in it or be on its way; one a process is enough."""
        return KafkaWriter(self, waiting_records, waiting_bytes, make_producer)

    def reader(self, make_consumer: Callable[..., Any] = KafkaConsumer) -> "KafkaReader":
        """A reader, for one thread at a time."""
        return KafkaReader(self, make_consumer)

    def share(self) -> KafkaShare:
        """The share of this process, which joins the group; one a process."""
        return KafkaShare(self.topic, self.group, lambda make, settings: _connect(make, self.connection, settings))


class _Row(NamedTuple):
    """A record as the client takes it."""

    partition: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


class _Append:
    """What one call appends. The client keeps the order of a partition: its last record is answered last."""

    def __init__(self, rows: list[_Row], settled: "Callable[[_Append], None]") -> None:
        self.rows = rows
        self.size = sum(len(row.key or b"") + len(row.value) + _ROW_OVERHEAD for row in rows)
        self.deadline = time.monotonic() + DELIVERY_SECONDS
        self.future: Future[list[Place]] = Future()
        self.open = True
        self._settled = settled
        self._sent: list[Any] = []
        self._left = 0
        self._lock = Lock()

    def await_answers(self, sent: list[Any]) -> None:
        """Tell `settled` when everything that was sent is answered; `sent` has the client's future of each record."""
        lasts = {row.partition: future for row, future in zip(self.rows, sent, strict=False)}
        self._sent = sent
        self._left = len(lasts) + 1
        for last in lasts.values():
            last.add_both(self._answered)
        self._answered(None)

    def places(self) -> list[Place]:
        """Where the records are. Raises Unavailable unless each one was acknowledged, with an offset."""
        if len(self._sent) < len(self.rows):
            raise Unavailable("the log did not take this in")
        return [_place(future) for future in self._sent]

    def _answered(self, _answer: object) -> None:
        with self._lock:
            self._left -= 1
            if self._left:
                return
        self._settled(self)


class KafkaWriter:
    """LogWriter on a topic. `append` never waits: a thread hands on what waits; the client sends in batches."""

    def __init__(
        self, log: KafkaLog, waiting_records: int, waiting_bytes: int, make_producer: Callable[..., Any]
    ) -> None:
        self._log = log
        self._make_producer = make_producer
        self._most_records = waiting_records
        self._most_bytes = waiting_bytes
        self._records = 0
        self._bytes = 0
        self._queue: deque[_Append] = deque()
        self._flying: set[_Append] = set()
        self._changed = Condition()
        self._closed = False
        self._doubtful = False
        self._heard = 0.0
        self._producer: Any = None
        self._network: Any = None
        self._topic = _Topic(log)
        self._checked = 0.0
        self._thread = Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Records taken that are neither durable nor failed yet."""
        return self._records

    def append(self, records: Sequence[NewRecord]) -> Future[list[Place]]:
        """See LogWriter."""
        partitions = self._log.identity.partitions
        append = _Append([_row(record, partitions) for record in records], self._settle)
        if not records:
            append.future.set_result([])
            return append.future
        with self._changed:
            refusal = self._refusal(append)
            if refusal is None:
                self._queue.append(append)
                self._records += len(append.rows)
                self._bytes += append.size
                self._changed.notify_all()
        if refusal is not None:
            append.future.set_exception(refusal)
        return append.future

    def close(self) -> None:
        """See LogWriter."""
        deadline = time.monotonic() + CLOSE_SECONDS
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(CLOSE_SECONDS)
        self._refuse(self._take_waiting(), Unavailable("the log was closed before it took this in"))
        self._retire(max(deadline - time.monotonic(), 0.1))
        self._topic.close()

    def _refusal(self, append: _Append) -> Unavailable | None:
        """Why so much cannot be taken now. What is larger than the bounds is taken when nothing else waits."""
        if self._closed:
            return Unavailable("the log was closed")
        full = self._records + len(append.rows) > self._most_records or self._bytes + append.size > self._most_bytes
        if full and self._records:
            return Unavailable("the log is taking in as much as it can")
        return None

    def _run(self) -> None:
        try:
            while append := self._next():
                try:
                    self._make_ready()
                except Exception as error:  # noqa: BLE001  # whatever the client raises, this thread must go on
                    self._refuse([append, *self._take_waiting()], self._refused_by(error))
                else:
                    self._send(append)
            self._await_answers(CLOSE_SECONDS)
        finally:
            with self._changed:
                self._closed = True
            self._refuse(self._take_waiting(), Unavailable("the log was closed before it took this in"))

    def _refused_by(self, error: Exception) -> ExemplarError:
        """What is told where there is no producer in order."""
        if isinstance(error, ExemplarError):
            return error
        self._doubtful = True
        return _failed(error)

    def _next(self) -> _Append | None:
        """What waits first and is still wanted; None once the writer was closed and nothing waits."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed, CHECK_SECONDS if self._flying else None)
                if self._closed and not self._queue:
                    return None
                append = self._queue.popleft() if self._queue else None
            if append is None:
                with suppress(Exception):  # whoever appends next is told
                    self._make_ready()
            elif time.monotonic() > append.deadline:
                self._refuse([append], Unavailable("the log did not take this in in time"))
            elif append.future.set_running_or_notify_cancel():
                return append
            else:
                self._release(append)

    def _take_waiting(self) -> list[_Append]:
        with self._changed:
            waiting = list(self._queue)
            self._queue.clear()
        return waiting

    def _make_ready(self) -> None:
        """Have a producer that is in order, and make sure now and then that the topic is the one that was opened.

        After any failure it is made anew, and so it is when it says nothing while the brokers do: so a state that the
        client cannot get out of by itself (fenced, out of sequence, a partition that it no longer sends to, an answer
        that it waits for and that was lost) never lasts.
        """
        if self._doubtful:
            self._await_answers(DRAIN_SECONDS)
            self._retire(REQUEST_SECONDS)
            self._doubtful = False
        if self._producer is None:
            self._producer = _connect(self._make_producer, self._log.connection, _producing(), self._made_network)
            self._checked = 0.0
        if time.monotonic() - self._checked > CHECK_SECONDS:
            self._topic.check()
            self._checked = time.monotonic()
            if self._flying and self._checked - self._heard > SILENCE_SECONDS:
                self._retire(REQUEST_SECONDS)
                self._producer = _connect(self._make_producer, self._log.connection, _producing(), self._made_network)

    def _made_network(self, **given: Any) -> TogetherNetwork:
        self._network = made = TogetherNetwork(**given)
        return made

    def _send(self, append: _Append) -> None:
        with self._changed:
            if not self._flying:
                self._heard = time.monotonic()
            self._flying.add(append)
        sent: list[Any] = []
        send, topic = self._producer.send, self._log.topic
        with self._network.held(), suppress(Exception):  # what was not sent has no place
            for partition, key, value, headers in append.rows:
                sent.append(send(topic, value, key=key, headers=headers, partition=partition))
        append.await_answers(sent)

    def _settle(self, append: _Append) -> None:
        """All that was sent of an append is answered: tell it. Called by the client's thread, or by ours."""
        self._heard = time.monotonic()
        try:
            places = append.places()
        except Unavailable as error:
            self._doubtful = True
            self._refuse([append], error)
        else:
            if self._release(append):  # else it was given up before this answer came
                append.future.set_result(places)

    def _refuse(self, appends: list[_Append], error: ExemplarError) -> None:
        for append in appends:
            if self._release(append):
                _fail(append.future, error)

    def _release(self, append: _Append) -> bool:
        """Forget an append; whether it was still to be answered. Who is told so answers it."""
        with self._changed:
            if not append.open:
                return False
            append.open = False
            self._flying.discard(append)
            self._records -= len(append.rows)
            self._bytes -= append.size
            self._changed.notify_all()
        return True

    def _await_answers(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._flying, seconds)

    def _retire(self, seconds: float) -> None:
        """Let go of the producer. What it still has on its way fails: nothing may arrive behind what comes after it."""
        if self._producer is None:
            return
        closing_thread = Thread(target=_close_producer, args=(self._producer,), name="log-closing", daemon=True)
        self._producer = None
        closing_thread.start()
        closing_thread.join(seconds)
        with self._changed:
            left = list(self._flying)
        self._refuse(left, Unavailable("the log did not acknowledge this"))


class KafkaReader:
    """LogReader on a topic, with no consumer group: the positions are the caller's.

    What a fetch brings beyond a read's limit is held, partition by partition; partitions of which something is held are
    not fetched meanwhile, so that every other one comes in and memory stays bounded. A read ends early when it holds
    READ_BYTES of values. The consumer is made by the first read: who only asks where the log ends needs none.
    """

    def __init__(self, log: KafkaLog, make_consumer: Callable[..., Any]) -> None:
        self._log = log
        self._make_consumer = make_consumer
        self._consumer: Any = None
        self._topic = _Topic(log)
        self._next: dict[int, int] = {}
        self._held: dict[int, deque[Record]] = {}
        self._turn = 0
        self._watched = time.monotonic()

    def identity(self) -> Identity:
        """See LogReader."""
        self._topic.check()
        return self._log.identity

    def beginnings(self) -> Position:
        """See LogReader."""
        self._topic.check()
        return self._topic.offsets(range(self._log.identity.partitions), OffsetSpec.EARLIEST)

    def ends(self) -> Position:
        """See LogReader."""
        self._topic.check()
        return self._topic.offsets(range(self._log.identity.partitions), OffsetSpec.LATEST)

    def read(self, position: Position, limit: int, wait: float) -> list[Record]:
        """See LogReader."""
        if not position:
            time.sleep(wait)
            return []
        try:
            return self._read(position, limit, time.monotonic() + wait)
        except ExemplarError:
            self._next.clear()  # whatever was taken from the consumer and not handed out is read again
            self._held.clear()
            raise
        except Exception as error:  # whatever the client raises, another one reads on
            self._let_go()
            raise _failed(error) from error

    def close(self) -> None:
        """See LogReader."""
        self._topic.close()
        self._let_go()

    def _read(self, position: Position, limit: int, deadline: float) -> list[Record]:
        self._stand_at(position)
        if not all(self._held.values()):
            self._poll(0)
            self._watch()
        while not (records := self._take(limit)):
            left = deadline - time.monotonic()
            if self._behind(position):
                self._await_records(position)
            elif left <= 0:
                return []
            else:
                self._poll(left)
        return records

    def _await_records(self, position: Position) -> None:
        """Wait for records that are there, or until the consumer has gone past offsets without a record."""
        end = time.monotonic() + STALL_SECONDS
        while not self._poll(AGAIN_SECONDS) and (behind := self._behind(position)):
            if time.monotonic() > end:
                raise self._stalled(behind)

    def _watch(self) -> None:
        """Now and then make sure that no partition stands still, with records to come, while others bring theirs."""
        if time.monotonic() < self._watched + STALL_SECONDS:
            return
        self._watched = time.monotonic()
        while waiting := {number: self._next[number] for number, held in self._held.items() if not held}:
            behind = self._behind(waiting)
            if not behind:
                return
            if time.monotonic() > self._watched + STALL_SECONDS:
                raise self._stalled(behind)
            self._poll(STALL_SECONDS)

    def _stalled(self, behind: list[int]) -> Unavailable:
        """What is told when records do not come; another consumer reads on."""
        self._let_go()
        return Unavailable(f"the log has records that do not come (partitions {behind}): reading begins anew")

    def _stand_at(self, position: Position) -> None:
        """Have the consumer continue at the position; it is moved only where it is not there already."""
        consumer = self._connected()
        if position.keys() != self._next.keys():
            consumer.assign([self._at(number) for number in position])
            self._next.clear()
            self._held.clear()
        for number, offset in position.items():
            if self._next.get(number) != offset:
                consumer.seek(self._at(number), offset)
                self._next[number] = offset
                self._held[number] = deque()

    def _poll(self, seconds: float) -> bool:
        """Take in what was fetched, waiting for it if need be; whether anything came."""
        consumer = self._connected()
        consumer.pause(*(self._at(number) for number, held in self._held.items() if held))
        consumer.resume(*(self._at(number) for number, held in self._held.items() if not held))
        try:
            with _translated(self._log.topic):
                polled = consumer.poll(timeout_ms=int(seconds * 1000), max_records=POLL_RECORDS)
        except Corrupt:
            self._topic.check()  # a topic made anew looks truncated: what to do is another thing then
            raise
        if polled:
            self._topic.check()  # fetches name the topic only: that it is the same after them says that it was in them
        for at, messages in polled.items():
            self._held[at.partition].extend(_record(at.partition, message) for message in messages)
        return bool(polled)

    def _take(self, limit: int) -> list[Record]:
        """What is held: each partition gets an equal share of the limit, and every one is the first in its turn."""
        records: list[Record] = []
        size = 0
        waiting = [number for number in sorted(self._held) if self._held[number]]
        if waiting:
            self._turn = (self._turn + 1) % len(waiting)
        for index, number in enumerate(waiting[self._turn :] + waiting[: self._turn]):
            held = self._held[number]
            share = -(-(limit - len(records)) // (len(waiting) - index))
            for _ in range(min(share, len(held))):
                records.append(held.popleft())
                self._next[number] = records[-1].place.offset + 1
                size += len(records[-1].value)
                if size >= READ_BYTES:
                    return records
        return records

    def _behind(self, position: Position) -> list[int]:
        """The partitions with records still to come. Offsets without a record (of transactions) are none."""
        ends = self._topic.offsets(position, OffsetSpec.LATEST)
        behind = [number for number, end in ends.items() if position[number] < end]
        with _translated(self._log.topic):
            return [number for number in behind if (self._consumer.position(self._at(number)) or 0) < ends[number]]

    def _connected(self) -> Any:
        if self._consumer is None:
            settings = _consuming(self._log.identity.partitions)
            self._consumer = _connect(self._make_consumer, self._log.connection, settings)
            self._consumer.assign([self._at(number) for number in range(self._log.identity.partitions)])
        return self._consumer

    def _let_go(self) -> None:
        """Close the consumer; the next read makes another one."""
        self._next.clear()
        self._held.clear()
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            with suppress(Exception):  # it is of no use any more
                consumer.close(autocommit=False, timeout_ms=int(REQUEST_SECONDS * 1000))

    def _at(self, number: int) -> TopicPartition:
        return TopicPartition(self._log.topic, number)


class _Topic:
    """What the brokers say about the topic now, by a connection of its own: on a consumer's, a fetch may be waiting."""

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self._admin: Any = None

    def check(self) -> None:
        """Raises Corrupt if the topic is gone or another one than was opened, Unavailable while no broker says so."""
        topic, identity = self._log.topic, self._log.identity
        gone = time.monotonic() + GONE_SECONDS
        while (found := self._described())["error_code"] and time.monotonic() < gone:
            time.sleep(0.2)
        if found["error_code"]:
            raise Corrupt(
                f"the topic {topic} is gone: stop everything that uses it, and bring it back from a copy ({COPYING})"
            )
        if str(found["topic_id"]) != identity.id:
            raise Corrupt(f"the topic {topic} was deleted and made anew: stop everything that uses it and start again")
        if len(found["partitions"]) != identity.partitions:
            raise Corrupt(
                f"the topic {topic} has {len(found['partitions'])} partitions, and had {identity.partitions}: customers"
                " are no longer where they were. Copy it into a topic with the former number, by `exemplar copy"
                f" --partitions {identity.partitions} FROM TO`, and begin again with that ({COPYING})"
            )

    def offsets(self, numbers: Iterable[int], which: OffsetSpec) -> dict[int, int]:
        """The beginnings or the ends of partitions. Raises as `check` does."""
        wanted = {TopicPartition(self._log.topic, number): which for number in numbers}
        try:
            with self._asking() as admin:
                found = admin.list_partition_offsets(wanted, IsolationLevel.READ_COMMITTED)
        except Unavailable:
            self.check()  # a topic that is gone looks like brokers that do not answer
            raise
        return {at.partition: each.offset for at, each in found.items()}

    def close(self) -> None:
        """Let go of the connection; the next question makes another one."""
        if self._admin is not None:
            admin, self._admin = self._admin, None
            admin.close()

    def _described(self) -> dict[str, Any]:
        with self._asking() as admin:
            return _described(admin, self._log.topic)

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        if self._admin is None:
            self._admin = _connect(KafkaAdminClient, self._log.connection, _asking())
        try:
            with _translated(self._log.topic):
                yield self._admin
        except ExemplarError:
            self.close()
            raise
        except Exception as error:  # whatever the client raises, another one is asked
            self.close()
            raise _failed(error) from error


class _Words(logging.Handler):
    """What the client says that is wrong: that a login failed, for instance, it tells nowhere else.

    Apart from that its logs are left out: of an outage they tell twenty lines a second, of which we tell what matters.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._said: deque[tuple[float, str]] = deque(maxlen=50)

    def emit(self, record: logging.LogRecord) -> None:
        """See Handler."""
        message = record.getMessage()
        if not message.startswith("Bootstrap"):  # that sums up, and says less
            self._said.append((time.monotonic(), _OF_CLIENT.sub("", message)))

    def since(self, began: float) -> str:
        """What was said since then, each thing once."""
        return "; ".join(dict.fromkeys(words for said, words in tuple(self._said) if said >= began))


_words = _Words()
_client_log = logging.getLogger("kafka")
_client_log.setLevel(logging.ERROR)
_client_log.propagate = False
_client_log.addHandler(_words)


def _parse(url: str) -> tuple[list[str], str]:
    """The brokers to ask first, and the topic."""
    match = _URL.fullmatch(url)
    servers = match[1].split(",") if match else []
    if match is None or not all(_SERVER.fullmatch(server) for server in servers):
        raise Misconfigured("EXEMPLAR_LOG_URL must be kafka://HOST:PORT,HOST:PORT/TOPIC")
    return servers, match[2]


def _connection(servers: list[str], access: KafkaAccess) -> dict[str, object]:
    """What every client is given."""
    settings: dict[str, object] = {
        "bootstrap_servers": servers,
        "client_id": "exemplar",
        "selector": WordlessSelector,
        "security_protocol": access.protocol,
        "request_timeout_ms": int(REQUEST_SECONDS * 1000),
        "bootstrap_timeout_ms": int(BOOTSTRAP_SECONDS * 1000),
        "reconnect_backoff_ms": 50,
        "reconnect_backoff_max_ms": 1000,
        "retry_backoff_ms": 100,
        "metadata_max_age_ms": 60_000,
    }
    if access.protocol.endswith("SSL"):
        settings["ssl_context"] = _encryption(access)
    if access.protocol.startswith("SASL"):
        if not (access.mechanism and access.username and access.password):
            raise Misconfigured("EXEMPLAR_KAFKA_SASL_MECHANISM, …_USERNAME and …_PASSWORD must be set for SASL")
        settings["sasl_mechanism"] = access.mechanism
        settings["sasl_plain_username"] = access.username
        settings["sasl_plain_password"] = access.password
    return settings


def _encryption(access: KafkaAccess) -> ssl.SSLContext:
    """TLS as Python's own defaults have it: certificates and host names are checked."""
    try:
        context = ssl.create_default_context(cafile=access.cafile)
        if access.certfile is not None:
            context.load_cert_chain(access.certfile, access.keyfile)
    except OSError as error:
        raise Misconfigured(f"EXEMPLAR_KAFKA_SSL_*: a certificate or key cannot be used ({error.strerror})") from error
    return context


def _producing() -> dict[str, object]:
    return {
        "acks": "all",
        "enable_idempotence": True,  # given, it raises where settings contradict it; by default it only warns
        "delivery_timeout_ms": int(DELIVERY_SECONDS * 1000),
        "max_block_ms": int(BLOCK_SECONDS * 1000),
        "linger_ms": 0,  # what is appended together is sent together anyway, by `TogetherNetwork.held`
        "batch_size": BATCH_BYTES,
        "compression_type": "zstd",
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
    }


def _consuming(partitions: int) -> dict[str, object]:
    return {
        "group_id": None,
        **_asking(),
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
        "check_crcs": True,
        "fetch_max_wait_ms": 500,
        "fetch_max_bytes": FETCH_BYTES,
        "max_partition_fetch_bytes": max(64 * 2**10, FETCH_BYTES // partitions),
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
    }


def _asking() -> dict[str, object]:
    return {"request_timeout_ms": int(ASK_SECONDS * 1000)}


def _connect(
    make: Callable[..., Any],
    connection: Mapping[str, object],
    settings: Mapping[str, object],
    make_network: Callable[..., Any] = KafkaNetClient,
) -> Any:
    """A client; lets go of everything if no broker answers."""
    began = time.monotonic()
    networks: list[Any] = []

    def network(**given: Any) -> Any:
        networks.append(make_network(**given))
        return networks[-1]

    try:
        return make(kafka_client=network, **{**connection, **settings})
    except (KafkaError, ValueError, OSError) as error:
        for made in networks:
            made.close()
        raise _told(error, _words.since(began)) from error


@contextmanager
def _admin(connection: Mapping[str, object]) -> Iterator[Any]:
    with closing(_connect(KafkaAdminClient, connection, {})) as admin:
        try:
            yield admin
        except KafkaError as error:
            raise _told(error) from error


def _described(admin: Any, topic: str) -> dict[str, Any]:
    """What the brokers say of a topic, `error_code` 0, or that it is not there. Raises what else they say."""
    found: dict[str, Any] = admin.describe_topics([topic])[0]
    if found["error_code"] not in (NoError.errno, UnknownTopicOrPartitionError.errno):
        raise for_code(found["error_code"])
    return found


def _warn_if_not_kept(admin: Any, topic: str) -> None:
    """Say so where a topic that others made loses records by age, by size or by key."""
    asked = ConfigResource(ConfigResourceType.TOPIC, topic)
    with suppress(KafkaError):  # who may not look at its settings cannot know
        found = admin.describe_configs([asked], config_filter="all")["topic"][topic]
        wrong = {name: found[name]["value"] for name in _KEPT if found[name]["value"] != _TOPIC_SETTINGS[name]}
        if wrong:
            needed = ",".join(f"{name}={_TOPIC_SETTINGS[name]}" for name in wrong)
            change = f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {needed}"
            _log.warning(
                "the topic does not keep its records for ever", topic=topic, settings=wrong, change_it_by=change
            )


def _failed(error: Exception) -> Unavailable:
    """What an error that no client should raise means for the caller."""
    _log.error("the client of the log failed", reason=repr(error))
    return Unavailable(f"the client of the log failed ({type(error).__name__})")


def _told(error: Exception, words: str = "") -> ExemplarError:
    """What a client that cannot begin means for the caller; `words`: what it has said of that."""
    if isinstance(error, KafkaConfigurationError | ValueError):
        return Misconfigured(f"EXEMPLAR_KAFKA_*: the settings do not fit together ({error})")
    return Unavailable(
        f"no broker of the log answers as asked ({words or type(error).__name__}); if they are up, EXEMPLAR_LOG_URL or"
        " the EXEMPLAR_KAFKA_… settings may be wrong"
    )


@contextmanager
def _translated(topic: str) -> Iterator[None]:
    try:
        yield
    except (OffsetOutOfRangeError, LogTruncationError) as error:
        raise Corrupt(
            f"the topic {topic} no longer has what was to be read next: it was truncated, or its retention is not for"
            " ever. Bring it back from a copy or, knowing what is lost, copy what is left into a new topic and begin"
            f" again with that ({COPYING})"
        ) from error
    except CorruptRecordError as error:
        raise Corrupt(f"the topic {topic} holds a damaged batch: bring it back from another replica") from error
    except KafkaError as error:
        raise Unavailable(f"the log cannot be read now ({type(error).__name__})") from error


def _close_producer(producer: Any) -> None:
    """Close a producer at once. By itself, its `close` goes on sending, and never ends where a batch is stuck."""
    producer._sender.force_close()  # noqa: SLF001  # the client has no public way to drop what is on its way
    try:
        producer.close(timeout=REQUEST_SECONDS)
    except KafkaError:
        return  # it was told that something is not acknowledged, and its futures have failed


def _place(sent: Any) -> Place:
    """Where a record is. Raises Unavailable unless its future is there with an offset: without one it is nowhere."""
    if not sent.succeeded():
        told = type(sent.exception).__name__ if sent.exception is not None else "no answer"
        raise Unavailable(f"the log did not acknowledge this ({told})")
    offset, stamp = sent.value.offset, sent.value.timestamp
    if offset is None or offset < 0 or stamp is None or stamp < 0:
        raise Unavailable("the log did not say where a record is")
    return Place(sent.value.partition, offset, stamp * 1000)


def _fail(future: Future[list[Place]], error: ExemplarError) -> None:
    if future.running() or future.set_running_or_notify_cancel():
        future.set_exception(error)


def _row(record: NewRecord, partitions: int) -> _Row:
    key = None if record.key is None else record.key.encode()
    return _Row(partition_of(record, partitions), key, record.value, list(record.headers))


def _record(partition: int, message: Any) -> Record:
    key = None if message.key is None else message.key.decode(errors="replace")
    headers = tuple((name, value or b"") for name, value in message.headers)
    return Record(Place(partition, message.offset, message.timestamp * 1000), key, message.value or b"", headers)

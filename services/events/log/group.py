"""Sharing the partitions of a topic through a consumer group of Kafka: who takes part, and which partitions are whose.

A member of the group never fetches: whatever it is given is paused at once, and records are read by a `KafkaReader` at
the positions of the database. It has a thread of its own, so that heartbeats and rebalances never wait behind a fold.
"""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any

import structlog
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer
from kafka.admin import MemberToRemove
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import KafkaError
from kafka.structs import MemberState, OffsetAndMetadata, TopicPartition

from services.events.log.protocol import Position

SESSION_SECONDS = 6.0  # without a heartbeat for so long a member is out; the brokers allow no less by default
HEARTBEAT_SECONDS = 1.0  # also how soon a member hears that the group is to be shared out anew
REBALANCE_SECONDS = 6.0  # who has not come back by then is left out
SHOW_SECONDS = 2.0  # how often positions are shown, new ones or not: who is no member any more hears it by that, too
LEAVE_SECONDS = 2.0
PATIENCE_SECONDS = 30.0  # a client from which nothing but errors come for so long is made anew
_POLL_SECONDS = 0.2
_ANSWER_SECONDS = 2.0
_PAUSE_SECONDS = 0.5

Connect = Callable[[Callable[..., Any], Mapping[str, object]], Any]
"""Makes a client of the log's brokers with further settings. Raises Unavailable or Misconfigured."""

_log = structlog.get_logger(__name__)


class KafkaShare:
    """Share by a consumer group. While the brokers are away, what was ours stays ours: nobody else is given it."""

    def __init__(self, topic: str, group: str, connect: Connect, patience: float = PATIENCE_SECONDS) -> None:
        self._topic = topic
        self._patience = patience
        self._well = 0.0
        self._group = group
        self._connect = connect
        self._lock = Lock()
        self._given: frozenset[int] = frozenset()
        self._doubted: set[int] = set()
        self._to_show: dict[int, int] = {}
        self._shown = 0.0
        self._consumer: Any = None
        self._closing = Event()
        self._thread = Thread(target=self._run, name="log-share", daemon=True)
        self._thread.start()

    def partitions(self) -> frozenset[int]:
        """See Share."""
        with self._lock:
            return self._given - self._doubted

    def doubt(self, position: Position) -> None:
        """See Share. The group says that they are ours by taking their positions from us, or by giving them anew."""
        with self._lock:
            self._doubted |= position.keys()
            self._to_show.update(position)

    def show(self, position: Position) -> None:
        """See Share: the group's committed offsets, for display only."""
        with self._lock:
            self._to_show.update(position)

    def close(self) -> None:
        """See Share."""
        self._closing.set()
        self._thread.join(2 * LEAVE_SECONDS)

    def given(self, partitions: Collection[int]) -> None:
        """The group has said which partitions are ours, all doubts settled; none when it has put us out."""
        with self._lock:
            self._given = frozenset(partitions)
            self._doubted.clear()

    def _run(self) -> None:
        troubled = False
        while not self._closing.is_set():
            try:
                if self._take_part():
                    self._well = time.monotonic()
                troubled = False
            except Exception as error:  # noqa: BLE001  # whatever the client raises, the member must go on
                if not troubled:
                    _log.warning("the group is out of reach", group=self._group, reason=repr(error))
                troubled = True
                if not getattr(error, "retriable", False):
                    self._leave()  # another client helps; where brokers are away, this one finds its way back by itself
                self._closing.wait(_PAUSE_SECONDS)
            self._leave_if_stuck()
        self._leave()
        self.given(())

    def _leave_if_stuck(self) -> None:
        """Let another client take part where this one finds no way back, whatever it says: errors pass, or should."""
        if self._consumer is not None and time.monotonic() > self._well + self._patience:
            _log.warning("the group is joined anew", group=self._group, seconds_without_answer=self._patience)
            self._leave()

    def _take_part(self) -> bool:
        """Do what the group asks of a member, for a moment; whether it was seen that it still has us for one."""
        if self._consumer is None:
            self._consumer = self._connect(KafkaConsumer, _membership(self._group))
            self._well = time.monotonic()
            self._consumer.subscribe([self._topic], listener=_Given(self, self._consumer))
            self._consumer.partitions_for_topic(self._topic)  # who shares out must know them: else nobody gets any
        self._consumer.poll(timeout_ms=int(_POLL_SECONDS * 1000))
        with self._lock:
            doubted = frozenset(self._doubted & self._given)
            if not doubted and time.monotonic() < self._shown + SHOW_SECONDS:
                return False
            position = {p: offset for p, offset in self._to_show.items() if p in self._given}
        self._shown = time.monotonic()
        if position and not self._commit(position):
            return False
        with self._lock:
            self._doubted -= doubted & position.keys()
        return True  # with nothing to show: that the client raised nothing must do

    def _commit(self, position: Position) -> bool:
        """Whether the group took the positions: it does so of nobody but its present members."""
        offsets = {self._at(p): OffsetAndMetadata(offset, "", -1) for p, offset in position.items()}
        try:
            self._consumer.commit(offsets, timeout_ms=int(_ANSWER_SECONDS * 1000))
        except KafkaError as error:
            _log.info("the group did not take our positions", group=self._group, reason=repr(error))
            return False
        return True

    def _leave(self) -> None:
        """Leave the group, so that the others take over at once."""
        if self._consumer is None:
            return
        consumer, self._consumer = self._consumer, None
        with suppress(Exception):  # as above: a thread that ended here would leave us without partitions, and a word
            member = consumer.group_metadata()
            if member.state is not MemberState.STABLE and member.member_id:
                self._remove(member.member_id)
        with suppress(Exception):
            consumer.close(autocommit=False, timeout_ms=int(LEAVE_SECONDS * 1000))

    def _remove(self, member_id: str) -> None:
        """Leave by another connection: on the member's own, the brokers hear nothing until all others have come."""
        admin = self._connect(KafkaAdminClient, {})
        try:
            admin.remove_group_members(self._group, [MemberToRemove(member_id=member_id)])
        finally:
            admin.close()

    def _at(self, number: int) -> TopicPartition:
        return TopicPartition(self._topic, number)


class _Given(ConsumerRebalanceListener):  # type: ignore[misc]  # the client has no types
    """Hears from the group, in the client's thread. The positions are none, only so that the client asks for none."""

    def __init__(self, share: KafkaShare, consumer: Any) -> None:
        self._share = share
        self._consumer = consumer

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """These are ours, and no others."""
        for at in assigned:
            self._consumer.seek(at, 0)
        self._consumer.pause(*assigned)
        self._share.given([at.partition for at in assigned])

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """The group is shared out anew: until it says how, everyone goes on with what they have."""

    def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        """The group has put us out, since it had not heard of us for too long."""
        self._share.given(())


def _membership(group: str) -> dict[str, object]:
    return {
        "group_id": group,
        "session_timeout_ms": int(SESSION_SECONDS * 1000),
        "heartbeat_interval_ms": int(HEARTBEAT_SECONDS * 1000),
        "max_poll_interval_ms": int(REBALANCE_SECONDS * 1000),
        "partition_assignment_strategy": [StickyPartitionAssignor],
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
    }

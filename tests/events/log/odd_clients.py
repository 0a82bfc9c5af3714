"""Kafka clients with the faults that real ones have had: those of the adapter must be seen to hold against them."""

from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.producer.future import RecordMetadata
from kafka.structs import TopicPartition


class _AnsweredWithoutOffset:
    """What a send gives: it succeeded, and nobody says where the record is."""

    def __init__(self, offset: int | None) -> None:
        self._offset = offset

    def add_callback(self, tell: Any) -> None:
        at = TopicPartition("topic", 0)
        tell(RecordMetadata("topic", 0, at, self._offset, 1_700_000_000_000, None, 1, 1, -1))

    def add_errback(self, tell: Any) -> None:
        """Never called: it does not fail."""


class OnceWithoutOffset:
    """Makes producers; the first one reports its sends as successes with the offset given."""

    def __init__(self, offset: int | None) -> None:
        self.made = 0
        self._offset = offset

    def __call__(self, **settings: object) -> Any:
        self.made += 1
        offset = self._offset

        class Producer(KafkaProducer):  # type: ignore[misc]  # the client has no types
            def send(self, *_: Any, **__: Any) -> _AnsweredWithoutOffset:
                return _AnsweredWithoutOffset(offset)

        return Producer(**settings) if self.made == 1 else KafkaProducer(**settings)


class OnceDeaf:
    """Makes consumers; the first one never hands out a record."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, **settings: object) -> Any:
        self.made += 1

        class Consumer(KafkaConsumer):  # type: ignore[misc]  # the client has no types
            def poll(self, *_: Any, **__: Any) -> dict[TopicPartition, list[Any]]:
                return {}

        return Consumer(**settings) if self.made == 1 else KafkaConsumer(**settings)

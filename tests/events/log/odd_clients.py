"""Kafka clients with the faults that real ones have had: those of the adapter must be seen to hold against them."""

from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import RequestTimedOutError
from kafka.future import Future
from kafka.producer.future import RecordMetadata
from kafka.structs import TopicPartition


class _AnsweredWithoutOffset:
    """What a send gives: it succeeded, and nobody says where the record is."""

    def __init__(self, offset: int | None) -> None:
        at = TopicPartition("topic", 0)
        self.value = RecordMetadata("topic", 0, at, offset, 1_700_000_000_000, None, 1, 1, -1)
        self.exception = None

    def succeeded(self) -> bool:
        return True

    def add_both(self, tell: Any) -> None:
        tell(self.value)


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


class OnceMute:
    """Makes producers; the first one takes what it is given and never says what became of it."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, **settings: object) -> Any:
        self.made += 1

        class Producer(KafkaProducer):  # type: ignore[misc]  # the client has no types
            def send(self, *_: Any, **__: Any) -> Future:
                return Future()

        return Producer(**settings) if self.made == 1 else KafkaProducer(**settings)


class OnceBroken:
    """Makes consumers; the first one raises at a poll what no client should, and again where it is let go of."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, **settings: object) -> Any:
        self.made += 1

        class Consumer(KafkaConsumer):  # type: ignore[misc]  # the client has no types
            def poll(self, *_: Any, **__: Any) -> dict[TopicPartition, list[Any]]:
                raise RuntimeError("broken")

            def close(self, *args: Any, **named: Any) -> None:
                super().close(*args, **named)
                raise RuntimeError("broken")

        return Consumer(**settings) if self.made == 1 else KafkaConsumer(**settings)


class OnceLost:
    """Makes consumers; the first one raises at every poll, or at every commit, what passes by itself, they say."""

    def __init__(self, method: str) -> None:
        self.made = 0
        self._method = method

    def __call__(self, **settings: object) -> Any:
        self.made += 1
        consumer = KafkaConsumer(**settings)
        if self.made == 1:
            setattr(consumer, self._method, self._fail)
        return consumer

    def _fail(self, *_: Any, **__: Any) -> None:
        raise RequestTimedOutError


class OnceDeafOf:
    """Makes consumers; the first one never hands out a record of one partition."""

    def __init__(self, partition: TopicPartition) -> None:
        self.made = 0
        self._partition = partition

    def __call__(self, **settings: object) -> Any:
        self.made += 1
        partition = self._partition

        class Consumer(KafkaConsumer):  # type: ignore[misc]  # the client has no types
            def resume(self, *partitions: TopicPartition) -> None:
                super().resume(*(each for each in partitions if each != partition))

            def assign(self, partitions: list[TopicPartition]) -> None:
                super().assign(partitions)
                self.pause(partition)

        return Consumer(**settings) if self.made == 1 else KafkaConsumer(**settings)


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

"""What a client knows: every request that it sent, and what was answered. The checker believes nobody else."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

Event = dict[str, Any]
Key = tuple[str, str, str]
Place = tuple[int, int]


def key_of(event: Event) -> Key:
    """What an act is known by: subject, source, id."""
    return event["subject"], event["source"], event["id"]


@dataclass(slots=True)
class Attempt:
    """One request. `sent` and `answered` are monotonic seconds; without an answer, `status` is None.

    `refused`: the indices of the events for which it was refused (409).
    """

    events: Sequence[Event]
    sent: float
    answered: float = 0.0
    status: int | None = None
    retry_after: str | None = None
    receipts: Sequence[dict[str, Any]] = ()
    refused: frozenset[int] = frozenset()


class Acknowledged(NamedTuple):
    """An act that was acknowledged, where, and when its request was sent and answered."""

    event: Event
    place: Place
    duplicate: bool
    sent: float
    answered: float


@dataclass
class Ledger:
    """All attempts, in the order in which they were begun, and the poison that went into the log beside them."""

    attempts: list[Attempt] = field(default_factory=list)
    poison: set[bytes] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def begin(self, events: Sequence[Event]) -> Attempt:
        """Note a request before it is sent."""
        with self._lock:
            self.attempts.append(Attempt(events, time.monotonic()))
            return self.attempts[-1]

    def spoil(self, value: bytes) -> None:
        """Note a record that nobody can read, before it goes into the log."""
        with self._lock:
            self.poison.add(value)

    def acknowledged(self) -> Iterator[Acknowledged]:
        """Every act with a receipt, once for each receipt."""
        for attempt in tuple(self.attempts):
            for event, receipt in zip(attempt.events, attempt.receipts, strict=False):
                place = receipt["partition"], receipt["offset"]
                yield Acknowledged(event, place, receipt["duplicate"], attempt.sent, attempt.answered)

    def sent(self) -> Iterator[tuple[Event, float]]:
        """Every act that was sent, once for each time, and when."""
        for attempt in tuple(self.attempts):
            for event in attempt.events:
                yield event, attempt.sent

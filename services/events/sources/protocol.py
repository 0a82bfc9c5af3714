"""The port through which an import records acts: in process, or over HTTP to a server elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Event = Mapping[str, object]
"""A CloudEvent as a JSON object: `specversion`, `id`, `source`, `type`, `subject`, `time`, `data`."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The act is in the log; `duplicate`: it was there already, with the same content."""

    duplicate: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The act is not in the log and will not be: the HTTP status it would get, the JSON pointer of the fault, why."""

    status: int
    pointer: str
    reason: str


Outcome = Accepted | Refused


class Recorder(Protocol):
    """Records acts durably."""

    def record(self, events: Sequence[Event]) -> Sequence[Outcome]:
        """Record the events; give one outcome for each, in their order.

        An adapter MUST have an act durably in the log before it calls it accepted, MUST record the good events of a
        call that has bad ones too, and MUST accept an act that it was given before as a duplicate. It takes any number
        of events, and MAY append them in several steps. It retries what is unavailable for as long as makes sense to
        it, then raises `Unavailable`; some of the events may be in the log by then, which does no harm: importing
        again gives them as duplicates.
        """
        ...

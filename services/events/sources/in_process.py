"""Records acts in the process that holds the log, through the ingress's own recording function."""

import time
from collections.abc import Callable, Sequence

from services.events.credentials import IMPORT, Credential
from services.events.recording import (
    Fault,
    Fresh,
    Receipt,
    Recording,
    Request,
    Verdict,
    erased_by,
    receipts_of,
)
from services.events.sources.protocol import Accepted, Event, Outcome, Refused
from services.kit.errors import Unavailable

_EVENTS_TOGETHER = 1_000
_APPEND_SECONDS = 30.0
_ATTEMPTS = 6


class InProcessRecorder:
    """The `Recorder` of `exemplar import` without `--to`. What is unavailable is tried 6 times, for half a minute."""

    def __init__(
        self,
        recording: Recording,
        credential: Credential = IMPORT,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._recording = recording
        self._credential = credential
        self._wait = wait

    def record(self, events: Sequence[Event]) -> Sequence[Outcome]:
        """See `Recorder`."""
        outcomes: list[Outcome] = []
        for start in range(0, len(events), _EVENTS_TOGETHER):
            together = [dict(event) for event in events[start : start + _EVENTS_TOGETHER]]
            outcomes += [_outcome(settled) for settled in self._persistently(together)]
        return outcomes

    def _persistently(self, events: Sequence[object]) -> list[Receipt | Fault]:
        for attempt in range(_ATTEMPTS - 1):
            try:
                return self._once(events)
            except Unavailable:
                self._wait(2.0**attempt)
        return self._once(events)

    def _once(self, events: Sequence[object]) -> list[Receipt | Fault]:
        verdicts: list[Verdict] = self._recording.judge([Request(events, self._credential)])[0]
        fresh = [verdict for verdict in verdicts if isinstance(verdict, Fresh)]
        try:
            places = self._recording.append(fresh).result(_APPEND_SECONDS) if fresh else []
        except TimeoutError as error:
            raise Unavailable("the log did not take the acts in time") from error
        self._recording.destroy_keys(erased_by(verdicts))
        return receipts_of(verdicts, places)


def _outcome(settled: Receipt | Fault) -> Outcome:
    if isinstance(settled, Fault):
        return Refused(settled.status, settled.pointer, settled.reason)
    return Accepted(settled.duplicate)

"""Takes the requests of the HTTP ingress to the recording function and back, within a bound of time.

What blocks (the read model, the vault) runs in one worker thread. The requests that arrive while it and the log are at
work wait and go together the next time, with one look-up and one append for all: the more arrive, the less each costs.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from services.events.log.protocol import Place
from services.events.recording import (
    Fresh,
    Receipt,
    Recording,
    Refused,
    Request,
    Verdict,
    erased_by,
    faults_of,
    receipts_of,
)
from services.kit.errors import Unavailable

_EVENTS_TOGETHER = 2_000
_CLOSING_SECONDS = 2.0
_GATHERING_SECONDS = 0.002


class _Waiting(NamedTuple):
    request: Request
    answer: asyncio.Future[list[Receipt]]


class Intake:
    """Records the requests of one event loop. `within`: seconds until a request is answered by Unavailable."""

    def __init__(self, recording: Recording, within: float) -> None:
        self._recording = recording
        self._within = within
        self._waiting: list[_Waiting] = []
        self._lately = 0  # requests in the last group
        self._draining: asyncio.Task[None] | None = None
        self._worker = ThreadPoolExecutor(1, "intake")

    async def record(self, request: Request) -> list[Receipt]:
        """A receipt for each event, once all are durable. Raises Refused, Unavailable (send again), Corrupt."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(request, loop.create_future())
        self._waiting.append(waiting)
        if self._draining is None or self._draining.done():
            self._draining = loop.create_task(self._drain())
        late = Unavailable("the log did not take the events in time: send them again")
        giving_up = loop.call_later(self._within, self._give_up, waiting, late)
        try:
            return await waiting.answer
        finally:
            giving_up.cancel()

    async def close(self) -> None:
        """Finish what was taken, within a few seconds, and let go of the thread. All requests were answered before."""
        if self._draining is not None:
            await asyncio.wait([self._draining], timeout=_CLOSING_SECONDS)
        self._worker.shutdown(wait=False)

    def _give_up(self, waiting: _Waiting, late: Unavailable) -> None:
        """Answer who has waited too long, and keep nothing of them: what blocks may do so for as long as it likes."""
        _answer_with(waiting, late)
        self._waiting = [other for other in self._waiting if other is not waiting]

    async def _drain(self) -> None:
        while self._waiting:
            if len(self._waiting) < self._lately:  # who was answered just now will ask again
                await asyncio.sleep(_GATHERING_SECONDS)
            group = self._next_group()
            self._lately = len(group)
            try:
                judged, places = await self._recorded([waiting.request for waiting in group])
            except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer to those who wait
                for waiting in group:
                    _answer_with(waiting, error)
            else:
                _answer(group, judged, iter(places))

    def _next_group(self) -> list[_Waiting]:
        events = taken = 0
        for waiting in self._waiting:
            events += len(waiting.request.events)
            if taken and events > _EVENTS_TOGETHER:
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return [waiting for waiting in group if not waiting.answer.done()]

    async def _recorded(self, requests: Sequence[Request]) -> tuple[list[list[Verdict]], list[Place]]:
        """The verdicts on the events of each request, and the places of the fresh acts of the good requests."""
        loop = asyncio.get_running_loop()
        judged, appended = await loop.run_in_executor(self._worker, self._take, requests)
        # Shielded: who stops waiting must not cancel what the log is about to complete.
        places = [] if appended is None else await asyncio.shield(asyncio.wrap_future(appended))
        good = _good(judged)
        if erased_by(good):
            await loop.run_in_executor(self._worker, self._recording.destroy_keys, good)
        return judged, places

    def _take(self, requests: Sequence[Request]) -> tuple[list[list[Verdict]], Future[list[Place]] | None]:
        """In the worker: judge all requests and append what is fresh in the good ones."""
        judged = self._recording.judge(requests)
        fresh = [verdict for verdict in _good(judged) if isinstance(verdict, Fresh)]
        return judged, self._recording.append(fresh) if fresh else None


def _good(judged: Sequence[Sequence[Verdict]]) -> list[Verdict]:
    """The verdicts of those requests of which no event is refused."""
    return [verdict for verdicts in judged if not faults_of(verdicts) for verdict in verdicts]


def _answer(group: Sequence[_Waiting], judged: Sequence[Sequence[Verdict]], places: Iterator[Place]) -> None:
    for waiting, verdicts in zip(group, judged, strict=True):
        if faults := faults_of(verdicts):
            _answer_with(waiting, Refused(faults))
            continue
        receipts = [settled for settled in receipts_of(verdicts, places) if isinstance(settled, Receipt)]
        if not waiting.answer.done():
            waiting.answer.set_result(receipts)


def _answer_with(waiting: _Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)

"""Takes the requests of the HTTP ingress to the recording function and back, within a bound of time.

What blocks (the read model, the vault) runs in one worker thread. The requests that arrive while it and the log are at
work wait and go together the next time, with one look-up and one append for all: the more arrive, the less each costs.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from services.events.log.protocol import Place
from services.events.recording import (
    Fault,
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
    deadline: float
    number: int
    request: Request
    answer: asyncio.Future[list[Receipt]]


class _Taken(NamedTuple):
    """What became of requests: the verdicts on the events of each and its faults; whom the good ones erase.

    `appended` has the places of the fresh acts of the good requests, None where there are none.
    """

    judged: Sequence[Sequence[Verdict]]
    faults: Sequence[Mapping[int, Fault]]
    erased: Sequence[str]
    appended: Future[list[Place]] | None


class Intake:
    """Records the requests of one event loop. `within`: seconds until a request is answered by Unavailable."""

    def __init__(self, recording: Recording, within: float) -> None:
        self._recording = recording
        self._within = within
        self._waiting: list[_Waiting] = []
        self._unanswered: list[_Waiting] = []  # a heap by deadline, with some that are answered by now
        self._numbers = count()
        self._clock: asyncio.TimerHandle | None = None
        self._lately = 0  # requests in the last group
        self._draining: asyncio.Task[None] | None = None
        self._worker = ThreadPoolExecutor(1, "intake")

    async def record(self, request: Request, waited: float = 0.0) -> list[Receipt]:
        """A receipt for each event, once all are durable. Raises Refused, Unavailable (send again), Corrupt.

        `waited`: seconds that the client has waited for us already.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._within - waited
        waiting = _Waiting(deadline, next(self._numbers), request, loop.create_future())
        self._waiting.append(waiting)
        heappush(self._unanswered, waiting)
        if self._unanswered[0] is waiting:
            self._set_clock()
        if self._draining is None or self._draining.done():
            self._draining = loop.create_task(self._drain())
        return await waiting.answer

    async def close(self) -> None:
        """Finish what was taken, within a few seconds, and let go of the thread. All requests were answered before."""
        if self._draining is not None:
            await asyncio.wait([self._draining], timeout=_CLOSING_SECONDS)
        self._worker.shutdown(wait=False)

    def _give_up(self) -> None:
        """Answer who has waited too long, and keep nothing of them: what blocks may do so for as long as it likes."""
        loop = asyncio.get_running_loop()
        while self._unanswered and (self._unanswered[0].answer.done() or self._unanswered[0].deadline <= loop.time()):
            late = Unavailable("the log did not take the events in time: send them again")
            _answer_with(heappop(self._unanswered), late)
        self._waiting = [waiting for waiting in self._waiting if not waiting.answer.done()]
        self._set_clock()

    def _set_clock(self) -> None:
        """Set the clock to the first deadline."""
        if self._clock is not None:
            self._clock.cancel()
        first = self._unanswered[0].deadline if self._unanswered else None
        self._clock = asyncio.get_running_loop().call_at(first, self._give_up) if first is not None else None

    async def _drain(self) -> None:
        while self._waiting:
            if len(self._waiting) < self._lately:  # who was answered just now will ask again
                await asyncio.sleep(_GATHERING_SECONDS)
            group = self._next_group()
            self._lately = len(group)
            try:
                taken, places = await self._recorded([waiting.request for waiting in group])
            except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer to those who wait
                for waiting in group:
                    _answer_with(waiting, error)
            else:
                _answer(group, taken, iter(places))
            while self._unanswered and self._unanswered[0].answer.done():
                heappop(self._unanswered)

    def _next_group(self) -> list[_Waiting]:
        events = taken = 0
        for waiting in self._waiting:
            events += len(waiting.request.events)
            if taken and events > _EVENTS_TOGETHER:
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return [waiting for waiting in group if not waiting.answer.done()]

    async def _recorded(self, requests: Sequence[Request]) -> tuple[_Taken, list[Place]]:
        """What became of the requests, and the places of the fresh acts of the good ones."""
        loop = asyncio.get_running_loop()
        taken = await loop.run_in_executor(self._worker, self._take, requests)
        # Shielded: who stops waiting must not cancel what the log is about to complete.
        places = [] if taken.appended is None else await asyncio.shield(asyncio.wrap_future(taken.appended))
        if taken.erased:
            await loop.run_in_executor(self._worker, self._recording.destroy_keys, taken.erased)
        return taken, places

    def _take(self, requests: Sequence[Request]) -> _Taken:
        """In the worker: judge all requests and append what is fresh in the good ones."""
        judged = self._recording.judge(requests)
        faults = [faults_of(verdicts) for verdicts in judged]
        good = [verdict for verdicts, bad in zip(judged, faults, strict=True) if not bad for verdict in verdicts]
        fresh = [verdict for verdict in good if isinstance(verdict, Fresh)]
        return _Taken(judged, faults, erased_by(good), self._recording.append(fresh) if fresh else None)


def _answer(group: Sequence[_Waiting], taken: _Taken, places: Iterator[Place]) -> None:
    for waiting, verdicts, faults in zip(group, taken.judged, taken.faults, strict=True):
        if faults:
            _answer_with(waiting, Refused(faults))
            continue
        receipts = [settled for settled in receipts_of(verdicts, places) if isinstance(settled, Receipt)]
        if not waiting.answer.done():
            waiting.answer.set_result(receipts)


def _answer_with(waiting: _Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)

"""Whether the database answers at all, asked while requests take long: one that is slow is not one that is away.

Of a database that stands still, or a network that swallows what is sent, nobody is told: whoever reads just waits. So
when a request has taken a while, and no other was answered meanwhile, something is asked that no database is slow at.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import structlog

from services.kit.errors import Unavailable

DOUBT_SECONDS = 1.0  # that a request takes before it is doubted that the database answers; and between two questions
_log = structlog.get_logger(__name__)


class Pulse:
    """Limits how long requests take. `answers`, asked in a thread of its own, says whether the database does.

    Once it does not, requests end at once, those that come then too, until it does again; it is asked until then.
    """

    def __init__(self, answers: Callable[[], bool], doubt_seconds: float = DOUBT_SECONDS) -> None:
        self._answers = answers
        self._doubt_seconds = doubt_seconds
        self._silent = False
        self._heard = 0.0  # when a request was answered last
        self._doubted: set[asyncio.Timeout] = set()
        self._asking: asyncio.Task[None] | None = None
        self._worker = ThreadPoolExecutor(1, "pulse")  # its own: the others may all be waiting for the database

    @asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError after so many seconds, Unavailable as soon as it is known that the database is away."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds) as limit:
                doubting = loop.call_later(self._doubt_seconds, self._doubt, limit)
                try:
                    yield
                finally:
                    doubting.cancel()
                    self._doubted.discard(limit)
        except TimeoutError as late:
            if self._silent:
                raise Unavailable("the database does not answer") from late
            raise
        self._heard = loop.time()

    def check(self) -> None:
        """Raises Unavailable while it is known that the database does not answer."""
        if self._silent and self._is_asking():
            raise Unavailable("the database does not answer")

    def _doubt(self, limit: asyncio.Timeout) -> None:
        self._doubted.add(limit)
        if self._is_asking():
            self._end_doubted()
        else:
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    def _is_asking(self) -> bool:
        return self._asking is not None and not self._asking.done()

    async def _ask(self) -> None:
        """Ask now and then, while there is a doubt."""
        loop = asyncio.get_running_loop()
        self._silent = False
        while self._doubted or self._silent:
            began = loop.time()
            if self._silent or began > self._heard + self._doubt_seconds:
                answers = await loop.run_in_executor(self._worker, self._answers)
                self._tell(silent=not answers and self._heard < began)
            await asyncio.sleep(self._doubt_seconds)

    def _tell(self, silent: bool) -> None:
        if silent != self._silent:
            _log.warning("the database does not answer" if silent else "the database answers again")
        self._silent = silent
        self._end_doubted()

    def _end_doubted(self) -> None:
        for limit in self._doubted if self._silent else ():
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

"""Live questions: answered at once, and again whenever the fold has committed what may change the answer.

A commit is looked at once for all who are subscribed: which teams does it touch? Those who watch one of them are
answered anew, each on what the model has then and with what they may see then. Nobody waits in a queue: a subscription
has at most one change before it, and the next answer is of whatever has come until then.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import NamedTuple

import structlog
from sqlalchemy import Engine
from starlette.responses import Response
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from services.events.credentials import Credential
from services.graphql.answering import Answer, Gateway, Question
from services.graphql.errors import PASSING, TIMEOUT, formatted_cause
from services.graphql.metrics import LIMIT, WEBSOCKET, LiveMetrics
from services.kit import instants
from services.kit.database import reading
from services.kit.errors import ExemplarError, Invalid
from services.kit.problems import problem
from services.projections.changes import Change, changed
from services.projections.queries.reach import teams_over, turned

GATHERED_SECONDS = 0.25  # commits that come sooner after one that was told are told as one
ANSWERS_AT_ONCE = 4  # so that those who ask meanwhile get their turn
RECHECK_SECONDS = 60.0
CLOCK_SECONDS = 5.0  # between two looks at what came of nothing but time
CREDENTIALS_SECONDS = 2.0  # between two looks at whether the credentials of those who are there are still good
AGAIN_SECONDS = 2.0  # to an answer that was not to be had
TIMES = 3  # that an answer may take too long, before that is told
RETRY_AFTER_SECONDS = 5
_log = structlog.get_logger(__name__)
_OPERATIONS = (OperationType.QUERY, OperationType.SUBSCRIPTION)


class TooMany(ExemplarError):
    """There are as many live connections as may be, in all or by this credential."""

    def response(self) -> Response:
        """What HTTP says of it: 429."""
        return problem(429, str(self), headers={"retry-after": str(RETRY_AFTER_SECONDS)})


class LiveLimits(NamedTuple):
    """What live connections may take; `subscriptions` is of one connection, `each` of one credential.

    `arriving` is of those of which nobody has said whose they are: they take no place of the others.
    """

    connections: int = 1000
    each: int = 100
    subscriptions: int = 20
    init_seconds: float = 10.0
    keep_alive_seconds: float = 15.0
    recheck_seconds: float = RECHECK_SECONDS
    arriving: int = 100
    clock_seconds: float = CLOCK_SECONDS
    credentials_seconds: float = CREDENTIALS_SECONDS


DEFAULT_LIMITS = LiveLimits()


class Seat:
    """A live connection: nobody's, until it is said whose.

    `end` is to be set to what closes it while it is nobody's, `lapse` to what does once its credential is not good any
    more, which may be called again until it is closed.
    """

    def __init__(self) -> None:
        self.end: Callable[[], None] = _nothing
        self.lapse: Callable[[], None] = _nothing
        self.name: str | None = None  # of the credential
        self.authorization: str | None = None  # that presented it


def _nothing() -> None:
    """What closes a connection that is not there yet."""


class _Watch:
    """A subscription that waits: for which team, and on behalf of whom."""

    def __init__(self) -> None:
        self.team: str | None = None
        self.person: str | None = None
        self.leads = False
        self._touched = asyncio.Event()

    def begin(self, team: str, person: str | None, leads: bool) -> None:
        """From now on a change of its own person wakes it: that may change what it may see. Of this team, if led."""
        self.team, self.person, self.leads = team, person, leads

    def concerns(self, persons: Collection[str], teams: Collection[str]) -> bool:
        """Whether what has changed of these persons and teams is for it to know."""
        return self.person in persons or (self.leads and self.team in teams)

    def touch(self) -> None:
        """Wake it, now or when it waits next."""
        self._touched.set()

    async def touched(self, seconds: float) -> bool:
        """Wait until something has touched it since this was last called; False if there was nothing for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._touched.wait()
        found = self._touched.is_set()
        self._touched.clear()
        return found


class Live:
    """The live connections of a server, and the subscriptions on them. `told` and `stop` aside, for one event loop.

    `model` gives the engine on the live generation. `ended` is told headers Authorization that were good, and says
    which of them are not any more; it is called in worker threads.
    """

    def __init__(
        self,
        model: Callable[[], Engine],
        ended: Callable[[Collection[str | None]], Collection[str | None]],
        metrics: LiveMetrics,
        limits: LiveLimits = DEFAULT_LIMITS,
        clock: Callable[[], int] = instants.now,
    ) -> None:
        self.limits = limits
        self.metrics = metrics
        self.on_stop: set[Callable[[], None]] = set()
        self._model = model
        self._ended = ended
        self._clock = clock
        self._stopping = False
        self._known: set[Seat] = set()
        self._arriving: dict[Seat, None] = {}  # the oldest first
        self._by_credential: Counter[str] = Counter()
        self._watches: set[_Watch] = set()
        self._answering = asyncio.Semaphore(ANSWERS_AT_ONCE)
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None  # while anybody watches
        self._change: Change | None = None  # that nobody was told of yet
        self._telling: asyncio.Task[None] | None = None
        self._timing: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None  # while anybody is known

    # ---- what changes ----

    def told(self, change: Change) -> None:
        """Take in what has changed, in any thread."""
        with self._lock:
            if self._loop is None:
                return
            is_first = self._change is None
            self._change = change if self._change is None else self._change.joined(change)
            if is_first:
                with suppress(RuntimeError):  # the loop has ended
                    self._loop.call_soon_threadsafe(self._begin_telling)

    def stop(self) -> None:
        """End all streams: the server stops. In the thread of the event loop."""
        self._stopping = True
        for watch in self._watches:
            watch.touch()
        for end in tuple(self.on_stop):
            end()

    def _begin_telling(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        while (change := self._take()) is not None:
            teams = frozenset() if change.everything else await asyncio.to_thread(self._touched_by, change)
            for watch in self._watches:
                if teams is None or change.everything or watch.concerns(change.persons, teams):
                    watch.touch()
            await asyncio.sleep(GATHERED_SECONDS)

    def _take(self) -> Change | None:
        with self._lock:
            change, self._change = self._change, None
            return change

    def _touched_by(self, change: Change) -> frozenset[str] | None:
        """The teams that a change touches; None where that cannot be said now."""
        try:
            with reading(self._model()) as connection:
                return teams_over(connection, change.persons, change.teams)
        except Exception:  # noqa: BLE001  # whatever it is, those who are answered needlessly lose nothing
            _log.exception("which teams a commit touches cannot be said: all subscriptions are answered anew")
            return None

    async def _tell_time(self) -> None:
        """Tell of silences that are over and stays that begin or end: a look for all who watch, now and then."""
        looked = self._clock()
        while True:
            await asyncio.sleep(self.limits.clock_seconds)
            now = self._clock()
            persons = await asyncio.to_thread(self._turned, looked, now)
            if persons is not None:
                looked = now
            if persons:
                self.told(changed(persons, ()))

    def _turned(self, after: int, until: int) -> frozenset[str] | None:
        """The persons of whom something came to count; None where that cannot be said now."""
        try:
            with reading(self._model()) as connection:
                return turned(connection, after, until)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is looked again
            _log.warning("what came of time alone cannot be said now", reason=type(error).__name__)
            return None

    # ---- who is there ----

    @contextmanager
    def connection(self, transport: str) -> Iterator[Seat]:
        """Count a connection meanwhile, which is nobody's until `take`. Raises TooMany.

        WebSockets may go on being nobody's. Of these there are few: for one too many, the oldest ends. Who means to
        sign in does so at once.
        """
        self._check_room()
        seat = Seat()
        if transport == WEBSOCKET:
            self._arriving[seat] = None
        if len(self._arriving) > self.limits.arriving:
            self._drop_oldest()
        self.metrics.connections(transport, 1)
        try:
            yield seat
        finally:
            self._leave(seat)
            self.metrics.connections(transport, -1)

    async def admit(self, seat: Seat, gateway: Gateway, authorization: str | None, address: str | None) -> None:
        """The connection is from now on that of who presents this header. Raises as `Gateway.admit` does, TooMany."""
        self.take(seat, await gateway.admit(authorization, address))
        seat.authorization = authorization
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_at_credentials())

    async def _look_at_credentials(self) -> None:
        """End what is open under a credential that is not good any more: one look for all, now and then."""
        while True:
            await asyncio.sleep(self.limits.credentials_seconds)
            ended = await asyncio.to_thread(self._find_ended, {seat.authorization for seat in self._known})
            for seat in [seat for seat in self._known if seat.authorization in ended]:
                seat.lapse()

    def _find_ended(self, authorizations: Collection[str | None]) -> Collection[str | None]:
        """Those that are not good any more; none where that cannot be said now."""
        try:
            return self._ended(authorizations)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is looked again
            _log.warning("which credentials have ended cannot be said now", reason=type(error).__name__)
            return ()

    def take(self, seat: Seat, credential: Credential) -> None:
        """From now on the connection counts as this credential's. Raises TooMany."""
        name = credential.name
        self._check_room()
        if self._by_credential[name] >= self.limits.each:
            self.metrics.dropped(LIMIT)
            raise TooMany(f"this credential has {self.limits.each} live connections already")
        self._arriving.pop(seat, None)
        self._known.add(seat)
        self._by_credential[name] += 1
        seat.name = name

    def _check_room(self) -> None:
        if len(self._known) >= self.limits.connections or self._stopping:
            self.metrics.dropped(LIMIT)
            raise TooMany(f"there are {self.limits.connections} live connections already")

    def _drop_oldest(self) -> None:
        oldest = next(iter(self._arriving))
        del self._arriving[oldest]
        self.metrics.dropped(LIMIT)
        oldest.end()

    def _leave(self, seat: Seat) -> None:
        self._arriving.pop(seat, None)
        if seat.name is not None:
            self._known.discard(seat)
            self._by_credential[seat.name] -= 1
            if not self._by_credential[seat.name]:
                del self._by_credential[seat.name]
        if not self._known and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    @contextmanager
    def _watching(self) -> Iterator[_Watch]:
        watch = _Watch()
        with self._lock:
            self._watches.add(watch)
            self._loop = asyncio.get_running_loop()
        if self._timing is None or self._timing.done():
            self._timing = self._loop.create_task(self._tell_time())
        self.metrics.subscriptions(1)
        try:
            yield watch
        finally:
            self.metrics.subscriptions(-1)
            with self._lock:
                self._watches.discard(watch)
                if not self._watches:
                    self._loop = self._change = None
                    if self._timing is not None:
                        self._timing.cancel()
                        self._timing = None

    # ---- what they are answered ----

    async def answers(
        self, gateway: Gateway, question: Question, seat: Seat | None = None
    ) -> AsyncGenerator[Answer | None, None]:
        """The answer of now and, of a subscription, each later one; None whenever a keep-alive is due.

        Of a connection that is for this question alone there is the `seat`: when its credential ends, the next answer
        comes at once, and says so.

        Ends when the server stops, and after an answer without data: whatever it says, there is nothing to go on with.
        But if it is only not to be had now, it is asked for again.
        """
        with self._watching() as watch:
            question = question._replace(watch=watch.begin)
            if seat is not None:
                seat.lapse = watch.touch
            answer: Answer | None = await _first(gateway, question)
            question = question._replace(wait_for=None, again=True)
            checked, late = _now(), 0
            while answer is None or answer.body.get("data") is not None:
                if answer is not None:
                    self.metrics.sent()
                yield answer
                answer = None  # nothing is kept of it while the next one is waited for
                if watch.team is None or self._stopping:
                    return
                touched = await watch.touched(self.limits.keep_alive_seconds)
                if self._stopping:
                    return
                if touched:
                    answer, checked = await self._again(gateway, question), _now()
                    late = late + 1 if answer.code == TIMEOUT else 0
                    if answer.code in PASSING and late < TIMES:
                        answer = None
                        asyncio.get_running_loop().call_later(AGAIN_SECONDS, watch.touch)
                elif _now() - checked >= self.limits.recheck_seconds:
                    answer, checked = await gateway.refusal(question, watch.team), _now()
            if watch.team is not None:
                self.metrics.dropped((answer.code or "internal").lower())
            yield answer

    async def _again(self, gateway: Gateway, question: Question) -> Answer:
        async with self._answering:
            return await gateway.answer(question, _OPERATIONS)


async def _first(gateway: Gateway, question: Question) -> Answer:
    try:
        return await gateway.answer(question, _OPERATIONS)
    except InvalidOperationTypeError:
        shown = formatted_cause(Invalid("there is nothing here but queries and subscriptions"))
        return Answer({"errors": [shown]}, shown["extensions"]["code"])


def _now() -> float:
    return asyncio.get_running_loop().time()

"""Live answers as server-sent events: the distinct connections mode of the protocol GraphQL over SSE.

Each answer is an event `next`; after the last one comes `complete`. What is wrong with the document is an answer too,
as the protocol wants it; what is wrong with the credential, one connection too many, and that there is no answer now,
is told by the status: then clients try again, which they do not after `complete`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from starlette.types import Receive, Scope, Send

from services.graphql.answering import Answer, Gateway, Question
from services.graphql.errors import NOT_YET, PASSING, STATUSES, TooOften
from services.graphql.live import Live, Seat, TooMany
from services.graphql.metrics import EVENT_STREAM, SLOW
from services.kit.errors import ExemplarError
from services.kit.problems import problem, problem_of

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in between is not to hold events back
    (b"vary", b"accept"),
)


class _NotNow(Exception):
    """The first answer is that there is none now."""

    def __init__(self, answer: Answer) -> None:
        error = answer.body["errors"][0]
        super().__init__(error["message"])
        status, extensions = STATUSES[error["extensions"]["code"]], error["extensions"]
        later = {} if status == 504 else {"retry-after": str(extensions.get("retryAfter", 1))}
        self.response = problem(status, error["message"], headers=later)


class EventStream:
    """The response to a live question, as an ASGI app. The request's body was read."""

    def __init__(self, live: Live, gateway: Gateway, question: Question) -> None:
        self._live = live
        self._gateway = gateway
        self._question = question
        self._sending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until there is nothing more to answer, or nobody who listens."""
        try:
            with self._live.connection(EVENT_STREAM) as seat:
                asked = self._question
                await self._live.admit(seat, self._gateway, asked.authorization, asked.address)
                await self._stream(seat, receive, send)
        except (TooMany, TooOften) as error:
            await error.response()(scope, receive, send)
        except _NotNow as refusal:
            await refusal.response(scope, receive, send)
        except ExemplarError as error:
            await problem_of(error)(scope, receive, send)

    async def _stream(self, seat: Seat, receive: Receive, send: Send) -> None:
        """Raises _NotNow where there is no stream to begin."""
        sending = asyncio.create_task(self._send_all(seat, send))
        gone = asyncio.create_task(self._until_gone(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and isinstance(failure := sending.exception(), _NotNow):
                raise failure
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)

    async def _send_all(self, seat: Seat, send: Send) -> None:
        begun = False
        answers: AsyncGenerator[Answer | None, None]
        async with aclosing(self._live.answers(self._gateway, self._question, seat)) as answers:
            async for answer in answers:
                if not begun:
                    _check_now(answer)
                    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                    begun = True
                await self._send(send, KEEP_ALIVE if answer is None else _next(answer))
                del answer  # nothing is kept of it while the next one is waited for
        await send({"type": "http.response.body", "body": COMPLETE})

    async def _send(self, send: Send, event: bytes) -> None:
        """Send an event; whoever does not take it in loses the connection meanwhile, and is noted as slow."""
        self._sending = True
        await send({"type": "http.response.body", "body": event, "more_body": True})
        self._sending = False

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if self._sending:
            self._live.metrics.dropped(SLOW)


def _check_now(answer: Answer | None) -> None:
    """Raises _NotNow if the same request may be answered later: after its status clients try again by themselves."""
    if answer is not None and answer.code in (*PASSING, NOT_YET):
        raise _NotNow(answer)


def _next(answer: Answer) -> bytes:
    return b"event: next\ndata: " + msgspec.json.encode(answer.body) + b"\n\n"

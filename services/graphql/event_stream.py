"""Live answers as server-sent events: the distinct connections mode of the protocol GraphQL over SSE.

Each answer is an event `next`; after the last one comes `complete`. What is wrong with the document is an answer too,
as the protocol wants it; what is wrong with the credential, or one connection too many, is told by the status.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from starlette.types import Receive, Scope, Send

from services.graphql.answering import Answer, Gateway, Question
from services.graphql.live import Live, TooMany
from services.graphql.metrics import EVENT_STREAM, SLOW
from services.kit.errors import ExemplarError
from services.kit.problems import problem_of

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in between is not to hold events back
    (b"vary", b"accept"),
)


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
            with self._live.connection(EVENT_STREAM):
                credential = await self._gateway.admit(self._question.authorization)
                with self._live.by(credential):
                    await self._stream(receive, send)
        except TooMany as error:
            await error.response()(scope, receive, send)
        except ExemplarError as error:
            await problem_of(error)(scope, receive, send)

    async def _stream(self, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send_all(send))
        gone = asyncio.create_task(self._until_gone(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        answers: AsyncGenerator[Answer | None, None]
        async with aclosing(self._live.answers(self._gateway, self._question)) as answers:
            async for answer in answers:
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


def _next(answer: Answer) -> bytes:
    return b"event: next\ndata: " + msgspec.json.encode(answer.body) + b"\n\n"

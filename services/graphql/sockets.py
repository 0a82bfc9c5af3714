"""Live answers over a WebSocket: the sub-protocol graphql-transport-ws, and no other.

A small machine of our own rather than the library's: that one authenticates once, masks no errors, and holds what a
client does not take in.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, NamedTuple

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.graphql.answering import Answer, Gateway, Question
from services.graphql.errors import LIMIT, UNAUTHENTICATED
from services.graphql.live import Live, Seat, TooMany
from services.graphql.metrics import LIMIT as LIMITED
from services.graphql.metrics import SLOW, WEBSOCKET
from services.graphql.sign_in import SignIn, address_of
from services.kit import strict_json
from services.kit.errors import ExemplarError, Malformed, Unauthenticated

PROTOCOL = "graphql-transport-ws"
MOST_REASON_BYTES = 123
GOING_AWAY, TRY_AGAIN_LATER = 1001, 1013
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_ACCEPTABLE = 4400, 4401, 4403, 4406
LAPSED = "Forbidden: the credential is not good any more"
INIT_TIMEOUT, SUBSCRIBER_EXISTS, TOO_MANY_INITS = 4408, 4409, 4429


class _End(Exception):
    """The connection is to be closed with a code, and a reason that is shown to the client."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Subscribe(NamedTuple):
    """What a client asks under an id."""

    id: str
    question: Question


class Sockets:
    """The endpoint `/graphql` for WebSockets."""

    def __init__(self, live: Live, gateway: Gateway, sign_in: SignIn) -> None:
        self._live = live
        self._gateway = gateway
        self._sign_in = sign_in

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one connection from its handshake to its end."""
        try:
            with self._live.connection(WEBSOCKET) as seat:
                if PROTOCOL in websocket.scope["subprotocols"]:
                    await websocket.accept(PROTOCOL)
                    added = self._sign_in.of_own_page(websocket)
                    await _Connection(websocket, self._live, self._gateway, added, seat).serve()
                else:
                    await websocket.accept()
                    await websocket.close(NOT_ACCEPTABLE, "Subprotocol not acceptable")
        except TooMany as error:
            await websocket.send_denial_response(error.response())


class _Connection:
    """One accepted connection. `authorization`: what the handshake said of who opened it, in a page of this server."""

    def __init__(
        self, websocket: WebSocket, live: Live, gateway: Gateway, authorization: str | None, seat: Seat
    ) -> None:
        self._websocket = websocket
        self._live = live
        self._gateway = gateway
        self._authorization = authorization
        self._initiated = False
        self._acknowledged = False
        self._closed = False
        self._sending = 0
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._closing: asyncio.Task[None] | None = None
        self._seat = seat
        seat.end, seat.lapse = self._drop, self._lapse
        self._address = address_of(websocket)

    async def serve(self) -> None:
        """Take messages until either side ends it."""
        waiting = asyncio.get_running_loop().call_later(self._live.limits.init_seconds, self._check_initiated)
        self._live.on_stop.add(self._stop)
        try:
            await self._take_messages()
        except _End as end:
            await self._close(end.code, end.reason)
        except WebSocketDisconnect:
            pass
        finally:
            waiting.cancel()
            self._live.on_stop.discard(self._stop)
            await self._end_operations()

    async def _take_messages(self) -> None:
        while True:
            received = await self._websocket.receive()
            if received["type"] == "websocket.disconnect":
                self._closed = True
                if self._sending:
                    self._live.metrics.dropped(SLOW)
                return
            await self._take(_parsed(received))

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._init(message)
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                self._complete(message)
            case _:
                raise _End(BAD_REQUEST, "Unknown message type")

    # ---- messages ----

    async def _init(self, message: dict[str, Any]) -> None:
        if self._initiated:
            raise _End(TOO_MANY_INITS, "Too many initialisation requests")
        self._initiated = True
        self._authorization = _authorization(message) or self._authorization
        try:
            await self._live.admit(self._seat, self._gateway, self._authorization, self._address)
        except Unauthenticated as error:
            raise _End(FORBIDDEN, f"Forbidden: {error}") from error
        except ExemplarError as error:
            raise _End(TRY_AGAIN_LATER, str(error)) from error
        self._acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if not self._acknowledged:
            raise _End(UNAUTHORIZED, "Unauthorized")
        asked = _subscription(message, self._authorization, self._address)
        if asked.id in self._operations:
            raise _End(SUBSCRIBER_EXISTS, f"Subscriber for {asked.id} already exists")
        most = self._live.limits.subscriptions
        if len(self._operations) >= most:
            self._live.metrics.dropped(LIMITED)
            error = {"message": f"a connection has at most {most} operations", "extensions": {"code": LIMIT}}
            await self._send({"id": asked.id, "type": "error", "payload": [error]})
            return
        self._operations[asked.id] = asyncio.create_task(self._operate(asked))

    def _complete(self, message: dict[str, Any]) -> None:
        if task := self._operations.pop(_id(message), None):
            task.cancel()

    # ---- operations ----

    async def _operate(self, asked: _Subscribe) -> None:
        """Answer under the id of the operation, until it ends or the client completes it."""
        try:
            last = await self._answer(asked)
        except _End as end:
            await self._close(end.code, end.reason)
            return
        except WebSocketDisconnect:
            return
        finally:
            if self._operations.get(asked.id) is asyncio.current_task():
                del self._operations[asked.id]  # the id may be used again once the client knows of the end
        with suppress(WebSocketDisconnect):
            await self._send(last)

    async def _answer(self, asked: _Subscribe) -> dict[str, Any]:
        """Send what there is to answer; the message that ends it."""
        answers: AsyncGenerator[Answer | None, None]
        async with aclosing(self._live.answers(self._gateway, asked.question)) as answers:
            async for answer in answers:
                if answer is None:
                    continue
                if answer.code == UNAUTHENTICATED:
                    raise _End(FORBIDDEN, LAPSED)
                if "data" not in answer.body:
                    return {"id": asked.id, "type": "error", "payload": answer.body["errors"]}
                await self._send({"id": asked.id, "type": "next", "payload": answer.body})
                del answer  # nothing is kept of it while the next one is waited for
        return {"id": asked.id, "type": "complete"}

    async def _end_operations(self) -> None:
        tasks = list(self._operations.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ---- what is sent ----

    async def _send(self, message: dict[str, Any]) -> None:
        """Send a message; whoever does not take it in loses the connection meanwhile. Raises WebSocketDisconnect."""
        if self._closed:
            return
        self._sending += 1
        try:
            await self._websocket.send_text(msgspec.json.encode(message).decode())
        finally:
            self._sending -= 1

    async def _close(self, code: int, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        with suppress(WebSocketDisconnect, RuntimeError):  # the client was faster
            await self._websocket.close(code, reason.encode()[:MOST_REASON_BYTES].decode(errors="ignore"))

    def _close_soon(self, code: int, reason: str) -> None:
        self._closing = asyncio.get_running_loop().create_task(self._close(code, reason))

    def _check_initiated(self) -> None:
        if not self._initiated:
            self._close_soon(INIT_TIMEOUT, "Connection initialisation timeout")

    def _drop(self) -> None:
        self._close_soon(TRY_AGAIN_LATER, "Too many connections that nobody has initialised")

    def _lapse(self) -> None:
        """The client hears the reason by the close, once: after an `error` it would not ask again when it is back."""
        if not self._closed:
            self._live.metrics.dropped(UNAUTHENTICATED.lower())
            self._closing = asyncio.get_running_loop().create_task(self._forbid())

    async def _forbid(self) -> None:
        await self._end_operations()
        await self._close(FORBIDDEN, LAPSED)

    def _stop(self) -> None:
        self._close_soon(GOING_AWAY, "The server stops")


def _parsed(received: Any) -> dict[str, Any]:
    """The message in a frame. Raises _End."""
    text = received.get("text")
    if text is None:
        raise _End(BAD_REQUEST, "A message is text")
    try:
        message = strict_json.parse(text.encode())
    except Malformed as error:
        raise _End(BAD_REQUEST, f"The message is {error}") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _End(BAD_REQUEST, "A message is an object with a `type`")
    return message


def _authorization(message: dict[str, Any]) -> str | None:
    """The credential that a connection is opened with, as the header Authorization would have it. Raises _End.

    It comes in a message, which no page can have a browser send in somebody's name: so any Origin may connect. Without
    it the handshake counts, where the dashboard's cookie is heeded from a page of this server only (`SignIn`).
    """
    payload = message.get("payload")
    authorization = payload.get("authorization") if isinstance(payload, dict) else None
    if not isinstance(payload, dict | None) or not isinstance(authorization, str | None):
        raise _End(BAD_REQUEST, "The payload is an object, and its `authorization` a string")
    return authorization


def _id(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise _End(BAD_REQUEST, "The `id` is a string that is not empty")
    return id_


def _subscription(message: dict[str, Any], authorization: str | None, address: str | None) -> _Subscribe:
    """What is asked. Raises _End."""
    id_, payload = _id(message), message.get("payload")
    if not isinstance(payload, dict):
        raise _End(BAD_REQUEST, "The payload is an object")
    query, variables, name = payload.get("query"), payload.get("variables"), payload.get("operationName")
    document_id = payload.get("documentId")
    if not isinstance(query or document_id, str) or (query is None) == (document_id is None):
        raise _End(BAD_REQUEST, "There is a `query`, or the `documentId` of a trusted document, as a string")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        raise _End(BAD_REQUEST, "`variables` is an object, `operationName` a string")
    question = Question(query, variables, name or None, authorization, document_id=document_id, address=address)
    return _Subscribe(id_, question)

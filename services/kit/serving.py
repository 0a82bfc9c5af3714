"""HTTP serving that a slow or hostile client cannot hold up, and the routes that every service has.

uvicorn bounds neither the time nor the size of a request's headers, nor the time of its body: `BoundedProtocol` does.
"""

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from services.kit.errors import ExemplarError
from services.kit.gathering import Gathering
from services.kit.problems import MEDIA_TYPE, body_of, install, problem, problem_of

MOST_HEADER_BYTES = 64 * 1024
MOST_AHEAD = 16  # requests that a connection may send before the one ahead of them is answered
_LINGER_SECONDS = 1.0
_DROPPING = struct.pack("ii", 1, 0)
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class _Impatient(asyncio.Protocol):
    """A connection that is lost for who does not take in what is written to it, within `answer_seconds`."""

    answer_seconds = 30.0
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _stuck: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_waiting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take in what is written to it: it has to before long."""
        super().pause_writing()
        self._stop_waiting()
        self._stuck = self.loop.call_later(self.answer_seconds, self._cut_off)

    def resume_writing(self) -> None:
        """It did."""
        self._stop_waiting()
        super().resume_writing()

    def _stop_waiting(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _cut_off(self) -> None:
        """Close at once, so that the system too drops what it still holds for the client."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROPPING)
        self.transport.abort()


class BoundedProtocol(_Impatient, HttpToolsProtocol):
    """A request's headers and body must arrive within `request_seconds`, its headers within 64 KiB.

    What does not is answered 408 or 431, if no answer has begun, and the connection is closed. Content-Length together
    with Transfer-Encoding, which two servers could read as two different requests, is 400, and so is a WebSocket that
    begins otherwise than by a GET without a body. Who sends more than 16 requests ahead, or does not take an answer in
    within `answer_seconds`, loses the connection. Make one for uvicorn's `http` argument by `bounded_protocol`.
    """

    request_seconds = 10.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._arriving = False
        self._in_headers = True
        self._header_bytes = 0
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Start the clock: a connection that never asks anything is closed too."""
        super().connection_made(Gathering(transport, self.loop))  # type: ignore[arg-type]  # all that one is needed for
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the headers are complete."""
        if self._refused:
            return
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_headers and self._header_bytes > MOST_HEADER_BYTES:
            self._refuse(431)
        elif self._deadline is None and (self._arriving or self._is_unwatched()) and not self._refused:
            self._start_clock()

    def on_message_begin(self) -> None:
        """The first bytes of a request: what does not come with them must arrive in time."""
        super().on_message_begin()
        self._in_headers = self._arriving = True

    def on_headers_complete(self) -> None:
        """The headers are here: look at how the body is framed."""
        if self._refused:
            return
        names = {name for name, _ in self.headers}
        upgraded = self.parser.should_upgrade() and self._should_upgrade()
        framings = names & {b"transfer-encoding", b"content-length"}
        if len(framings) > 1 or (upgraded and (framings or self.parser.get_method() != b"GET")):
            self._refuse(400)
            return
        self._in_headers = False
        self._header_bytes = 0
        if upgraded:
            self._arriving = False
            self._stop_clock()
        super().on_headers_complete()
        if len(self.pipeline) > MOST_AHEAD:
            self._refuse(429)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._under_way = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """Go on as a WebSocket, unless the request was refused."""
        if not self._refused:
            super().handle_websocket_upgrade()

    def on_body(self, body: bytes) -> None:
        """A part of the body, unless the request was refused."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here in full."""
        self._arriving = False
        self._stop_clock()
        self._in_headers = True
        if not self._refused:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP at all is refused as a problem, too."""
        self._refuse(400)

    def _start_clock(self) -> None:
        self._stop_clock()
        self._deadline = self.loop.call_later(self.request_seconds, self._too_slow)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._refuse(408)

    def _is_unwatched(self) -> bool:
        """Whether nothing is under way and no clock runs: any byte, such as an empty line, stops uvicorn's own."""
        return not self._is_answering() and self.timeout_keep_alive_task is None and not self.transport.is_closing()

    def _is_answering(self) -> bool:
        """Whether a request of this connection has come to the app and is not answered yet.

        Before the first one there is none; uvicorn's own type says there always was.
        """
        return bool(self.cycle) and not self.cycle.response_complete

    def _refuse(self, status: int) -> None:
        """Answer, if it has no answer yet, and close the connection.

        Where another request is still being answered, that is all. Else it is closed for writing at once, and for
        reading a second later: closing while bytes come in would reset it, and the client might never see the answer.
        """
        self._stop_clock()
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self._is_answering() and (self._in_headers or self.pipeline):
            self.pipeline.clear()
            self.cycle = self._under_way
            self.cycle.keep_alive = False
            return
        cycle = self.cycle
        answering = self._is_answering()
        if self._in_headers or (answering and cycle.more_body and not cycle.response_started):
            self.transport.write(_refusal(status))
        if answering:
            cycle.disconnected = True
            cycle.message_event.set()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)


def _refusal(status: int) -> bytes:
    """An answer, as it goes over the line, after which the connection is closed."""
    body = body_of(status)
    headers = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return STATUS_LINE[status] + headers.encode() + body


def bounded_protocol(request_seconds: float, answer_seconds: float = 30.0) -> type[HttpToolsProtocol]:
    """The protocol class for `uvicorn.Config(http=…)`, with these bounds in seconds."""
    bounds = {"request_seconds": request_seconds, "answer_seconds": answer_seconds}
    return type("BoundedProtocol", (BoundedProtocol,), bounds)


class BoundedWebSocket(_Impatient, WebSocketsSansIOProtocol):
    """A WebSocket of which the client has to take in what is sent. Make one for `ws` by `bounded_websocket`.

    What asks for one and is no handshake, with too many headers for instance, is answered 400; uvicorn says nothing.
    """

    def data_received(self, data: bytes) -> None:
        """The request first, whole; then what is sent on the WebSocket."""
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(_refusal(400))
            self.transport.close()

    def shutdown(self) -> None:
        """The server stops."""
        if self.handshake_initiated:
            super().shutdown()
        else:
            self.transport.close()


def bounded_websocket(answer_seconds: float) -> type[WebSocketsSansIOProtocol]:
    """The protocol class for `uvicorn.Config(ws=…)`, with this bound in seconds."""
    return type("BoundedWebSocket", (BoundedWebSocket,), {"answer_seconds": answer_seconds})


class LoopbackOnly:
    """ASGI middleware of a server that is open to whoever reaches it: against web pages that reach for localhost.

    While `is_open()`: another Host than localhost, 127.0.0.1 or [::1] is answered 421 (a name that was made to point
    here), and an Origin other than the server's own 403 (a foreign page's script). WebSockets alike.
    """

    def __init__(self, app: ASGIApp, is_open: Callable[[], Awaitable[bool]]) -> None:
        self._app = app
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] not in ("http", "websocket") or not await self._is_open():
            await self._app(scope, receive, send)
            return
        refusal = _foreign(scope["headers"])
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)


def _foreign(headers: Sequence[tuple[bytes, bytes]]) -> Response | None:
    """The refusal of a request by its Host and Origin, None if both are the server's own."""
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    own = _host_and_port(f"http://{hosts[0]}") if len(hosts) == 1 else None
    if own is None or own[0] not in LOOPBACK_NAMES:
        return problem(421, "open without credentials, this server answers for localhost, 127.0.0.1 and [::1] only")
    for name, value in headers:
        if name == b"origin":
            origin = _host_and_port(value.decode("latin-1"))
            if origin is None or origin[0] not in LOOPBACK_NAMES or origin[1] != own[1]:
                return problem(403, "a page of another origin may not use a server that is open without credentials")
    return None


def _host_and_port(url: str) -> tuple[str, int] | None:
    """The host, an IPv6 one in brackets, and the port of a URL that is nothing but an origin."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    host = parts.netloc.lower().removesuffix(f":{parts.port}") if parts.port is not None else parts.netloc.lower()
    return (host, port) if not (parts.path or parts.query or parts.fragment) else None


def accepts_gzip(request: Request) -> bool:
    """Whether whoever asks takes an answer that is gzipped: they name it, and not with a weight of 0."""
    for one in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = one.replace(" ", "").partition(";")
        if coding == "gzip":
            return re.fullmatch(r"q=0(\.0*)?", weight) is None
    return False


def make_app(routes: Sequence[BaseRoute] = (), lifespan: Callable[[Any], Any] | None = None) -> FastAPI:
    """An app with these routes, which answers its own errors as problems.

    FastAPI's own documentation pages load from a CDN; what it would say of plain routes, the catalogue says. Its
    telemetry would look for somebody who wants it at each request.
    """
    app = FastAPI(
        title="Exemplar",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.router.routes.extend(routes)
    install(app)
    return app


def operations(ready: Callable[[], None], registry: CollectorRegistry) -> list[Route]:
    """`/livez` (the process answers), `/readyz` and `/metrics`.

    `ready` raises one of our errors, whose message says what is missing, while the service cannot do its work; it is
    called in a thread. `registry` gets the metrics of the process: memory, processor time, open files, and readiness.
    """
    ProcessCollector(registry=registry)
    registry.register(_Readiness(ready))
    return [
        Route("/livez", _alive),
        Route("/readyz", partial(_ready, ready)),
        Route("/metrics", partial(_metrics, registry)),
    ]


class _Readiness(Collector):
    """Whether the service can do its work, asked whenever it is scraped; meanwhile other metrics may stand still."""

    def __init__(self, ready: Callable[[], None]) -> None:
        self._ready = ready

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        try:
            self._ready()
            value = 1.0
        except ExemplarError:
            value = 0.0
        yield GaugeMetricFamily("exemplar_ready", "1 if /readyz answers 200", value)


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _ready(ready: Callable[[], None], _request: Request) -> Response:
    try:
        await asyncio.to_thread(ready)
    except ExemplarError as error:
        answer = problem_of(error)
        return answer if answer.status_code == 503 else problem(503, str(error))
    return PlainTextResponse("ready\n")


async def _metrics(registry: CollectorRegistry, _request: Request) -> Response:
    page = await asyncio.to_thread(generate_latest, registry)  # a collector may ask the database
    return Response(page, media_type=CONTENT_TYPE_LATEST)

"""Running an ASGI app as a process: it says when it is ready, and ends with exit code 0 when it is told to stop."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import structlog
import uvicorn
from starlette.applications import Starlette

from services.kit import collector
from services.kit.errors import Misconfigured
from services.kit.serving import bounded_protocol, bounded_websocket

LOOPBACK = ("127.0.0.1", "::1", "localhost")
STOP_SECONDS = 8
THREADS = 16  # for what blocks, mostly reads; Python's own choice on 2 cores is 6, which six slow reads would take
GIVE_UP_SECONDS = 9.5
_log = structlog.get_logger(__name__)


class Bounds(NamedTuple):
    """What clients may take: seconds for a request's headers and body to arrive, and for an answer to be taken in.

    Bytes of a message on a WebSocket, and the seconds after which a quiet one is asked whether it is still there.
    """

    request_seconds: float = 10.0
    answer_seconds: float = 30.0
    message_bytes: int = 64 * 1024
    keep_alive_seconds: float = 15.0


def serve(app: Starlette, listening: socket.socket, url: str, bounds: Bounds) -> None:
    """Answer requests until SIGTERM or SIGINT; then finish what was taken and return.

    Where the app has streams without end, `app.state.on_stop` ends them. Prints `ready on URL` once it answers.
    """
    config = uvicorn.Config(
        app,
        http=bounded_protocol(bounds.request_seconds, bounds.answer_seconds),
        ws=bounded_websocket(bounds.answer_seconds),
        ws_max_size=bounds.message_bytes,
        ws_ping_interval=bounds.keep_alive_seconds,
        ws_ping_timeout=bounds.answer_seconds,
        ws_per_message_deflate=False,  # it costs memory for each connection, and helps who sends a bomb
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here asks who the client is
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    collector.spare()  # to look at new objects so often took a quarter of the time of a heat map
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_Server(config, url, getattr(app.state, "on_stop", _nothing)).run(listening))


def _nothing() -> None:
    """What is to be done before a server without streams stops."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on the host."""
    return host in LOOPBACK


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """A socket on a host and port (0: any free one), and its URL. Raises Misconfigured if the port is taken."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=2048)
        # What is accepted inherits it. Without it each answer waits 40 ms for the acknowledgement of its headers.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except socket.gaierror as error:
        raise Misconfigured(f"EXEMPLAR_HOST: {host} is not an address of this machine") from error
    except OSError as error:
        taken = f"EXEMPLAR_PORT: {host}:{port} cannot be listened on ({error.strerror})"
        raise Misconfigured(f"{taken}: choose another port, or 0 for any free one") from error
    name = f"[{host}]" if family == socket.AF_INET6 else host
    return listening, f"http://{name}:{listening.getsockname()[1]}"


class _Server(uvicorn.Server):
    """A server that says when it is ready, and ends with exit code 0 when it is told to stop."""

    def __init__(self, config: uvicorn.Config, url: str, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._url = url
        self._on_stop = on_stop

    async def run(self, listening: socket.socket) -> None:  # type: ignore[override]  # uvicorn's own starts a loop
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, "worker"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        await self._serve([listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"ready on {self._url}", file=sys.stderr, flush=True)  # noqa: T201  # a promise of the CLI

    def _stop(self) -> None:
        if not self.should_exit:
            giving_up = threading.Timer(GIVE_UP_SECONDS, _give_up)
            giving_up.daemon = True
            giving_up.start()
            self._on_stop()
        self.should_exit = True


def _give_up() -> None:
    """End at once: what is still under way was never acknowledged, and is done again at the next start."""
    _log.warning("stopped before everything was let go: a database did not answer in time")
    os._exit(0)

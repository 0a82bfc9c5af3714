"""Clients that hold connections and give or take nothing do not keep others from being served."""

import json
import resource
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.journeys.production import Site, contact, made_site
from tests.serving import STRUCTURED, Server, serving

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
IDLE, SLOW, DEAF = 1_000, 200, 50
FILES = 4_096  # that this process and the server may have open
HEAD = f"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: {STRUCTURED}\r\n"
ASKING = b"GET /asyncapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let processes have as many connections as this test makes; a server started meanwhile may, too."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before, FILES), most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@pytest.fixture
def site(many_files: None, kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site of its own."""
    with made_site(kafka_bootstrap, postgres_url, tmp_path / "data") as made:
        yield made


class Crowd:
    """Connections to a server, each with what it said first."""

    def __init__(self, server: Server) -> None:
        address = urlsplit(server.url)
        self._address = (address.hostname, address.port)
        self._stack = ExitStack()
        self._trickling: list[socket.socket] = []
        self._over = threading.Event()

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._stack.close()

    def connect(self, number: int, said: bytes = b"") -> list[socket.socket]:
        """So many connections more, which have said this and do not read."""
        made = [self._stack.enter_context(socket.create_connection(self._address, 30)) for _ in range(number)]
        for connection in made:
            if said:
                connection.sendall(said)
        return made

    def trickle(self, connections: list[socket.socket], byte: bytes) -> None:
        """Say one byte more on each, ten times a second, until the crowd goes or the server has had enough."""

        def say() -> None:
            while not self._over.wait(0.1):
                for connection in connections:
                    with suppress(OSError):
                        connection.sendall(byte)

        thread = threading.Thread(target=say)
        self._stack.callback(thread.join)
        thread.start()


@contextmanager
def crowded(server: Server) -> Iterator[None]:
    """Idle connections, slow heads, slow bodies, and clients that ask and do not read, all at the same time."""
    with Crowd(server) as crowd:
        crowd.connect(IDLE)
        crowd.trickle(crowd.connect(SLOW // 2, HEAD.encode()[:-2] + b"\r\nX-Slow: "), b"x")
        crowd.trickle(crowd.connect(SLOW // 2, f"{HEAD}Content-Length: 100000\r\n\r\n".encode()), b" ")
        crowd.connect(DEAF, ASKING)
        yield


def test_a_crowd_of_bad_clients_keeps_no_good_one_waiting(site: Site) -> None:
    """Every post of those who behave is acknowledged, over new connections too, and the service stays ready."""
    with serving(site.folder, command="events", **site.settings) as events, ThreadPoolExecutor(4) as good:

        def post(number: int) -> int:
            body = json.dumps(contact(number)).encode()
            headers = {"authorization": f"Bearer {site.key}", "content_type": STRUCTURED}
            return events.ask("POST", "/v1/events", body, **headers).status

        assert post(0) == 202
        with crowded(events):
            assert set(good.map(post, range(1, 201))) == {202}
            assert events.ask("GET", "/readyz").status == 200
        assert set(good.map(post, range(200, 221))) == {202}
        assert events.stop() == 0

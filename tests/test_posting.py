"""The ways from the dashboard to the events service: what they ask, and what is said where no answer comes."""

import asyncio
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from services.graphql.dashboard.posting import Reply
from services.kit.errors import Misconfigured, Unavailable
from services.parts.posting import OverHttp


class _Events(BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_POST(self) -> None:
        """Answer with the path, the credential and the event."""
        event = self.rfile.read(int(self.headers["content-length"]))
        said = f"{self.path} {self.headers['content-type']} {self.headers['authorization']} ".encode() + event
        self.send_response(202)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_said: object) -> None:
        """Say nothing of it."""


@pytest.fixture
def address() -> Iterator[str]:
    """Where an events service is, below a path."""
    with HTTPServer(("127.0.0.1", 0), _Events) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/below/"
        server.shutdown()
        thread.join()


def post(url: str, authorization: str | None = "Bearer rik", within: float = 60.0) -> Reply:
    """Post an event there."""
    return asyncio.run(OverHttp(url, within).post(b"{}", authorization))


def test_an_event_is_posted_with_the_credential_it_came_with(address: str) -> None:
    """As structured JSON, at `/v1/events` below the address; without a credential none is added."""
    said = b"/below/v1/events application/cloudevents+json Bearer rik {}"
    assert post(address) == Reply(202, said)
    assert b" None " in post(address, None).body


def test_where_nobody_listens_the_service_is_away() -> None:
    """A closed port is said at once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable):
            post(f"http://127.0.0.1:{taken.getsockname()[1]}")


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever() -> None:
    """Who takes the connection and says nothing is away too."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unavailable):
        post(f"http://127.0.0.1:{silent.getsockname()[1]}", within=0.2)


@pytest.mark.parametrize("url", ["events:8000", "ftp://events", "http://", "http://a:b@events", "http://events:port"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """The setting is named."""
    with pytest.raises(Misconfigured, match="EXEMPLAR_EVENTS_URL"):
        OverHttp(url)

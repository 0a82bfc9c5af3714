"""The ingress on a real socket: slow, broken and smuggling clients, and the official CloudEvents SDK as a good one."""

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from services.kit import instants
from services.kit.serving import bounded_protocol
from tests.events.ingress.parts import Parts, event

SECONDS = 1.0
PATIENCE = 60.0


@dataclass
class Server:
    """An ingress that answers on a port of localhost."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/events"

    def talk(self, *parts: bytes) -> bytes:
        """Send these bytes as they are; give all that comes until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            for part in parts:
                connection.sendall(part)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
            return received


@pytest.fixture
def server(parts: Parts) -> Iterator[Server]:
    """An open ingress that waits for a request for longer than any test takes to send one."""
    with _serving(parts, PATIENCE) as made:
        yield made


@pytest.fixture
def impatient(parts: Parts) -> Iterator[Server]:
    """An open ingress whose requests must arrive within a second."""
    with _serving(parts, SECONDS) as made:
        yield made


@contextmanager
def _serving(parts: Parts, seconds: float) -> Iterator[Server]:
    app = parts.app()
    config = uvicorn.Config(
        app, "127.0.0.1", 0, http=bounded_protocol(seconds, seconds), log_config=None, timeout_keep_alive=60, ws="none"
    )
    running = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)  # the system keeps no more of an answer
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Server(listening.getsockname()[1])
    finally:
        running.should_exit = True
        thread.join(PATIENCE)
        listening.close()


def head(*lines: str) -> bytes:
    """The head of a post."""
    return "\r\n".join(["POST /v1/events HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


BODY = json.dumps(event()).encode()
STRUCTURED = "Content-Type: application/cloudevents+json"


def test_a_good_request_is_answered_byte_by_byte(server: Server, parts: Parts) -> None:
    """However the bytes are cut, chunked or not, the request is the same."""
    request = head(STRUCTURED, "Transfer-Encoding: chunked", "Connection: close")
    request += f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n"
    answer = server.talk(*(request[i : i + 1] for i in range(len(request))))
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert len(parts.records()) == 1


@pytest.mark.parametrize(
    "sent", [b"", b"POST /v1/ev", head(STRUCTURED)[:-2], head(STRUCTURED, f"Content-Length: {len(BODY)}") + BODY[:-1]]
)
def test_a_request_that_does_not_arrive_in_time_is_408(impatient: Server, parts: Parts, sent: bytes) -> None:
    """Nothing, half a head, half a body: answered 408 and closed when the time is over."""
    started = time.monotonic()
    answer = impatient.talk(sent)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:exemplar:problem:too-slow" in answer
    assert SECONDS * 0.9 < time.monotonic() - started < SECONDS + 3
    assert parts.records() == []


@pytest.mark.parametrize("begun", [b"POST /v1/ev", head(STRUCTURED, "Content-Length: 10") + b" "])
def test_a_second_request_that_does_not_arrive_in_time_is_408(impatient: Server, begun: bytes) -> None:
    """What begins in the same bytes that end the request before it has its own time."""
    started = time.monotonic()
    answer = impatient.talk(head(STRUCTURED, f"Content-Length: {len(BODY)}") + BODY + begun)
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert answer.count(b"HTTP/1.1 ") == 2
    assert b"urn:exemplar:problem:too-slow" in answer
    assert SECONDS * 0.9 < time.monotonic() - started < SECONDS + 3


def test_an_empty_line_after_an_answer_keeps_no_connection(impatient: Server) -> None:
    """Whoever sends nothing but an empty line after an answer has no longer than for a request."""
    with socket.create_connection(("127.0.0.1", impatient.port), PATIENCE) as connection:
        connection.sendall(head(STRUCTURED, f"Content-Length: {len(BODY)}") + BODY)
        assert connection.recv(65536).startswith(b"HTTP/1.1 202 ")
        connection.sendall(b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert connection.recv(65536) == b""


def test_few_requests_are_taken_ahead(server: Server) -> None:
    """Of what is sent ahead of its turn 16 requests are kept; whoever sends more gets one answer, and is cut off."""
    one = head(STRUCTURED, f"Content-Length: {len(BODY)}") + BODY
    last = head(STRUCTURED, "Connection: close", f"Content-Length: {len(BODY)}") + BODY
    assert server.talk(one * 16 + last).count(b"HTTP/1.1 202 ") == 17
    assert server.talk(one * 17 + last).count(b"HTTP/1.1 202 ") == 1


def test_a_body_that_trickles_is_408(impatient: Server) -> None:
    """The bound is on the whole request, however often a byte comes."""
    with socket.create_connection(("127.0.0.1", impatient.port), PATIENCE) as connection:
        connection.sendall(head(STRUCTURED, "Content-Length: 1000"))
        connection.settimeout(0.05)
        answer = b""
        while not answer:
            try:
                answer = connection.recv(65536)
            except TimeoutError:
                connection.sendall(b" ")
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "framing",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: -5",),
        ("Content-Length: x",),
        ("Transfer-Encoding: nonsense",),
    ],
)
def test_a_body_framed_two_ways_is_400(server: Server, parts: Parts, framing: tuple[str, ...]) -> None:
    """What two servers could read as different requests is refused, and the connection closed."""
    answer = server.talk(head(STRUCTURED, *framing), b"0\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert parts.records() == []


def test_headers_without_end_are_431(server: Server) -> None:
    """More than 64 KiB of headers is refused at once."""
    answer = server.talk(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70_000)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_body_announced_too_large_is_413_at_once(impatient: Server) -> None:
    """The answer comes before the body does; the connection is closed when its time is over."""
    with socket.create_connection(("127.0.0.1", impatient.port), PATIENCE) as connection:
        connection.sendall(head(STRUCTURED, "Content-Length: 1000000000"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")  # else, when its time is over, 408
        assert connection.recv(65536) == b""


def test_two_requests_on_one_connection_are_both_answered(server: Server, parts: Parts) -> None:
    """Keep-alive and pipelining work as ever."""
    first = head(STRUCTURED, f"Content-Length: {len(BODY)}") + BODY
    other = json.dumps(event(id="2")).encode()
    second = head(STRUCTURED, f"Content-Length: {len(other)}", "Connection: close") + other
    answer = server.talk(first + second)
    assert answer.count(b"HTTP/1.1 202 ") == 2
    assert len(parts.records()) == 2


def test_who_takes_no_answer_in_loses_the_connection(impatient: Server) -> None:
    """Answers that nobody reads are not kept for ever: the connection is cut when their time is over."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", impatient.port))
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 17)
        cut = select.poll()
        cut.register(connection, 0)  # neither to read nor to write, only to hear of its end
        assert cut.poll(1000 * PATIENCE)


def test_the_official_sdk_posts_structured_and_binary(server: Server, parts: Parts) -> None:
    """An event of the CloudEvents Python SDK is taken in either mode, as one and the same act."""
    attributes = {name: value for name, value in event(subject="café 100% “x”").items() if name != "data"}
    attributes["time"] = instants.to_datetime(instants.parse_rfc3339("2026-03-01T09:30:00Z"))
    attributes["datacontenttype"] = "application/json"
    made = CloudEvent(attributes, event()["data"])
    duplicates = []
    for convert in (to_structured, to_binary):
        message = convert(made, JSONFormat())
        answer = httpx.post(server.url, headers=message.headers, content=message.body)
        assert answer.status_code == 202, answer.text
        duplicates.append(answer.json()["receipts"][0]["duplicate"])
    assert duplicates == [False, True]
    assert parts.acts()[0].subject == "café 100% “x”"

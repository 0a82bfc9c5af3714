"""Clients of live answers for tests: an event stream and a WebSocket, which wait for what comes, never for time."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

WAIT_SECONDS = 30
PROTOCOL = "graphql-transport-ws"
WATCH = "subscription ($team: String!) { scorecardChanged(team: $team) { key name } }"
SCORE = """subscription { scorecardChanged(team: "north") {
  scorecard(period: {from: "2026-01-01", to: "2026-12-31"}) { score(principle: NO_PRESSURE) { breached } } } }"""


def breached(body: Mapping[str, Any]) -> int:
    """What an answer to SCORE says."""
    found: int = body["data"]["scorecardChanged"]["scorecard"]["score"]["breached"]
    return found


LARGE = (
    'subscription { scorecardChanged(team: "north") { members { person { '
    + " ".join(
        f'c{n}: scorecard(period: {{from: "2026-01-01", to: "2026-12-31"}}) {{ scores {{ principle {{ description }}'
        " trend(by: DAY) { start kept breached } } }"
        for n in range(3)
    )
    + " } } } }"
)
"""An answer to it is more than a megabyte."""


class Events:
    """An event stream that is being read."""

    def __init__(self, response: HTTPResponse) -> None:
        self.response = response

    def next(self) -> tuple[str, Any]:
        """The next event: its name and its data, as JSON where there is any. A comment is the event `:`."""
        name, data = "", ""
        while line := self.response.readline().decode().rstrip("\n"):
            field, _, value = line.partition(":")
            name = value.strip() if field == "event" else name
            data = value.strip() if field == "data" else data
            if not field:
                name = ":"
        return name, json.loads(data) if data else None

    def following(self) -> Any:
        """The next answer; comments are passed over."""
        name, body = self.next()
        while name == ":":
            name, body = self.next()
        assert name == "next"
        return body


@contextmanager
def event_stream(url: str, query: str, variables: Any = None, **headers: str) -> Iterator[Events]:
    """Ask by POST for an event stream."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=WAIT_SECONDS)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        body = json.dumps({"query": query, "variables": variables})
        accept = {"accept": "text/event-stream", "content-type": "application/json"}
        connection.request("POST", "/graphql", body, accept | named)
        yield Events(connection.getresponse())
    finally:
        connection.close()


def narrow_socket(url: str) -> socket.socket:
    """A connection with little room at this end for what comes."""
    address = urlsplit(url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((address.hostname, address.port))
    return made


def unread_stream(url: str, query: str) -> socket.socket:
    """Ask for an event stream and read nothing of it."""
    address, body, asking = urlsplit(url), json.dumps({"query": query}), narrow_socket(url)
    headers = ("accept: text/event-stream", "content-type: application/json", f"content-length: {len(body)}")
    asking.sendall("\r\n".join(("POST /graphql HTTP/1.1", f"host: {address.netloc}", *headers, "", body)).encode())
    return asking


class Socket:
    """A WebSocket at `/graphql`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, type_: str, **members: Any) -> None:
        """Send a message."""
        self.connection.send(json.dumps({"type": type_, **members}))

    def begin(self, authorization: str | None = None) -> None:
        """Open it, with a credential or without, and wait until it is acknowledged."""
        self.send("connection_init", **({"payload": {"authorization": authorization}} if authorization else {}))
        assert self.next() == {"type": "connection_ack"}

    def ask(self, id_: str, query: str, variables: Any = None) -> None:
        """Ask something under an id."""
        self.send("subscribe", id=id_, payload={"query": query, "variables": variables})

    def next(self) -> Any:
        """The next message."""
        return json.loads(self.connection.recv(WAIT_SECONDS))

    def end(self) -> tuple[int, str]:
        """Wait until the server closes it: the code and the reason."""
        with suppress(ConnectionClosed):
            while True:
                self.connection.recv(WAIT_SECONDS)
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


@contextmanager
def web_socket(url: str, protocol: str = PROTOCOL, **options: Any) -> Iterator[Socket]:
    """Connect; the handshake must succeed."""
    address = url.replace("http://", "ws://") + "/graphql"
    with connect(address, subprotocols=[Subprotocol(protocol)], open_timeout=WAIT_SECONDS, **options) as connection:
        yield Socket(connection)

"""A real HTTP server that gives the answers it was told to, one after the other, and keeps what it was sent."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What to answer a request; no status: break the connection off."""

    status: int | None
    body: object = None
    headers: tuple[tuple[str, str], ...] = ()


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    events: list[dict[str, Any]]
    client: tuple[str, int]


@dataclass
class ScriptedIngress:
    """`answers` are used up; after them each batch is taken in, with a receipt for every event."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def ids(self) -> list[list[str]]:
        """The ids of the events of each request."""
        return [[event["id"] for event in request.events] for request in self.requests]


def taken(count: int, duplicate: bool = False) -> Answer:
    """The answer to a batch that is in the log."""
    receipt = {"source": "s", "id": "i", "partition": 0, "offset": 0, "duplicate": duplicate}
    return Answer(202, {"receipts": [receipt] * count, "position": "0:0"})


@contextmanager
def scripted_ingress(*answers: Answer) -> Iterator[ScriptedIngress]:
    """Serve on a free port of the loopback address."""
    script = ScriptedIngress(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.requests.append(Request(self.path, dict(self.headers), events, self.client_address))
            answer = script.answers.pop(0) if script.answers else taken(len(events))
            self.close_connection = answer.status is None
            if answer.status is None:
                return
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in (*answer.headers, ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

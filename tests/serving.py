"""A real `exemplar serve` for tests: its own process on its own folder, and a plain HTTP client to ask it."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import IO, Any
from urllib.parse import urlsplit

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
FOLDED_SECONDS = 90.0  # for the fold to come to a position: after a kill, a group's session and a new start lie before
ENDED_SECONDS = 60.0  # for a process to end that was told to; it gives up by itself long before


@dataclass(frozen=True)
class Answer:
    """A status, the headers in lower case, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Server:
    """A running server."""

    process: "subprocess.Popen[str]"
    url: str
    folder: Path

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own; `content_type="…"` is the header Content-Type, and so on."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Answer(response.status, {n.lower(): v for n, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def post(self, *events: Mapping[str, Any], **headers: str) -> Answer:
        """Post events: one in structured mode, several as a batch."""
        many = len(events) != 1
        body = json.dumps(list(events) if many else events[0]).encode()
        return self.ask("POST", "/v1/events", body, content_type=BATCH if many else STRUCTURED, **headers)

    def query(self, document: str, wait_for: str = "", **headers: str) -> Any:
        """The answer to a GraphQL document, as JSON; `wait_for` is a position to wait for.

        Where the server has waited for it in vain it is asked again, for FOLDED_SECONDS in all.
        """
        if wait_for:
            headers["exemplar_wait_for"] = wait_for
        body = json.dumps({"query": document}).encode()
        end = time.monotonic() + FOLDED_SECONDS
        while True:
            answer = self.ask("POST", "/graphql", body, content_type="application/json", **headers).json()
            if not _is_not_yet(answer) or time.monotonic() > end:
                return answer

    def stop(self) -> int:
        """Tell it to stop, as an operator does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(ENDED_SECONDS)

    def kill(self) -> None:
        """Kill it at once."""
        self.process.kill()
        self.process.wait(ENDED_SECONDS)


def _is_not_yet(answer: Any) -> bool:
    return any(error.get("extensions", {}).get("code") == "NOT_YET" for error in answer.get("errors", ()))


_given: set[int] = set()  # ports that `free_port` gave


def free_port() -> int:
    """A port of this machine that nobody listens on, another one each time.

    None of those that the system gives to connections (from 32,768 on): one of them might have it before the server
    that it is for, or while that is started again; even a connection to that very port, which then talks to itself.
    """
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in _given:
                _given.add(port)
                return port


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """This process's environment with the settings of a test in place of its own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("EXEMPLAR_")}
    return {**own, "EXEMPLAR_DATA_DIR": str(folder), **{f"EXEMPLAR_{n.upper()}": v for n, v in settings.items()}}


def run(folder: Path, arguments: Sequence[str], **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of `exemplar` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@contextmanager
def serving(folder: Path, *arguments: str, command: str = "serve", **settings: str) -> Iterator[Server]:
    """A server that is ready; it is stopped at the end, if the test has not done so."""
    process = subprocess.Popen(
        [sys.executable, "-m", "services", command, "--port", "0", *arguments],
        env=environment(folder, **settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    reading = Thread(target=deque, args=(process.stderr, 0), daemon=True)  # or its messages would fill the pipe
    try:
        url = _ready_url(process.stderr)
        reading.start()
        yield Server(process, url, folder)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(ENDED_SECONDS)
        if reading.ident is not None:
            reading.join()  # its last messages may still be on their way, and nothing is read from what is closed
        process.stderr.close()


def _ready_url(messages: IO[str]) -> str:
    """Read its messages up to the line that says where it answers."""
    seen = []
    for line in messages:
        if line.startswith("ready on "):
            return line.removeprefix("ready on ").strip()
        seen.append(line)
    raise AssertionError(f"the server did not start:\n{''.join(seen)}")

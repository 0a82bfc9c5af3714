"""A server that is told to stop does so in time, whatever keeps its databases, and leaves nobody in doubt."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from services.kit.running import GIVE_UP_SECONDS
from tests.serving import STRUCTURED, Server, serving

ENDED_SECONDS = 20.0  # other work on the machine is no reason to fail; who waits for a database takes 30 s

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/crm",
    "type": "exemplar.contact.made.v1",
    "subject": "c-1",
    "time": "2026-01-05T09:00:00Z",
    "data": {"rep": "r-1", "channel": "call", "purpose": "introduce"},
}


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another program writes to the file, and does not come to an end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def sent(server: Server, number: int) -> HTTPConnection:
    """A connection on which an act was posted, and nothing read yet."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    body = json.dumps({**EVENT, "id": str(number)})
    connection.request("POST", "/v1/events", body, {"content-type": STRUCTURED})
    return connection


def test_it_gives_up_in_time() -> None:
    """Whatever it waits for, it waits for less than the 10 s that are promised."""
    assert GIVE_UP_SECONDS < 10


def test_sigterm_is_obeyed_in_time_while_the_model_is_locked(tmp_path: Path) -> None:
    """It ends with 0 once it gives up, and what it acknowledged meanwhile is folded after the next start."""
    with serving(tmp_path) as server, locked(tmp_path / "exemplar.model_1.sqlite"):
        position = server.post(EVENT).json()["position"]
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < ENDED_SECONDS
    with serving(tmp_path) as server:
        answer = server.query('{ relationship(customer: "c-1") { acts { edges { node { actId } } } } }', position)
        assert len(answer["data"]["relationship"]["acts"]["edges"]) == 1


def test_sigterm_is_obeyed_in_time_while_the_log_is_locked(tmp_path: Path) -> None:
    """It ends with 0 in time, and who waits for the log is told to send again."""
    with serving(tmp_path) as server, locked(tmp_path / "log.sqlite"), ExitStack() as stack:
        posting = [stack.enter_context(closing(sent(server, number))) for number in range(6)]
        assert server.ask("GET", "/livez").status == 200  # what came after them is answered: they were taken
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < ENDED_SECONDS
        for answer in (connection.getresponse() for connection in posting):
            assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
            assert answer.headers["retry-after"]


def test_a_log_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    """While the log's file is away nothing is acknowledged, and the client is told to send again later."""
    with serving(tmp_path) as server:
        (tmp_path / "log.sqlite").rename(tmp_path / "away")
        answer = server.post(EVENT)
        assert (answer.status, answer.headers["retry-after"]) == (503, "30")
        assert str(tmp_path) not in answer.body.decode()

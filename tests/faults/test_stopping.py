"""A server that is told to stop does so in time, whatever keeps its databases, and leaves nobody in doubt."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier

from tests.serving import Answer, serving

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


def test_sigterm_is_obeyed_in_time_while_the_model_is_locked(tmp_path: Path) -> None:
    """It ends with 0 within 10 s, and what it acknowledged meanwhile is folded after the next start."""
    with serving(tmp_path) as server, locked(tmp_path / "exemplar.model_1.sqlite"):
        position = server.post(EVENT).json()["position"]
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10
    with serving(tmp_path) as server:
        answer = server.query('{ relationship(customer: "c-1") { acts { edges { node { actId } } } } }', position)
        assert len(answer["data"]["relationship"]["acts"]["edges"]) == 1


def test_sigterm_is_obeyed_in_time_while_the_log_is_locked(tmp_path: Path) -> None:
    """It ends with 0 within 10 s, and who waits for the log is told to send again."""
    with serving(tmp_path) as server, locked(tmp_path / "log.sqlite"), ThreadPoolExecutor(6) as posting:
        together = Barrier(7)

        def post(number: int) -> Answer:
            together.wait()
            return server.post({**EVENT, "id": str(number)})

        answers = [posting.submit(post, number) for number in range(6)]
        together.wait()
        assert server.ask("GET", "/livez").status == 200
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10
        for answer in (future.result() for future in answers):
            assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
            assert answer.headers["retry-after"]


def test_a_log_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    """While the log's file is away nothing is acknowledged, and the client is told to send again later."""
    with serving(tmp_path) as server:
        (tmp_path / "log.sqlite").rename(tmp_path / "away")
        answer = server.post(EVENT)
        assert (answer.status, answer.headers["retry-after"]) == (503, "30")
        assert str(tmp_path) not in answer.body.decode()

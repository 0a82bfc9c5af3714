"""The database paused, cut off or killed under a gateway: queries are told so, and answered again once it is back."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.faults.cluster import Database, eventually
from tests.serving import Answer, Server, run, serving

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture(scope="module")
def database(docker_engine: None) -> Iterator[Database]:
    """A PostgreSQL of its own, behind a proxy."""
    made = Database()
    made.start()
    yield made
    made.stop()


@dataclass
class Gateway:
    """A gateway, and a key for it."""

    server: Server
    key: str

    def ask(self) -> Answer:
        """The answer to a query; the status tells what became of it."""
        body = json.dumps({"query": "{ teams(first: 1) { edges { node { key } } } }"}).encode()
        named = {"accept": "application/graphql-response+json", "authorization": f"Bearer {self.key}"}
        return self.server.ask("POST", "/graphql", body, content_type="application/json", **named)

    def answers(self) -> bool:
        """Whether a query is answered."""
        return self.ask().status == 200


@pytest.fixture(scope="module")
def gateway(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway on the database."""
    folder = tmp_path_factory.mktemp("site") / "data"
    settings = {"database_url": database.url("exemplar", database.others.port), "query_seconds": "20"}
    run(folder, ["migrate"], **settings)
    made = run(folder, ["keys", "create", "--name", "ops", "--scope", "admin"], **settings)
    assert made.returncode == 0, made.stderr
    with serving(folder, **settings) as server:
        yield Gateway(server, made.stdout.strip())


@pytest.mark.parametrize(
    ("away", "back"),
    [
        (lambda database: database.pause(), lambda database: database.unpause()),
        (lambda database: database.others.cut(), lambda database: database.others.heal()),
        (lambda database: database.kill(), lambda database: database.start_again()),
    ],
    ids=["paused", "cut off", "killed"],
)
def test_queries_are_told_that_the_database_does_not_answer(
    database: Database, gateway: Gateway, away: Callable[[Database], None], back: Callable[[Database], None]
) -> None:
    """UNAVAILABLE, 503 with Retry-After, also where nobody says that it is away: nobody is to ask for less."""
    eventually("a query is answered", gateway.answers)
    away(database)
    try:
        for answer in (gateway.ask(), gateway.ask()):
            assert (answer.status, answer.headers.get("retry-after")) == (503, "1")
            assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    finally:
        back(database)
    eventually("a query is answered again", gateway.answers)

"""The same journey on the production size: three processes on a real Kafka and a real PostgreSQL."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.serving import Server, run, serving

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
SCORE = """{ person(key: "r-1") { scorecard(period: {from: "2026-01-01", to: "2027-01-01"}) {
  score(principle: OWN_GOALS) { kept breached signals { edges { node { reason evidence { actId data } } } } } } } }"""


def contact(number: int, **data: Any) -> dict[str, Any]:
    """A selling contact with a customer of its own."""
    return {
        "specversion": "1.0",
        "id": f"contact-{number}",
        "source": "/crm",
        "type": "exemplar.contact.made.v1",
        "subject": f"c-{number}",
        "time": "2026-01-05T09:00:00Z",
        "data": {"rep": "r-1", "channel": "call", "purpose": "introduce", "text": f"good morning {number}", **data},
    }


@dataclass
class Site:
    """The settings of a site, and the admin's key."""

    folder: Path
    settings: dict[str, str]
    key: str = ""

    def run(self, *arguments: str) -> str:
        """A command that must succeed; its stdout."""
        done = run(self.folder, arguments, **self.settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def post(self, server: Server, *events: dict[str, Any]) -> str:
        """Post events; the position that they are at."""
        answer = server.post(*events, authorization=f"Bearer {self.key}")
        assert answer.status == 202, answer.body
        position: str = answer.json()["position"]
        return position

    def score(self, server: Server, position: str) -> Any:
        """The score, once the fold is at the position."""
        answer = server.query(SCORE, position, authorization=f"Bearer {self.key}")
        assert "errors" not in answer, answer
        return answer["data"]["person"]["scorecard"]["score"]


@pytest.fixture
def site(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A topic and a database of its own, made by `migrate`, and a first key."""
    name = f"site_{uuid.uuid4().hex[:12]}"
    url = make_url(postgres_url)
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    database = url.set(database=name).render_as_string(hide_password=False)
    settings = {
        "log_url": f"kafka://{kafka_bootstrap}/{name}",
        "database_url": database,
        "vault_key_file": str(tmp_path / "data" / "vault.key"),
        "partitions": "4",
    }
    made = Site(tmp_path / "data", settings)
    made.run("migrate")
    made.key = made.run("keys", "create", "--name", "ops", "--scope", "admin").strip()
    yield made
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def test_post_fold_query_over_three_processes(site: Site) -> None:
    """What the events service acknowledges, the projections fold and the gateway shows; a killed fold goes on."""
    with ExitStack() as stack:

        def start(command: str) -> Server:
            return stack.enter_context(serving(site.folder, command=command, **site.settings))

        events, projections, gateway = start("events"), start("projections"), start("graphql")
        assert events.post(contact(0)).status == 401
        score = site.score(gateway, site.post(events, *(contact(n) for n in range(50))))
        assert (score["kept"], score["breached"]) == (50, 0)
        spoken = score["signals"]["edges"][0]["node"]["evidence"][0]
        assert spoken["data"]["text"] == f"good morning {spoken['actId'].removeprefix('contact-')}"
        projections.kill()
        position = site.post(events, *(contact(n) for n in range(50, 90)))
        assert site.post(events, contact(3)) != ""
        start("projections")
        assert site.score(gateway, position)["kept"] == 90
        for service in (events, gateway):
            assert service.ask("GET", "/readyz").status == 200
            assert service.stop() == 0
    site.run("verify")


def test_separate_services_need_shared_stores(tmp_path: Path) -> None:
    """On files alone the separate services refuse to start: each would hold a log of its own."""
    for command in ("events", "projections", "graphql"):
        ended = run(tmp_path / "data", [command, "--port", "0"])
        assert ended.returncode == 2
        assert "EXEMPLAR_LOG_URL" in ended.stderr

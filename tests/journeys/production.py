"""The production size for journeys: a site with a topic and a database of its own, on which services run."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from tests.serving import Server, run

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

    def wait(self, server: Server, position: str) -> None:
        """Wait until the fold is at a position."""
        answer = server.query("{ principles { id } }", position, authorization=f"Bearer {self.key}")
        assert "errors" not in answer, answer

    def score(self, server: Server, position: str) -> Any:
        """The score, once the fold is at the position: after a kill, once the group has missed who was killed."""
        answer = server.query(SCORE, position, authorization=f"Bearer {self.key}")
        assert "errors" not in answer, answer
        return answer["data"]["person"]["scorecard"]["score"]


@contextmanager
def made_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database of its own, dropped in the end."""
    name = f"site_{uuid.uuid4().hex[:12]}"
    url = make_url(postgres_url)
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@contextmanager
def made_site(bootstrap: str, postgres_url: str, folder: Path, partitions: int = 4) -> Iterator[Site]:
    """A topic and a database of its own, made by `migrate`, and a first key."""
    with made_database(postgres_url) as database:
        settings = {
            "log_url": f"kafka://{bootstrap}/{make_url(database).database}",
            "database_url": database,
            "vault_key_file": str(folder / "vault.key"),
            "partitions": str(partitions),
        }
        made = Site(folder, settings)
        made.run("migrate")
        made.key = made.run("keys", "create", "--name", "ops", "--scope", "admin").strip()
        yield made

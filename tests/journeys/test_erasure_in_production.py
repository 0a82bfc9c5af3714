"""An erasure on Kafka and PostgreSQL: the texts are in no file of theirs, nor come back with a dump of the database."""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from testcontainers.community.kafka import KafkaContainer

from services.events.vault.wrapping import load_wrapping_file
from services.kit.errors import Corrupt
from tests.journeys.erasing import ACTS, CARD, KEPT, READ, TEXTS, found_in
from tests.journeys.production import Site, made_site
from tests.serving import Server, run, serving
from tests.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.slow]

ERASE = ("erase", "--reason", "asked for", "--by", "dpo", "--yes")


class Database:
    """The server of a site's database, as whoever administers it sees it: its files, and its own tools."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self.name = str(self._url.database)
        self._admin = create_engine(self._url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        self._mark = secrets.token_hex(4)

    def close(self) -> None:
        """Let go of the server."""
        self._admin.dispose()

    def run(self, program: str) -> list[str]:
        """Run a program where the server runs, in its data folder; the lines that it prints."""
        with self._admin.connect() as connection:
            connection.execute(text("CREATE TEMP TABLE said (line text)"))
            given = program.replace("'", "''")
            connection.exec_driver_sql(
                f"COPY said FROM PROGRAM '{given}' (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')"
            )
            lines = [str(row.line) for row in connection.execute(text("SELECT line FROM said"))]
            connection.execute(text("DROP TABLE said"))
        return lines

    def files_with(self, what: str) -> list[str]:
        """The files of the server, write-ahead log included, that hold a text."""
        with self._admin.connect() as connection:
            connection.execute(text("CHECKPOINT"))
        return self.run(f"grep -rlaF -- '{what}' . || true")

    def dump(self) -> str:
        """A backup by `pg_dump`; its file, where the server runs."""
        file = f"/tmp/{self.name}-{self._mark}.dump"
        self.run(f"pg_dump -Fc -U {self._url.username} -d {self.name} -f {file} && echo done")
        return file

    def restore(self, file: str) -> None:
        """The database as it was in a backup, by `pg_restore`."""
        with self._admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {self.name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {self.name}"))
        self.run(f"pg_restore -U {self._url.username} -d {self.name} {file} && echo done")

    def ask(self, statement: str) -> list[Any]:
        """Rows of the site's database."""
        engine: Engine = create_engine(self._url)
        try:
            with engine.connect() as connection:
                return list(connection.execute(text(statement)).all())
        finally:
            engine.dispose()


@pytest.fixture
def site(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site of its own."""
    with made_site(kafka_bootstrap, postgres_url, tmp_path / "data") as made:
        yield made


@pytest.fixture
def database(site: Site) -> Iterator[Database]:
    """The site's database."""
    with closing(Database(site.settings["database_url"])) as made:
        yield made


def started(stack: ExitStack, site: Site, command: str) -> Server:
    """A service, stopped with the stack."""
    return stack.enter_context(serving(site.folder, command=command, **site.settings))


def read(site: Site, gateway: Server, document: str = READ, position: str = "") -> Any:
    """What the gateway shows."""
    answer = gateway.query(document, position, authorization=f"Bearer {site.key}")
    assert "errors" not in answer, answer
    return answer["data"]


def records(broker: KafkaContainer, topic: str) -> str:
    """The topic's segment files, as Kafka's own tool unpacks them."""
    files = f"ls -d /var/lib/kafka/data/{topic}-*/*.log /tmp/*/{topic}-*/*.log 2>/dev/null | paste -sd,"
    done = broker.exec(["bash", "-c", f"kafka-dump-log --print-data-log --files $({files})"])
    return bytes(done.output).decode("utf-8", "replace")


def test_an_erasure_leaves_no_text_in_kafka_or_postgres(
    site: Site, database: Database, kafka_broker: KafkaContainer
) -> None:
    """Read, erased, searched for in both servers' files, restored from a dump, and after a rotation beyond reach."""
    topic = site.settings["log_url"].rpartition("/")[2]
    with ExitStack() as stack:
        events, projections = started(stack, site, "events"), started(stack, site, "projections")
        gateway = started(stack, site, "graphql")
        position = site.post(events, *ACTS)
        site.wait(gateway, position)
        assert found_in(json.dumps(read(site, gateway)).encode()) == list(TEXTS)
        card = read(site, gateway, CARD)
        wrapped = {row.person: bytes(row.wrapped) for row in database.ask("SELECT * FROM exemplar_vault.data_keys")}
        dump = database.dump()
        for person in ("c-gone", "r-gone"):
            site.run(*ERASE, person)
        wait_until(lambda: found_in(json.dumps(read(site, gateway)).encode()) == [], 5)
        assert read(site, gateway, CARD) == {"person": {**card["person"], "name": None}}
        assert all(database.files_with(hidden) == [] for hidden in TEXTS)
        assert database.files_with("c-gone")
        told = records(kafka_broker, topic)
        assert "c-gone" in told
        assert found_in(told.encode()) == []
        assert json.loads(site.run("verify", "--json"))["equal"] is True
        for server in (events, projections, gateway):
            server.stop()
        database.restore(dump)
        assert database.ask("SELECT 1 FROM exemplar_vault.data_keys WHERE person = 'c-gone' AND wrapped IS NOT NULL")
        alone = started(stack, site, "graphql")  # before anything has folded the erasure from the log
        assert found_in(json.dumps(read(site, alone)).encode()) == []
        assert read(site, alone, '{ person(key: "r-stays") { name } }') == {"person": {"name": KEPT}}
        site.run("vault", "rotate")
        assert read(site, alone, '{ person(key: "r-stays") { name } }') == {"person": {"name": KEPT}}
        alone.stop()
    _assert_old_copies_are_worth_nothing(site, database, dump, wrapped)


def _assert_old_copies_are_worth_nothing(site: Site, database: Database, dump: str, wrapped: dict[str, bytes]) -> None:
    """Whatever PostgreSQL still has of the wrapped keys, and the dump, opens with no key that there still is."""
    held = load_wrapping_file(Path(site.settings["vault_key_file"]), create=False).held()
    assert len(held) == 1
    for person, copy in wrapped.items():
        with pytest.raises(Corrupt):
            next(iter(held.values())).unwrap(person, copy)
    database.restore(dump)
    refused = run(site.folder, ["status"], **site.settings)
    assert refused.returncode == 2
    assert "EXEMPLAR_VAULT_KEY_FILE" in refused.stderr

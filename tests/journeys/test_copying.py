"""A log is copied, and everything begins again with the copy: as docs/operating.md and the messages themselves say."""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions
from kafka.structs import TopicPartition
from sqlalchemy import make_url

from tests.journeys.erasing import event
from tests.journeys.production import Site, contact, made_database, made_site
from tests.serving import Server, run, serving
from tests.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

PARTITIONS = 2
FOLDED_SECONDS = 90.0  # on a machine that is busy
ERASED = "c-4"
ACTS = [
    *(contact(number) for number in range(5)),
    event("erased", "person.erased", ERASED, by="dpo", reason="asked for"),
]
OPERATING = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()


@pytest.fixture
def site(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site with acts that were folded; one customer was erased."""
    with made_site(kafka_bootstrap, postgres_url, tmp_path, PARTITIONS) as made:
        with ExitStack() as stack:
            made.post(started(stack, made, "events"), *ACTS)
            wait_folded(started(stack, made, "projections"), len(ACTS))
        yield made


@pytest.fixture
def admin(kafka_bootstrap: str) -> Iterator[Any]:
    """A client that alters topics."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka_bootstrap)) as client:
        yield client


def topic_of(site: Site) -> str:
    """The topic of a site."""
    return site.settings["log_url"].rsplit("/", 1)[1]


def wait_folded(projections: Server, count: int) -> None:
    """Wait until so many records are folded, of a log that has lost none."""
    wait_until(lambda: sum(next_offsets(projections)) == count, FOLDED_SECONDS)


def next_offsets(projections: Server) -> list[float]:
    """The offset that each partition is folded at, as the metrics have it."""
    told = projections.ask("GET", "/metrics").body.decode()
    return [float(offset) for offset in re.findall(r"^exemplar_fold_next_offset\S* (\S+)$", told, re.MULTILINE)]


def problem(site: Site) -> str:
    """What `exemplar status` says is wrong."""
    told = run(site.folder, ["status", "--json"], **site.settings)
    assert told.returncode == 1, told.stderr
    said: str = json.loads(told.stdout)["problem"]
    return said


def copied(site: Site, *arguments: str) -> dict[str, Any]:
    """What `exemplar copy` says."""
    done: dict[str, Any] = json.loads(site.run("copy", *arguments, "--json"))
    return done


def begin_again(site: Site) -> None:
    """Do what is said of a log that is another one than the model's."""
    said = problem(site)
    assert "the log is not the one that the read model was built on" in said
    assert "remove the read model and the audit tree" in said
    schemas = re.findall(r"exemplar_[a-zA-Z_]+", said.partition("in PostgreSQL, the schemas")[2])
    with psycopg.connect(site.settings["database_url"].replace("+psycopg", "")) as connection:
        for schema in schemas:
            connection.execute(f"DROP SCHEMA {schema.replace('_N', '_1')} CASCADE".encode())
    site.run("migrate")


def check(site: Site, acts: Sequence[dict[str, Any]] = ACTS) -> None:
    """All is well: services ready, everything folded, acts known, texts readable, the erased erased, proofs sound."""
    with ExitStack() as stack:
        projections, events, gateway = (started(stack, site, each) for each in ("projections", "events", "graphql"))
        wait_folded(projections, len(acts))
        again = events.post(*acts, authorization=f"Bearer {site.key}")
        assert all(receipt["duplicate"] for receipt in again.json()["receipts"])
        changed = {**ACTS[0], "data": {**ACTS[0]["data"], "text": "something else"}}
        assert events.post(changed, authorization=f"Bearer {site.key}").status == 409
        said = {act["subject"]: act["data"]["text"] for act in acts if act["subject"] != ERASED}
        assert texts(site, gateway) == {**said, ERASED: None}
        site.wait(gateway, site.post(events, contact(99)))
        wait_until(lambda: all(each.ask("GET", "/readyz").status == 200 for each in (projections, events, gateway)))
    assert run(site.folder, ["status"], **site.settings).returncode == 0
    assert json.loads(site.run("verify", "--json"))["different"] == 0
    assert json.loads(site.run("audit", "verify", "--json"))["sound"] is True


def started(stack: ExitStack, site: Site, command: str) -> Server:
    """A service, stopped with the stack."""
    return stack.enter_context(serving(site.folder, command=command, **site.settings))


def texts(site: Site, gateway: Server) -> dict[str, str | None]:
    """What was said to whom."""
    document = '{ acts(filter: {rep: "r-1"}) { edges { node { subject data } } } }'
    answer = gateway.query(document, authorization=f"Bearer {site.key}")
    assert "errors" not in answer, answer
    return {edge["node"]["subject"]: edge["node"]["data"]["text"] for edge in answer["data"]["acts"]["edges"]}


def test_a_topic_that_was_given_more_partitions(site: Site, admin: Any) -> None:
    """What `status` says is done: copied into a topic with the former number, everything is where it was."""
    admin.create_partitions({topic_of(site): NewPartitions(PARTITIONS + 3)})
    command = re.search(r"`exemplar (copy --partitions \d+) FROM TO`", problem(site))
    assert command is not None
    url = site.settings["log_url"]
    done = copied(site, *command[1].split()[1:], url, f"{url}-copied")
    assert done == {"copied": 6, "there": 0, "moved": 0, "lost": 0, "equal": True}
    moved = replace(site, settings={**site.settings, "log_url": f"{url}-copied"})
    begin_again(moved)
    check(moved)


def test_a_backup_of_every_night_and_its_restore(site: Site, admin: Any) -> None:
    """A topic that lost its beginning, and then was deleted, comes back whole from the file that it was copied to."""
    url, backup, topic = site.settings["log_url"], f"sqlite:///{site.folder / 'backup.sqlite'}", topic_of(site)
    assert copied(site, url, backup)["copied"] == 6
    admin.delete_records({TopicPartition(topic, partition): 1 for partition in range(PARTITIONS)})
    with serving(site.folder, command="events", **site.settings) as events:
        site.post(events, contact(5))
    assert copied(site, url, backup) == {"copied": 1, "there": 4, "moved": 0, "lost": 2, "equal": True}
    admin.delete_topics([topic])
    wait_until(lambda: admin.describe_topics([topic])[0]["error_code"] != 0)
    gone = run(site.folder, ["status"], **site.settings)
    assert (gone.returncode, "bring back from a copy (docs/operating.md, Copying a log)" in gone.stderr) == (2, True)
    next_night = run(site.folder, ["copy", url, backup], **site.settings)
    assert (next_night.returncode, next_night.stderr) == (2, f"exemplar: FROM: there is no topic {topic} to use\n")
    assert copied(site, backup, url) == {"copied": 7, "there": 0, "moved": 0, "lost": 0, "equal": True}
    begin_again(site)
    check(site, [*ACTS, contact(5)])


def test_from_one_machine_to_kafka_and_postgresql(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> None:
    """By the statements of the documentation, keys of persons and credentials come along, and the old tree stays."""
    with serving(tmp_path, partitions=str(PARTITIONS)) as server:
        key = run(tmp_path, ["keys", "create", "--name", "ops", "--scope", "admin"]).stdout.strip()
        old = Site(tmp_path, {}, key)
        wait_until(lambda: server.post(*ACTS).status == 401)
        old.post(server, *ACTS)
        wait_folded(server, len(ACTS))
    with made_database(postgres_url) as database:
        url = f"kafka://{kafka_bootstrap}/{make_url(database).database}"
        assert copied(old, f"sqlite:///{tmp_path / 'log.sqlite'}", url)["copied"] == 6
        keys = {"vault_key_file": str(tmp_path / "vault.key"), "audit_key_file": str(tmp_path / "audit.key")}
        new = Site(tmp_path, {**keys, "log_url": url, "database_url": database}, key)
        new.run("migrate")
        assert bring_along(tmp_path, database) == 4
        check(new)
        assert json.loads(new.run("vault", "status", "--json"))["inLedger"] == 1
        assert [each["name"] for each in json.loads(new.run("keys", "list", "--json"))] == ["ops"]
    assert json.loads(old.run("audit", "verify", "--json"))["sound"] is True


def bring_along(folder: Path, database: str) -> int:
    """Do what the documentation has sqlite3 and psql do; how many tables that were."""
    pattern = r'sqlite3 -csv (\S+) "(SELECT [^"]*)" \|\n +psql \S+ -c "\\copy ([^"]*) CSV"'
    found = re.findall(pattern, OPERATING)
    with psycopg.connect(database.replace("+psycopg", "")) as target:
        for file, asked, into in found:
            with (
                closing(sqlite3.connect(folder / file)) as source,
                target.cursor().copy(f"COPY {into} (FORMAT csv)".encode()) as rows,
            ):
                text = io.StringIO()
                csv.writer(text).writerows(source.execute(asked))
                rows.write(text.getvalue())
    return len(found)

"""What `exemplar status` says of a topic that is not what it was, while nobody has started anything anew."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions
from kafka.structs import TopicPartition

from tests.journeys.production import Site, contact, made_site
from tests.serving import Server, run, serving
from tests.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


@pytest.fixture
def site(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site whose topic has one partition, with three acts that were folded and numbered."""
    with made_site(kafka_bootstrap, postgres_url, tmp_path, partitions=1) as made:
        with serving(made.folder, command="events", **made.settings) as events:
            position = made.post(events, *map(contact, range(3)))
        with serving(made.folder, command="projections", **made.settings) as projections:
            wait_until(lambda: told(projections, 'exemplar_fold_next_offset{partition="0"} 3.0'))
            wait_until(lambda: told(projections, "exemplar_audit_entries 6.0"))  # with key, model and policy
        assert position == "0:2"
        yield made


@pytest.fixture
def admin(kafka_bootstrap: str) -> Iterator[Any]:
    """A client that alters topics."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka_bootstrap)) as client:
        yield client


def told(server: Server, line: str) -> bool:
    """Whether a server's metrics have a line."""
    return line in server.ask("GET", "/metrics").body.decode().splitlines()


def status(site: Site) -> tuple[int, dict[str, Any]]:
    """The exit code of `exemplar status`, and what it says."""
    done = run(site.folder, ["status", "--json"], **site.settings)
    return done.returncode, json.loads(done.stdout)


def test_a_topic_that_has_lost_its_beginning(site: Site, admin: Any) -> None:
    """What was folded and is gone is a warning, and a gauge of the projections; what it says is refused is refused."""
    topic = site.settings["log_url"].rsplit("/", 1)[1]
    assert (status(site)[0], status(site)[1]["warning"]) == (0, None)
    admin.delete_records({TopicPartition(topic, 0): 2})
    code, found = status(site)
    assert (code, found["problem"]) == (0, None)
    assert "partition 0 begins at 2" in found["warning"]
    for refused in (["rebuild", "--yes"], ["verify"]):
        done = run(site.folder, refused, **site.settings)
        assert (done.returncode, "records are missing" in done.stderr) == (1, True)
    with serving(site.folder, command="projections", **site.settings) as projections:
        wait_until(lambda: told(projections, "exemplar_log_beginning_missing 2.0"))
        assert projections.ask("GET", "/readyz").status == 200


def test_a_topic_with_more_partitions(site: Site, admin: Any) -> None:
    """A topic that was given more partitions is a problem, with what to do, and ends with 1."""
    topic = site.settings["log_url"].rsplit("/", 1)[1]
    admin.create_partitions({topic: NewPartitions(3)})
    wait_until(lambda: len(admin.describe_topics([topic])[0]["partitions"]) == 3)  # the broker itself hears it later
    code, found = status(site)
    assert (code, found["partitions"], found["halted"]) == (1, 3, {})
    assert "the log has 3 partitions, the read model was built on 1" in found["problem"]

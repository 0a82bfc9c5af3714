"""The same journey on the production size: three processes on a real Kafka and a real PostgreSQL."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.journeys.production import Site, contact, made_site
from tests.serving import Server, run, serving

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


@pytest.fixture
def site(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site of its own."""
    with made_site(kafka_bootstrap, postgres_url, tmp_path / "data") as made:
        yield made


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

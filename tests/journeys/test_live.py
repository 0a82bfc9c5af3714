"""Live scorecards on the production size: what one process folds, another one tells at once."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.production import Site, made_site
from tests.live import SCORE, breached, event_stream, web_socket
from tests.serving import Server, serving

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


def act(name: str, subject: str, id_: str, /, **data: Any) -> dict[str, Any]:
    """An act of the team of this test."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/crm",
        "type": f"exemplar.{name}.v1",
        "subject": subject,
        "time": "2026-02-01T09:00:00Z",
        "data": data,
    }


@pytest.fixture
def site(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site of its own."""
    with made_site(kafka_bootstrap, postgres_url, tmp_path / "data") as made:
        yield made


def test_an_act_reaches_who_watches_across_processes(site: Site) -> None:
    """Posted to one process, folded by another, told by a third; and a rebuild's switch is told to all."""
    with ExitStack() as stack:

        def start(command: str) -> Server:
            return stack.enter_context(serving(site.folder, command=command, **site.settings))

        events, _, gateway = start("events"), start("projections"), start("graphql")
        joined = act("team.joined", "north", "rik", person="rik", role="rep", name="Rik")
        position = site.post(events, act("team.formed", "north", "north", name="North"), joined)
        site.wait(gateway, position)
        key = f"Bearer {site.key}"
        socket = stack.enter_context(web_socket(gateway.url))
        socket.begin(key)
        socket.ask("1", SCORE)
        stream = stack.enter_context(event_stream(gateway.url, SCORE, authorization=key))
        assert breached(socket.next()["payload"]) == breached(stream.following()) == 0
        site.post(events, act("urgency.pressed", "acme", "push", rep="rik", tactic="deadline"))
        while breached(socket.next()["payload"]) == 0:
            pass  # that everything may have changed is told when the gateway begins to listen
        while breached(stream.following()) == 0:
            pass
        site.run("rebuild", "--yes")
        assert breached(socket.next()["payload"]) == breached(stream.following()) == 1
        assert gateway.stop() == 0
        assert socket.end()[0] == 1001

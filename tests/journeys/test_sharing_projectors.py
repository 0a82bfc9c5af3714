"""Projectors as processes share a real Kafka log: the others take over from one that is killed, stopped or hung."""

import json
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import func, select

from services.events.log.group import SESSION_SECONDS
from services.kit.database import open_engine, parse_url, reading
from services.projections.tables import acts, partitions
from tests.journeys.production import Site, contact, made_site
from tests.serving import Server, serving
from tests.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.slow]
PARTITIONS = 6
TAKEN_OVER = 10 * SESSION_SECONDS  # a session, and on a busy machine what follows it, and one that was late for it


@pytest.fixture
def site(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site of its own."""
    with made_site(kafka_bootstrap, postgres_url, tmp_path / "data", PARTITIONS) as made:
        yield made


class Model:
    """What the read model's rows say of the projectors."""

    def __init__(self, site: Site) -> None:
        self._engine = open_engine(parse_url(site.settings["database_url"], "EXEMPLAR_DATABASE_URL"), "model_1")

    def owned(self, server: Server) -> set[int]:
        """The partitions that a projector has taken last."""
        mine = partitions.c.owner.endswith(f":{server.process.pid}")
        with reading(self._engine) as connection:
            return set(connection.scalars(select(partitions.c.partition).where(mine)))

    def shared_by(self, *servers: Server) -> bool:
        """Whether these have all partitions, in equal parts."""
        parts = [self.owned(server) for server in servers]
        return len(set().union(*parts)) == PARTITIONS and max(map(len, parts)) == -(-PARTITIONS // len(parts))

    def epochs(self) -> dict[int, int]:
        """The epoch of each partition."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(partitions.c.partition, partitions.c.epoch))
            return {row.partition: row.epoch for row in rows}

    def acts(self) -> int:
        """How many acts are folded."""
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(acts)) or 0

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


class Posting:
    """Posts contacts, of a customer each, until it is told to stop; `acknowledged` is how many."""

    def __init__(self, site: Site, events: Server) -> None:
        self._site = site
        self._events = events
        self._stop = Event()
        self._thread = Thread(target=self._post)
        self.acknowledged = 0
        self._thread.start()

    def _post(self) -> None:
        while not self._stop.wait(0.05):
            some = [contact(number) for number in range(self.acknowledged, self.acknowledged + 10)]
            self._site.post(self._events, *some)
            self.acknowledged += len(some)

    def close(self) -> None:
        """Post no more."""
        self._stop.set()
        self._thread.join()


def folded(server: Server) -> int:
    """How many acts a projector has folded since its start."""
    found = re.search(
        r'exemplar_fold_records_total\{outcome="act"\} (\d+)', server.ask("GET", "/metrics").body.decode()
    )
    assert found is not None
    return int(found[1])


def test_projectors_share_and_take_over(site: Site) -> None:
    """Three share the log; one is killed, one hangs and comes back, one is stopped: no act is lost or counted twice."""
    with ExitStack() as stack, closing(Model(site)) as model:

        def start(command: str) -> Server:
            return stack.enter_context(serving(site.folder, command=command, **site.settings))

        with ThreadPoolExecutor(4) as starting:
            events, first, second, third = starting.map(start, ["events", *["projections"] * 3])
        posting = stack.enter_context(closing(Posting(site, events)))
        wait_until(lambda: model.shared_by(first, second, third), TAKEN_OVER)
        wait_until(lambda: all(folded(each) for each in (first, second, third)), TAKEN_OVER)

        third.kill()
        wait_until(lambda: model.shared_by(first, second), TAKEN_OVER)

        kept, before = model.owned(second), model.epochs()
        first.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: model.shared_by(second), TAKEN_OVER)
        after = model.epochs()
        assert {p for p in after if after[p] == before[p]} == kept
        first.process.send_signal(signal.SIGCONT)
        wait_until(lambda: model.shared_by(first, second), TAKEN_OVER)
        wait_until(lambda: all(each.ask("GET", "/readyz").status == 200 for each in (first, second)))

        assert second.stop() == 0
        wait_until(lambda: model.shared_by(first), TAKEN_OVER)
        posting.close()
        wait_until(lambda: model.acts() == posting.acknowledged, TAKEN_OVER)
        owners = json.loads(site.run("status", "--json"))["folded_by"]
        assert [(owner.endswith(f":{first.process.pid}"), len(which)) for owner, which in owners.items()] == [(True, 6)]
    site.run("verify")

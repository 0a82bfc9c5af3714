"""While the broker is away the events service says so in time, and goes on by itself once it is back."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from testcontainers.community.kafka import KafkaContainer

from tests.journeys.production import contact, made_site
from tests.serving import Answer, serving
from tests.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
ANSWERED_SECONDS = 12.0
CLIENTS = 8


@contextmanager
def stopped(broker: KafkaContainer) -> Iterator[None]:
    """While the broker's process stands still: connections stay, and nothing answers."""
    container: Any = broker.get_wrapped_container()
    container.pause()
    try:
        yield
    finally:
        container.unpause()


def test_while_the_broker_is_away_posts_are_503_in_time(
    kafka_broker: KafkaContainer, kafka_bootstrap: str, postgres_url: str, tmp_path: Path
) -> None:
    """Every post gets 503 with Retry-After within 12 s, the first ones and later ones; then the same posts are 202.

    The service says meanwhile that it is not ready, and why.
    """
    with (
        made_site(kafka_bootstrap, postgres_url, tmp_path / "data") as site,
        serving(site.folder, command="events", **site.settings) as events,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):

        def post(number: int) -> tuple[Answer, float]:
            began = time.monotonic()
            answer = events.post(contact(number), authorization=f"Bearer {site.key}")
            return answer, time.monotonic() - began

        assert post(0)[0].status == 202
        with stopped(kafka_broker):
            for numbers in (range(1, 1 + CLIENTS), range(1 + CLIENTS, 1 + 2 * CLIENTS)):
                for answer, seconds in clients.map(post, numbers):
                    assert (answer.status, seconds < ANSWERED_SECONDS) == (503, True), (answer, seconds)
                    assert int(answer.headers["retry-after"]) > 0
                    assert answer.headers["content-type"] == "application/problem+json"
                assert events.ask("GET", "/livez").status == 200
            wait_until(lambda: events.ask("GET", "/readyz").status == 503)
            assert "the log is away" in events.ask("GET", "/readyz").json()["detail"]
        wait_until(lambda: post(1)[0].status == 202)
        again = [answer for answer, _ in clients.map(post, range(1 + 2 * CLIENTS))]
        assert {answer.status for answer in again} == {202}
        wait_until(lambda: events.ask("GET", "/readyz").status == 200)

"""The topic is deleted under an events service that runs: what posts are answered, and when readiness says so."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from tests.journeys.production import contact, made_site
from tests.serving import Answer, serving
from tests.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.slow]

POSTS_AT_ONCE = 8


def test_nothing_is_acknowledged_into_a_topic_that_is_gone(
    kafka_bootstrap: str, postgres_url: str, tmp_path: Path
) -> None:
    """Every post is refused from then on, also while `/readyz` has not noticed, which before long says what to do."""
    with (
        made_site(kafka_bootstrap, postgres_url, tmp_path) as site,
        serving(site.folder, command="events", **site.settings) as events,
        closing(KafkaAdminClient(bootstrap_servers=kafka_bootstrap)) as admin,
        ThreadPoolExecutor(POSTS_AT_ONCE) as posting,
    ):
        topic = site.settings["log_url"].rsplit("/", 1)[1]

        def post(number: int) -> Answer:
            return events.post(contact(number), authorization=f"Bearer {site.key}")

        wait_until(lambda: events.ask("GET", "/readyz").status == 200)
        assert post(0).status == 202
        admin.delete_topics([topic])
        wait_until(lambda: admin.describe_topics([topic])[0]["error_code"] != 0)
        posts = [posting.submit(post, number) for number in range(1, POSTS_AT_ONCE)]
        wait_until(lambda: events.ask("GET", "/readyz").status == 503)
        assert f"the topic {topic} is gone" in events.ask("GET", "/readyz").json()["detail"]
        posts.append(posting.submit(post, POSTS_AT_ONCE))
        assert {answer.result().status for answer in posts} == {503}

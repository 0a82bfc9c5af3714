"""A dispute on the dashboard of the production size: the gateway posts it to the events service, as the person."""

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest

from services.graphql.sign_in import COOKIE
from tests.journeys.production import Site, contact, made_site
from tests.serving import Answer, Server, serving

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
ACT = "/dashboard/act?source=/crm&id=contact-1&subject=c-1"
OWN = {"sec_fetch_site": "same-origin", "content_type": "application/x-www-form-urlencoded"}


@pytest.fixture
def site(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site of its own."""
    with made_site(kafka_bootstrap, postgres_url, tmp_path / "data") as made:
        yield made


def send(gateway: Server, credential: str, sent: dict[str, str]) -> Answer:
    """Send a form of the dashboard."""
    return gateway.ask("POST", "/dashboard/dispute", urlencode(sent).encode(), cookie=f"{COOKIE}={credential}", **OWN)


def key(site: Site, person: str) -> str:
    """A key with which a person reads cards."""
    return site.run("keys", "create", "--name", person, "--scope", "cards:read", "--person", person).strip()


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the form on an act's page."""
    form = page.partition('action="/dashboard/dispute"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in found}


def test_a_dispute_goes_through_the_events_service(site: Site) -> None:
    """It is recorded under the person's own credential and read back; while that service is away, it says so."""
    rep, other = (key(site, person) for person in ("r-1", "r-2"))
    with ExitStack() as stack:
        events = stack.enter_context(serving(site.folder, command="events", **site.settings))
        stack.enter_context(serving(site.folder, command="projections", **site.settings))
        settings = {**site.settings, "events_url": events.url}
        gateway = stack.enter_context(serving(site.folder, command="graphql", **settings))
        site.wait(gateway, site.post(events, contact(1)))
        page = gateway.ask("GET", ACT, cookie=f"{COOKIE}={rep}").body.decode()
        sent = {**fields(page), "reason": "it was not me"}
        assert send(gateway, other, sent).status == 403
        led = send(gateway, rep, sent)
        assert led.status == 303
        again = gateway.ask("GET", led.headers["location"].partition("#")[0], cookie=f"{COOKIE}={rep}")
        assert "“it was not me”" in again.body.decode()
        events.stop()
        away = send(gateway, rep, {**sent, "reason": "other words"})
        assert away.status == 503
        assert "Send it again" in away.body.decode()

"""A page that is open follows what happens: without moving the focus, without folding up, until it is paused."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.opened import SOON, Opened, Site, opened

TODAY = datetime.now(UTC).date()
NOW = f"first={TODAY - timedelta(days=1)}&last={TODAY + timedelta(days=1)}"  # also if a day ends meanwhile
TEAM = f"/dashboard/team?team=t-summit&{NOW}"
FETCHES = """performance.getEntriesByType("resource")
  .filter(one => one.initiatorType === "fetch").map(one => one.startTime)"""


@pytest.fixture
def team(browser: Browser, site: Site) -> Iterator[Opened]:
    """Summit's page of these days, in which the sample year has nothing, open before its leader."""
    with opened(browser, site, TEAM, "leader") as made:
        yield made


def post(site: Site, id_: str) -> None:
    """Record that a rep of Summit pressed a customer, just now; it is in the figures after."""
    event = {
        "specversion": "1.0",
        "id": id_,
        "source": "/tests/live",
        "type": "exemplar.urgency.pressed.v1",
        "subject": f"customer-{id_}",
        "time": datetime.now(UTC).isoformat(),
        "data": {"rep": "p-011", "tactic": "deadline"},
    }
    headers = {"authorization": f"Bearer {site.keys['operator']}"}
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=30)
    posted = {"content-type": "application/cloudevents+json", **headers}
    connection.request("POST", "/v1/events", json.dumps(event), posted)
    position = json.loads(connection.getresponse().read())["position"]
    connection.request("GET", "/graphql?query={viewer{key}}", headers={"exemplar-wait-for": position, **headers})
    assert json.loads(connection.getresponse().read())["data"]
    connection.close()


def test_an_act_that_is_posted_changes_the_open_page(team: Opened, site: Site) -> None:
    """Its figures are there soon; the focus is where it was, what was unfolded is unfolded, and it is said once."""
    page = team.page
    expect(page.get_by_role("button", name="Pause live updates")).to_be_visible()
    pressing = page.locator("#no-pressure")
    before = count(pressing)
    post(site, "first")
    expect(pressing).to_contain_text(signals(before + 1))
    pressing.get_by_text("Numbers", exact=False).first.click()
    link = pressing.get_by_role("link", name="The signals")
    link.focus()
    page.evaluate("window.kept = document.activeElement")
    post(site, "second")
    expect(pressing).to_contain_text(signals(before + 2))
    assert page.evaluate("document.activeElement === window.kept")
    assert pressing.locator("details.numbers").get_attribute("open") is not None
    expect(page.get_by_role("status").filter(has_text="Updated at")).to_have_count(1)
    team.check()


def test_a_rep_sees_their_own_card_change(browser: Browser, site: Site) -> None:
    """Who leads nobody is told of their own acts, and the page does not say that it is cut off."""
    with opened(browser, site, f"/dashboard/person?person=p-011&{NOW}", "rep") as made:
        pressing = made.page.locator("#no-pressure")
        expect(made.page.get_by_role("button", name="Pause live updates")).to_be_visible()
        before = count(pressing)
        post(site, "own")
        expect(pressing).to_contain_text(signals(before + 1))
        expect(made.page.locator("#live-said")).to_contain_text("Updated at")
        made.check()


def test_a_page_that_is_paused_stays_as_it_is(team: Opened, site: Site) -> None:
    """It is told on the button; resumed, it shows what has come meanwhile."""
    page = team.page
    page.get_by_role("button", name="Pause live updates").click()
    pressing = page.locator("#no-pressure")
    before = count(pressing)
    post(site, "third")
    assert count(pressing) == before
    page.get_by_role("button", name="Resume live updates").click()
    expect(pressing).to_contain_text(signals(before + 1))


def test_a_list_grows_above_what_has_the_focus(browser: Browser, site: Site) -> None:
    """A signal that is new comes first; the one that somebody is at stays what it is, and keeps the focus."""
    post(site, "earlier")
    address = f"/dashboard/signals?person=p-011&principle=no-pressure&{NOW}"
    with opened(browser, site, address, "leader") as made:
        page = made.page
        first = page.locator(".signals > li").first.get_by_role("link").last
        href = first.get_attribute("href")
        first.focus()
        expect(page.get_by_role("button", name="Pause live updates")).to_be_visible()
        post(site, "later")
        expect(page.locator(".signals")).to_contain_text("customer-later")
        assert page.evaluate("document.activeElement.getAttribute('href')") == href
        made.check()


def test_a_key_that_is_revoked_ends_the_updates(browser: Browser, site: Site) -> None:
    """Whoever is signed out elsewhere is told so the next time something would change; nothing is asked for again."""
    with opened(browser, site, TEAM, "leader") as made:
        expect(made.page.get_by_role("button", name="Pause live updates")).to_be_visible()
        made.page.context.clear_cookies()
        post(site, "fourth")
        expect(made.page.get_by_role("status").filter(has_text="You are signed out")).to_be_visible()
        assert not made.page.get_by_role("button", name="live updates").is_visible()


def test_a_page_that_cannot_be_kept_up_to_date_says_so(team: Opened, site: Site) -> None:
    """What is shown stays; once the server is to be had again, the page is what it would have been."""
    page = team.page
    expect(page.get_by_role("button", name="Pause live updates")).to_be_visible()
    pressing = page.locator("#no-pressure")
    before = count(pressing)
    page.route("**/dashboard/team?*", lambda route: route.abort())
    post(site, "fifth")
    expect(page.get_by_role("status").filter(has_text="Not live")).to_be_visible()
    assert count(pressing) == before
    page.unroute("**/dashboard/team?*")
    expect(page.get_by_role("status").filter(has_text="Updated at")).to_be_visible(timeout=2 * SOON)
    assert count(pressing) == before + 1


def test_changes_that_come_fast_are_shown_together(team: Opened, site: Site) -> None:
    """The page is asked for at most once a second, whatever happens meanwhile; what came last is on it."""
    page = team.page
    pressing = page.locator("#no-pressure")
    expect(page.get_by_role("button", name="Pause live updates")).to_be_visible()
    post(site, "sixth")
    expect(page.get_by_role("status").filter(has_text="Updated at")).to_be_visible()
    before = count(pressing)
    for number in range(6):
        post(site, f"fast-{number}")
    expect(pressing).to_contain_text(signals(before + 6))
    times: list[float] = page.evaluate(FETCHES)  # by the page's own clock: a test hears of requests when it listens
    assert len(times) >= 2
    assert min(later - earlier for earlier, later in pairwise(times)) > 900


def count(pressing: Locator) -> int:
    """How many signals a principle's row tells of; without any there is no row."""
    found = re.search(r"of (\d+)\s+signal", " ".join(pressing.all_inner_texts()))
    return int(found[1]) if found else 0


def signals(number: int) -> re.Pattern[str]:
    """What a principle's row says of so many."""
    return re.compile(rf"of {number}\s+signal")


def test_a_page_that_takes_a_moment_says_that_it_comes(team: Opened) -> None:
    """Whoever follows a link sees soon that something happens, and nothing of it once a page is there again.

    While a browser waits for a page it tells a test nothing of the old one; so the test tells the page of both.
    """
    loading = team.page.get_by_text("Loading …")
    expect(loading).to_be_hidden()
    team.page.evaluate("dispatchEvent(new Event('beforeunload'))")
    expect(loading).to_be_visible()
    team.page.evaluate("dispatchEvent(new Event('pageshow'))")
    expect(loading).to_be_hidden()

"""The audit log in a real browser, before compliance: searched, and an entry's proof checked by the page itself."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.opened import DESKTOP, PHONE, SMALLEST, Opened, Site, Theme, opened
from tests.serving import run

PAGES = {
    "audit": "/dashboard/audit",
    "audit-reads": "/dashboard/audit?type=read",
    "audit-nothing": "/dashboard/audit?subject=nobody",
    "audit-entry": "/dashboard/audit-entry?index=1000",
    "audit-entry-read": "/dashboard/audit-entry?index={read}",
}
STEPS = ("content", "leaf", "root", "signature")


@pytest.fixture(scope="module")
def read(browser: Browser, site: Site) -> int:
    """The entry of a look at somebody's card."""
    with opened(browser, site, "/dashboard/person?person=p-011", "leader"):
        pass
    with opened(browser, site, PAGES["audit-reads"], "compliance") as made:
        row = made.page.get_by_role("row").filter(has_text="the scorecard")
        for _ in range(40):  # looks: each is an entry itself, and of these a page has 50
            if row.count():
                return int(row.first.locator("th").inner_text().replace(",", ""))
            made.page.wait_for_timeout(500)
            made.page.reload()
    pytest.fail("the look at a card is not in the audit log")


@pytest.fixture(scope="module")
def key(site: Site) -> str:
    """The verifier key, as an operator would hand it over."""
    done = run(site.folder, ["audit", "key"])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def entry(browser: Browser, site: Site) -> Iterator[Opened]:
    """The page of an entry, open before compliance."""
    with opened(browser, site, PAGES["audit-entry"], "compliance") as made:
        yield made


def results(page: Page) -> list[str | None]:
    """What came of each step, once the last one is told."""
    expect(page.locator("#step-signature .result")).to_be_visible()
    return [page.locator(f"#step-{step} .result").get_attribute("data-outcome") for step in STEPS]


def check_with(page: Page, key: str) -> list[str | None]:
    """Give a verifier key; what came of each step."""
    page.get_by_label("The verifier key of the tree").fill(key)
    page.evaluate("document.querySelectorAll('.result').forEach((one) => one.remove())")
    page.get_by_role("button", name="Check with it").click()
    return results(page)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (PHONE, "dark"), (SMALLEST, "light")])
def test_a_page_is_sound(
    browser: Browser, site: Site, read: int, name: str, size: tuple[int, int], theme: Theme
) -> None:
    """Nothing on the console, nothing from elsewhere, nothing that axe finds, nothing wider than the window."""
    with opened(browser, site, PAGES[name].format(read=read), "compliance", size, theme) as made:
        made.screenshot(f"{name}-{size[0]}-{theme}")
        made.check()


@pytest.mark.parametrize("name", ["audit", "audit-entry"])
def test_who_may_not_read_it_finds_nothing(browser: Browser, site: Site, name: str) -> None:
    """For a leader there is no such page, and no link to it."""
    with opened(browser, site, PAGES[name], "leader") as made:
        assert made.page.get_by_role("heading", level=1).inner_text() != "The audit log"
        made.go("/dashboard")
        assert made.page.get_by_role("link", name="Audit log").count() == 0


def test_it_is_searched_by_a_form(browser: Browser, site: Site) -> None:
    """By whom it concerns, what it is and when; each page of the list leads to the next and back, without scripts."""
    with opened(browser, site, "/dashboard", "compliance", scripts=False) as made:
        page = made.page
        made.follow(page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit log"))
        assert page.locator("tbody tr").count() == 50
        made.follow(page.get_by_role("link", name="Older entries"))
        made.follow(page.get_by_role("link", name="The newest"))
        page.get_by_role("combobox", name="What").select_option("exemplar.act.disputed.v1")
        made.follow(page.get_by_role("button", name="Search"))
        rows = page.locator("tbody tr")
        assert rows.count() > 0
        assert all("disputes" in text for text in rows.all_inner_texts())
        page.get_by_label("First day, UTC").fill("2030-01-01")
        made.follow(page.get_by_role("button", name="Search"))
        assert "No entries" in page.locator("main").inner_text()
        made.follow(page.get_by_role("link", name="Retractions"))
        assert page.get_by_label("First day, UTC").input_value() == ""
        assert "took back" in page.locator("tbody").inner_text()


def test_an_entry_is_proven_by_the_page_itself(entry: Opened, key: str) -> None:
    """Without the key all but the signature; with it the whole, which is remembered for the next entry."""
    page = entry.page
    assert results(page) == ["holds", "holds", "holds", "open"]
    assert check_with(page, "example.com/log+00000000+AAAA") == ["holds", "holds", "holds", "open"]
    assert check_with(page, key) == ["holds"] * 4
    expect(page.locator("#outcome")).to_contain_text("Proven")
    entry.screenshot("audit-entry-proven")
    entry.follow(page.get_by_role("link", name="The entry after"))
    assert results(page) == ["holds"] * 4
    entry.check()


def test_a_page_without_scripts_says_how_it_is_checked(
    browser: Browser, site: Site, key: str, read: int, tmp_path: Path
) -> None:
    """The proof that is on the page is one that other tools take, of an act and of what is none."""
    for name in ("audit-entry", "audit-entry-read"):
        with opened(browser, site, PAGES[name].format(read=read), "compliance", scripts=False) as made:
            assert "Not checked here" in made.page.locator("#outcome").inner_text()
            file = tmp_path / f"{name}.tlog-proof"
            file.write_text(made.page.locator("#file").text_content() or "", encoding="utf-8")
        done = run(site.folder, ["audit", "verify", "--offline", str(file), "--key", key])
        assert done.returncode == 0, done.stderr


def test_an_entry_that_was_tampered_with_fails(browser: Browser, site: Site, key: str) -> None:
    """Whoever changes an entry in the database changes its leaf, and that leads to another root than was signed."""
    with closing(sqlite3.connect(site.folder / "exemplar.audit.sqlite")) as database:
        (kept,) = database.execute("SELECT entry FROM entries WHERE number = 500").fetchone()
        forged = json.dumps(json.loads(kept) | {"sha256": "0" * 64}, separators=(",", ":"), sort_keys=True)
        change = "UPDATE entries SET entry = ? WHERE number = 500"
        database.execute(change, (forged.encode(),))
        database.commit()
        with opened(browser, site, "/dashboard/audit-entry?index=500", "compliance") as made:
            found = check_with(made.page, key)
            said = made.page.locator("#outcome").inner_text()
            made.screenshot("audit-entry-tampered")
        database.execute(change, (kept,))
        database.commit()
    assert found == ["fails", "holds", "fails", "holds"]
    assert "Not as it was" in said


@pytest.mark.parametrize(
    ("after", "put", "expected"),
    [
        (r'(id="content")', " data-changed", ["holds", "holds", "holds", "holds"]),
        (r"(&#34;sha256&#34;:&#34;)", "f", ["fails", "fails", "fails", "holds"]),
        (r'(<pre[^>]* id="content"[^>]*>)', "e30A", ["fails", "holds", "holds", "holds"]),
        (r'(<pre[^>]* id="leaf"[^>]*>)', "A", ["holds", "fails", "holds", "holds"]),
        (r"(\n— \S+ \S{30})..", "AA", ["holds", "holds", "holds", "fails"]),
    ],
)
def test_each_step_fails_for_itself(
    browser: Browser, site: Site, key: str, after: str, put: str, expected: list[str]
) -> None:
    """What is changed on the way to the browser is found where it was changed."""
    with opened(browser, site, "/dashboard", "compliance") as made:
        page = made.page

        def forge(route: Route) -> None:
            response = route.fetch()
            route.fulfill(response=response, body=re.sub(after, rf"\g<1>{put}", response.text(), count=1))

        page.route("**/dashboard/audit-entry?*", forge)
        made.go(PAGES["audit-entry"])
        assert check_with(page, key) == expected

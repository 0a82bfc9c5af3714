"""A rep disputes an act of theirs in a real browser, on a server that records it as it records any act."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.opened import DESKTOP, PHONE, Opened, Site, Theme, opened

THEIRS = "/dashboard/act?source=demo/crm&id=c-0220-19&subject=c-0220&{query}"
OTHERS = "/dashboard/act?source=demo/crm&id=c-0286-45&subject=c-0286&{query}"
WORDS = "They had asked me for the date.\n<script>alert(1)</script>"


def fill(page: Page) -> None:
    """Say what is wrong with the act."""
    page.get_by_text("Dispute this act").click()
    page.get_by_label("What is wrong with it?").fill(WORDS)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_rep_disputes_an_act_of_theirs(browser: Browser, site: Site, scripts: bool) -> None:
    """From the card by its signals to the act; the dispute is shown there, in the relationship, and to the leader."""
    card = f"/dashboard/signals?person=p-011&principle=no-pressure&verdict=breached&{site.query}"
    with opened(browser, site, card, "rep", scripts=scripts) as made:
        page = made.page
        made.follow(page.locator(".acts a.says-act").nth(0 if scripts else 1))
        before = page.locator("#disputes .disputed").count()
        fill(page)
        made.follow(page.get_by_role("button", name="Send the dispute"))
        shown = page.locator("#disputes .disputed")
        expect(shown).to_have_count(before + 1)
        expect(shown.last).to_contain_text("by p-011")
        expect(shown.last).to_contain_text("<script>alert(1)</script>")
        assert re.search(r"position=\d+%3A\d+#disputes$", page.url)
        if scripts:
            made.check()
        made.follow(page.locator(".head").get_by_role("link", name="Customer"))
        expect(page.locator("li.deed:target")).to_contain_text("They had asked me for the date.")
        act = page.locator("li.deed:target .says-act").get_attribute("href") or ""
    with opened(browser, site, act, "leader") as seen:
        expect(seen.page.locator("#disputes")).to_contain_text("They had asked me for the date.")
        assert not seen.page.get_by_text("Dispute this act").is_visible()


@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_the_form_is_sound(browser: Browser, site: Site, size: tuple[int, int], theme: Theme) -> None:
    """With the form open there is nothing that axe finds, and nothing wider than the window."""
    with opened(browser, site, THEIRS.format(query=site.query), "rep", size, theme) as made:
        fill(made.page)
        made.screenshot(f"dispute-{size[0]}-{theme}")
        made.check()


def test_a_form_that_is_sent_twice_is_one_dispute(browser: Browser, site: Site) -> None:
    """Whoever clicks twice, or sends again what seemed lost, disputes once."""
    with opened(browser, site, THEIRS.format(query=site.query), "rep") as made:
        sent = fields(made) | {"reason": "once"}
        answers = [send(made, sent) for _ in range(2)]
        assert [status for status, _ in answers] == [303, 303]
        made.go(answers[0][1])
        expect(made.page.locator("#disputes .disputed", has_text="“once”")).to_have_count(1)


def test_what_is_not_theirs_is_refused(browser: Browser, site: Site) -> None:
    """Neither offered nor taken: the act of another rep, whatever the form says."""
    with opened(browser, site, THEIRS.format(query=site.query), "rep") as made:
        other = {"source": "demo/crm", "id": "c-0286-45", "subject": "c-0286", "reason": "mine"}
        assert send(made, fields(made) | other)[0] == 403
        assert made.go(OTHERS.format(query=site.query)).status == 404


def fields(made: Opened) -> dict[str, str]:
    """The hidden fields of the form."""
    found: dict[str, str] = made.page.locator("form[action='/dashboard/dispute'] input[type=hidden]").evaluate_all(
        "all => Object.fromEntries(all.map(one => [one.name, one.value]))"
    )
    return found


def send(made: Opened, sent: dict[str, str]) -> tuple[int, str]:
    """Send a form as the page would; the status, and where it leads."""
    headers = {"sec-fetch-site": "same-origin"}
    form: dict[str, str | float | bool] = {**sent}
    answer = made.page.request.post("/dashboard/dispute", form=form, headers=headers, max_redirects=0)
    return answer.status, answer.headers.get("location", "")

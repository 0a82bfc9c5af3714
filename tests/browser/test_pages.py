"""Every page in a real browser: as each who may look, at desktop and phone size, light and dark, full and empty."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.opened import DESKTOP, PHONE, SMALLEST, Opened, Site, Theme, opened

# By name: the address as the leader opens it. `{query}` is a period with something in it.
PAGES = {
    "teams": "/dashboard",
    "team": "/dashboard/team?team=t-summit&{query}",
    "team-above": "/dashboard/team?team=t-alder&subteams=true&{query}",
    "team-thin": "/dashboard/team?team=t-summit&period=week&on=2025-02-03",
    "example": "/dashboard/example?team=t-summit&{query}",
    "heatmap": "/dashboard/heatmap?team=t-summit&{query}",
    "equity": "/dashboard/equity?team=t-summit&{query}",
    "person": "/dashboard/person?person=p-011&{query}",
    "person-who-leads": "/dashboard/person?person=p-003&{query}",
    "principle": "/dashboard/principle?principle=accept-decisions&team=t-summit&{query}",
    "principles": "/dashboard/principle",
    "signals": "/dashboard/signals?team=t-summit&principle=no-pressure&{query}",
    "signals-of-a-person": "/dashboard/signals?person=p-011&principle=follow-through&verdict=breached&{query}",
    "relationship": "/dashboard/relationship?customer=c-0209&{query}",
    "relationship-disputed": "/dashboard/relationship?customer=c-0286&{query}",
    "act": "/dashboard/act?source=demo/crm&id=c-0221-15&subject=c-0221&{query}",
    "act-disputed": "/dashboard/act?source=demo/crm&id=c-0286-45&subject=c-0286&{query}",
    "audit": "/dashboard/audit",
    "audit-entry": "/dashboard/audit-entry?index=1000",
    "sign-in": "/dashboard/sign-in",
    "notice": "/dashboard/nothing-here",
}
LOOKS: list[tuple[tuple[int, int], Theme]] = [(DESKTOP, "light"), (PHONE, "dark")]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_a_page_is_sound(browser: Browser, site: Site, name: str, size: tuple[int, int], theme: Theme) -> None:
    """Nothing on the console, nothing from elsewhere, nothing that axe finds, nothing wider than the window."""
    who = "director" if name == "team-above" else "leader"
    with opened(browser, site, PAGES[name].format(query=site.query), who, size, theme) as made:
        made.screenshot(f"{name}-{size[0]}-{theme}")
        _check(made)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("who", ["rep", "compliance"])
def test_a_page_is_sound_for_who_may_see_less(browser: Browser, site: Site, name: str, who: str) -> None:
    """Who may not see a thing gets a page that is as sound, with a heading and a way on."""
    with opened(browser, site, PAGES[name].format(query=site.query), who, PHONE) as made:
        made.screenshot(f"{name}-as-{who}")
        assert made.page.locator("h1").count() == 1
        _check(made)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound_with_nothing_in_it(browser: Browser, empty_site: Site, name: str) -> None:
    """Where nobody has sent an act yet, a page says so and what to do."""
    with opened(browser, empty_site, PAGES[name].format(query=empty_site.query), "operator") as made:
        made.screenshot(f"{name}-empty")
        _check(made)


def test_a_page_is_whole_without_scripts(browser: Browser, site: Site) -> None:
    """The choice of a period, of a theme, and everything folded away works by links, forms and details."""
    with opened(browser, site, "/dashboard", "leader", scripts=False) as made:
        page = made.page
        made.follow(page.get_by_role("link", name="Summit", exact=True))
        made.follow(page.get_by_role("link", name="Year"))
        page.get_by_text("Other days").click()
        page.get_by_label("First day").fill("2025-03-01")
        page.get_by_label("Last day").fill("2025-03-31")
        made.follow(page.get_by_role("button", name="Show"))
        assert "first=2025-03-01&last=2025-03-31" in page.url
        assert "1 Mar 2025 – 31 Mar 2025" in page.locator(".period-now").inner_text()
        made.follow(page.get_by_role("button", name="Dark"))
        assert "first=2025-03-01" in page.url
        assert page.locator("html").get_attribute("data-theme") == "dark"
        page.go_back()
        made.follow(page.get_by_role("link", name="The period before"))
        assert "29 Jan 2025 – 28 Feb 2025" in page.locator(".period-now").inner_text()


def test_a_figure_leads_to_its_signals_and_they_to_their_acts(browser: Browser, site: Site) -> None:
    """One click from a principle's row to its signals; they are the ones that its sentence counts."""
    with opened(browser, site, PAGES["team"].format(query=site.query), "leader") as made:
        row = made.page.locator("#no-pressure")
        said = row.locator(".told p").first.inner_text()
        made.follow(row.get_by_role("link", name="The signals"))
        assert made.page.locator(".says").first.inner_text() == said
        assert made.page.locator(".signals > li").count() == 25
        assert made.page.locator(".acts li").count() >= 25
        made.follow(made.page.get_by_role("link", name="Older signals"))
        made.follow(made.page.get_by_role("link", name="The newest"))
        assert "after=" not in made.page.url


def test_signing_in_and_out(browser: Browser, site: Site) -> None:
    """With a wrong key the form says so; with a good one the page comes that was asked for; then there is a way out."""
    with opened(browser, site, PAGES["team"].format(query=site.query)) as made:
        page = made.page
        page.get_by_label("Key or token").fill("exk_wrong")
        made.follow(page.get_by_role("button", name="Sign in"))
        assert "not known here" in page.get_by_role("alert").inner_text()
        page.get_by_label("Key or token").fill(site.keys["leader"])
        made.follow(page.get_by_role("button", name="Sign in"))
        assert page.url == site.url + PAGES["team"].format(query=site.query)
        assert page.evaluate("document.cookie") == ""
        made.follow(page.get_by_role("button", name="Sign out"))
        assert "You are signed out" in page.locator("main").inner_text()
        made.go("/dashboard")
        assert page.url.endswith("/dashboard/sign-in?next=%2Fdashboard")


def test_everything_is_reached_by_keyboard(browser: Browser, site: Site) -> None:
    """The first key leads past the head to the content; whatever has the focus is seen to have it."""
    with opened(browser, site, PAGES["team"].format(query=site.query), "leader") as made:
        page = made.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        for _ in range(12):
            page.keyboard.press("Tab")
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


@pytest.mark.parametrize("size", [SMALLEST, (640, 450)])
def test_no_page_needs_scrolling_sideways(browser: Browser, site: Site, size: tuple[int, int]) -> None:
    """At 320 pixels, and at 200 % zoom, which is a window of half the width."""
    with opened(browser, site, PAGES["sign-in"], "leader", size) as made:
        for name, path in PAGES.items():
            made.go(path.format(query=site.query))
            assert made.overflow() == 0, name
            made.screenshot(f"{name}-{size[0]}")


def test_a_team_prints_well(browser: Browser, site: Site) -> None:
    """On paper there is what is to be read, and nothing to be clicked; it is light, whatever the screen is."""
    with opened(browser, site, PAGES["team"].format(query=site.query), "leader", theme="dark") as made:
        made.page.emulate_media(media="print", color_scheme="dark")
        assert made.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not made.page.get_by_role("button", name="Dark").is_visible()
        assert made.page.get_by_role("heading", name="What the team does").is_visible()
        assert not made.page.get_by_role("heading", name="All principles in numbers").is_visible()
        assert not made.page.get_by_role("heading", name="The people").is_visible()
        kept = made.site.screenshots and made.site.screenshots / "team.pdf"
        pdf = made.page.pdf(path=kept, prefer_css_page_size=True)
        assert 1 <= pdf.count(b"/Type /Page\n") <= 6


def _check(made: Opened) -> None:
    """A page that there is not is told on the console as well, by the browser itself."""
    made.said = [said for said in made.said if "the server responded with a status of 40" not in said]
    made.check()

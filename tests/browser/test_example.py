"""The leader's example in a real browser: what it says, how it looks, where it leads, and who may see it."""

import csv
import io
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.opened import DESKTOP, SMALLEST, Opened, Site, Theme, opened

SUMMIT = "/dashboard/example?team=t-summit&{query}"
LOOKS: list[tuple[tuple[int, int], Theme]] = [(DESKTOP, "light"), (SMALLEST, "dark")]


def sections(made: Opened) -> list[str]:
    """The headings of the page's sections, in their order."""
    return [heading.strip() for heading in made.page.locator("main h2").all_inner_texts()]


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_an_example_is_sound_with_all_of_it_open(
    browser: Browser, site: Site, size: tuple[int, int], theme: Theme
) -> None:
    """Nothing on the console, nothing from elsewhere, nothing that axe finds, nothing wider than the window."""
    with opened(browser, site, SUMMIT.format(query=site.query), "leader", size, theme) as made:
        made.screenshot(f"example-{size[0]}-{theme}")
        made.page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true })")
        made.check()


def test_an_example_says_what_stands_out_and_leads_to_the_signals(browser: Browser, site: Site) -> None:
    """What to talk about with whom comes first, each point leading to its place; one click from there to the signals.

    In the sample year Summit does as its leader does on pressing, more than with other leaders in that place.
    """
    with opened(browser, site, SUMMIT.format(query=site.query), "leader", scripts=False) as made:
        assert sections(made)[0] == "What stands out, and with whom to talk"
        assert made.page.locator("section.panel h3").all_inner_texts() == ["For yourself", "With the team"]
        places = made.page.locator("section.panel li a").evaluate_all("all => all.map(one => one.hash.slice(1))")
        assert "no-pressure" in places
        assert [made.page.locator(f'[id="{place}"]').count() for place in places] == [1] * len(places)
        pressing = made.page.locator("#no-pressure")
        expect(pressing).to_contain_text("This is more than a busy month: the team does as Victoria Lindqvist does.")
        assert pressing.locator("svg.mirroring .band").count() == 1
        assert made.page.locator("article.principle svg.pair").count() == 14
        for name, whose in (("The leader’s signals", "person=p-003"), ("The team’s signals", "team=t-summit")):
            href = pressing.get_by_role("link", name=name).get_attribute("href") or ""
            assert {whose, "principle=no-pressure", "period=year"} <= set(href.partition("?")[2].split("&"))


def test_a_leader_who_hardly_sells_is_seen_by_coaching_first(browser: Browser, site: Site) -> None:
    """The director sells nothing: coaching, standards and pushes come before the principles, and that is said."""
    with opened(browser, site, f"/dashboard/example?team=t-alder&{site.query}", "director") as made:
        found = sections(made)
        assert found[1:5] == [
            "Coaching and recognition",
            "After coaching",
            "Words and deeds",
            "After the leader pushes",
        ]
        expect(made.page.locator("main")).to_contain_text(
            "did not act with customers: the team had nothing here to copy"
        )
        made.screenshot("example-few-sales")
        made.check()


@pytest.mark.parametrize("name", ["mirroring", "pushing"])
def test_a_figure_is_a_table_and_a_chart_to_take_away(browser: Browser, site: Site, name: str) -> None:
    """CSV with a heading and rows; SVG that is well-formed and stands alone."""
    address = f"/dashboard/example/{name}.{{}}?team=t-summit&{site.query}"
    with opened(browser, site, "/dashboard/nothing-here", "leader") as made:
        table = made.page.request.get(site.url + address.format("csv")).text()
        heading, *rows = csv.reader(io.StringIO(table))
        assert {len(row) for row in rows} == {len(heading)}
        drawn = made.page.request.get(site.url + address.format("svg")).text()
        assert ElementTree.fromstring(drawn).tag.endswith("svg")


def test_over_a_short_time_the_page_offers_a_year(browser: Browser, site: Site) -> None:
    """Mirroring can seldom be told over a month; a year is a click away."""
    with opened(browser, site, "/dashboard/example?team=t-harbour&period=month&on=2025-10-01", "director") as made:
        made.follow(made.page.get_by_role("link", name="look at a year"))
        expect(made.page.locator(".period-now")).to_contain_text("2025")
        made.check()

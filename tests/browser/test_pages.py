"""Every page in a real browser, as everybody who may look, at desktop and phone size, light and dark."""

import pytest
from playwright.sync_api import Browser

from tests.browser.opened import DESKTOP, PHONE, SMALLEST, Site, Theme, opened

PAGES = {
    "teams": "/dashboard",
    "team": "/dashboard/team?team=t-summit&{query}",
    "signals": "/dashboard/signals?team=t-summit&principle=no-pressure&{query}",
    "sign-in": "/dashboard/sign-in",
    "nothing": "/dashboard/nothing-here",
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (PHONE, "dark"), (SMALLEST, "light")])
def test_a_page_is_sound_for_a_leader(
    browser: Browser, site: Site, name: str, size: tuple[int, int], theme: Theme
) -> None:
    """Nothing on the console, nothing from elsewhere, nothing that axe finds, nothing wider than the window."""
    with opened(browser, site, PAGES[name].format(query=site.query), "leader", size, theme) as made:
        made.screenshot(f"{name}-{size[0]}-{theme}")
        made.said = [said for said in made.said if name != "nothing" or "404" not in said]
        made.check()

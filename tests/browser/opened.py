"""A page that is open in a real browser, and what must hold of each: nothing on the console, nothing from elsewhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, Request, Response

from services.graphql.sign_in import COOKIE

AXE = Path(__file__).parent / "axe" / "axe.min.js"
Theme = Literal["light", "dark"]
DESKTOP, PHONE, SMALLEST = (1280, 900), (390, 844), (320, 640)
SOON = 30_000  # milliseconds, at most: on a machine that does nothing else it is a thirtieth of that
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN_AXE = """async (rules) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: rules}});
  return found.violations.map(v => `${v.id}: ${v.help}: ${v.nodes.slice(0, 4).map(n => n.html).join(" | ")}`);
}"""


@dataclass(frozen=True)
class Site:
    """A running server on the files of `folder`.

    `keys` are by who holds them; `query` is a period in which there is something to see.
    """

    url: str
    keys: dict[str, str]
    query: str
    screenshots: Path | None
    folder: Path = Path()


@dataclass
class Opened:
    """A page, and all that the browser had to say of it."""

    page: Page
    site: Site
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def go(self, path: str) -> Response:
        """Open an address of the site."""
        response = self.page.goto(self.site.url + path)
        assert response is not None
        return response

    def follow(self, link: Locator) -> None:
        """Click what leads to another page, and wait until all of that is there: a click alone waits for its begin."""
        with self.page.expect_navigation():
            link.click()

    def check(self) -> None:
        """What must hold of every page: nothing on the console, no request elsewhere, nothing that axe finds."""
        assert self.said == []
        assert [url for url in self.asked if not url.startswith((self.site.url, "data:"))] == []
        assert self.axe() == []
        assert self.overflow() == 0

    def axe(self) -> list[str]:
        """What keeps people with disabilities from using the page, as axe finds it."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[str] = self.page.evaluate(_RUN_AXE, RULES)
        return found

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        wider: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wider

    def screenshot(self, name: str) -> None:
        """Keep a picture of the whole page, for people to look at, where they want to."""
        if self.site.screenshots is not None:
            self.page.screenshot(path=self.site.screenshots / f"{name}.png", full_page=True)


@contextmanager
def opened(
    browser: Browser,
    site: Site,
    path: str,
    who: str | None = None,
    size: tuple[int, int] = DESKTOP,
    theme: Theme = "light",
    scripts: bool = True,
) -> Iterator[Opened]:
    """Open an address of the site as somebody: a name in `site.keys`, or nobody. Leave by closing the page."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=theme,
        java_script_enabled=scripts,
        reduced_motion="reduce",
        base_url=site.url,
    )
    try:
        if who is not None:
            context.add_cookies([{"name": COOKIE, "value": site.keys[who], "url": site.url, "httpOnly": True}])
        page = context.new_page()
        made = Opened(page, site)
        page.on("console", lambda message: made.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: made.said.append(str(error)))
        page.on("request", lambda request: made.asked.append(_address(request)))
        made.go(path)
        yield made
    finally:
        context.close()


def _address(request: Request) -> str:
    return request.url if urlsplit(request.url).scheme != "blob" else ""


def wanted_screenshots() -> Path | None:
    """The folder of EXEMPLAR_SCREENSHOTS, for who wants to look at them; they take a tenth of the time."""
    wanted = os.environ.get("EXEMPLAR_SCREENSHOTS")
    if not wanted:
        return None
    folder = Path(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    return folder

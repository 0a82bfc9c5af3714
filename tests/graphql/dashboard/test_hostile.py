"""All pages, reached as people reach them: what anybody wrote in any field is shown as text, and no link is dead."""

import csv
import io
from collections import Counter, deque
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from services.demo.year import year
from services.events.catalog.acts import PUBLIC, UNATTRIBUTED
from services.graphql.dashboard.links import path_of
from services.graphql.dashboard.pages import PAGES
from tests.fixed_clock import FixedClock
from tests.graphql.dashboard.visitor import Visitor
from tests.graphql.gateway import Asker

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "javascript:alert(1)//",
    "</title></svg>&lt;iframe&gt;<iframe>../..?#",
    "{{ 7*7 }}{% raw %}&amp;\u202e",
)
# Fields whose values the catalogue lists, or whose form it says.
PLAIN = [
    "actual_minutes",
    "amount",
    "asked_minutes",
    "asks",
    "channel",
    "currency",
    "extended_by_customer",
    "for",
    "kind",
    "next_on",
    "no_contact",
    "offered_channel",
    "outcome",
    "principle",
    "purpose",
    "retracts_source",
    "disputes_source",
    "role",
    "tactic",
    "topic",
    "until",
    "wants_help",
]
ENVELOPE = ("specversion", "source", "type", "time")
FOREIGN = ("iframe", "img", "style")  # elements that no page of ours has
CUSTOMERS = 25
EACH = 5  # addresses of each page


class Looked(HTMLParser):
    """A page as a browser reads it: its links, and whatever in it is not as it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.wrong: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in FOREIGN or (tag == "script" and set(given) != {"type", "src"}):
            self.wrong.append(f"<{tag} {attrs}>")
        for name, value in given.items():
            if name.startswith("on") or name == "style":
                self.wrong.append(f"{name}={value}")
            if name in ("href", "src", "action") and not (value or "").startswith(("/", "#")):
                self.wrong.append(f"{name}={value}")
            if name == "href":
                self.links.append(value or "")


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """An admin over three months of the made-up year in which every free text and every key is hostile."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    asker = Asker(folder, FixedClock())
    asker.world.append([_spoiled(act) for act in _some()])
    asker.world.fold()
    asker.number()
    yield Visitor(asker, "admin")
    asker.close()


def _some() -> Iterator[dict[str, Any]]:
    """The acts of the teams and of a few customers."""
    for act in year(until=date(2026, 3, 1)):
        subject = str(act["subject"])
        if not subject.startswith("c-") or int(subject[2:]) <= CUSTOMERS:
            yield dict(act)


def _spoiled(value: Any, name: str = "") -> Any:
    """The same with something hostile behind each string that can hold it; equal strings stay equal."""
    if isinstance(value, dict):
        return {key: one if key in ENVELOPE else _spoiled(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_spoiled(one, name) for one in value]
    if not isinstance(value, str) or name in PLAIN or value in (PUBLIC, UNATTRIBUTED):
        return value
    return value + HOSTILE[sum(value.encode()) % len(HOSTILE)]


def test_whatever_is_written_in_any_field_is_text(admin: Visitor) -> None:
    """Following links from the first page: every page is reached and is there, none has markup of anybody else's."""
    waiting, seen, visited = deque(["/dashboard"]), {"/dashboard"}, Counter[str]()
    while waiting:
        address = waiting.popleft()
        path = urlsplit(address).path
        visited[path] += 1
        if visited[path] > EACH:
            continue
        answer = admin.get(address)
        assert answer.status_code == 200, address
        if "html" not in answer.headers["content-type"]:
            _check_file(answer.headers["content-type"], answer.text)
            continue
        page = Looked(answer.text)
        assert page.wrong == [], address
        fresh = {link.partition("#")[0] for link in page.links if link.startswith("/dashboard")} - seen
        fresh = {link for link in fresh if "/static/" not in link and not link.endswith(("/sign-out", "/theme"))}
        seen |= fresh
        waiting.extend(sorted(fresh))
    assert {path_of(page.name) for page in PAGES} - set(visited) == set()


def _check_file(media_type: str, text: str) -> None:
    """An SVG holds no more than shapes and words, a CSV no formula."""
    if media_type.startswith("image/svg"):
        for element in ElementTree.fromstring(text).iter():
            assert element.tag.rpartition("}")[2] not in ("script", "foreignObject", "image", "a")
            assert not any(name.startswith("on") or "href" in name for name in element.attrib)
    else:
        assert not [cell for row in csv.reader(io.StringIO(text)) for cell in row if cell[:1] in ("=", "+", "@")]

"""Whatever anybody writes into an act is text to a real browser: on every page, in every file, in every field."""

import csv
import io
import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Dialog, Route, expect

from services.events.catalog.acts import ACTS
from services.events.credentials import ADMIN, CARDS_READ, create_key
from services.graphql.dashboard.links import path_of
from services.graphql.dashboard.pages import PAGES
from services.kit import instants
from services.kit.settings import load_settings
from services.parts import opened as parts_of
from services.projections.queries.rows import NAMES
from tests.browser.conftest import YEAR
from tests.browser.opened import Opened, Site, opened, wanted_screenshots
from tests.serving import serving

MARKED = "document.documentElement.setAttribute('data-hostile','1')"
TEXTS = (
    f"<script>{MARKED}</script>",
    f"\"'><img src=x onerror={MARKED}>",
    "</title></textarea></svg><iframe src=//example.com>",
    "javascript:alert(1)",
    '=HYPERLINK("http://example.com")',
)
SOURCE = "javascript:alert(1)//<b>".replace("<b>", "%3Cb%3E")  # a source is a URI, and this is one
EACH = 3  # addresses of each page, and files of each kind of a page
_NOT_OURS = """() => [
  document.documentElement.dataset.hostile,
  ...[...document.querySelectorAll("iframe, img, object, embed, foreignObject, script:not([type=module][src^='/'])")]
    .map(one => one.outerHTML),
  ...[...document.querySelectorAll("[href], [src], [action]")]
    .map(one => one.getAttribute("href") ?? one.getAttribute("src") ?? one.getAttribute("action"))
    .filter(where => !/^[/#]/.test(where)),
  ...[...document.querySelectorAll("*")].flatMap(one => [...one.attributes])
    .filter(one => one.name.startsWith("on")).map(one => one.name),
].filter(Boolean)"""


def acts(text: str) -> Iterator[Mapping[str, Any]]:
    """One act of every kind with the text in each field that takes free text or a key, with all optional fields."""
    numbers = count(1)
    rep, leader, customer, team = f"r{text}", f"l{text}", f"c{text}", f"t{text}"
    common = {"rep": rep, "deal": f"d{text}", "during": f"2{text}"}
    by_rep: dict[str, dict[str, Any]] = {
        "contact.made": {"channel": "call", "purpose": "introduce", "text": text},
        "contact.received": {
            "channel": "call",
            "asks": True,
            "wants_help": True,
            "offered_channel": "email",
            "text": text,
        },
        "question.asked": {"topic": "problem", "text": text},
        "question.answered": {"answers": f"5{text}"},
        "need.established": {"need": f"n{text}", "text": text},
        "need.ruled_out": {"need": f"n{text}"},
        "prospect.qualified": {"outcome": "fit", "criteria": [text]},
        "meeting.held": {
            "asked_minutes": 30,
            "actual_minutes": 45,
            "channel": "video",
            "purpose": "explore",
            "extended_by_customer": False,
        },
        "path.agreed": {"steps": [text], "next_on": "2025-07-01"},
        "solution.recommended": {"items": [{"item": text, "needs": [f"n{text}"]}]},
        "proposal.made": {"items": [{"item": text, "needs": [f"n{text}"]}]},
        "special.promoted": {"campaign": text, "needs": [f"n{text}"]},
        "urgency.pressed": {"tactic": "deadline", "text": text},
        "goal.appealed": {"goal": text, "text": text},
        "hesitation.voiced": {"concern": text},
        "hesitation.explored": {"hesitation": f"18{text}"},
        "decision.made": {"outcome": "deferred", "until": "2025-08-01", "no_contact": True, "reason": text},
        "order.placed": {"amount": "10", "currency": "EUR", "items": [text]},
        "prospect.released": {"reason": text},
        "referral.given": {"referred": f"e{text}"},
        "service.given": {"kind": "advice"},
    }
    others: list[tuple[str, str, dict[str, Any]]] = [
        ("team.formed", team, {"name": text, "parent": f"p{text}"}),
        ("team.joined", team, {"person": leader, "role": "leader", "name": text}),
        ("team.joined", team, {"person": rep, "role": "rep", "name": text}),
        ("team.joined", team, {"person": f"x{text}", "role": "rep", "name": text}),
        ("customer.known", customer, {"name": text, "segment": text}),
        ("customer.assigned", customer, {"rep": rep}),
        *((name, customer, {**common, **data}) for name, data in by_rep.items()),
        ("urgency.pressed", customer, {**common, "rep": leader, "tactic": "guilt", "text": text}),
        ("standard.stated", leader, {"principle": "no-pressure", "team": team, "text": text}),
        ("push.directed", leader, {"team": team, "campaign": text, "text": text}),
        ("coaching.given", leader, {"rep": rep, "principle": "no-pressure"}),
        ("recognition.given", leader, {"rep": rep, "for": "behaviour", "principle": "no-pressure"}),
        ("team.left", team, {"person": f"x{text}"}),
        (
            "act.retracted",
            customer,
            {"retracts_source": SOURCE, "retracts_id": f"9{text}", "reason": text, "by": f"b{text}"},
        ),
        (
            "act.disputed",
            customer,
            {"disputes_source": SOURCE, "disputes_id": f"19{text}", "reason": text, "by": f"b{text}"},
        ),
        ("person.erased", f"z{text}", {"by": f"b{text}", "reason": text}),
    ]
    for (name, subject, data), number in zip(others, numbers, strict=False):
        day, hour = divmod(number, 20)
        yield {
            "specversion": "1.0",
            "id": f"{number}{text}",
            "source": SOURCE,
            "type": f"exemplar.{name}.v1",
            "subject": subject,
            "time": f"2025-06-{day + 2:02d}T{hour:02d}:00:00Z",
            "data": data,
        }


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with five such companies; keys of an admin, and of a rep whose key is hostile too."""
    folder: Path = tmp_path_factory.mktemp("hostile") / "data"
    with parts_of(load_settings(data_dir=folder)) as parts:
        control, now = parts.stores.control, instants.now()
        keys = {"admin": create_key(control, "admin", [ADMIN], now)}
        keys["rep"] = create_key(control, "rep", [CARDS_READ], now, person=f"r{TEXTS[0]}")
    with serving(folder) as server:
        position = _post(server.url, keys["admin"], [act for text in TEXTS for act in acts(text)])
        server.query("{ viewer { key } }", position, authorization=f"Bearer {keys['admin']}")
        yield Site(server.url, keys, YEAR, wanted_screenshots(), folder)


def _post(url: str, key: str, events: list[Mapping[str, Any]]) -> str:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {"content-type": "application/cloudevents-batch+json", "authorization": f"Bearer {key}"}
    connection.request("POST", "/v1/events", json.dumps(events), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert "position" in answer, answer
    position: str = answer["position"]
    return position


def test_every_field_of_every_act_is_tried() -> None:
    """The catalogue has no field that is not among the hostile ones; a new one fails here until it is."""
    tried: dict[str, set[str]] = {}
    for act in acts("x"):
        tried.setdefault(act["type"].removeprefix("exemplar.").removesuffix(".v1"), set()).update(act["data"])
    assert tried == {name: {*model.__struct_encode_fields__} for name, model in zip(NAMES, ACTS, strict=True)}


def test_nothing_that_anybody_wrote_is_more_than_text(browser: Browser, hostile_site: Site) -> None:
    """By the links from page to page: no dialog, no element, no request elsewhere, nothing on the console."""
    dialogs: list[str] = []
    with opened(browser, hostile_site, "/dashboard", "admin") as made:

        def refuse(dialog: Dialog) -> None:
            dialogs.append(dialog.message)
            dialog.dismiss()

        made.page.on("dialog", refuse)
        made.page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # asked for with a bare SVG
        waiting, visited = deque(["/dashboard", *_starts()]), Counter[str]()
        seen = set(waiting)
        while waiting:
            address = waiting.popleft()
            path = Path(urlsplit(address).path)
            kind = str(path.parent / path.suffix if path.suffix else path)
            visited[kind] += 1
            if visited[kind] > EACH:
                continue
            if path.suffix:
                _look_at_file(made, address)
                continue
            response = made.go(address)
            assert response.status == 200, address
            assert made.page.evaluate(_NOT_OURS) == [], address
            fresh = set(_links(made)) - seen
            seen |= fresh
            waiting.extend(sorted(fresh))
        assert dialogs == []
        assert made.said == []
        assert [url for url in made.asked if not url.startswith((hostile_site.url, "data:"))] == []
        assert {path_of(page.name) for page in PAGES} - set(visited) == set()


def test_a_dispute_of_somebody_with_a_hostile_key_is_text(browser: Browser, hostile_site: Site) -> None:
    """From the form's hidden fields to what is shown of it."""
    text = TEXTS[0]
    act = {"source": SOURCE, "id": f"7{text}", "subject": f"c{text}"}
    with opened(browser, hostile_site, f"/dashboard/act?{urlencode(act)}", "rep") as made:
        page = made.page
        page.get_by_text("Dispute this act").click()
        page.get_by_label("What is wrong with it?").fill(TEXTS[1])
        made.follow(page.get_by_role("button", name="Send the dispute"))
        expect(page.locator("#disputes .disputed")).to_contain_text(TEXTS[1])
        expect(page.locator("#disputes .disputed")).to_contain_text(f"by r{text}")
        assert page.evaluate(_NOT_OURS) == []
        made.check()


def _starts() -> Iterator[str]:
    """The pages about each company; from there links lead to all others."""
    for text in TEXTS:
        yield f"/dashboard/team?{urlencode({'team': f't{text}'})}&{YEAR}"
        yield f"/dashboard/relationship?{urlencode({'customer': f'c{text}'})}&{YEAR}"


def _links(made: Opened) -> list[str]:
    """Where the page leads within the dashboard."""
    found: list[str] = made.page.locator("a[href^='/dashboard']").evaluate_all(
        "all => all.map(one => one.getAttribute('href').split('#')[0])"
    )
    return found


def _look_at_file(made: Opened, address: str) -> None:
    """A CSV holds no formula. An SVG, opened as a page that may run scripts, runs none and has no foreign element."""
    answer = made.page.request.get(address)
    assert answer.status == 200, address
    if ".csv" in urlsplit(address).path:
        cells = [cell for row in csv.reader(io.StringIO(answer.text())) for cell in row]
        assert [cell for cell in cells if cell[:1] in ("=", "+", "@")] == [], address
        return
    drawn = answer.text()

    def fulfil(route: Route) -> None:
        route.fulfill(body=drawn, content_type="image/svg+xml")

    made.page.route("**/as-a-page.svg", fulfil)
    made.go("/as-a-page.svg")
    assert made.page.evaluate(_NOT_OURS) == [], address
    made.page.unroute("**/as-a-page.svg")

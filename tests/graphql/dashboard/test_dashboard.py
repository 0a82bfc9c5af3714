"""Every page of the dashboard in process: what it shows to whom, its headers, its files, its refusals."""

import csv
import gzip
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from services.events.credentials import AUDIT_READ
from services.graphql.app import Allowed
from services.graphql.dashboard.assets import Assets
from services.graphql.dashboard.pages import PAGES
from services.graphql.dashboard.rendering import POLICY
from services.graphql.documents import DASHBOARD
from services.kit.database import reading
from services.projections.tables import reads
from tests.fixed_clock import FixedClock
from tests.graphql.company import found_company
from tests.graphql.dashboard.visitor import Visitor, text_of
from tests.graphql.gateway import Asker

PERIOD = "period=quarter&on=2026-01-01"
TEAM = f"/dashboard/team?team=north&{PERIOD}"


def test_the_first_page_shows_the_teams_below_one_another(closed: Asker) -> None:
    """A leader's own team and those below, with who leads them and how many reps; no other team."""
    page = Visitor(closed, "cleo").get("/dashboard")
    assert re.search(r"Company.*led by\s.*Cleo Name.*North.*Ann Name.*2 reps.*South.*Bob Name.*1 rep", text_of(page))
    assert 'href="/dashboard/team?team=north"' in page.text
    ann = Visitor(closed, "ann").page("/dashboard")
    assert "North" in ann
    assert "South" not in ann


def test_a_rep_is_led_to_their_own_card(rik: Visitor) -> None:
    """Their team is named without its figures; their card is a click away."""
    page = rik.get("/dashboard")
    assert 'href="/dashboard/person?person=rik"' in page.text
    assert "North" in text_of(page)
    assert 'href="/dashboard/team?' not in page.text
    assert "Ann Name" not in text_of(page)


def test_who_audits_is_led_to_the_audit_log(closed: Asker, rik: Visitor) -> None:
    """Who may see no team has somewhere to go all the same; nobody else is told of the log."""
    closed.person("cora", AUDIT_READ)
    page = Visitor(closed, "cora").get("/dashboard")
    assert "No teams to look at" in text_of(page)
    assert '<h2><a href="/dashboard/audit">Audit log</a></h2>' in page.text
    assert "/dashboard/audit" not in rik.get("/dashboard").text


def test_a_team_is_a_row_for_each_principle(ann: Visitor) -> None:
    """Each in a sentence, beside the leader's own; what is thin says so; what changed is in words."""
    page = ann.page(TEAM)
    assert "Guide, don't get" in page
    assert "Kept in 0 of 1 signal: 0 %." in page
    assert "Thin evidence: fewer than 5 customers." in page
    assert "Ann Name 0 % of 1, thin" in page
    assert "Nothing to compare with: no principle has anything to judge both here and in" in page
    assert "Q1 2026 so far 61 days, UTC; compared with 1 Nov 2025 – 31 Dec 2025" in page


def test_a_team_that_is_not_led_shows_no_figures(rik: Visitor) -> None:
    """A rep sees the name of their team and is told who may see more."""
    page = rik.page(TEAM)
    assert "not yours to see" in page
    assert "Kept in" not in page


@pytest.mark.parametrize("address", ["team?team=south", "team?team=nobody", "signals?team=south", "nothing", "a/b/c"])
def test_what_may_not_be_seen_is_as_what_does_not_exist(ann: Visitor, address: str) -> None:
    """One page says the same of both, and of a page that there is not."""
    answer = ann.get(f"/dashboard/{address}")
    unknown = ann.get("/dashboard/team?team=never-heard-of")
    assert (answer.status_code, unknown.status_code) == (404, 404)
    assert "or you may not see it" in text_of(answer)


def test_signals_lead_to_their_acts(ann: Visitor) -> None:
    """Each signal has its reason, its person, its customer and its acts in words, what was said among them."""
    page = ann.get(f"/dashboard/signals?team=north&principle=no-pressure&{PERIOD}")
    words = text_of(page)
    assert "Breached Pressed to hurry" in words
    assert "Rosa Name" in words
    assert "“today only”" in words
    assert "disputed" in words
    assert "relationship?period=quarter&amp;on=2026-01-01&amp;customer=globex" in page.text


def test_a_person_sees_their_own_signals(rik: Visitor) -> None:
    """All of them, by principle; nobody else's."""
    assert "Offered what meets no need" in rik.page(f"/dashboard/signals?person=rik&principle=right-solution&{PERIOD}")
    assert rik.get(f"/dashboard/signals?person=rosa&{PERIOD}").status_code == 404


def test_signals_go_on_page_by_page(closed: Asker) -> None:
    """A page holds a few, the newest first, and leads to older ones; no signal is on two pages."""
    for number in range(30):
        closed.world.post(
            "urgency.pressed", f"customer-{number}", f"2026-02-{number % 20 + 1:02}", rep="rik", tactic="guilt"
        )
    closed.world.fold()
    ann = Visitor(closed, "ann")
    address: str | None = f"/dashboard/signals?team=north&principle=no-pressure&verdict=breached&{PERIOD}"
    seen: list[str] = []
    while address:
        page = ann.get(address).text
        seen += re.findall(r"customer=([a-z0-9-]+)[\"#]", page)
        older = re.search(r'rel="next" href="(/dashboard/signals[^"]*)"', page.split("Signals, the newest first")[1])
        address = older[1].replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == 31


def test_every_table_is_a_csv_and_every_chart_an_svg(ann: Visitor) -> None:
    """Whatever files a page names are there, with the figures of the page, to be kept under their own name."""
    page = ann.get(TEAM).text
    files = {link.replace("&amp;", "&") for link in re.findall(r'href="(/dashboard/team/[^"]*)" download', page)}
    assert len([file for file in files if ".csv" in file]) == 32
    assert len([file for file in files if ".svg" in file]) == 30
    for file in files:
        answer = ann.get(file)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
        if ".svg" in file:
            assert ElementTree.fromstring(answer.text).tag.endswith("svg")
    rows = list(csv.DictReader(io.StringIO(ann.get(f"/dashboard/team/principles.csv?team=north&{PERIOD}").text)))
    row = next(row for row in rows if row["Principle"] == "Guide, don't get")
    assert (row["Kept"], row["Breached"], row["Rate"], row["Evidence"]) == ("0", "1", "0.0", "thin")


def test_no_cell_becomes_a_formula(closed: Asker) -> None:
    """A team's name that a spreadsheet would calculate is text."""
    closed.world.post("team.formed", "=1+1", "2025-01-01", name="=HYPERLINK(1)")
    closed.world.fold()
    table = Visitor(closed, "admin").get("/dashboard/teams/teams.csv").text
    assert "'=HYPERLINK(1),'=1+1" in table


@pytest.mark.parametrize(
    "key", ["../..", "a/b?c#d", "<script>alert(1)</script>", '" onload="x', "javascript:alert(1)", "ü 漢"]
)
def test_any_key_and_name_is_shown_as_text(closed: Asker, key: str) -> None:
    """A key may hold anything: its page is there, its links lead back to it, and none of it is markup."""
    closed.world.post("team.formed", key, "2025-01-01", name=f"{key}<b>")
    closed.world.fold()
    admin = Visitor(closed, "admin")
    first = admin.get("/dashboard").text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/dashboard/team\?[^"]*)"', first)]
    pages = [text_of(admin.get(link)) for link in links]
    assert any(f"{key}<b>" in page for page in pages)
    for page in (first, *(admin.get(link).text for link in links)):
        assert "<script>alert" not in page
        assert "<b>" not in page
        assert 'onload="' not in page


def test_pages_carry_a_strict_policy_and_are_kept_by_nobody(ann: Visitor) -> None:
    """Every answer has the headers, refusals and redirects too; no page has a script or a style within."""
    for address in ("/dashboard", TEAM, "/dashboard/sign-in", "/dashboard/nothing", "/dashboard/team"):
        answer = ann.get(address)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert not re.search(
            r"<style|\sstyle=|\son[a-z]+=|<script(?! type=\"module\" src=\"/dashboard/static/)", answer.text
        )


def test_a_first_visit_is_light(ann: Visitor) -> None:
    """A team's page with all that it loads is far below 300 kB as it is sent."""
    page = ann.get(TEAM, accept_encoding="gzip")
    assert page.headers["content-encoding"] == "gzip"
    sent = int(page.headers["content-length"])
    for link in set(re.findall(r'(?:href|src)="(/dashboard/static/[^"]*)"', page.text)):
        file = ann.get(link, accept_encoding="gzip")
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        sent += int(file.headers["content-length"])
    assert sent < 60_000


def test_a_file_is_kept_for_ever_under_its_own_version_only(ann: Visitor) -> None:
    """Another version's address gives what there is now, to be asked for again; what there is not is 404."""
    name = Assets().link("dashboard.css").rsplit("/", 1)[1]
    other = ann.get(f"/dashboard/static/0123456789abcdef/{name}", accept_encoding="gzip;q=0.0")
    assert "content-encoding" not in other.headers
    assert (other.status_code, other.headers["cache-control"]) == (200, "no-store")
    assert ann.get("/dashboard/static/0123456789abcdef/nothing.css").status_code == 404
    assert ann.get("/dashboard/static/x/..%2f..%2fapp.py").status_code == 404


def test_a_page_is_the_same_compressed_or_not(ann: Visitor) -> None:
    """Whoever takes no compression gets the same page."""
    plain = ann.get("/dashboard/sign-in", accept_encoding="br, gzip;q=0")
    assert "content-encoding" not in plain.headers
    packed = ann.get("/dashboard/sign-in", accept_encoding="gzip")
    assert packed.text == plain.text
    assert len(gzip.compress(plain.content)) < len(plain.content) / 2


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/dashboard/team", 400, "asked for with `team`"),
        ("/dashboard/team?team=north&period=fortnight", 400, "no period fortnight"),
        ("/dashboard/team?team=north&period=month&on=x", 400, "`on` is a day"),
        ("/dashboard/team?team=north&first=2020-01-01&last=2026-01-01", 400, "at most 1100 days"),
        ("/dashboard/signals?team=north&principle=nothing", 400, "PrincipleId"),
        ("/dashboard/signals?team=north&verdict=maybe", 400, "kept or breached"),
        ("/dashboard/signals?team=north&after=x", 400, "cursor"),
        ("/dashboard/team/nothing.csv?team=north", 404, "nothing here"),
        ("/dashboard/team/principles.svg?team=north", 404, "nothing here"),
        (f"{TEAM}&position=0:99999999", 503, "not yet in the figures"),
    ],
)
def test_what_is_wrong_with_an_address_is_told(ann: Visitor, address: str, status: int, says: str) -> None:
    """With the status, the reason in words, and a way on."""
    answer = ann.get(address)
    assert answer.status_code == status
    assert says in text_of(answer)
    assert "Your teams" in text_of(answer)


def test_a_page_that_takes_too_long_says_so(tmp_path: Path, clock: FixedClock) -> None:
    """With what to do about it; the same for its tables."""
    asker = Asker(tmp_path, clock, ask_seconds=0.0)
    for address in ("/dashboard", "/dashboard/teams/teams.csv"):
        answer = Visitor(asker).get(address)
        assert answer.status_code == 504
        assert "Choose a shorter period, or try again" in text_of(answer)
    asker.close()


def test_where_only_trusted_documents_are_answered_pages_are(tmp_path: Path, clock: FixedClock) -> None:
    """They ask nothing else."""
    asker = found_company(Asker(tmp_path, clock, Allowed(only_documents=True)))
    assert "North" in Visitor(asker).page("/dashboard")
    assert "Guide, don't get" in Visitor(asker).page(TEAM)
    asker.close()


def test_a_page_says_how_fresh_it_is(closed: Asker, ann: Visitor) -> None:
    """Up to date, or how far behind; what is far behind says so before any figure."""
    assert "As of 2 Mar 2026, 09:00 UTC, up to date" in ann.page(TEAM)
    closed.lag = 7.0
    assert "7 s behind what was recorded" in ann.page(TEAM)
    closed.lag = 7300.0
    page = ann.page(TEAM)
    assert "2 hours behind what was recorded" in page
    assert "is not in these figures yet" in page


def test_what_is_read_of_others_is_on_record(closed: Asker, ann: Visitor) -> None:
    """A page is a reader like any other: opening a rep's signals puts them on record."""
    ann.get(f"/dashboard/signals?team=north&principle=no-pressure&{PERIOD}")
    with reading(closed.world.stores.control) as connection:
        found = connection.execute(select(reads)).all()
    assert [(row.actor, row.persons) for row in found] == [("ann", '["rosa"]')]


def test_an_empty_server_says_which_acts_are_missing(asker: Asker) -> None:
    """And how to send them."""
    page = Visitor(asker).get("/dashboard")
    assert "team.formed" in text_of(page)
    assert 'href="/docs/integrating"' in page.text


def test_every_page_asks_who_is_looking() -> None:
    """Each document of a page asks for the viewer, whom the head of the page names."""
    for file in DASHBOARD.glob("*.graphql"):
        text = file.read_text()
        assert re.search(r"\bviewer\b", text) or text.startswith("subscription "), file.name


def test_names_of_pages_are_addresses() -> None:
    """No page has the name of another, or of what is no page."""
    names = [page.name for page in PAGES]
    assert len(names) == len(set(names))
    assert not set(names) & {"sign-in", "sign-out", "theme", "static"}
    assert all(re.fullmatch(r"[a-z][a-z-]*", name) for name in names)

"""A relationship's time line in process: acts and signals in order, who reads what, what was taken back or disputed."""

import re

from tests.graphql.dashboard.visitor import Visitor, text_of
from tests.graphql.gateway import Asker

ACME = "/dashboard/relationship?customer=acme"


def test_acts_and_signals_are_told_in_the_order_of_time(ann: Visitor) -> None:
    """The newest first, under their days; each signal with the acts that show it."""
    page = ann.page(ACME)
    assert "acme Customer · segment small · with Rik Name, Sam Name" in page
    story = page[page.index("Acts and signals, the newest first") :]
    order = [
        "Was of service: support",
        "wanting help",
        "Was of service: advice",
        "Proposed x",
        "to introduce themselves",
    ]
    places = [story.index(words) for words in order]
    assert places == sorted(places)
    assert "Breached" in story


def test_a_signal_leads_to_its_acts_in_the_page(ann: Visitor) -> None:
    """Each place that a signal names is that of one act of the page."""
    page = ann.get(ACME).text
    wanted = re.findall(r'href="#(act-[^"]+)"', page)
    places = re.findall(r'<li class="deed" id="([^"]+)"', page)
    assert wanted
    assert len(set(places)) == len(places)
    assert set(wanted) <= set(places)


def test_words_of_a_customer_are_for_who_may_read_them(ann: Visitor, rik: Visitor, closed: Asker) -> None:
    """The rep and who leads the rep read what was said; another rep of the customer reads that there is something."""
    assert "“hi”" in ann.page(ACME)
    assert "“hi”" in rik.page(ACME)
    closed.person("sam")
    page = Visitor(closed, "sam").page(ACME)
    assert "(not yours to read, or erased)" in page
    assert "“hi”" not in page
    assert "Ask first" not in page.partition("Acts and signals")[2]  # Rik's signals are left out


def test_what_was_taken_back_and_what_is_disputed_is_said(ann: Visitor, closed: Asker) -> None:
    """Beside the act, with who disputes it and why; the retraction leads to its act."""
    closed.world.post(
        "act.retracted", "acme", "2026-02-01", retracts_source="test", retracts_id="hello", reason="oops", by="ops"
    )
    closed.world.fold()
    page = ann.get(ACME)
    assert "Contacted the customer by phone, to introduce themselves · Rik Name taken back" in text_of(page)
    assert 'href="/dashboard/act?source=test&amp;id=hello&amp;subject=acme"' in page.text
    pressed = ann.page("/dashboard/relationship?customer=globex")
    assert "disputed" in pressed
    assert "Disputed by rosa on 3 Feb 2026: “no”" in pressed


def test_a_long_relationship_goes_on_over_pages(ann: Visitor, closed: Asker) -> None:
    """Every act and every signal is on exactly one page, and none is out of order."""
    for number in range(230):
        day, hour = divmod(number, 24)
        closed.world.post(
            "urgency.pressed",
            "globex",
            f"2026-02-{10 + day:02d}T{hour:02d}:30:00Z",
            act_id=f"push-{number}",
            rep="rosa",
            tactic="deadline",
        )
    closed.world.fold()
    address, seen, times, signals = "/dashboard/relationship?customer=globex", list[str](), list[str](), 0
    while address:
        page = ann.get(address).text
        seen += re.findall(r'<li class="deed" id="([^"]+)"', page)
        times += re.findall(r'<time class="soft" datetime="([^"]+)"', page)
        signals += page.count('<p class="judged">')
        further = re.search(r'<a rel="next" href="([^"]+)"', page)
        address = further[1].replace("&amp;", "&") if further else ""
    assert len(seen) == len(set(seen)) == 232
    assert signals == 231
    assert times == sorted(times, reverse=True)


def test_a_relationship_is_for_who_may_see_it(closed: Asker, rik: Visitor) -> None:
    """One that a rep has no act in is the page that there is not."""
    assert rik.get("/dashboard/relationship?customer=globex").status_code == 404
    assert rik.get("/dashboard/relationship?customer=nobody").status_code == 404
    assert rik.get("/dashboard/relationship").status_code == 400


def test_the_time_line_is_a_table_and_a_chart_to_take_away(ann: Visitor) -> None:
    """A row for each act and signal; a lane in the chart."""
    rows = ann.get("/dashboard/relationship/timeline.csv?customer=acme").text.splitlines()
    assert "Time,What,In words" in rows[0]
    assert any("contact.made" in row and ",hi," in row for row in rows)
    drawn = ann.get("/dashboard/relationship/timeline.svg?customer=acme")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert "Contacted the customer by phone" in drawn.text

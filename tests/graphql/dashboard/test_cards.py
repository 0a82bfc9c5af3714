"""A person's card, a team week by week and its customers, in process: their words, tables and links, and to whom."""

import csv
import io
import re

import pytest

from tests.graphql.dashboard.visitor import Visitor, text_of
from tests.graphql.gateway import Asker

PERIOD = "period=quarter&on=2026-01-01"
RIK = f"/dashboard/person?person=rik&{PERIOD}"


def rows(visitor: Visitor, address: str) -> list[dict[str, str]]:
    """The rows of a table as CSV."""
    return list(csv.DictReader(io.StringIO(visitor.get(address).text)))


def test_a_rep_sees_of_their_card_what_their_leader_sees(ann: Visitor, rik: Visitor) -> None:
    """The same sentences, rates, tables and customers, to the letter; only the head names who looks."""

    def card(visitor: Visitor) -> str:
        return visitor.get(RIK).text.split("</header>")[1]

    assert "Kept in 0 of 1 signal: 0 %." in rik.page(RIK)
    assert card(rik) == card(ann)


@pytest.mark.parametrize("page", ["person", "signals"])
def test_a_card_follows_a_team_that_its_reader_may_watch(closed: Asker, rik: Visitor, page: str) -> None:
    """Of two teams that a person is in, the one that the reader leads; the person themselves may watch either."""
    closed.world.post("team.joined", "south", "2026-01-10", person="rik", role="rep")
    closed.world.fold()
    address = f"/dashboard/{page}?person=rik&{PERIOD}"
    seen = {who: Visitor(closed, closed.person(who)).get(address).text for who in ("ann", "bob")}
    assert 'data-live="north"' in seen["ann"]
    assert 'data-live="south"' in seen["bob"]
    assert 'data-live="' in rik.get(address).text


def test_a_card_has_nobody_else_on_it(rik: Visitor) -> None:
    """Neither the leader nor a colleague stands beside a person, and it is not to be seen by one."""
    page = rik.page(RIK)
    assert "Rosa" not in page
    assert "Ann Name" not in page
    assert rik.get(RIK.replace("rik", "rosa")).status_code == 404


def test_a_card_leads_to_signals_teams_and_customers(ann: Visitor) -> None:
    """One click from a figure to what it is made of, also from the guide index."""
    page = ann.get(RIK).text.replace("&amp;", "&")
    signals = f'href="/dashboard/signals?{PERIOD}&person=rik&principle=right-solution"'
    assert signals in page.split('id="right-solution"')[1].split("</article>")[0]
    assert signals in page.split('id="guide-index"')[1].split("</article>")[0]
    assert f'href="/dashboard/relationship?{PERIOD}&customer=acme"' in page
    assert f'href="/dashboard/team?{PERIOD}&team=north"' in page
    assert "rep in North · key rik" in text_of(ann.get(RIK))


def test_where_there_was_nothing_before_nothing_is_said_of_change(rik: Visitor) -> None:
    """No clear change would say too much of a first quarter."""
    page = rik.page(RIK)
    assert "Nothing to compare with: no principle has anything to judge both here and in" in page
    assert "No clear change in any principle" not in page


def test_a_card_without_signals_says_which_acts_are_missing(rik: Visitor) -> None:
    """And where it is said how to send them; of what it is not made, there is nothing."""
    page = rik.get("/dashboard/person?person=rik&period=week&on=2025-02-03")
    assert "Nothing to show in this period" in text_of(page)
    assert "contact.made" in page.text
    assert 'href="/docs/integrating"' in page.text
    assert "Guide index" not in text_of(page)


def test_a_week_leads_to_its_signals(ann: Visitor) -> None:
    """In the table of weeks, each rate names of how many signals it is, and leads to those of that week alone."""
    page = ann.get(f"/dashboard/heatmap?team=north&{PERIOD}").text.replace("&amp;", "&")
    found = re.search(r'<a href="([^"]*first=2026-02-02&last=2026-02-08[^"]*no-pressure[^"]*)">([^<]*)</a>', page)
    assert found
    assert found[2].replace("\u00a0", " ") == "0 % of 1"
    assert "Pressed to hurry" in ann.page(found[1])
    assert "Pressed to hurry" not in ann.page(found[1].replace("02-02", "02-09").replace("02-08", "02-15"))


def test_weeks_are_a_table_and_a_chart(ann: Visitor) -> None:
    """All weeks of the period are there, from the first, which the period cuts short."""
    weeks = rows(ann, f"/dashboard/heatmap/weeks.csv?team=north&{PERIOD}")
    assert [week["Week from"] for week in weeks][:2] == ["2025-12-29", "2026-01-05"]
    assert ann.get(f"/dashboard/heatmap/weeks.svg?team=north&{PERIOD}").headers["content-type"].startswith("image/svg")


def test_customers_are_counted_over_the_year(closed: Asker) -> None:
    """Orders of the year and of the year before, each figure with what it is."""
    for day in ("2026-01-20", "2026-02-20"):
        closed.world.post("order.placed", "acme", day, rep="rik", amount="1", currency="EUR", items=[])
    closed.world.fold()
    ann = Visitor(closed, "ann")
    found = {row["Figure"]: row for row in rows(ann, f"/dashboard/equity/equity.csv?team=north&{PERIOD}")}
    now, before = list(found["Active customers"])[1:3]
    assert (found["Active customers"][now], found["Active customers"][before]) == ("1", "0")
    assert found["Ordered again"][now] == "1.0"
    assert all(row["What it is"] for row in found.values())
    page = ann.page(f"/dashboard/equity?team=north&{PERIOD}")
    assert "1 customer ordered in the year; 100 % of them again." in page
    assert "None of them referred others" in page


@pytest.mark.parametrize("page", ["heatmap", "equity"])
def test_a_teams_pages_are_for_who_leads_it(rik: Visitor, closed: Asker, page: str) -> None:
    """A rep is told who may see them, another team's leader that there is nothing."""
    address = f"/dashboard/{page}?team=north&{PERIOD}"
    assert "not yours to see" in rik.page(address)
    assert Visitor(closed, closed.person("bob")).get(address).status_code == 404


@pytest.mark.parametrize(("page", "acts"), [("heatmap", "contact.made"), ("equity", "order.placed")])
def test_pages_without_acts_say_which_are_missing(ann: Visitor, page: str, acts: str) -> None:
    """And where it is said how to send them."""
    answer = ann.get(f"/dashboard/{page}?team=north&period=week&on=2024-02-05")
    assert "Nothing to show" in text_of(answer)
    assert acts in answer.text
    assert 'href="/docs/integrating"' in answer.text

"""The leader's example in process: its words, whose it is, what is thin or missing, and text of events as text."""

import csv
import io

from tests.graphql.dashboard.visitor import Visitor, text_of
from tests.graphql.gateway import Asker

NORTH = "/dashboard/example?team=north&period=quarter&on=2026-01-01"
HOSTILE = "<script>alert(1)</script>\"'&"


def test_an_example_is_said_in_words_first(ann: Visitor) -> None:
    """Leader beside team on what either acted on, thin evidence as such; of the rest, that there is nothing."""
    page = ann.page(NORTH)
    assert "Ann Name’s example" in page
    assert (
        "Guide, don't get thin Ann Name kept it in 0 of 1 (0 %), the team in 0 of 1 (0 %): no clear difference." in page
    )
    assert "Thin evidence: the leader's and the team's." in page
    assert (
        "Ann Name did not act on this with customers: the team had nothing here to copy. The team: 0 of 1 (0 %)."
        in page
    )
    assert "Nothing to judge here, neither of Ann Name nor of the team: " in page
    assert "Ann Name stated this to the team on 1 January 2026. Since then they kept it in 0 of 1 signal: 0 %" in page


def test_of_thin_evidence_nothing_stands_out(ann: Visitor) -> None:
    """Few signals are nothing to talk about, and no all-clear either."""
    page = ann.page(NORTH)
    assert "Nothing stands out: no difference, gap or relation is clear in this period." in page
    assert "that is no all-clear" in page


def test_a_leader_of_few_sales_is_seen_by_what_they_say_and_do_with_the_team(ann: Visitor) -> None:
    """Coaching, standards and pushes come before the principles."""
    page = ann.page(NORTH)
    order = [
        "Coaching and recognition",
        "After coaching",
        "Words and deeds",
        "After the leader pushes",
        "Ann Name shows",
    ]
    places = [page.index(heading) for heading in order]
    assert places == sorted(places)
    assert "Ann Name sold little here" in page


def test_what_there_is_nothing_of_says_how_to_send_it(ann: Visitor) -> None:
    """Each section without acts names them, with where to read how they come here."""
    page = ann.get(NORTH)
    assert "Ann Name coached no rep of the team in this time." in text_of(page)
    for acts in ("coaching.given and recognition.given", "coaching.given", "push.directed", "decision.made"):
        assert f'<a href="/docs/integrating">How to send {acts}</a>' in page.text


def test_an_example_is_not_for_reps(rik: Visitor) -> None:
    """A rep of the team is told so, and sees no figure."""
    page = rik.get(NORTH)
    assert "not yours to see" in text_of(page)
    assert 'class="chart' not in page.text


def test_of_two_leaders_the_address_says_whose_example(closed: Asker) -> None:
    """The latest leader's by default, each other's a click away, by key."""
    closed.world.post("team.joined", "north", "2026-02-01", person="nell", role="leader", name="Nell Name")
    closed.world.fold()
    ann = Visitor(closed, "ann")
    assert "Nell Name’s example" in ann.page(NORTH)
    assert 'leader=ann"' in ann.get(NORTH).text
    assert "Ann Name’s example" in ann.page(f"{NORTH}&leader=ann")
    assert "Nell Name’s example" in ann.page(f"{NORTH}&leader=nobody")


def test_a_team_that_nobody_led_says_what_is_missing(ann: Visitor) -> None:
    """The acts that would fill the page are named."""
    page = ann.page("/dashboard/example?team=north&period=year&on=2020-01-01")
    assert "Nobody led this team in this period" in page
    assert "team.joined" in page


def test_names_are_shown_as_text(closed: Asker) -> None:
    """Markup in a name is no markup of the page, nor of a chart taken away."""
    closed.world.post("team.joined", "north", "2026-02-01", person="nell", role="leader", name=HOSTILE)
    closed.world.fold()
    ann = Visitor(closed, "ann")
    page = ann.get(NORTH)
    assert HOSTILE in text_of(page)
    assert "<script>alert" not in page.text
    assert "<script>alert" not in ann.get(NORTH.replace("example?", "example/example.svg?")).text


def test_the_table_of_the_example_has_a_row_for_each_principle(ann: Visitor) -> None:
    """Fourteen principles, with raw numbers for a spreadsheet."""
    answer = ann.get(NORTH.replace("example?", "example/example.csv?"))
    heading, *rows = csv.reader(io.StringIO(answer.text))
    assert len(rows) == 14
    pressure = dict(zip(heading, next(row for row in rows if row[0] == "Guide, don't get"), strict=True))
    assert (pressure["Leader kept"], pressure["Leader signals"], pressure["Team signals"]) == ("0", "1", "1")
    assert float(pressure["Difference"]) == 0.0

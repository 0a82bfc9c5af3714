"""The page of an act, in process: its fields, what became of it, its signals, and who may see it."""

from tests.graphql.dashboard.visitor import Visitor
from tests.graphql.gateway import Asker

HELLO = "/dashboard/act?source=test&id=hello&subject=acme"
PUSH = "/dashboard/act?source=test&id=push&subject=globex"


def test_an_act_is_shown_whole(ann: Visitor, closed: Asker) -> None:
    """In words, with every field, its place in the log, what became of it, and the relationship it is in."""
    page = ann.get(PUSH)
    known = closed.data('{explainAct(source: "test", actId: "push") {partition offset}}')["explainAct"]
    assert f"place in the log {known['partition']}:{known['offset']}" in ann.page(PUSH)
    for words in ("Pressed", "It counts.", "exemplar.urgency.pressed.v1", "data.tactic", "deadline", "“today only”"):
        assert words in ann.page(PUSH)
    assert f'href="/dashboard/relationship?customer=globex#act-{known["partition"]}-{known["offset"]}"' in page.text


def test_an_act_says_which_signals_rest_on_it_and_who_disputes_it(ann: Visitor) -> None:
    """What it breached, whose signal that is, and the dispute with its reason."""
    page = ann.page(PUSH)
    assert "Breached Pressed to hurry" in page
    assert "Rosa Name" in page
    assert "Disputed by rosa on 3 Feb 2026: “no”" in page


def test_what_was_taken_back_says_by_whom_and_why(ann: Visitor, closed: Asker) -> None:
    """The act is there all the same."""
    closed.world.post(
        "act.retracted", "acme", "2026-02-01", retracts_source="test", retracts_id="hello", reason="oops", by="ops"
    )
    closed.world.fold()
    page = ann.page(HELLO)
    assert "It was taken back, and counts for nothing. The log keeps it. Retracted by ops: oops." in page


def test_words_of_a_customer_are_hidden_from_another_rep(closed: Asker) -> None:
    """The field is named, its content is not."""
    closed.person("sam")
    page = Visitor(closed, "sam").page(HELLO)
    assert "data.text (not yours to read, or erased)" in page


def test_an_act_is_for_who_may_see_it(rik: Visitor) -> None:
    """One of a relationship that the viewer has no act in, and one that there is not, are the same page."""
    assert rik.get(PUSH).status_code == 404
    assert rik.get("/dashboard/act?source=test&id=nothing").status_code == 404
    assert rik.get("/dashboard/act?source=test").status_code == 400


def test_an_act_that_is_not_folded_yet_says_so(closed: Asker, rik: Visitor) -> None:
    """It is recorded, and will be there in a moment."""
    closed.world.post("question.asked", "acme", "2026-02-20", act_id="late", rep="rik", topic="problem")
    page = rik.page("/dashboard/act?source=test&id=late&subject=acme")
    assert "It is recorded, and not in the figures yet" in page


def test_a_dispute_and_what_it_is_about_lead_to_each_other(ann: Visitor, closed: Asker) -> None:
    """The dispute's own page leads to the act, and the act's to the dispute."""
    page = ann.get(PUSH).text
    start = page.index('<p class="disputed"><a href="') + len('<p class="disputed"><a href="')
    dispute = ann.get(page[start : page.index('"', start)].replace("&amp;", "&")).text
    assert 'href="/dashboard/act?source=test&amp;id=push&amp;subject=globex"' in dispute

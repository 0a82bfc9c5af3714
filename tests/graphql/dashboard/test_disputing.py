"""Disputing an act from its page, in process: to whom it is offered, what is posted, and what is said of the answer."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.events.credentials import ACTS_WRITE, Credential
from tests.fixed_clock import FixedClock
from tests.graphql.company import found_company
from tests.graphql.dashboard.conftest import Closed
from tests.graphql.dashboard.postbox import Postbox
from tests.graphql.dashboard.visitor import Visitor, text_of
from tests.graphql.gateway import Asker

HELLO = "/dashboard/act?source=test&id=hello&subject=acme&period=year&on=2026-01-01"
DISPUTE = "/dashboard/dispute"
WORDS = "I never <b>called</b> them"


@pytest.fixture
def postbox() -> Postbox:
    """The write path."""
    return Postbox()


@pytest.fixture
def company(tmp_path: Path, clock: FixedClock, postbox: Postbox) -> Iterator[Asker]:
    """The small company, with a write path."""
    made = Closed(tmp_path, clock, posts=postbox)
    found_company(made)
    for key in ("ann", "rik", "sam"):
        made.person(key)
    yield made
    made.close()


@pytest.fixture
def rep(company: Asker) -> Visitor:
    """Rik, whose act it is."""
    return Visitor(company, "rik")


def form(visitor: Visitor) -> dict[str, str]:
    """The hidden fields of the form on the act's page; nothing where there is none."""
    page = visitor.get(HELLO).text
    sent = page.partition('action="/dashboard/dispute"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', sent)
    return {name: html.unescape(value) for name, value in found}


def event(posted: tuple[bytes, str | None]) -> Any:
    """The event of a post."""
    return json.loads(posted[0])


def test_a_dispute_is_offered_to_the_rep_of_the_act_alone(company: Asker, rep: Visitor) -> None:
    """Neither the leader nor another rep of the customer has the form."""
    assert form(rep)["id"] == "hello"
    assert form(Visitor(company, "ann")) == {}
    assert form(Visitor(company, "sam")) == {}


def test_where_nothing_can_be_recorded_no_dispute_is_offered(rik: Visitor) -> None:
    """A gateway that knows no way to the events service has no form, and takes none."""
    assert form(rik) == {}
    sent = {"source": "test", "id": "hello", "subject": "acme", "at": "2026-03-02T09:00:00Z", "reason": WORDS}
    assert rik.send(DISPUTE, sent).status_code == 503


def test_a_dispute_is_posted_as_the_person_and_read_back(rep: Visitor, postbox: Postbox) -> None:
    """With the visitor's own credential and name; the way back waits until the dispute is in what is shown."""
    answer = rep.send(DISPUTE, {**form(rep), "reason": f"  {WORDS}\r\nnever "})
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        "/dashboard/act?source=test&id=hello&subject=acme&period=year&on=2026-01-01&position=0%3A0#disputes"
    )
    (posted,) = postbox.posted
    assert posted[1] == "Bearer rik"
    assert event(posted)["type"] == "exemplar.act.disputed.v1"
    assert event(posted)["subject"] == "acme"
    assert event(posted)["time"] == "2026-03-02T09:00:00Z"
    assert event(posted)["data"] == {
        "disputes_source": "test",
        "disputes_id": "hello",
        "reason": f"{WORDS}\nnever",
        "by": "rik",
    }


def test_a_form_that_is_sent_twice_is_one_act(rep: Visitor, postbox: Postbox, clock: FixedClock) -> None:
    """The second event is the first one over again, so that it is a duplicate; other words are another dispute."""
    sent = {**form(rep), "reason": WORDS}
    rep.send(DISPUTE, sent)
    clock.advance(60_000_000)
    rep.send(DISPUTE, sent)
    rep.send(DISPUTE, {**sent, "reason": "other words"})
    first, again, other = postbox.posted
    assert first == again
    assert event(first)["id"] != event(other)["id"]


def test_a_form_of_another_site_records_nothing(rep: Visitor, postbox: Postbox) -> None:
    """Whatever it holds, and though the browser sends the cookie along."""
    answer = rep.send(DISPUTE, {**form(rep), "reason": WORDS}, sec_fetch_site="cross-site")
    assert answer.status_code == 403
    assert postbox.posted == []


def test_what_is_not_theirs_is_refused(rep: Visitor, postbox: Postbox) -> None:
    """The events service decides; the page says that it is not theirs to dispute."""
    postbox.status = 403
    answer = rep.send(DISPUTE, {**form(rep), "reason": WORDS})
    assert answer.status_code == 403
    assert "This act is not yours to dispute" in text_of(answer)
    assert "Send it again" not in text_of(answer)


def test_a_machine_disputes_nothing(company: Asker, postbox: Postbox) -> None:
    """A dispute is somebody's own."""
    company.credentials["crm"] = Credential("crm", frozenset({ACTS_WRITE}), ("test",))
    sent = {"source": "test", "id": "hello", "subject": "acme", "at": "2026-03-02T09:00:00Z", "reason": WORDS}
    assert Visitor(company, "crm").send(DISPUTE, sent).status_code == 403
    assert postbox.posted == []


@pytest.mark.parametrize("status", [None, 503, 500])
def test_while_the_log_is_away_the_same_can_be_sent_again(rep: Visitor, postbox: Postbox, status: int | None) -> None:
    """The page says that it is not recorded yet, keeps the words, and sends the same form."""
    postbox.status = status
    sent = {**form(rep), "reason": WORDS}
    answer = rep.send(DISPUTE, sent)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "Your dispute is not recorded yet" in text_of(answer)
    assert "<b>" not in answer.text
    again = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.text.partition("unsent")[0])
    kept = {name: html.unescape(value) for name, value in again if name != "next"}
    assert kept == sent
    postbox.status = 202
    assert rep.send(DISPUTE, kept).status_code == 303
    assert postbox.posted[0] == postbox.posted[1]


def test_what_the_events_service_finds_wrong_is_said(rep: Visitor, postbox: Postbox) -> None:
    """A form that was tampered with is the sender's mistake."""
    postbox.status, postbox.body = 422, {"errors": [{"index": 0, "pointer": "/time", "reason": "the time is ahead"}]}
    answer = rep.send(DISPUTE, {**form(rep), "reason": WORDS})
    assert answer.status_code == 400
    assert "The time is ahead." in text_of(answer)


@pytest.mark.parametrize("reason", ["", " \r\n ", "x" * 2001])
def test_a_dispute_says_why_and_not_too_much(rep: Visitor, postbox: Postbox, reason: str) -> None:
    """Without a reason, or with too long a one, nothing is posted."""
    assert rep.send(DISPUTE, {**form(rep), "reason": reason}).status_code == 400
    assert postbox.posted == []


def test_whoever_is_signed_out_meanwhile_signs_in_first(company: Asker, rep: Visitor, postbox: Postbox) -> None:
    """And comes back to the act."""
    sent = {**form(rep), "reason": WORDS}
    del company.credentials["rik"]
    answer = rep.send(DISPUTE, sent)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/dashboard/sign-in?next=%2Fdashboard%2Fact%3Fsource%3Dtest")
    assert postbox.posted == []

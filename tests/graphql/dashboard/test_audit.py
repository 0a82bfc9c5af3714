"""The pages of the audit log: what they say of what was done, to whom they are open, and as a table to take along."""

import csv
import io
from collections.abc import Mapping, Sequence

import pytest

from services.events.credentials import AUDIT_READ, Credential
from services.events.leaves import Leaf, add_leaves
from services.kit.database import writing
from tests.graphql.dashboard.visitor import Visitor
from tests.graphql.gateway import Asker

TWO = "Read acts, the scorecard and personal texts or names of 2 people"
LEAVES: Sequence[tuple[str, Sequence[str], Mapping[str, object], str]] = (
    ("read", ["rik"], {"person": "ann", "what": ["card"]}, "Read the scorecard read rik ann"),
    ("read", ["rik", "rosa"], {"person": "ann", "what": ["acts", "card", "personal"]}, TWO),
    ("erasure", ["rosa"], {}, "Destroyed the key of a person’s personal fields"),
    ("key.created", [], {"name": "crm", "scopes": [], "sources": []}, "Made the API key crm"),
    ("key.revoked", [], {"name": "crm"}, "Took back the API key crm"),
    ("dead-letters.retried", [], {"folded": 2, "unreadable": 1}, "Read dead letters again: folded 2, unreadable 1"),
)


@pytest.fixture
def compliance(closed: Asker) -> Visitor:
    """Compliance, signed in; everything that is done so far is numbered."""
    closed.credentials["compliance"] = Credential("compliance", frozenset({AUDIT_READ}))
    with writing(closed.world.stores.control) as connection:
        told = [Leaf(kind, closed.world.clock(), "ann", subjects, more) for kind, subjects, more, _ in LEAVES]
        add_leaves(connection, told)
    closed.number()
    return Visitor(closed, "compliance")


def test_each_kind_of_entry_is_said_in_words(compliance: Visitor) -> None:
    """What was done, to whom and by whom; acts as on every other page."""
    page = compliance.page("/dashboard/audit")
    for *_, says in LEAVES:
        assert says in page
    assert "Pressed the customer to hurry, by a deadline" in page
    assert "Judged by the policy default-" in page
    assert "today only" not in page


def test_the_list_is_a_table_to_take_along(compliance: Visitor) -> None:
    """As CSV with the values themselves, of what was searched for."""
    response = compliance.get("/dashboard/audit/entries.csv?type=read")
    rows = list(csv.reader(io.StringIO(response.text.removeprefix("\ufeff"))))
    assert rows[0] == ["Entry", "When", "What", "Type", "Concerning", "By"]
    assert [row[4] for row in rows[1:]] == ["rik rosa", "rik"]
    assert rows[1][1] == "2026-03-02T09:00:00+00:00"


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("subject=rosa", True),
        ("actor=ann&type=erasure", True),
        ("first=2026-03-02&last=2026-03-02", True),
        ("last=2026-03-01", False),
        ("subject=nobody", False),
    ],
)
def test_it_is_searched(compliance: Visitor, query: str, there: bool) -> None:
    """By whom it concerns, who did it, what it is, and days, the last one included."""
    page = compliance.page(f"/dashboard/audit?{query}")
    assert ("Destroyed the key" in page) is there
    assert ("No entries" in page) is not there


@pytest.mark.parametrize(
    "query", ["first=x", "first=0001-01-01", "last=9999-12-31", "first=2026-03-02&last=2026-03-01"]
)
def test_days_that_are_none_are_told_as_such(compliance: Visitor, query: str) -> None:
    """With a page that says what is wrong with the address."""
    assert compliance.get(f"/dashboard/audit?{query}").status_code == 400


def test_an_entry_says_all_of_it_but_what_is_personal(compliance: Visitor) -> None:
    """An act's fields, the personal ones by name alone; with the proof for other tools."""
    found = compliance.get("/dashboard/audit?type=exemplar.urgency.pressed.v1&subject=globex").text
    index = found.split("audit-entry?index=")[1].split('"')[0]
    page = compliance.page(f"/dashboard/audit-entry?index={index}")
    assert "data.text (personal: it is recorded, encrypted, and not shown here)" in page
    assert "data.tactic deadline" in page
    assert "today only" not in page
    assert "c2sp.org/tlog-proof@v1 extra" in page


def test_a_record_that_was_refused_says_why(closed: Asker, compliance: Visitor) -> None:
    """It is in the list and has its page, though nobody can read it."""
    closed.world.append_bytes("acme", b"no json")
    closed.world.fold()
    closed.number()
    assert "A record that counts for nothing" in compliance.page("/dashboard/audit?refused=true")
    assert "Pressed the customer" not in compliance.page("/dashboard/audit?refused=true")
    found = compliance.get("/dashboard/audit?subject=acme").text
    page = compliance.page("/dashboard/audit-entry?index=" + found.split("audit-entry?index=")[1].split('"')[0])
    assert "counts for nothing" in page
    assert "type (it cannot be read)" in page


@pytest.mark.parametrize(("index", "status"), [("", 400), ("x", 400), ("-1", 400), ("9" * 9, 404), ("9" * 30, 400)])
def test_an_entry_that_is_not_there(compliance: Visitor, index: str, status: int) -> None:
    """A number that no entry has is no page; what is no number is told as such."""
    assert compliance.get(f"/dashboard/audit-entry?index={index}").status_code == status


@pytest.mark.parametrize("address", ["audit", "audit-entry?index=0", "audit/entries.csv"])
def test_it_is_for_who_may_read_it(compliance: Visitor, ann: Visitor, closed: Asker, address: str) -> None:
    """For others there is no such page, and no link to it; who may see all has both."""
    assert ann.get(f"/dashboard/{address}").status_code == 404
    assert "Audit log" not in ann.page("/dashboard")
    assert Visitor(closed, "admin").get(f"/dashboard/{address}").status_code == 200
    assert "Audit log" in compliance.page("/dashboard")

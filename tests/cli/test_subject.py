"""`exemplar subject export`: what somebody gets who asks what is held about them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Server, run, serving


def event(number: int, type: str, subject: str, day: int, **data: Any) -> dict[str, Any]:
    """An act of a day in January."""
    return {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/crm",
        "type": f"exemplar.{type}.v1",
        "subject": subject,
        "time": f"2026-01-{day:02}T09:00:00Z",
        "data": data,
    }


HISTORY = [
    event(1, "team.formed", "t-1", 1, name="North"),
    event(2, "team.joined", "t-1", 2, person="r-1", role="rep", name="Ana Example"),
    event(3, "team.joined", "t-1", 2, person="l-1", role="leader", name="Leo Example"),
    event(4, "customer.known", "c-1", 3, name="Carla Customer", segment="small"),
    event(5, "contact.made", "c-1", 4, rep="r-1", channel="call", purpose="introduce", text="Carla has a dog"),
    event(6, "contact.made", "c-2", 4, rep="r-1", channel="call", purpose="introduce", text="Chris has a cat"),
    event(7, "goal.appealed", "c-1", 5, rep="r-1", text="only two to go"),
    event(8, "standard.stated", "l-1", 5, principle="own-goals", team="t-1", text="we never beg"),
    event(9, "coaching.given", "l-1", 6, rep="r-1", principle="own-goals"),
    event(10, "act.disputed", "c-1", 7, disputes_source="/crm", disputes_id="e-7", reason="it was a joke", by="r-1"),
    event(11, "team.left", "t-1", 8, person="r-1"),
    event(12, "contact.made", "c-3", 9, rep="r-2", channel="email", purpose="thank", text="not about them"),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has folded the history, with a key for the rep."""
    with serving(tmp_path_factory.mktemp("held") / "data") as server:
        server.query("{ principles { id } }", server.post(*HISTORY).json()["position"])
        server.query(
            '{ person(key: "r-1") { name scorecard(period: {from: "2026-01-01", to: "2026-02-01"}) '
            "{ scores { kept } } } }"
        )
        made = run(server.folder, ["keys", "create", "--name", "ana", "--person", "r-1", "--scope", "cards:read"])
        assert made.returncode == 0
        yield server


def exported(server: Server, person: str) -> dict[str, Any]:
    """What is held about somebody: the items of each section by its title, and `about`."""
    done = run(server.folder, ["subject", "export", person, "--json"])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {"about": found["about"], **{each["title"]: each["items"] for each in found["sections"]}}


def test_a_rep_gets_all_that_is_theirs(told: Server) -> None:
    """Name, team, dealings, judgements, acts, disputes, keys; personal texts of their customers stay out."""
    held = exported(told, "r-1")
    assert held["about"]["Name"] == "Ana Example"
    assert [(stay["Team"], stay["As"]) for stay in held["Teams"]] == [("t-1", "rep")]
    assert [(each["With the customer"], each["Acts"]) for each in held["Relationships"]] == [("c-1", "2"), ("c-2", "1")]
    assert {act["Known as"].split()[0] for act in held["Acts"]} == {f"e-{n}" for n in (2, 5, 6, 7, 9, 10, 11)}
    appeal = next(act for act in held["Acts"] if act["Known as"] == "e-7 of /crm")
    assert appeal["Disputed"] == ["2026-01-07 09:00:00 UTC by r-1: it was a joke"]
    assert appeal["Personal: text"] == "about somebody else: not shown"
    judged = {(each["Principle"], each["Judged"], each["Since"]) for each in held["Judgements"]}
    assert ("Keep your goals your own", "breached", "Asked a customer to help hit a goal") in judged
    assert [(key["Name"], key["May"]) for key in held["Keys"]] == [("ana", ["cards:read"])]
    assert "has a" not in json.dumps(held)


def test_a_customer_gets_what_was_said_about_them(told: Server) -> None:
    """A customer reads the texts about them in clear, and nothing of other customers."""
    held = exported(told, "c-1")
    assert held["about"]["Name"] == "Carla Customer"
    texts = {act.get("Personal: text") for act in held["Acts"]}
    assert {"Carla has a dog", "only two to go"} <= texts
    assert [each["With the rep"] for each in held["Relationships"]] == ["r-1"]
    assert "Chris" not in json.dumps(held)


def test_a_leader_gets_what_they_stated(told: Server) -> None:
    """A leader's standards and their words are there."""
    held = exported(told, "l-1")
    assert [(each["Team"], each["Principle"]) for each in held["Standards"]] == [("t-1", "Keep your goals your own")]
    assert "we never beg" in {act.get("Personal: text") for act in held["Acts"]}


def test_an_export_is_recorded_as_a_read(told: Server) -> None:
    """Whoever exports leaves a read, which the next export shows."""
    before = len(exported(told, "r-1")["Who looked"])
    looks = exported(told, "r-1")["Who looked"]
    assert len(looks) == before + 1
    assert looks[-1]["Who"] == "cli"
    assert looks[-1]["Looked at"] == ["everything that is held, as an export"]


def test_in_words_for_a_person(told: Server, tmp_path: Path) -> None:
    """Without `--json` it is Markdown, in a new file for its owner alone if wanted."""
    file = tmp_path / "c-1.md"
    done = run(told.folder, ["subject", "export", "c-1", "--output", str(file)])
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    text = file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "## Acts\n\nEverything recorded" in text
    assert "**Personal: text:** Carla has a dog" in text
    assert "## Set aside\n\nRecords that could not be counted and name this person.\n\nNothing.\n" in text
    assert run(told.folder, ["subject", "export", "c-1", "--output", str(file)]).returncode == 2


def test_of_the_erased_nothing_personal_is_left(told: Server) -> None:
    """After an erasure the acts are there and their personal fields are gone."""
    assert run(told.folder, ["erase", "c-2", "--reason", "asked for"]).returncode == 0
    held = exported(told, "c-2")
    assert held["about"]["Erased"].startswith("yes")
    assert [act["Personal: text"] for act in held["Acts"] if "Personal: text" in act] == ["gone: erased"]


def test_nobody_has_no_export(told: Server) -> None:
    """`public` and `unattributed` are nobody."""
    assert run(told.folder, ["subject", "export", "public"]).returncode == 1

"""docs/compliance.md keeps its word: each step is run on a real server as it stands there, each table is compared."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from services.events.catalog.acts import CustomerAct
from services.events.catalog.envelope import Catalogue
from tests.graphql.gateway import Asker
from tests.graphql.roles import over_everybody
from tests.graphql.visibility import RULED
from tests.sdks.clients import fetch
from tests.sdks.test_go import GO
from tests.serving import free_port

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "compliance.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", PAGE, re.MULTILINE))
TRY_IT, *PARTS = SECTIONS
BLOCK = re.compile(r"(?:`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
OUR_GO = GO | {"GOFLAGS": "-buildvcs=false"}  # the page makes its own go.mod
AT_THE_END = "trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT\n"
BETWEEN = "\x1e"


class Step(NamedTuple):
    """Commands, and what the page says that they print, if it says so; `…` stands for anything."""

    commands: str
    printed: str | None = None


def steps(section: str) -> list[Step]:
    """The steps of a section. A block of another language is a file, named in the line before it."""
    found: list[Step] = []
    for name, language, text in BLOCK.findall(SECTIONS[section]):
        if language == "text":
            found[-1] = Step(found[-1].commands, text)
        elif language == "sh":
            found.append(Step(text))
        else:
            assert name, text
            found.append(Step(f"mkdir -p $(dirname {name})\ncat > {name} <<'END OF FILE'\n{text}END OF FILE\n"))
    return found


def walk(todo: Sequence[Step], folder: Path) -> list[str]:
    """Do steps one after another in one shell, on a port that is free; gives what each has printed."""
    port = str(free_port())
    script = AT_THE_END + "".join(f"{step.commands}printf '{BETWEEN}'\n" for step in todo)
    own = {name: value for name, value in os.environ.items() if not name.startswith("EXEMPLAR_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script.replace("127.0.0.1:8000", f"127.0.0.1:{port}")],
        cwd=folder,
        env=own | OUR_GO | {"PATH": path, "EXEMPLAR_PORT": port},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, said = shell.communicate(timeout=600)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
    done = printed.split(BETWEEN)
    assert shell.returncode == 0, f"{todo[len(done) - 1].commands}\n{done[-1]}\n{said}"
    return done[:-1]


def is_as_told(printed: str, told: str) -> bool:
    """Whether a step printed what the page says."""
    return re.fullmatch(".*".join(map(re.escape, told.split("…"))), printed, re.DOTALL) is not None


def rows(section: str, heading: str) -> list[list[str]]:
    """The rows of the table of a section that begins with this cell, its heading first."""
    table = re.search(rf"^\| {heading} \|.*\n(?:\|.*\n)*", SECTIONS[section], re.MULTILINE)
    assert table is not None, heading
    lines = table[0].splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in (lines[0], *lines[2:])]


def test_there_is_a_part_for_each_reader() -> None:
    """After how to try it, the page has a part for each of its three readers."""
    assert PARTS == ["For a works council", "For a data-protection officer", "For an auditor"]


@pytest.mark.parametrize("part", PARTS)
def test_each_step_does_what_the_page_says(part: str, tmp_path: Path) -> None:
    """The steps of a part, after those of *Try it*, all succeed and print what the page shows."""
    todo = steps(TRY_IT) + steps(part)
    for module in re.findall(r"go get (\S+)", SECTIONS[part]):
        fetch(["go", "mod", "download", module], tmp_path, **OUR_GO)  # into Go's own cache, where the step finds it
    wrong = [
        f"{step.commands}\nprinted:\n{printed}\ntold:\n{step.printed}"
        for step, printed in zip(todo, walk(todo, tmp_path), strict=True)
        if step.printed is not None and not is_as_told(printed, step.printed)
    ]
    assert not wrong, "\n".join(wrong)


def test_everything_that_is_collected_is_told() -> None:
    """The table of acts has each act of the catalogue, with each of its fields, the personal ones marked."""
    catalogue = Catalogue()
    common = {field.encode_name for field in msgspec.structs.fields(CustomerAct)}
    expected = []
    for name, model in catalogue.models.items():
        named = [field.encode_name for field in msgspec.structs.fields(model)]
        own = [field for field in named if not issubclass(model, CustomerAct) or field not in common]
        fields = ", ".join(f"{field}†" if field in catalogue.personal[name] else field for field in own)
        expected.append([f"`{name}`{'' if issubclass(model, CustomerAct) else ' *'}", fields])
    assert [[act, fields] for act, _, fields in rows(PARTS[0], "act")[1:]] == expected


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """The company of the table of who sees what (tests/graphql/visibility.py)."""
    asker = over_everybody(tmp_path_factory.mktemp("company"))
    yield asker
    asker.close()


def test_everything_that_is_judged_is_told(company: Asker) -> None:
    """The table of principles has each one's title and how it is judged, by the figures of the built-in policy."""
    principles = company.data("{ principles { title judgement } }")["principles"]
    told = [[principle["title"], " ".join(principle["judgement"])] for principle in principles]
    assert rows(PARTS[0], "principle")[1:] == told


WHO = ("rosa", "rik", "ann", "cleo", "bob", "dan", "auditor", "admin")
"""A rep, a colleague, their leader, the leader above, another team's leader, a former one, `audit:read`, `admin`."""


def sees(field: str, query: str) -> Collection[str]:
    """Who sees a field in the question that begins so."""
    (case,) = (case for case in RULED if case.field == field and case.query.startswith(query))
    return case.sees


def test_who_sees_what_is_as_told(company: Asker) -> None:
    """The table of who sees what agrees with the one by which every field of the schema is tried."""
    said = '{ acts(filter: {subject: "globex", types: ["exemplar.urgency.pressed.v1"]}) { edges { node { data } } } }'
    found = {who: company.ask(said, who=who)["data"]["acts"] or {"edges": []} for who in WHO}
    expected = {
        "a rep's card, with its signals and their evidence": sees("Person.scorecard", 'person(key: "rosa")'),
        "a leader's own card": sees("Person.scorecard", 'person(key: "ann")'),
        "a team's figures and members": sees("Team.scorecard", 'team(key: "north")'),
        "what the leader models to the team": sees("Team.examples", 'team(key: "north")'),
        "a relationship that the rep has acts in": sees("Query.relationship", 'relationship(customer: "globex")'),
        "what was said in it (†)": {who for who, acts in found.items() if "today only" in str(acts)},
        "a customer's name (†)": sees("Relationship.customerName", ""),
    }
    told = {what: [cell == "yes" for cell in cells] for what, *cells in rows(PARTS[0], "what")[1:]}
    assert told == {what: [who in seers for who in WHO] for what, seers in expected.items()}


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/compliance.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Every link within the repository names a file that is there, and a heading that is in it."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", (ROOT / page).read_text()):
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.+)", file.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}, (
            anchor
        )

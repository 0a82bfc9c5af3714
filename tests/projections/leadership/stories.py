"""Reads the stories in cases/*.md: what people did, and the signals that the model is expected to draw from it.

Each file is about one principle; cases/README.md explains the form to those who write and correct the stories.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from services.events.catalog.acts import ActData, ActRetracted, PushDirected, StandardStated
from services.events.catalog.envelope import Act, Catalogue
from services.kit.instants import from_datetime
from services.projections.leadership.signals import Verdict

CATALOGUE = Catalogue()
CASES = Path(__file__).parent / "cases"
CUSTOMER, SOURCE, TEAM = "kim", "crm", "north"

# What a story leaves out because it does not matter there.
UNSAID: dict[str, dict[str, Any]] = {
    "contact.received": {"channel": "call", "asks": False, "wants_help": False},
    "prospect.qualified": {"criteria": []},
    "meeting.held": {"channel": "in_person", "purpose": "other"},
    "path.agreed": {"steps": []},
    "solution.recommended": {"items": []},
    "proposal.made": {"items": []},
    "special.promoted": {"campaign": "spring", "needs": []},
    "urgency.pressed": {"tactic": "deadline"},
    "order.placed": {"amount": "100", "currency": "EUR", "items": []},
    "service.given": {"kind": "support"},
    "standard.stated": {"team": TEAM},
    "push.directed": {"team": TEAM},
    "act.retracted": {"reason": "a mistake", "retracts_source": SOURCE},
}
FIELDS = {
    "answers": "answers",
    "asked": "asked_minutes",
    "deal": "deal",
    "during": "during",
    "explores": "hesitation",
    "need": "need",
    "offers": "offered_channel",
    "principle": "principle",
    "refers": "referred",
    "retracts": "retracts_id",
    "took": "actual_minutes",
    "until": "until",
}
FLAGS = {
    "asks": "asks",
    "extended by the customer": "extended_by_customer",
    "leave me alone": "no_contact",
    "wants help": "wants_help",
}


class Expected(NamedTuple):
    """A signal as a story expects it; the evidence by the numbers of its acts."""

    at: int
    person: str
    verdict: Verdict
    reason: str
    evidence: tuple[str, ...]
    counted_since: int | None


class Story(NamedTuple):
    """One case: its heading, the acts by their numbers, what sources do not record, and all signals expected."""

    title: str
    acts: dict[str, Act]
    not_recorded: dict[str, frozenset[str]]
    expected: list[Expected]


def stories_in(path: Path) -> Iterator[Story]:
    """The stories of a file: a heading each, and below it the lines that are indented."""
    for section in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        story = Story(title, {}, {}, [])
        for line in re.findall(r"^    (.+)$", body, re.MULTILINE):
            _read(line, story)
        yield story


def _read(line: str, story: Story) -> None:
    if lacking := re.fullmatch(r"(\w+) does not record (.+)", line):
        story.not_recorded[lacking[1]] = frozenset(lacking[2].split(", "))
        return
    first, *columns = re.split(r"\s{2,}", line)
    if line == "expect nothing":
        assert not story.expected, line
    elif first == "expect":
        story.expected.append(_expected(columns))
    else:
        assert first not in story.acts, line
        story.acts[first] = _act(first, *columns)


def _expected(columns: list[str]) -> Expected:
    when, person, verdict, reason, evidence, *since = columns
    numbers = tuple(evidence.removeprefix("because of ").split(", "))
    counted = instant(since[0].removeprefix("counted since ")) if since else None
    return Expected(instant(when), person, Verdict[verdict.replace(" ", "_").upper()], reason, numbers, counted)


def _act(number: str, when: str, person: str, name: str, details: str = "") -> Act:
    model = CATALOGUE.models[name]
    said = dict(UNSAID.get(name, {}))
    attributes = {"id": number, "from": SOURCE, "towards": CUSTOMER}
    if issubclass(model, StandardStated | PushDirected):
        attributes["towards"] = person
    else:
        said["by" if issubclass(model, ActRetracted) else "rep"] = person
    given: set[str] = set()
    for detail in details.split(", ") if details else ():
        word, _, rest = detail.partition(" ")
        if word in attributes:
            attributes[word] = rest
        else:
            field, value = _field(detail, model, given)
            given.add(field)
            said[field] = said[field] + value if isinstance(value, list) else value
    data = msgspec.convert(said, model, strict=False)
    time = instant(when)
    data.check(time)
    return Act(attributes["from"], attributes["id"], name, attributes["towards"], time, data)


def _field(detail: str, model: type[ActData], given: set[str]) -> tuple[str, Any]:
    """What a detail says, as a field and its value; a bare word is that of the first field that may hold it."""
    word, _, rest = detail.partition(" ")
    if detail in FLAGS:
        return FLAGS[detail], True
    if word == "item":
        item, _, needs = rest.partition(" for ")
        return "items", [{"item": item, "needs": _needs(needs)}]
    if word == "needs":
        return "needs", _needs(rest)
    if word in FIELDS and rest:
        return FIELDS[word], rest
    for field in msgspec.structs.fields(model):
        if field.name not in given and get_origin(field.type) is Literal and detail in get_args(field.type):
            return field.encode_name, detail
    raise AssertionError(f"{model.__name__} has nothing that says {detail!r}")


def _needs(text: str) -> list[str]:
    return [] if text == "nothing" else text.split(" + ")


def instant(text: str) -> int:
    """`Mon 2026-01-05 09:00`, with seconds and their fraction where they matter, in UTC; the weekday must be right."""
    moment = datetime.fromisoformat(text[4:]).replace(tzinfo=UTC)
    assert text.startswith(f"{moment:%a} "), f"{text} is a {moment:%A}"
    return from_datetime(moment)

"""`exemplar subject export`: everything that is held about somebody, in words, for them to have (GDPR art. 15)."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import click
import msgspec
from sqlalchemy import Connection

from services.commands.terminal import progress_bar, tell
from services.events.catalog.acts import PUBLIC, UNATTRIBUTED, person_of
from services.events.catalog.envelope import RECORDED_BY, Act
from services.events.credentials import CLI, list_keys
from services.events.vault.cipher import open_acts
from services.graphql.dashboard.answers import Act as ShownAct
from services.graphql.dashboard.naming import LOOKED_AT, act_sentence, reason_words
from services.graphql.reads import What
from services.kit import instants
from services.kit.database import reading
from services.kit.errors import Corrupt, Invalid
from services.kit.settings import load_settings
from services.parts import Parts, opened
from services.projections.applying import pointed_at, stored_act
from services.projections.leadership.principles import PRINCIPLES
from services.projections.leadership.signals import Principle
from services.projections.queries import subject as held
from services.projections.queries.acts import disputes
from services.projections.queries.people import CUSTOMER, PERSON, naming_acts
from services.projections.queries.rows import ActRow
from services.projections.reads import Read, record_reads

Item = Mapping[str, Any]
"""One thing that is held: for each name, in words, a text or a list of texts."""

_ACTS_AT_ONCE = 200
_VERDICTS = ("breached", "kept", "not judged: its source does not record what it rests on")


class Section(NamedTuple):
    """A kind of thing that is held, why, and each of it."""

    title: str
    explanation: str
    items: Iterable[Item]


@click.group()
def subject() -> None:
    """What is held about a person or a customer."""


@subject.command("export")
@click.argument("person")
@click.option("--json", "as_json", is_flag=True, help="JSON in place of text (Markdown).")
@click.option("--output", type=click.Path(path_type=Path), help="A new file, for its owner alone, in place of stdout.")
def export(person: str, as_json: bool, output: Path | None) -> None:
    """Print everything that is held about a person or customer, in words; that it was read is recorded.

    Personal texts about others stay out; those about somebody who was erased are gone.
    """
    if person in (PUBLIC, UNATTRIBUTED):
        raise Invalid(f"{person} is nobody, about whom nothing is held")
    with ExitStack() as stack:
        parts = stack.enter_context(opened(load_settings()))
        file = sys.stdout if output is None else stack.enter_context(_new_file(output))
        record_reads(parts.stores.control, [Read(instants.now(), CLI.name, None, [person], [What.EXPORT])])
        model = stack.enter_context(reading(parts.stores.model()))
        control = stack.enter_context(reading(parts.stores.control))
        bar = stack.enter_context(progress_bar("looking through", " acts", held.count_acts(model)))
        write = _write_json if as_json else _write_text
        write(file, _about(parts, model, person), _sections(parts, model, control, person, bar.update))
    tell(f"this was recorded as a read of {person}; hand it over by a safe way and keep no copy")


def _new_file(path: Path) -> TextIO:
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}", param_hint="--output") from error


# ---- what is held ----


def _about(parts: Parts, model: Connection, person: str) -> Item:
    """Who it is, as far as it is known here."""
    erased = parts.vault.existing_keys([person]).get(person, b"") is None
    about = {"Key": person, "Written at": _when(instants.now())}
    for kind in (PERSON, CUSTOMER):
        for act in naming_acts(model, kind, [person]).values():
            _, texts = next(_opened(parts, [act]))
            about["Name"] = _personal(texts.get("name"))
    return {**about, "Erased": "yes: what was personal can never be read again"} if erased else about


def _sections(
    parts: Parts, model: Connection, control: Connection, person: str, on_progress: Callable[[int], object]
) -> Iterator[Section]:
    """Everything, a section after the other; the items of each are read as they are asked for."""
    yield Section("Teams", "When this person was in which team, and as what.", _stays(model, person))
    yield Section("Standards", "What this person has stated as a standard for a team.", _standards(model, person))
    yield Section("Relationships", "With whom there are dealings, as rep or as customer.", _dealings(model, person))
    yield Section(
        "Judgements",
        "What was concluded from acts: that a principle was kept or breached. Scores count these.",
        _judgements(model, person),
    )
    yield Section(
        "Acts",
        "Everything recorded that is about this person, that they did, or that names them, in the order recorded.",
        _acts(parts, model, person, on_progress),
    )
    yield Section("Who looked", "Who looked at what of this person, and what they looked at.", _looks(control, person))
    yield Section("Keys", "Credentials made for this person; the secret itself is not kept.", _keys(parts, person))
    yield Section("Set aside", "Records that could not be counted and name this person.", _letters(model, person))


def _stays(model: Connection, person: str) -> Iterator[Item]:
    for stay in held.stays_of(model, person):
        until = "now" if stay.to is None else _when(stay.to)
        yield {"Team": stay.team, "As": stay.role, "From": _when(stay.from_), "Until": until}


def _standards(model: Connection, person: str) -> Iterator[Item]:
    for stated in held.standards_of(model, person):
        yield {"When": _when(stated.at), "Team": stated.team, "Principle": _principle(stated.principle)}


def _dealings(model: Connection, person: str) -> Iterator[Item]:
    for whom, as_customer in (("With the rep", True), ("With the customer", False)):
        for dealt in held.relationships_of(model, person, as_customer):
            yield {whom: dealt.other, "Acts": str(dealt.acts), "From": _when(dealt.first), "To": _when(dealt.last)}


def _judgements(model: Connection, person: str) -> Iterator[Item]:
    for signal in held.signals_naming(model, person):
        yield {
            "When": _when(signal.at),
            "Of": signal.person,
            "With the customer": signal.customer or "nobody",
            "Principle": _principle(signal.principle),
            "Judged": _VERDICTS[signal.verdict],
            "Since": reason_words(signal.reason),
        }


def _acts(parts: Parts, model: Connection, person: str, on_progress: Callable[[int], object]) -> Iterator[Item]:
    found = held.acts_naming(model, person, on_progress)
    while rows := list(islice(found, _ACTS_AT_ONCE)):
        disputed = _disputes(parts, model, rows)
        for row, (act, texts) in zip(rows, _opened(parts, rows), strict=True):
            yield {**_act(row, act, texts, person), **disputed.get(act.key, {})}


def _act(row: ActRow, act: Act, texts: Mapping[str, str | None], person: str) -> dict[str, Any]:
    data = {name: value for name, value in _data(act).items() if name not in texts}
    item: dict[str, Any] = {
        "When": _when(act.time),
        "What": act_sentence(ShownAct(type=f"exemplar.{act.name}.v1", data=data)),
        "About": act.subject,
        "Recorded": f"{_when(row.recorded)}, by {act.extensions.get(RECORDED_BY, 'nobody named')}",
        "Known as": f"{act.id} of {act.source}",
    }
    own = person_of(act.subject, act.data) == person
    for name, text in texts.items():
        item[f"Personal: {_words(name)}"] = _personal(text) if own else "about somebody else: not shown"
    item |= {f"Said: {_words(name)}": _plain(value) for name, value in data.items()}
    return {**item, "Retracted": "yes: it counts as never done"} if row.retracted else item


def _disputes(parts: Parts, model: Connection, rows: Sequence[ActRow]) -> Mapping[tuple[str, str, str], Item]:
    """For acts that are disputed, by whom, when and why."""
    found: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for each in disputes(model, sorted({row.subject for row in rows})).values():
        for row in each:
            act = stored_act(row.record, parts.catalogue)
            data, key = _data(act), pointed_at(act)
            if key is not None:
                said = f"{_when(act.time)} by {data['by']}: {data['reason']}"
                found.setdefault(key, {"Disputed": []})["Disputed"].append(said)
    return found


def _looks(control: Connection, person: str) -> Iterator[Item]:
    for looked in held.reads_of(control, person):
        what = [LOOKED_AT.get(each, each) for each in looked.what]
        by = looked.actor if looked.person is None else f"{looked.person} ({looked.actor})"
        of = [person] if looked.person != person else looked.persons
        yield {"When": _when(looked.at), "Who": by, "Looked at": what, "Of": of}


def _keys(parts: Parts, person: str) -> Iterator[Item]:
    for key in list_keys(parts.stores.control):
        if key.person == person:
            revoked = {} if key.revoked is None else {"Revoked": _when(key.revoked)}
            yield {"Name": key.name, "May": list(key.scopes), "Made": _when(key.created), **revoked}


def _letters(model: Connection, person: str) -> Iterator[Item]:
    for letter in held.letters_naming(model, person):
        place = f"partition {letter.partition}, offset {letter.offset}"
        yield {"Recorded": _when(letter.recorded), "Where": place, "Why": letter.reason}


def _opened(parts: Parts, rows: Sequence[ActRow]) -> Iterator[tuple[Act, Mapping[str, str | None]]]:
    """Each act with the texts of its personal fields."""
    found = [stored_act(row.record, parts.catalogue) for row in rows]

    def on_corrupt(error: Corrupt) -> None:
        tell(f"a personal field cannot be read: {error}")

    return zip(found, open_acts(found, parts.catalogue, parts.vault, on_corrupt), strict=True)


# ---- in words ----


def _data(act: Act) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(act.data)
    return data


def _when(at: int) -> str:
    return instants.format_rfc3339(at).replace("T", " ").removesuffix("Z").partition(".")[0] + " UTC"


def _principle(number: int) -> str:
    principle = Principle(number)
    return PRINCIPLES[principle].title if principle in PRINCIPLES else principle.slug


def _words(name: str) -> str:
    return name.replace("_", " ")


def _personal(text: str | None) -> str:
    return "gone: erased" if text is None else text


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return ", ".join(f"{_words(name)}: {_plain(each)}" for name, each in value.items())
    return str(value)


# ---- writing ----


def _write_json(file: TextIO, about: Item, sections: Iterable[Section]) -> None:
    """One JSON object, an item a line."""
    file.write('{"about": ' + json.dumps(about, ensure_ascii=False) + ', "sections": [')
    for number, section in enumerate(sections):
        head = json.dumps({"title": section.title, "explanation": section.explanation}, ensure_ascii=False)
        file.write(("," if number else "") + "\n" + head.removesuffix("}") + ', "items": [')
        for place, item in enumerate(section.items):
            file.write(("," if place else "") + "\n" + json.dumps(item, ensure_ascii=False))
        file.write("]}")
    file.write("]}\n")


def _write_text(file: TextIO, about: Item, sections: Iterable[Section]) -> None:
    """Markdown: a heading a section, a list an item."""
    file.write("# What is held about you\n\n")
    _write_item(file, about)
    for section in sections:
        file.write(f"\n## {section.title}\n\n{section.explanation}\n\n")
        empty = True
        for item in section.items:
            _write_item(file, item)
            empty = False
        if empty:
            file.write("Nothing.\n")


def _write_item(file: TextIO, item: Item) -> None:
    for place, (name, value) in enumerate(item.items()):
        shown = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
        file.write(f"{'-' if place == 0 else ' '} **{name}:** {' '.join(shown.split())}  \n")

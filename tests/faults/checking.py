"""What must hold after any fault, checked against what the clients know: the log, the model and the way there.

Nothing here asks the code under test, but to open sealed fields: the topic is read by a plain client, the model by
plain SQL, and what should be folded is worked out anew. Each check returns what is wrong, in words, or nothing.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.faults.cluster import Record
from tests.faults.ledger import Event, Key, Ledger, Place, key_of
from tests.journeys.telling import parse
from tests.reference.model import NOT_PERSONAL, PERSONAL_FIELDS

ANSWER_SECONDS = 12.0
Reveal = Callable[[Sequence[bytes]], Sequence[Mapping[str, str | None]]]
"""For record values, the texts of their personal fields: None where the person was erased."""


class ActRow(NamedTuple):
    """A row of the model's table of acts."""

    partition: int
    offset: int
    subject: str
    source: str
    id: str
    value: bytes


class Sample(NamedTuple):
    """How far the fold was at a moment, and the log's ends just after."""

    positions: Mapping[int, int]
    ends: Mapping[int, int]


@dataclass
class Evidence:
    """All that is looked at after a run. `dead`: the places of dead letters, with their kind.

    `since`: the first attempt whose answer is looked at. `may_be_silent`: there may have been none, since the service
    itself was killed. `answer_seconds`: how long an answer may take.
    """

    ledger: Ledger
    log: Sequence[Record]
    acts: Sequence[ActRow]
    dead: Mapping[Place, str]
    samples: Sequence[Sample]
    ends: Mapping[int, int]
    reveal: Reveal
    since: int = 0
    may_be_silent: bool = False
    answer_seconds: float = ANSWER_SECONDS


def check(evidence: Evidence) -> dict[str, list[str]]:
    """What is wrong, by the name of the promise that was broken."""
    found = {
        "lost": [*acknowledged_is_in_the_log(evidence), *logged_is_folded(evidence)],
        "doubled": counted_once(evidence),
        "invented": only_what_was_sent(evidence),
        "order": kept_in_order(evidence),
        "positions": positions_rise(evidence),
        "answers": answered_in_time(evidence),
    }
    return {promise: findings for promise, findings in found.items() if findings}


def acknowledged_is_in_the_log(evidence: Evidence) -> list[str]:
    """Where a receipt says, the log has the act as it was sent."""
    values = {(record.partition, record.offset): record.value for record in evidence.log}
    acknowledged = list(evidence.ledger.acknowledged())
    there = [each for each in acknowledged if each.place in values]
    missing = [
        f"acknowledged, not in the log: {key_of(each.event)} at {each.place}"
        for each in acknowledged
        if each.place not in values
    ]
    erased = _erased(evidence.ledger)
    texts = evidence.reveal([values[each.place] for each in there])
    other = [
        f"acknowledged, in the log as something else: {key_of(each.event)} at {each.place}"
        for each, revealed in zip(there, texts, strict=True)
        if not _is_as_sent(each.event, values[each.place], revealed, erased)
    ]
    return missing + other


def only_what_was_sent(evidence: Evidence) -> list[str]:
    """Every record is an act that was sent, whole, or poison. An answer that was no receipt leaves nothing half."""
    sent: dict[Key, list[Event]] = defaultdict(list)
    for event, _ in evidence.ledger.sent():
        if event not in sent[key_of(event)]:
            sent[key_of(event)].append(event)
    erased = _erased(evidence.ledger)
    records = [record for record in evidence.log if record.value not in evidence.ledger.poison]
    readable = [record for record in records if _content(record.value) is not None]
    findings = [f"a record that nobody sent at {r[:2]}" for r in records if _content(r.value) is None]
    for record, revealed in zip(readable, evidence.reveal([r.value for r in readable]), strict=True):
        variants = sent.get(_key(record.value), [])
        if not any(_is_as_sent(event, record.value, revealed, erased) for event in variants):
            findings.append(f"a record that nobody sent so: {_key(record.value)} at {record[:2]}")
        if record.key != _key(record.value)[0].encode():
            findings.append(f"a record under another key: {_key(record.value)} at {record[:2]}")
    return findings


def logged_is_folded(evidence: Evidence) -> list[str]:
    """What the log holds first under a key is in the model, as the log has it; the rest is a dead letter or a copy."""
    rows = {(row.partition, row.offset): row for row in evidence.acts}
    findings = []
    for record, fate in _fates(evidence):
        place = record[:2]
        if fate == "act" and place not in rows:
            findings.append(f"in the log, not in the model: {_key(record.value)} at {place}")
        elif fate == "act" and (rows[place][2:5], rows[place].value) != (_key(record.value), record.value):
            findings.append(f"in the model as something else: {_key(record.value)} at {place}")
        elif fate in ("unreadable", "conflict") and evidence.dead.get(place) != fate:
            findings.append(f"{fate}, but no dead letter: at {place}")
    return findings


def counted_once(evidence: Evidence) -> list[str]:
    """The model has nothing that the log does not make count: no copy, no second row, no act from nowhere."""
    fates = {record[:2]: fate for record, fate in _fates(evidence)}
    findings = [
        f"counted twice, or from nowhere: {row[2:5]} at {row[:2]}"
        for row in evidence.acts
        if fates.get((row.partition, row.offset)) != "act"
    ]
    keys = Counter(row[2:5] for row in evidence.acts)
    findings += [f"{count} rows of one act: {key}" for key, count in keys.items() if count > 1]
    dead = [place for place, kind in evidence.dead.items() if fates.get(place) != kind]
    return findings + [f"kept as a dead letter ({evidence.dead[place]}), and is none: {place}" for place in dead]


def kept_in_order(evidence: Evidence) -> list[str]:
    """An act that was sent after another one of its subject was acknowledged comes after it in the log."""
    findings = []
    for timeline in _timelines(evidence):
        furthest = -1
        for _, is_answer, offset, key in sorted(timeline):
            if is_answer:
                furthest = max(furthest, offset)
            elif offset < furthest:
                findings.append(f"before what was acknowledged when it was sent: {key} at offset {offset}")
    return findings


def _timelines(evidence: Evidence) -> Iterable[list[tuple[float, bool, int, Key]]]:
    """For each subject: when acts were first sent and where they first are; when they were acknowledged, and where."""
    places: dict[Key, int] = {}
    for record in evidence.log:
        if _content(record.value) is not None:
            places.setdefault(_key(record.value), record.offset)
    sent: dict[Key, float] = {}
    for event, at in evidence.ledger.sent():
        sent[key_of(event)] = min(at, sent.get(key_of(event), at))
    moments: dict[str, list[tuple[float, bool, int, Key]]] = defaultdict(list)
    for each in evidence.ledger.acknowledged():
        moments[each.event["subject"]].append((each.answered, True, each.place[1], key_of(each.event)))
    for key, at in sent.items():
        if key in places:
            moments[key[0]].append((at, False, places[key], key))
    return moments.values()


def positions_rise(evidence: Evidence) -> list[str]:
    """The fold's positions never go back, never pass the log's end, and have come to it in the end."""
    findings = []
    highest: dict[int, int] = defaultdict(int)
    for sample in evidence.samples:
        for partition, position in sample.positions.items():
            if position < highest[partition]:
                findings.append(f"partition {partition} went back from {highest[partition]} to {position}")
            if position > sample.ends[partition]:
                findings.append(f"partition {partition} is at {position}, past the end {sample.ends[partition]}")
            highest[partition] = max(highest[partition], position)
    last = evidence.samples[-1].positions if evidence.samples else {}
    findings += [
        f"partition {partition} ends at {end}, folded up to {last.get(partition)}"
        for partition, end in evidence.ends.items()
        if last.get(partition) != end
    ]
    return findings


def answered_in_time(evidence: Evidence) -> list[str]:
    """Every answer comes in time and is a receipt, a refusal, or a 503 or 429 that says when to send again."""
    findings = []
    for attempt in evidence.ledger.attempts[evidence.since :]:
        took = attempt.answered - attempt.sent
        if attempt.status is None and not evidence.may_be_silent:
            findings.append(f"no answer after {took:.1f} s")
        elif attempt.status is not None and attempt.status not in (202, 409, 429, 503):
            findings.append(f"an answer {attempt.status}")
        elif attempt.status in (429, 503) and not (attempt.retry_after or "").isdecimal():
            findings.append(f"{attempt.status} without Retry-After")
        elif attempt.status is not None and took > evidence.answer_seconds:
            findings.append(f"{attempt.status} after {took:.1f} s")
        elif attempt.status == 202 and len(attempt.receipts) != len(attempt.events):
            findings.append("a 202 without a receipt for each event")
    return findings


def _fates(evidence: Evidence) -> Iterator[tuple[Record, str]]:
    """What should have become of each record: `act`, `copy`, `conflict` or `unreadable`."""
    firsts: dict[Key, dict[str, Any]] = {}
    for record in evidence.log:
        content = _content(record.value)
        if record.value in evidence.ledger.poison or content is None:
            yield record, "unreadable"
            continue
        first = firsts.setdefault(_key(record.value), content)
        yield record, "act" if first is content else "copy" if _same(first, content) else "conflict"


def _content(value: bytes) -> dict[str, Any] | None:
    """A record as JSON, if it is an event."""
    try:
        event = json.loads(value)
    except ValueError:
        return None
    return event if isinstance(event, dict) and {"subject", "source", "id"} <= event.keys() else None


def _key(value: bytes) -> Key:
    return key_of(json.loads(value))


def _name(event: Event) -> str:
    return str(event["type"]).removeprefix("exemplar.").removesuffix(".v1")


def _personal(event: Event) -> set[str]:
    return {field for field in PERSONAL_FIELDS if (_name(event), field) not in NOT_PERSONAL}


def _same(one: Event, other: Event) -> bool:
    """Whether two records of one key are copies: personal fields of the erased, which are null, are not compared."""
    skipped = {field for field in _personal(one) if _is_null(one, field) or _is_null(other, field)}
    return _plain(one, skipped) == _plain(other, skipped)


def _is_null(event: Event, field: str) -> bool:
    return field in event["data"] and event["data"][field] is None


def _plain(event: Event, skipped: Iterable[str]) -> tuple[str, int, dict[str, Any]]:
    """Type, instant and data; a null counts as absent."""
    data = {field: value for field, value in event["data"].items() if value is not None and field not in skipped}
    return event["type"], parse(event["time"]), data


def _is_as_sent(event: Event, value: bytes, revealed: Mapping[str, str | None], erased: set[str]) -> bool:
    record = json.loads(value)
    if key_of(record) != key_of(event):
        return False
    personal = _personal(event)
    if _plain(event, personal) != _plain(record, personal):
        return False
    may_be_gone = bool(erased & {event["subject"], event["data"].get("person")})
    given = {field: event["data"][field] for field in personal if event["data"].get(field) is not None}
    sealed = {field for field in personal if record["data"].get(field) is not None}
    if any(record["data"][field] == text for field, text in given.items() if field in sealed):
        return False  # it must not be there in plain
    read = {field: text for field, text in revealed.items() if text is not None}
    return read == given or (may_be_gone and read.items() <= given.items())


def _erased(ledger: Ledger) -> set[str]:
    return {event["subject"] for event, _ in ledger.sent() if _name(event) == "person.erased"}

"""The checker can fail: whatever a fault might do to acts, done on purpose, turns it red, and nothing else does."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from tests.faults.checking import ActRow, Evidence, Sample, check
from tests.faults.cluster import Record
from tests.faults.ledger import Attempt, Event, Ledger, key_of

END = 7


def event(number: int, subject: str = "c-1", **attributes: object) -> Event:
    """An act of a customer, with something personal in it."""
    data = {"rep": "r-1", "channel": "call", "purpose": "introduce", "text": f"hello {number}"}
    return {
        "specversion": "1.0",
        "id": f"{number}",
        "source": "crm",
        "type": "exemplar.contact.made.v1",
        "subject": subject,
        "time": "2026-01-05T09:00:00Z",
        "data": data,
        **attributes,
    }


def value_of(sent: Event) -> bytes:
    """The act as the log has it: its text is sealed."""
    return json.dumps({**sent, "data": {**sent["data"], "text": sealed(sent["data"]["text"])}}).encode()


def sealed(text: str) -> str:
    """Stands for encryption: the text backwards."""
    return text[::-1]


def reveal(values: Sequence[bytes]) -> Sequence[Mapping[str, str | None]]:
    """Stands for decryption."""
    return [{"text": sealed(json.loads(value)["data"]["text"])} for value in values]


def answered(events: Sequence[Event], offset: int, at: float, duplicate: bool = False) -> Attempt:
    """A request that was acknowledged, its acts from an offset on."""
    receipts = [
        {"source": each["source"], "id": each["id"], "partition": 0, "offset": offset + n, "duplicate": duplicate}
        for n, each in enumerate(events)
    ]
    return Attempt(events, at, at + 0.1, 202, None, receipts)


@pytest.fixture
def evidence() -> Evidence:
    """A run in which all went well: five acts, one of them twice in the log, once with other content; and poison."""
    acts = [event(number) for number in range(5)]
    conflict = event(1, time="2026-02-05T09:00:00Z")
    in_log = [*acts, acts[2], conflict]
    log = [Record(0, offset, b"c-1", value_of(each)) for offset, each in enumerate(in_log)]
    poison = Record(0, END, b"c-1", b"\0 nobody can read this")
    ledger = Ledger(poison={poison.value})
    ledger.attempts += [answered(acts[:2], 0, 1.0), answered(acts[2:4], 2, 2.0), answered([acts[4]], 4, 3.0)]
    ledger.attempts.append(Attempt([acts[2]], 4.0, 4.1, 503, "1"))
    ledger.attempts.append(Attempt([conflict], 5.0, 5.1, 503, "1"))
    ledger.attempts.append(answered([acts[0]], 0, 6.0, duplicate=True))
    rows = [ActRow(0, offset, *key_of(each), value_of(each)) for offset, each in enumerate(acts)]
    samples = [Sample({0: 3}, {0: 5}), Sample({0: END + 1}, {0: END + 1})]
    return Evidence(ledger, [*log, poison], rows, {(0, 6): "conflict", (0, END): "unreadable"}, samples, {0: 8}, reveal)


def without(evidence: Evidence, offset: int) -> list[Record]:
    """The log without a record."""
    return [record for record in evidence.log if record.offset != offset]


def lost_from_the_log(evidence: Evidence) -> Evidence:
    """An acknowledged act is not there."""
    return replace(evidence, log=without(evidence, 4), acts=evidence.acts[:4])


def altered_in_the_log(evidence: Evidence) -> Evidence:
    """An acknowledged act is there with another text."""
    record = Record(0, 4, b"c-1", value_of(event(4, data={**event(4)["data"], "text": "goodbye"})))
    row = ActRow(0, 4, "c-1", "crm", "4", record.value)
    return replace(evidence, log=[*without(evidence, 4), record], acts=[*evidence.acts[:4], row])


def half_in_the_log(evidence: Evidence) -> Evidence:
    """Of an act that got no receipt, a part is there."""
    record = Record(0, 6, b"c-1", evidence.log[6].value[:60])
    log = sorted([*without(evidence, 6), record])
    return replace(evidence, log=log, dead={(0, 6): "unreadable", (0, END): "unreadable"})


def in_plain_text(evidence: Evidence) -> Evidence:
    """Something personal was not sealed."""
    record = Record(0, 4, b"c-1", json.dumps(event(4)).encode())
    row = ActRow(0, 4, "c-1", "crm", "4", record.value)
    opened = replace(evidence, log=sorted([*without(evidence, 4), record]), acts=[*evidence.acts[:4], row])
    return replace(opened, reveal=lambda values: [{"text": f"hello {json.loads(value)['id']}"} for value in values])


def from_nowhere(evidence: Evidence) -> Evidence:
    """The log has an act that no client sent, and the fold took it."""
    record = Record(0, 8, b"c-1", value_of(event(99)))
    row = ActRow(0, 8, "c-1", "crm", "99", record.value)
    return replace(evidence, log=[*evidence.log, record], acts=[*evidence.acts, row])


def lost_from_the_model(evidence: Evidence) -> Evidence:
    """The fold passed an act over."""
    return replace(evidence, acts=evidence.acts[:4])


def lost_dead_letter(evidence: Evidence) -> Evidence:
    """Nobody is told of what could not be read."""
    return replace(evidence, dead={(0, 6): "conflict"})


def doubled_in_the_model(evidence: Evidence) -> Evidence:
    """A copy was counted besides the first."""
    return replace(evidence, acts=[*evidence.acts, ActRow(0, 5, "c-1", "crm", "2", evidence.log[5].value)])


def conflict_counted(evidence: Evidence) -> Evidence:
    """Of two that differ, the later one counts."""
    later = ActRow(0, 6, "c-1", "crm", "1", evidence.log[6].value)
    return replace(evidence, acts=[evidence.acts[0], *evidence.acts[2:], later])


def reordered(evidence: Evidence) -> Evidence:
    """Two acts of a customer changed places, and the receipts with them."""
    swap = {3: 4, 4: 3}
    log = sorted(record._replace(offset=swap.get(record.offset, record.offset)) for record in evidence.log)
    acts = [row._replace(offset=swap.get(row.offset, row.offset)) for row in evidence.acts]
    ledger = Ledger(poison=evidence.ledger.poison)
    for attempt in evidence.ledger.attempts:
        receipts = [{**each, "offset": swap.get(each["offset"], each["offset"])} for each in attempt.receipts]
        ledger.attempts.append(replace(attempt, receipts=receipts))
    return replace(evidence, log=log, acts=acts, ledger=ledger)


def gone_back(evidence: Evidence) -> Evidence:
    """The fold began again further back."""
    return replace(evidence, samples=[Sample({0: 4}, {0: 5}), *evidence.samples])


def past_the_end(evidence: Evidence) -> Evidence:
    """The fold claims more than there is."""
    return replace(evidence, samples=[Sample({0: 3}, {0: 2}), *evidence.samples[1:]])


def not_drained(evidence: Evidence) -> Evidence:
    """The fold stands still before the end."""
    return replace(evidence, samples=evidence.samples[:1])


def answer(status: int | None, took: float, retry_after: str | None) -> Callable[[Evidence], Evidence]:
    """A request that was answered so."""

    def change(evidence: Evidence) -> Evidence:
        evidence.ledger.attempts.append(Attempt([event(4)], 9.0, 9.0 + took, status, retry_after))
        return evidence

    return change


def test_a_run_in_which_all_went_well_is_green(evidence: Evidence) -> None:
    """Copies, conflicts, poison and requests without a receipt are nothing wrong."""
    assert check(evidence) == {}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lost_from_the_log, {"lost"}),
        (altered_in_the_log, {"lost", "invented"}),
        (half_in_the_log, {"invented"}),
        (in_plain_text, {"lost", "invented"}),
        (from_nowhere, {"invented"}),
        (lost_from_the_model, {"lost"}),
        (lost_dead_letter, {"lost"}),
        (doubled_in_the_model, {"doubled"}),
        (conflict_counted, {"lost", "doubled"}),
        (reordered, {"order"}),
        (gone_back, {"positions"}),
        (past_the_end, {"positions"}),
        (not_drained, {"positions"}),
        (answer(None, 1.0, None), {"answers"}),
        (answer(500, 1.0, None), {"answers"}),
        (answer(503, 1.0, None), {"answers"}),
        (answer(503, 13.0, "1"), {"answers"}),
    ],
)
def test_what_is_wrong_turns_it_red(
    evidence: Evidence, change: Callable[[Evidence], Evidence], broken: set[str]
) -> None:
    """Each kind of harm is found, and named as what it is."""
    assert check(change(evidence)).keys() == broken

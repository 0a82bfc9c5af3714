"""The recording function: what it refuses and why, what it knows again, and what it seals."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.events.credentials import IMPORT, Credential
from services.events.log.protocol import Place
from services.events.recording import (
    Copy,
    Fault,
    Fresh,
    Receipt,
    Recording,
    Refused,
    Request,
    Verdict,
    erased_by,
    faults_of,
    position_of,
    receipts_of,
)
from services.events.sources.in_process import InProcessRecorder
from services.events.sources.protocol import Accepted
from services.events.sources.protocol import Refused as RefusedEvent
from tests.events.ingress.parts import Parts, act, event

WRITER = Credential("crm", frozenset({"acts:write"}), ("urn:crm",))
STRUCTURE = Credential("hr", frozenset({"acts:write", "acts:structure"}), ("urn:",))
CORRECTOR = Credential("dpo", frozenset({"acts:write", "acts:correct"}), ("urn:",))
ANA = Credential("ana-key", frozenset({"cards:read"}), (), "ana")


def judge(recording: Recording, events: Sequence[object], credential: Credential = IMPORT) -> list[Verdict]:
    """The verdicts on one request."""
    return recording.judge([Request(events, credential)])[0]


def record(parts: Parts, events: Sequence[object], credential: Credential = IMPORT) -> list[Receipt | Fault]:
    """Record what is good of one request."""
    verdicts = judge(parts.recording, events, credential)
    places = parts.recording.append([v for v in verdicts if isinstance(v, Fresh)]).result(5)
    parts.recording.destroy_keys(erased_by(verdicts))
    return receipts_of(verdicts, places)


def statuses(verdicts: Sequence[Verdict]) -> list[int]:
    """The status of each event that is refused, 0 for the others."""
    return [verdict.status if isinstance(verdict, Fault) else 0 for verdict in verdicts]


def test_an_act_is_recorded_with_the_name_of_the_credential(parts: Parts) -> None:
    """The record holds the act, its other attributes, and `recordedby`, which is the credential's name."""
    (receipt,) = record(parts, [event(traceparent="00-ab")], WRITER)
    (found,) = parts.records()
    assert receipt == Receipt("urn:crm", "1", found.place, False)
    assert found.key == "customer-1"
    assert parts.acts()[0].extensions == {"traceparent": "00-ab", "recordedby": "crm"}


def test_the_same_act_again_is_a_copy_at_the_first_ones_place(parts: Parts) -> None:
    """Order of members, null optional fields, extensions and the way the time is written make no other act."""
    (first,) = record(parts, [event()])
    again = event(
        time="2026-03-01T10:30:00.000000+01:00",
        traceparent="00-cd",
        data={"purpose": "follow_up", "rep": "ana", "channel": "call", "deal": None, "text": None},
    )
    (second,) = record(parts, [again])
    assert isinstance(first, Receipt)
    assert second == Receipt("urn:crm", "1", first.place, True)
    assert len(parts.records()) == 1


@pytest.mark.parametrize(
    "other",
    [
        event(time="2026-03-01T09:30:01Z"),
        event(data={"rep": "ben", "channel": "call", "purpose": "follow_up"}),
        event(data={"rep": "ana", "channel": "call", "purpose": "follow_up", "text": "said so"}),
        act("question.asked", {"rep": "ana", "topic": "want"}),
    ],
)
def test_the_same_key_with_other_content_is_a_conflict(parts: Parts, other: dict[str, Any]) -> None:
    """Another time, other data or another type under a known subject, source and id is refused; the first stays."""
    record(parts, [event()])
    assert statuses(judge(parts.recording, [other])) == [409]


def test_a_sealed_text_is_compared_too(parts: Parts) -> None:
    """The same personal text again is a copy, another one a conflict, though the log holds ciphertext only."""
    told = event(data={"rep": "ana", "channel": "call", "purpose": "serve", "text": "Knee surgery on Friday"})
    record(parts, [told])
    assert b"surgery" not in parts.records()[0].value
    assert isinstance(judge(parts.recording, [told])[0], Copy)
    other = event(data={"rep": "ana", "channel": "call", "purpose": "serve", "text": "Knee surgery on Monday"})
    assert statuses(judge(parts.recording, [other])) == [409]


def test_a_source_and_id_of_another_subject_is_a_conflict(parts: Parts) -> None:
    """The pair of source and id under another subject is most likely a mistake: refused where it is known."""
    record(parts, [event()])
    assert judge(parts.recording, [event(subject="customer-2")])[0] == Fault(
        409, "/subject", "another subject has an act of this source and id, in the log at " + _place(parts)
    )


def test_within_a_request_the_first_counts(parts: Parts) -> None:
    """The same act twice in a request is a duplicate; other content or another subject a conflict."""
    verdicts = judge(
        parts.recording,
        [event(), event(), event(time="2026-03-01T09:30:01Z"), event(subject="customer-2"), event(id="2")],
    )
    assert statuses(verdicts) == [0, 0, 409, 409, 0]
    first, second, _, _, fifth = record(parts, [event(), event(), event(id="2", time="x"), 3, event(id="2")])
    assert isinstance(first, Receipt)
    assert second == Receipt("urn:crm", "1", first.place, True)
    assert isinstance(fifth, Receipt)
    assert len(parts.records()) == 2


def test_requests_judged_together_do_not_see_one_another(parts: Parts) -> None:
    """Each request is judged by itself, with one look-up for all."""
    judged = parts.recording.judge([Request([event()], IMPORT), Request([event(), 7], WRITER)])
    assert [statuses(verdicts) for verdicts in judged] == [[0], [0, 400]]


def test_an_erasure_destroys_the_key_and_later_texts_are_kept_as_null(parts: Parts) -> None:
    """After `person.erased` of a customer no text about them can be recorded, and none is compared."""
    told = event(data={"rep": "ana", "channel": "call", "purpose": "serve", "text": "Knee surgery"})
    erased = act("person.erased", {"by": "dpo", "reason": "asked for"}, id="2")
    record(parts, [told, erased])
    assert parts.vault.existing_keys(["customer-1"]) == {"customer-1": None}
    changed = event(data={"rep": "ana", "channel": "call", "purpose": "serve", "text": "Hip surgery"})
    later = event(id="3", data={"rep": "ana", "channel": "call", "purpose": "serve", "text": "Hip surgery"})
    verdicts = judge(parts.recording, [changed, later])
    assert isinstance(verdicts[0], Copy)
    assert isinstance(verdicts[1], Fresh)
    assert getattr(verdicts[1].act.data, "text", "") is None


@pytest.mark.parametrize(
    ("credential", "posted", "status"),
    [
        (WRITER, event(), 0),
        (WRITER, event(source="urn:crm-2"), 0),
        (WRITER, event(source="urn:other"), 403),
        (ANA, event(), 403),
        (WRITER, act("team.left", {"person": "ana"}, subject="north"), 403),
        (STRUCTURE, act("team.left", {"person": "ana"}, subject="north"), 0),
        (WRITER, act("customer.assigned", {"rep": "ana"}), 403),
        (STRUCTURE, act("customer.assigned", {"rep": "ana"}), 0),
        (STRUCTURE, act("person.erased", {"by": "x", "reason": "y"}), 403),
        (CORRECTOR, act("person.erased", {"by": "x", "reason": "y"}), 0),
        (WRITER, act("act.retracted", {"retracts_source": "a", "retracts_id": "b", "reason": "c", "by": "d"}), 403),
        (CORRECTOR, act("act.retracted", {"retracts_source": "a", "retracts_id": "b", "reason": "c", "by": "d"}), 0),
        (WRITER, act("act.disputed", {"disputes_source": "a", "disputes_id": "b", "reason": "c", "by": "d"}), 0),
    ],
)
def test_a_credential_may_post_what_its_scopes_and_sources_say(
    parts: Parts, credential: Credential, posted: dict[str, Any], status: int
) -> None:
    """Another source, or an act that asks for a scope that the credential lacks, is 403."""
    assert statuses(judge(parts.recording, [posted], credential)) == [status]


@pytest.mark.parametrize(
    ("named", "by", "status"), [("1", "ana", 0), ("2", "ana", 403), ("nowhere", "ana", 403), ("1", "ben", 403)]
)
def test_a_person_may_dispute_acts_of_their_own(parts: Parts, named: str, by: str, status: int) -> None:
    """A person's credential disputes, in that person's name, acts that are known and whose `rep` the person is."""
    record(parts, [event(), event(id="2", data={"rep": "ben", "channel": "call", "purpose": "serve"})])
    dispute = {"disputes_source": "urn:crm", "disputes_id": named, "reason": "I was ill that day", "by": by}
    posted = act("act.disputed", dispute, source="urn:people", id="d1")
    assert statuses(judge(parts.recording, [posted], ANA)) == [status]


def test_a_refused_request_answers_its_gravest_fault() -> None:
    """400 goes before 403, 422 and 409."""
    faults = {index: Fault(status, "", "") for index, status in enumerate((409, 422, 403, 400))}
    assert Refused(faults).status == 400
    del faults[3]
    assert Refused(faults).status == 403
    del faults[2]
    assert Refused(faults).status == 422


def test_the_position_is_the_highest_offset_in_each_partition() -> None:
    """In the order of the partitions, duplicates counted, empty without receipts."""
    places = [Place(7, 9, 0), Place(3, 1042, 0), Place(3, 40, 0)]
    assert position_of([Receipt("s", "i", place, False) for place in places]) == "3:1042,7:9"
    assert position_of([]) == ""


def test_the_importer_records_the_good_events_beside_bad_ones(parts: Parts) -> None:
    """One outcome an event, in their order; importing again gives duplicates."""
    recorder = InProcessRecorder(parts.recording)
    events = [event(), event(id="2", type="exemplar.no.such.v1"), event(id="3")]
    outcomes = recorder.record(events)
    assert outcomes[0] == outcomes[2] == Accepted(False)
    assert isinstance(outcomes[1], RefusedEvent)
    assert (outcomes[1].status, outcomes[1].pointer) == (422, "/type")
    assert [outcome for outcome in recorder.record(events) if isinstance(outcome, Accepted)] == [Accepted(True)] * 2
    assert {found.extensions["recordedby"] for found in parts.acts()} == {"import"}
    assert faults_of([Fresh(parts.acts()[0])]) == {}


def _place(parts: Parts) -> str:
    place = parts.records()[0].place
    return f"{place.partition}:{place.offset}"

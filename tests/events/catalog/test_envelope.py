"""Events and records as acts: both ways of reading agree, reasons are readable, older versions are upcast."""

import json
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events.catalog.acts import ACTS, ContactMade, CustomerAct, NeedRuledOut
from services.events.catalog.envelope import Act, Catalogue, same_content
from services.kit.errors import Corrupt, Invalid, Malformed
from services.kit.instants import parse_rfc3339

NOW = parse_rfc3339("2026-03-02T09:00:00Z")
CATALOGUE = Catalogue()
PERSONAL = ("text",)
TOLD: dict[str, Any] = {"rep": "ana", "channel": "call", "purpose": "serve"}


def event(**changes: Any) -> dict[str, Any]:
    """A good event with these attributes."""
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:crm",
        "type": "exemplar.contact.made.v1",
        "subject": "customer-1",
        "time": "2026-03-01T09:30:00Z",
        "data": {"rep": "ana", "channel": "call", "purpose": "follow_up"},
    } | changes


def reason(changes: dict[str, Any]) -> tuple[str, str]:
    """Pointer and reason of what is wrong with the data."""
    with pytest.raises(Invalid) as caught:
        CATALOGUE.decode_event(event(**changes), NOW)
    return caught.value.pointer, str(caught.value)


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-01T09:30:00Z",
        "2026-03-01T09:30:00.5Z",
        "2026-03-01T09:30:00.123456Z",
        "2026-03-01T09:30:00.1234569Z",
        "2026-03-01t10:30:00.123+01:00",
        "0001-01-01T00:00:00Z",
    ],
)
@pytest.mark.parametrize(
    "extra", [{}, {"traceparent": "00-ab", "sampled": True, "sequence": 3}, {"dataschema": "urn:x"}]
)
def test_an_act_is_the_same_after_the_log(time: str, extra: dict[str, Any]) -> None:
    """Decoded, encoded as a record and decoded again it is equal, however the event was written."""
    act = CATALOGUE.decode_event(event(time=time, **extra), NOW)
    assert act.time == parse_rfc3339(time)
    assert act.extensions == extra
    record = CATALOGUE.encode_record(act)
    assert CATALOGUE.decode_record(record) == act
    assert CATALOGUE.encode_record(CATALOGUE.decode_record(record)) == record


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.text(max_size=3) | st.just("x" * 129),
            "source": st.sampled_from(["", "urn:a b", "urn:%41", "urn:%4", "a", "é", "x" * 1025, "u\n"]),
            "subject": st.text(max_size=3),
            "time": st.from_regex(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?Z"),
            "datacontenttype": st.sampled_from(["application/json", "text/plain", "", None]),
            "recordedby": st.sampled_from(["crm", "", "a\n", None, 7]),
            "data": st.sampled_from(
                [None, [], {}, {"rep": "ana", "channel": "call", "purpose": "serve", "text": None}]
            ),
        },
    )
)
def test_the_fast_way_of_reading_a_record_says_what_the_long_way_says(changes: dict[str, Any]) -> None:
    """A record is read alike whether its members come in the usual form or one goes the long way round."""
    usual = event(**changes)
    unusual = usual | {"comexampleodd": "x"}
    outcomes = []
    for made in (usual, unusual):
        try:
            act = CATALOGUE.decode_record(json.dumps(made).encode())
            extensions = {name: value for name, value in act.extensions.items() if name != "comexampleodd"}
            outcomes.append(repr(msgspec.structs.replace(act, extensions=extensions)))
        except Invalid as error:
            outcomes.append(f"{type(error)} {error.pointer} {error}")
    assert outcomes[0] == outcomes[1]


def test_a_personal_field_that_is_null_means_nothing_in_an_event_and_something_in_a_record() -> None:
    """What is posted as null is absent; in a record null is what was there, of a person erased since."""
    told = event(data={"rep": "ana", "channel": "call", "purpose": "serve", "text": None})
    absent = CATALOGUE.decode_event(told, NOW)
    erased = CATALOGUE.decode_record(json.dumps(told).encode())
    assert getattr(absent.data, "text", 0) is msgspec.UNSET
    assert getattr(erased.data, "text", 0) is None
    assert CATALOGUE.decode_record(CATALOGUE.encode_record(erased)) == erased
    assert same_content(absent, erased, PERSONAL)


def test_an_integral_number_is_an_integer() -> None:
    """30.0 is 30, as JSON Schema has it; 30.5 is none."""
    data = {"rep": "a", "asked_minutes": 30.0, "actual_minutes": 31, "channel": "call", "purpose": "serve"}
    made = event(type="exemplar.meeting.held.v1", data=data, sequence=2.0)
    act = CATALOGUE.decode_event(made, NOW)
    assert getattr(act.data, "asked_minutes", None) == 30
    assert b'"asked_minutes":30,' in CATALOGUE.encode_record(act)
    assert act.extensions == {"sequence": 2}
    with pytest.raises(Invalid, match="must be an integer"):
        CATALOGUE.decode_event(event(type="exemplar.meeting.held.v1", data=data | {"asked_minutes": 30.5}), NOW)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"rep": "a\nb"}, ("/data/rep", "holds a control character")),
        ({"rep": ""}, ("/data/rep", "must have at least 1 characters")),
        ({"rep": 3}, ("/data/rep", "must be a string, not an integer")),
        ({"channel": "pigeon"}, ("/data/channel", "not one of the values that the catalogue allows")),
        ({"a/b~c": 1}, ("/data/a~1b~0c", "unknown field")),
    ],
)
def test_reasons_are_in_words_and_quote_no_value(data: dict[str, Any], told: tuple[str, str]) -> None:
    """A pointer to the field, and what is wrong with it, for the person who posts."""
    assert reason({"data": event()["data"] | data}) == told


def test_reasons_reach_into_lists() -> None:
    """The pointer leads to the element."""
    offer = {"rep": "ana", "items": [{"item": "a", "needs": ["n", 3]}]}
    assert reason({"type": "exemplar.proposal.made.v1", "data": offer}) == (
        "/data/items/0/needs/1",
        "must be a string, not an integer",
    )
    order = {"rep": "ana", "amount": "1.23456", "currency": "EUR", "items": []}
    pointer, why = reason({"type": "exemplar.order.placed.v1", "data": order})
    assert (pointer, "at most 4 digits" in why) == ("/data/amount", True)
    order = {"rep": "ana", "amount": "1.2", "currency": "EUX", "items": []}
    assert reason({"type": "exemplar.order.placed.v1", "data": order})[0] == "/data/currency"


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"specversion":"1.0"}', b"null"])
def test_a_record_that_cannot_be_read_is_malformed(value: bytes) -> None:
    """Whatever its bytes, it is told without quoting them."""
    with pytest.raises(Malformed):
        CATALOGUE.decode_record(value)


class MeetingHeld(CustomerAct, frozen=True, kw_only=True):
    """A made-up v2 of `meeting.held`, which names its length `minutes`."""

    version: ClassVar[int] = 2
    minutes: int


def _upcast(data: dict[str, Any]) -> dict[str, Any]:
    return {"rep": data["rep"], "minutes": data["actual_minutes"]}


def test_an_older_version_is_upcast_when_it_is_read() -> None:
    """A v1 in an event or a record becomes a v2; a v3 is unknown; the v2 is written as v2."""
    catalogue = Catalogue((ContactMade, MeetingHeld), {("meeting.held", 1): _upcast})
    old = event(type="exemplar.meeting.held.v1", data={"rep": "ana", "asked_minutes": 30, "actual_minutes": 45})
    new = event(type="exemplar.meeting.held.v2", data={"rep": "ana", "minutes": 45})
    acts = [
        catalogue.decode_event(old, NOW),
        catalogue.decode_record(json.dumps(old).encode()),
        catalogue.decode_event(new, NOW),
    ]
    assert acts[0] == acts[1] == acts[2]
    assert acts[0].data == MeetingHeld(rep="ana", minutes=45)
    assert b"exemplar.meeting.held.v2" in catalogue.encode_record(acts[0])
    with pytest.raises(Invalid, match="not in the catalogue"):
        catalogue.decode_event(event(type="exemplar.meeting.held.v3", data={}), NOW)


def test_a_version_without_upcaster_is_refused_at_start() -> None:
    """A chain of upcasters must reach the current version."""
    with pytest.raises(ValueError, match="no upcaster"):
        Catalogue((MeetingHeld,))


def test_an_act_of_the_wrong_data_is_not_written() -> None:
    """A bug must not reach the log."""
    act = Act("urn:crm", "1", "contact.made", "c", NOW, NeedRuledOut(rep="ana"))
    with pytest.raises(Corrupt):
        CATALOGUE.encode_record(act)
    assert len(CATALOGUE.models) == len(ACTS)

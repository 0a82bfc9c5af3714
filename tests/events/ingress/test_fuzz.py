"""Whatever is posted: never a 5xx, never a hang, and the log has changed only where the answer is 202."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.events.ingress.parts import Parts, event, make_parts
from tests.fixed_clock import FixedClock

TYPES = [
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/json",
    "application/cloudevents+json; charset=utf-8",
    "text/plain",
]
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["specversion", "id", "source", "type", "subject", "time", "data", "datacontenttype", "dataschema", "data_base64"]
)
fields = st.sampled_from(["rep", "channel", "purpose", "text", "deal", "during", "other"])


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A good event with a few members replaced, added or taken away."""
    made = event(id=draw(st.sampled_from("abcdef")))
    made["data"] = made["data"] | draw(st.dictionaries(fields, values, max_size=2))
    made |= draw(st.dictionaries(names | texts, values, max_size=2))
    for name in draw(st.lists(names, max_size=1)):
        made.pop(name, None)
    return made


@pytest.fixture(scope="module")
def posting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Parts]]:
    """One ingress for all examples, and a client of it."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    parts = make_parts(folder, FixedClock())
    with TestClient(parts.app(), "http://localhost", raise_server_exceptions=False) as client:
        yield client, parts
    parts.close()


def check(posting: tuple[TestClient, Parts], body: bytes, headers: dict[str, str]) -> int:
    """Post it, check the answer and the log, give the status."""
    client, parts = posting
    before = len(parts.records())
    answer = client.post("/v1/events", content=body, headers=headers)
    assert answer.status_code in (202, 400, 409, 413, 415, 422), answer.text
    fresh = 0
    if answer.status_code == 202:
        fresh = sum(not receipt["duplicate"] for receipt in answer.json()["receipts"])
    else:
        assert answer.headers["content-type"] == "application/problem+json"
    assert len(parts.records()) == before + fresh
    return answer.status_code


@SLOW
@given(body=st.binary(max_size=200), content_type=st.sampled_from(TYPES))
def test_any_bytes_are_answered(posting: tuple[TestClient, Parts], body: bytes, content_type: str) -> None:
    """Random bytes of whatever media type are refused in an orderly way."""
    check(posting, body, {"content-type": content_type})


@SLOW
@given(events=st.lists(mutated(), min_size=1, max_size=3), batch=st.booleans())
def test_any_events_are_answered(posting: tuple[TestClient, Parts], events: list[Any], batch: bool) -> None:
    """Events with anything in the place of anything are taken whole or refused whole."""
    kind = TYPES[1] if batch else TYPES[0]
    check(posting, json.dumps(events if batch else events[0]).encode(), {"content-type": kind})


@SLOW
@given(place=st.integers(0, 400), byte=st.binary(max_size=2), cut=st.integers(0, 2))
def test_a_body_with_bytes_changed_is_answered(
    posting: tuple[TestClient, Parts], place: int, byte: bytes, cut: int
) -> None:
    """A good event with a few bytes put in or taken out somewhere."""
    body = json.dumps(event(id="z")).encode()
    place = min(place, len(body))
    check(posting, body[:place] + byte + body[place + cut :], {"content-type": TYPES[0]})


@SLOW
@given(
    headers=st.dictionaries(
        st.sampled_from(["ce-id", "ce-source", "ce-type", "ce-subject", "ce-time", "ce-specversion", "ce-x", "ce-"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
        max_size=8,
    )
)
def test_any_headers_are_answered(posting: tuple[TestClient, Parts], headers: dict[str, str]) -> None:
    """Binary mode with anything in the attributes."""
    good = {"ce-specversion": "1.0", "ce-type": "exemplar.contact.made.v1", "ce-time": "2026-03-01T09:30:00Z"}
    check(posting, json.dumps(event()["data"]).encode(), {"content-type": TYPES[2]} | good | headers)

"""`POST /v1/events` by hand: every mode, every answer."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from services.events.api import Limits
from services.events.credentials import Credential, Keyring, create_key, revoke_key
from services.events.log.protocol import NewRecord, Place
from services.kit import instants
from services.kit.errors import Unavailable
from tests.events.ingress.parts import Parts, act, event

STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
BINARY = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "urn:crm",
    "ce-type": "exemplar.contact.made.v1",
    "ce-subject": "customer-1",
    "ce-time": "2026-03-01T09:30:00Z",
}
DATA = json.dumps(event()["data"])


@pytest.fixture
def client(parts: Parts) -> Iterator[TestClient]:
    """A client of an open ingress."""
    with TestClient(parts.app(), "http://localhost") as made:
        yield made


def refused(answer: Any, status: int, pointer: str | None = None, index: int = 0) -> str:
    """Check that the answer is this problem, about the event of this index; give its reason or detail."""
    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"].startswith("urn:exemplar:problem:")
    if pointer is None:
        return str(problem.get("detail", ""))
    assert [(e["index"], e["pointer"]) for e in problem["errors"]] == [(index, pointer)]
    return str(problem["errors"][0]["reason"])


def test_a_structured_event_is_acknowledged_with_its_receipt(client: TestClient, parts: Parts) -> None:
    """202 with source, id, partition, offset, whether it was known, and the position; once more it is a duplicate."""
    answer = client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    place = parts.records()[0].place
    receipt = {"source": "urn:crm", "id": "1", "partition": place.partition, "offset": place.offset}
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "receipts": [receipt | {"duplicate": False}],
        "position": f"{place.partition}:{place.offset}",
    }
    again = client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    assert again.json()["receipts"] == [receipt | {"duplicate": True}]
    assert parts.acts()[0].extensions == {"recordedby": "open"}


def test_a_binary_event_is_the_same_as_the_structured_one(client: TestClient, parts: Parts) -> None:
    """Attributes from `ce-` headers of any case, extensions too, percent-decoded and unquoted; data from the body."""
    headers = {name.upper(): value for name, value in BINARY.items()}
    headers |= {"CE-SUBJECT": "caf%C3%A9%20%22x%22", "ce-traceparent": '"00-a\\"b"'}
    answer = client.post("/v1/events", content=DATA, headers=headers)
    assert answer.status_code == 202, answer.text
    (found,) = parts.acts()
    assert found.subject == 'café "x"'
    assert found.extensions == {"recordedby": "open", "traceparent": '00-a"b'}
    same = client.post("/v1/events", content=json.dumps(event(subject='café "x"')), headers=STRUCTURED)
    assert same.json()["receipts"][0]["duplicate"] is True


def test_a_batch_is_acknowledged_in_its_order(client: TestClient, parts: Parts) -> None:
    """A receipt for each event, a duplicate in the batch marked; the highest offset of each partition."""
    events = [event(id="1"), event(id="2", subject="c-2"), event(id="3"), event(id="1")]
    answer = client.post("/v1/events", content=json.dumps(events), headers=BATCH).json()
    assert [(r["id"], r["duplicate"]) for r in answer["receipts"]] == [
        ("1", False),
        ("2", False),
        ("3", False),
        ("1", True),
    ]
    ends: dict[int, int] = {}
    for record in parts.records():
        ends[record.place.partition] = max(record.place.offset, ends.get(record.place.partition, 0))
    assert answer["position"] == ",".join(f"{p}:{o}" for p, o in sorted(ends.items()))


def test_an_empty_batch_is_acknowledged(client: TestClient) -> None:
    """Nothing was asked and nothing is wrong: 202 without receipts."""
    answer = client.post("/v1/events", content="[]", headers=BATCH)
    assert (answer.status_code, answer.json()) == (202, {"receipts": [], "position": ""})


def test_a_bad_event_refuses_its_whole_batch(client: TestClient, parts: Parts) -> None:
    """Each bad one is told with index, pointer and reason, the gravest gives the status, nothing is appended."""
    client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    good, conflict = event(id="7"), event(time="2026-03-01T09:31:00Z")
    invalid, malformed = event(id="8", data={"rep": "ana"}), event(id="9", time=None)
    for events, status, told in (
        ([good, conflict], 409, [(1, "")]),
        ([conflict, invalid], 422, [(0, ""), (1, "/data/channel")]),
        ([invalid, malformed, conflict], 400, [(0, "/data/channel"), (1, "/time"), (2, "")]),
    ):
        answer = client.post("/v1/events", content=json.dumps(events), headers=BATCH)
        assert answer.status_code == status
        assert [(e["index"], e["pointer"]) for e in answer.json()["errors"]] == told
        assert all(e["reason"] for e in answer.json()["errors"])
    assert len(parts.records()) == 1


def test_broken_json_in_a_batch_is_told_by_its_index(client: TestClient, parts: Parts) -> None:
    """What is wrong within one event of a batch is told of that event, beside what is wrong with others."""
    twice = json.dumps(event()).replace('"id": "1"', '"id": "1", "id": "2"')
    body = f"[{json.dumps(event(id='5'))}, {twice}, {json.dumps(event(id=''))}]"
    answer = client.post("/v1/events", content=body, headers=BATCH)
    assert answer.status_code == 400
    assert [(e["index"], e["pointer"]) for e in answer.json()["errors"]] == [(1, ""), (2, "/id")]
    assert parts.records() == []


@pytest.mark.parametrize("broken", ["NaN", '{"id": tru}', '"\\ud800"', '"\n"', "[" * 50_000 + "]" * 50_000, ""])
def test_an_element_of_a_batch_that_is_not_json_hides_no_other_fault(
    client: TestClient, parts: Parts, broken: str
) -> None:
    """However broken one event is, each bad one of the batch is told with its index."""
    body = f"[{json.dumps(event(id='5'))}, {broken}, {json.dumps(event(id=''))}]"
    answer = client.post("/v1/events", content=body, headers=BATCH)
    assert answer.status_code == 400
    assert [(e["index"], e["pointer"]) for e in answer.json()["errors"]] == [(1, ""), (2, "/id")]
    assert parts.records() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b"nonsense",
        b"\xef\xbb\xbf" + json.dumps(event()).encode(),
        json.dumps(event()).encode("utf-16"),
        json.dumps(event()).replace("customer-1", "\xff").encode("latin-1"),
        json.dumps(event()).replace("customer-1", "\\ud800").encode(),
        json.dumps(event()).replace('"rep":', '"rep": "x", "rep":').encode(),
        json.dumps(event(data={"rep": float("nan")})).encode(),
        json.dumps(event(data={"rep": 1})).replace("1}", "1e999}").encode(),
        json.dumps(event(data={"rep": 1})).replace("1}", "1" * 5000 + "}").encode(),
        json.dumps(event(data=1)).replace('"data": 1', '"data": ' + "[" * 32 + "]" * 32).encode(),
        b"[" * 100_000,
        json.dumps(event()).encode() + b" x",
    ],
)
def test_what_is_not_strict_json_is_400(client: TestClient, parts: Parts, body: bytes) -> None:
    """Broken or ambiguous JSON, and JSON that is no object, is refused and never echoed."""
    answer = client.post("/v1/events", content=body, headers=STRUCTURED)
    refused(answer, 400, "")
    assert parts.records() == []


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"specversion": None}, "/specversion"),
        ({"specversion": "0.3"}, "/specversion"),
        ({"id": None}, "/id"),
        ({"id": ""}, "/id"),
        ({"id": 7}, "/id"),
        ({"id": "a\u0007"}, "/id"),
        ({"id": "a\ufffe"}, "/id"),
        ({"source": None}, "/source"),
        ({"source": "urn:größe"}, "/source"),
        ({"source": "urn:a b"}, "/source"),
        ({"source": "urn:a%2"}, "/source"),
        ({"type": None}, "/type"),
        ({"subject": None}, "/subject"),
        ({"time": None}, "/time"),
        ({"time": "yesterday"}, "/time"),
        ({"time": "2026-03-01"}, "/time"),
        ({"time": "2026-03-01T09:30:00"}, "/time"),
        ({"time": "2016-12-31T23:59:60Z"}, "/time"),
        ({"time": "2026-02-30T09:30:00Z"}, "/time"),
        ({"time": "2026-03-01T24:00:00Z"}, "/time"),
        ({"recordedby": "me"}, "/recordedby"),
        ({"Upper": "x"}, "/Upper"),
        ({"an_extension": "x"}, "/an_extension"),
        ({"extension": 2**31}, "/extension"),
        ({"extension": {"a": 1}}, "/extension"),
        ({"dataschema": "relative"}, "/dataschema"),
    ],
)
def test_what_cloudevents_forbids_is_400(client: TestClient, changes: dict[str, Any], pointer: str) -> None:
    """A missing or bad attribute is malformed, with a pointer to it."""
    refused(client.post("/v1/events", content=json.dumps(event(**changes)), headers=STRUCTURED), 400, pointer)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"type": "exemplar.contact.made.v2"}, "/type"),
        ({"type": "com.example.thing"}, "/type"),
        ({"time": "2026-03-02T09:05:00.000001Z"}, "/time"),
        ({"id": "x" * 129}, "/id"),
        ({"subject": "x" * 129}, "/subject"),
        ({"data": None}, "/data"),
        ({"data": []}, "/data"),
        ({"data": None, "data_base64": "e30="}, "/data_base64"),
        ({"datacontenttype": "text/plain"}, "/datacontenttype"),
        ({"data": {"rep": "a", "channel": "call", "purpose": "serve", "mood": "fine"}}, "/data/mood"),
        ({"data": {"rep": "a", "channel": "pigeon", "purpose": "serve"}}, "/data/channel"),
        ({"type": "exemplar.person.erased.v1", "subject": "public", "data": {"by": "a", "reason": "b"}}, "/subject"),
    ],
)
def test_what_the_catalogue_forbids_is_422(client: TestClient, changes: dict[str, Any], pointer: str) -> None:
    """An unknown type, a time too far ahead, data against the catalogue, the erasure of nobody."""
    reason = refused(client.post("/v1/events", content=json.dumps(event(**changes)), headers=STRUCTURED), 422, pointer)
    assert "pigeon" not in reason


def test_a_time_exactly_5_minutes_ahead_is_taken(client: TestClient) -> None:
    """More than 5 minutes ahead is refused, 5 minutes are not."""
    body = json.dumps(event(time="2026-03-02T09:05:00Z"))
    assert client.post("/v1/events", content=body, headers=STRUCTURED).status_code == 202


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"content-type": "application/cloudevents+json; charset=utf-8"}, 202),
        ({"content-type": 'Application/CloudEvents+JSON;Charset="UTF-8"'}, 202),
        ({"content-type": "application/cloudevents+json; charset=latin-1"}, 415),
        ({"content-type": "application/cloudevents+avro"}, 415),
        ({"content-type": "application/cloudevents"}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/xml"}, 415),
        ({"content-type": "nonsense"}, 415),
        ({"content-type": "application/json"}, 400),
        ({"content-encoding": "gzip"}, 415),
        ({"content-encoding": "identity"}, 202),
    ],
)
def test_the_mode_is_decided_by_content_type(client: TestClient, changes: dict[str, str], status: int) -> None:
    """Another media type, charset or a content encoding is 415; JSON without `ce-` headers is a malformed event."""
    answer = client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED | changes)
    assert answer.status_code == status
    if status != 202:
        refused(answer, status)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ([("ce-id", "2")], "/id"),
        ([("ce-source", "urn:a%20b")], "/source"),
        ([("ce-traceparent", "50%")], "/traceparent"),
        ([("ce-traceparent", "%ff")], "/traceparent"),
        ([("ce-traceparent", "%0a")], "/traceparent"),
        ([("ce-traceparent", b"\xc3\xa9")], "/traceparent"),
        ([("ce-recordedby", "me")], "/recordedby"),
        ([("ce-data", "{}")], ""),
        ([("ce-datacontenttype", "text/xml")], ""),
        ([("ce-an_extension", "x")], "/an_extension"),
    ],
)
def test_headers_that_break_the_binding_are_400(client: TestClient, changes: list[Any], pointer: str) -> None:
    """A repeated header, bad percent-encoding, and what breaks an attribute's rule after decoding."""
    first = {name: value for name, value in BINARY.items() if name != "ce-source" or changes[0][0] != "ce-source"}
    headers = [*first.items(), *changes]
    refused(client.post("/v1/events", content=DATA, headers=headers), 400, pointer)


def test_binary_data_must_be_there_and_be_json(client: TestClient) -> None:
    """Without a body there is no data, which is invalid; a body that is not JSON is malformed."""
    refused(client.post("/v1/events", headers=BINARY), 422, "/data")
    refused(client.post("/v1/events", content="{", headers=BINARY), 400, "")


def test_what_is_too_large_is_413(parts: Parts) -> None:
    """An event over its limit, in a batch too, a request over its limit, and too many events."""
    limits = Limits(event_bytes=2_000, request_bytes=4_000, events=5)
    large = event(data={"rep": "ana", "channel": "call", "purpose": "serve", "text": "x" * 2_000})
    with TestClient(parts.app(limits=limits), "http://localhost") as client:
        for body, headers in (
            (json.dumps(large), STRUCTURED),
            (json.dumps([large]), BATCH),
            (" " * 4_001, BATCH),
            ("[1,1,1,1,1,1]", BATCH),
            (json.dumps(large["data"]), BINARY),
        ):
            refused(client.post("/v1/events", content=body, headers=headers), 413)
            refused(client.post("/v1/events", content=iter([body.encode()]), headers=headers), 413)
    assert parts.records() == []


def test_a_request_more_than_the_limit_is_429(parts: Parts) -> None:
    """Beyond the number of requests or bytes at the same time: 429 with Retry-After."""
    for limits in (Limits(requests=0), Limits(buffered_bytes=10)):
        with TestClient(parts.app(limits=limits), "http://localhost") as client:
            answer = client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED)
            refused(answer, 429)
            assert answer.headers["retry-after"] == "1"


class SilentLog:
    """A log that takes records and never says that it has them, or refuses them."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def append(self, records: list[NewRecord]) -> Future[list[Place]]:
        future: Future[list[Place]] = Future()
        if self._error is not None:
            future.set_exception(self._error)
        return future

    def close(self) -> None:
        pass


@pytest.mark.parametrize("error", [None, Unavailable("the disk is full", 7)])
def test_a_log_that_does_not_take_it_is_503(parts: Parts, error: Exception | None) -> None:
    """Within the bound there is an answer, with Retry-After, and nothing is acknowledged."""
    parts.writer.close()
    parts.writer = SilentLog(error)  # type: ignore[assignment]  # a list is a Sequence
    with TestClient(parts.app(append_seconds=0.05), "http://localhost") as client:
        answer = client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    refused(answer, 503)
    assert answer.headers["retry-after"] == ("1" if error is None else "7")


def test_what_nobody_expects_is_500(parts: Parts) -> None:
    """A fault of the program is told as a problem without detail, and the next post is answered."""
    parts.writer.close()
    parts.writer = SilentLog(RuntimeError("a secret"))  # type: ignore[assignment]  # a list is a Sequence
    with TestClient(parts.app(), "http://localhost") as client:
        for _ in range(2):
            answer = client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED)
            refused(answer, 500)
            assert "secret" not in answer.text


class HungKeyring(Keyring):
    """Whose database does not answer, for as long as the test lasts."""

    def __init__(self, control: Engine, may_be_open: bool) -> None:
        super().__init__(control, may_be_open)
        self.end = threading.Event()

    def is_open(self) -> bool:
        """Wait."""
        self.end.wait()
        return super().is_open()

    def admit(self, authorization: str | None) -> Credential:
        """Wait."""
        self.end.wait()
        return super().admit(authorization)


@pytest.mark.parametrize("may_be_open", [False, True])
def test_whose_credential_nobody_tells_is_503(parts: Parts, may_be_open: bool) -> None:
    """A database that does not answer holds up no request for longer than the bound, before its body is read."""
    keyring = HungKeyring(parts.control, may_be_open)
    app = parts.app(limits=Limits(admitting_seconds=0.05), keyring=keyring)
    with TestClient(app, "http://localhost") as client:
        answer = client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED)
        foreign = client.get("/livez", headers={"origin": "http://evil.example"})
        keyring.end.set()
    refused(answer, 503)
    assert foreign.status_code == (403 if may_be_open else 200)
    assert answer.headers["retry-after"]


def test_credentials_are_needed_once_there_is_a_key(parts: Parts) -> None:
    """Open until the first key is made, never again after, not even when it is revoked."""
    now = instants.now()
    body = json.dumps(event())
    key = create_key(parts.control, "crm", ["acts:write"], now, sources=["urn:crm"])
    reader = create_key(parts.control, "reader", ["cards:read"], now)
    with TestClient(parts.app(), "http://localhost") as client:
        for authorization in (None, "Bearer exk_wrong", f"Basic {key}", "Bearer"):
            headers = STRUCTURED | ({"authorization": authorization} if authorization else {})
            answer = client.post("/v1/events", content=body, headers=headers)
            refused(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")
        bearer = {"authorization": f"Bearer {key}"}
        assert client.post("/v1/events", content=body, headers=STRUCTURED | bearer).status_code == 202
        other = json.dumps(event(source="urn:other", id="2"))
        refused(client.post("/v1/events", content=other, headers=STRUCTURED | bearer), 403, "/source")
        of_reader = STRUCTURED | {"authorization": f"Bearer {reader}"}
        refused(client.post("/v1/events", content=body, headers=of_reader), 403)
    assert parts.acts()[0].extensions == {"recordedby": "crm"}
    revoke_key(parts.control, "crm", now)
    with TestClient(parts.app(), "http://localhost") as client:
        refused(client.post("/v1/events", content=body, headers=STRUCTURED | bearer), 401)
        refused(client.post("/v1/events", content=body, headers=STRUCTURED), 401)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "localhost:8000"}, 202),
        ({"host": "127.0.0.1"}, 202),
        ({"host": "[::1]:8000"}, 202),
        ({"host": "evil.example"}, 421),
        ({"host": "localhost.evil.example"}, 421),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, 202),
        ({"host": "localhost:8000", "origin": "http://evil.example"}, 403),
        ({"host": "localhost:8000", "origin": "http://localhost:3000"}, 403),
        ({"host": "localhost:8000", "origin": "null"}, 403),
    ],
)
def test_open_mode_answers_localhost_only(client: TestClient, headers: dict[str, str], status: int) -> None:
    """Another Host is 421, a foreign Origin 403: no web page may reach an open server."""
    answer = client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED | headers)
    assert answer.status_code == status
    if status != 202:
        refused(answer, status)


def test_with_keys_any_host_is_answered(parts: Parts) -> None:
    """The rules for Host and Origin are for open mode only."""
    create_key(parts.control, "crm", ["acts:write"], 0, sources=["urn:crm"])
    with TestClient(parts.app(), "http://exemplar.example") as client:
        assert client.get("/livez", headers={"origin": "http://evil.example"}).status_code == 200


def test_what_is_not_there_is_a_problem_too(client: TestClient) -> None:
    """404 and 405 are problem+json as everything else."""
    refused(client.get("/nowhere"), 404)
    answer = client.get("/v1/events")
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"
    refused(client.get("/v1/schemas/exemplar.no.such.v1"), 404)
    refused(client.get("/docs"), 404)


def test_the_schemas_and_documents_are_served(client: TestClient) -> None:
    """Every act's schema is found from the index; OpenAPI, AsyncAPI, the process and its metrics answer."""
    for entry in client.get("/v1/schemas").json()["schemas"]:
        assert client.get(entry["href"]).json()["properties"]["type"] == {"const": entry["type"]}
    assert client.get("/openapi.json").json()["openapi"] == "3.1.0"
    assert client.get("/asyncapi.json").json()["asyncapi"] == "3.0.0"
    assert client.get("/livez").text == "ok\n"
    assert client.get("/readyz").text == "ready\n"
    client.post("/v1/events", content=json.dumps(event()), headers=STRUCTURED)
    assert 'exemplar_events_total{outcome="accepted"} 1.0' in client.get("/metrics").text


def test_an_erasure_is_done_when_it_is_acknowledged(client: TestClient, parts: Parts) -> None:
    """At the 202 to `person.erased` the person's data key is destroyed."""
    told = event(data={"rep": "ana", "channel": "call", "purpose": "serve", "text": "Knee surgery"})
    erased = act("person.erased", {"by": "dpo", "reason": "asked for"}, id="2")
    answer = client.post("/v1/events", content=json.dumps([told, erased]), headers=BATCH)
    assert answer.status_code == 202
    assert parts.vault.existing_keys(["customer-1"]) == {"customer-1": None}

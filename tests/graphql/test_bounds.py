"""What a request may take: time, directives, how often; and the documents that are trusted."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, get_introspection_query, parse, validate
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from services.events.credentials import OPEN, Credential
from services.graphql.answering import WAITING_AT_ONCE, Gateway, Question
from services.graphql.app import Allowed
from services.graphql.documents import OWN, Documents, document_id, load_documents
from services.graphql.errors import TimedOut, TooOften, UnknownDocument
from services.graphql.loaders import Reading
from services.graphql.rates import ADDRESS_MAY, REMEMBERED, Rates, neighbours
from services.graphql.schema import create_schema
from services.kit import collector
from services.kit.database import open_engine, parse_url, reading
from services.kit.errors import Misconfigured, Unauthenticated, Unavailable
from tests.fixed_clock import FixedClock
from tests.graphql.gateway import GRAPHQL, Asker

EXPLAIN = '{ explainAct(source: "s", actId: "a") { fate } }'
FOR_EVER = text("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c WHERE x < 0")


# ---- time ----


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'any.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def test_reads_end_with_the_request(database: str) -> None:
    """A statement that never ends is ended in the database, and nothing more is read for the request."""
    engine = open_engine(parse_url(database, "DATABASE"), "any")
    reads = Reading()
    begun = threading.Event()

    def ask(connection: Connection) -> None:
        begun.set()
        connection.execute(FOR_EVER)

    def read() -> None:
        with reading(engine) as connection, reads.of(connection):
            ask(connection)

    async def main() -> None:
        asking = asyncio.create_task(asyncio.to_thread(read))
        await asyncio.to_thread(begun.wait)
        reads.end_soon()  # told before the statement begins, a database has nothing to end: it is told again
        with pytest.raises(Unavailable):
            await asking

    asyncio.run(main())
    with reading(engine) as connection, pytest.raises(TimedOut), reads.of(connection):
        raise AssertionError("it was let read")
    engine.dispose()


@pytest.fixture
def stuck(tmp_path: Path, clock: FixedClock) -> Any:
    """A gateway that looks for what is not folded as long as the test likes, and is given little time."""
    released = threading.Event()

    def find(*_asked: object) -> None:
        released.wait(30)

    asker = Asker(tmp_path, clock, find_unfolded=find, ask_seconds=0.3)
    yield asker
    released.set()
    asker.close()


def test_a_request_has_its_time(stuck: Asker) -> None:
    """What takes longer is answered by TIMEOUT, with the status 504 for who asks for the media type of GraphQL."""
    assert stuck.codes(EXPLAIN) == ["TIMEOUT"]
    response = stuck.post(EXPLAIN, accept=GRAPHQL)
    assert response.status_code == 504
    assert "0.3 s" in response.json()["errors"][0]["message"]


def test_finding_out_who_asks_is_in_the_time(tmp_path: Path, clock: FixedClock) -> None:
    """A request that comes no further than to its credential has its time, too, and so has a live connection."""
    released = threading.Event()

    def authenticate(_authorization: str | None) -> Credential:
        released.wait(30)
        return OPEN

    async def main() -> None:
        answer = await gateway.answer(Question("{ viewer { key } }"))
        with pytest.raises(Unavailable):
            await gateway.admit(None)
        released.set()
        assert answer.code == "TIMEOUT"

    asker = Asker(tmp_path, clock, authenticate=authenticate, ask_seconds=0.2)
    gateway = Gateway(create_schema(), asker.backing)
    asyncio.run(main())
    asker.close()


def test_who_waits_for_the_fold_holds_nobody_up(tmp_path: Path, clock: FixedClock) -> None:
    """However many wait for the fold, those who do not are answered; who waits behind too many is told NOT_YET."""
    released = threading.Event()

    def wait_until(_wanted: object, _seconds: float) -> bool:
        return released.wait(30)

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        waiting = [
            asyncio.create_task(gateway.answer(Question("{ viewer { key } }", wait_for="0:1")))
            for _ in range(WAITING_AT_ONCE + 1)
        ]
        (late,), _ = await asyncio.wait({waiting[-1]})
        assert late.result().code == "NOT_YET"
        assert (await gateway.answer(Question("{ viewer { key } }"))).code is None
        released.set()
        await asyncio.wait(waiting)

    asker = Asker(tmp_path, clock, wait_until=wait_until)
    gateway = Gateway(create_schema(), asker.backing)
    asyncio.run(main())
    asker.close()


def test_who_searches_the_log_holds_nobody_up(tmp_path: Path, clock: FixedClock) -> None:
    """However many acts are looked for in a log that does not answer, those who ask for others are answered."""
    released = threading.Event()

    def find(*_asked: object) -> None:
        released.wait(30)

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        searching = [asyncio.create_task(gateway.answer(Question(EXPLAIN))) for _ in range(8)]
        await asyncio.wait(searching)
        assert {search.result().code for search in searching} == {"TIMEOUT"}
        assert (await gateway.answer(Question("{ viewer { key } }"))).code is None
        released.set()

    asker = Asker(tmp_path, clock, find_unfolded=find, ask_seconds=2.0)
    gateway = Gateway(create_schema(), asker.backing)
    asyncio.run(main())
    asker.close()


@pytest.mark.parametrize(("method", "path"), [("POST", "/graphql"), ("GET", "/export/scorecards.csv")])
def test_nobody_works_for_a_client_that_went_away(tmp_path: Path, clock: FixedClock, method: str, path: str) -> None:
    """A request whose client disconnects ends long before its time."""
    released = threading.Event()
    asker = Asker(tmp_path, clock, model=lambda: released.wait(30), ask_seconds=60.0)
    body = b'{"query": "%s"}' % EXPLAIN.replace('"', '\\"').encode()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"}])
    sent: list[Any] = []
    headers = [(b"content-type", b"application/json"), (b"host", b"localhost"), (b"authorization", b"Bearer admin")]
    asked = b"team=north&from=2026-01-01&to=2026-02-01" if method == "GET" else b""
    scope = {"type": "http", "method": method, "path": path, "query_string": asked, "headers": headers}

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    async def main() -> None:
        await asker.app({**scope, "app": asker.app}, receive, send)
        released.set()

    asyncio.run(main())
    assert sent[0]["status"] == 408
    asker.close()


# ---- what a document says ----


def test_directives(asker: Asker) -> None:
    """Thirty directives are read, one more is refused, wherever they stand; unknown ones give five errors at most."""
    asker.data("{" + " __typename @skip(if: false)" * 30 + "}")
    body = asker.ask("{" + " __typename @skip(if: false)" * 20 + "... @include(if: true) { __typename }" * 11 + "}")
    assert [error["extensions"]["code"] for error in body["errors"]] == ["LIMIT"]
    assert "30 directives, this one has 31" in body["errors"][0]["message"]
    assert asker.codes("query " + "@unknown " * 31 + "{ __typename }") == ["LIMIT"]
    assert len(asker.codes("{" + " __typename @unknown" * 10 + "}")) == 5


HOSTILE = {
    "200,000 tokens": "{" + " __typename" * 200_000 + "}",
    "selections within selections": '{ team(key: "t") ' + "{ parent " * 100_000,
    "lists within lists": "{ acts(filter: " + "[" * 100_000,
    "lists within lists, closed": "{ acts(filter: " + "[" * 240 + "]" * 240 + ") { pageInfo { hasNextPage } } }",
    "objects within objects": "{ acts(filter: " + "{a: " * 120 + "1" + "}" * 120 + ") { pageInfo { hasNextPage } } }",
    "aliases": "{" + " ".join(f"a{n}: __typename" for n in range(5_000)) + "}",
    "arguments of one name": "{ team(" + 'key: "t" ' * 150 + ") { key } }",
    "a thousand fragments": "{ viewer { key } } " + " ".join(f"fragment F{n} on Viewer {{ key }}" for n in range(1000)),
    "a string of 60,000 letters": '{ team(key: "' + "a" * 60_000 + '") { key } }',
    "a number of 60,000 digits": "{ teams(first: " + "9" * 60_000 + ") { pageInfo { hasNextPage } } }",
    "escapes": '{ team(key: "' + "\\u0000" * 9_000 + '") { key } }',
    "variables": "query (" + " ".join(f"$v{n}: Int" for n in range(120)) + ") { __typename }",
    "types within types": "{ __schema { types " + "{ fields { type " * 8 + "{ name }" + "} }" * 8 + " } }",
    "the schema, differently": get_introspection_query() + " " * 5_000,
    "fields that may collide": "{ viewer {" + " key" * 200 + "} " * 1 + " viewer {" + " key" * 200 + "} }",
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE)
def test_hostile_documents_are_answered_shortly(asker: Asker, document: str) -> None:
    """Whatever is asked, the answer is a short one, and nothing went wrong inside."""
    response = asker.post(document)
    assert response.status_code in (200, 413)
    assert len(response.content) < 4_000 or "__schema" in response.text
    for error in response.json().get("errors", []) if response.status_code == 200 else []:
        assert error["extensions"]["code"] in ("LIMIT", "BAD_USER_INPUT")


def test_hostile_documents_are_refused_within_100_ms(tmp_path: Path, clock: FixedClock) -> None:
    """Each takes less of the processor's time than that, transport and answer included, at its first appearance."""
    slow = HOSTILE
    for attempt in range(3):  # a server of its own each, which has seen none of them
        if slow:
            asker = Asker(tmp_path / str(attempt), clock)
            asker.post("{ __typename }")
            slow = {name: document for name, document in slow.items() if _processor_seconds(asker, document) >= 0.1}
            asker.close()
    assert slow == {}


def _processor_seconds(asker: Asker, document: str) -> float:
    with collector.paused():  # or all that other tests have left is looked through meanwhile
        begun = time.process_time()
        asker.post(document)
        return time.process_time() - begun


def test_suggestions_may_be_turned_off(tmp_path: Path, clock: FixedClock) -> None:
    """By default an error names what may have been meant; with the setting off, no part of the schema is named."""
    told = Asker(tmp_path / "on", clock)
    quiet = Asker(tmp_path / "off", clock, allowed=Allowed(suggestions=False))
    wrong = (
        "{ viewr { key } }",
        "{ team(kye: 1) { key } }",
        "{ ... on Persn { key } }",
        "{ teams(first: 1) { edgs } }",
    )
    for query in wrong:
        assert "Did you mean" in str(told.ask(query)["errors"])
        assert "Did you mean" not in str(quiet.ask(query)["errors"])
    told.close()
    quiet.close()


# ---- how often ----


def test_a_bucket_fills_at_its_rate() -> None:
    """A burst is served, then so many a second; others are not concerned; the error says when to come back."""
    now = [0.0]
    rates = Rates(2.0, 3, lambda: now[0])
    for _ in range(3):
        rates.take("ann")
    with pytest.raises(TooOften) as refused:
        rates.take("ann")
    assert refused.value.seconds == 1
    rates.take("bob")
    now[0] = 0.5
    rates.take("ann")
    with pytest.raises(TooOften):
        rates.take("ann")
    now[0] = 100.0
    for _ in range(3):
        rates.take("ann")


def test_who_was_longest_away_is_forgotten() -> None:
    """However many ask, no more than so many are remembered."""
    now = [0.0]
    rates = Rates(1.0, 1, lambda: now[0])
    for number in range(REMEMBERED + 5):
        rates.take(number)
    rates.take(0)
    with pytest.raises(TooOften):
        rates.take(REMEMBERED + 4)


def test_who_asks_too_often_gets_429(tmp_path: Path, clock: FixedClock) -> None:
    """The status tells it whatever media type is asked for, with the seconds to wait; another credential is served."""
    asker = Asker(tmp_path, clock, rates=Rates(0.1, 2))
    person = asker.person("rik")
    asker.data("{ __typename }")
    asker.data("{ __typename }")
    response = asker.post("{ __typename }")
    assert response.status_code == 429
    assert response.headers["retry-after"] == "10"
    table = "/export/scorecards.csv?team=north&from=2026-01-01&to=2026-02-01"
    exported = asker.client.get(table, headers={"authorization": "Bearer admin"})
    assert (exported.status_code, exported.headers["retry-after"]) == (429, "10")
    assert response.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    asker.data("{ __typename }", who=person)
    asker.close()


def test_bad_credentials_are_bounded_by_where_they_come_from(tmp_path: Path, clock: FixedClock) -> None:
    """After so many, 429 with the time to wait; a good credential from there is served, and so is another address."""
    asker = Asker(tmp_path, clock, failures=Rates(0.1, 3, rule=ADDRESS_MAY))
    for _ in range(3):
        assert asker.post("{ __typename }", who="wrong").status_code == 401
    refused = asker.post("{ __typename }", who="wrong")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert "from this address" in refused.json()["errors"][0]["message"]
    table = "/export/scorecards.csv?team=north&from=2026-01-01&to=2026-02-01"
    headers = {"authorization": "Bearer wrong"}
    assert asker.client.get(table, headers=headers).status_code == 429
    stream = {"accept": "text/event-stream", **headers}
    streamed = asker.client.post("/graphql", json={"query": "{ __typename }"}, headers=stream)
    assert (streamed.status_code, streamed.headers["retry-after"]) == (429, "10")
    with asker.client.websocket_connect("/graphql", ["graphql-transport-ws"]) as socket:
        socket.send_json({"type": "connection_init", "payload": {"authorization": "Bearer wrong"}})
        assert socket.receive()["code"] == 1013
    asker.data("{ __typename }")
    elsewhere = TestClient(asker.app, base_url="http://localhost", client=("192.0.2.7", 5))
    assert elsewhere.post("/graphql", json={"query": "{ __typename }"}, headers=headers).status_code == 401
    asker.close()


def test_who_presents_nothing_has_not_failed(tmp_path: Path, clock: FixedClock) -> None:
    """A request without a credential, where one is needed, costs nothing and is not counted."""

    def authenticate(_authorization: str | None) -> Credential:
        raise Unauthenticated("a credential is needed")

    asker = Asker(tmp_path, clock, authenticate=authenticate, failures=Rates(0.1, 1))
    assert [asker.post("{ __typename }", who=None).status_code for _ in range(3)] == [401, 401, 401]
    asker.close()


def test_an_address_is_the_part_that_nobody_varies() -> None:
    """Of IPv6 the first 64 bits, of IPv4 all."""
    assert neighbours("192.0.2.7") == "192.0.2.7"
    assert neighbours("2001:db8::1") == neighbours("2001:db8::ffff:1") != neighbours("2001:db8:0:1::1")
    assert neighbours("fe80::1%eth0") == "fe80::/64"


def test_a_stream_that_cannot_begin_now_says_so_by_its_status(stuck: Asker, tmp_path: Path, clock: FixedClock) -> None:
    """Clients of event streams try again after 504 and 429, and not after a stream that was completed."""
    headers = {"accept": "text/event-stream", "authorization": "Bearer admin"}
    late = stuck.client.post("/graphql", json={"query": EXPLAIN}, headers=headers)
    assert (late.status_code, late.headers["content-type"]) == (504, "application/problem+json")
    often = Asker(tmp_path / "often", clock, rates=Rates(0.1, 1))
    often.data("{ __typename }")
    refused = often.client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    often.close()


# ---- trusted documents ----


def test_a_trusted_document_is_asked_for_by_its_id(tmp_path: Path, clock: FixedClock) -> None:
    """By POST and by GET, with variables, and with more tokens than others may have."""
    folder = tmp_path / "documents"
    folder.mkdir()
    long = "query Who($yes: Boolean!) { viewer @include(if: $yes) { " + "key " * 600 + "} }"
    (folder / "who.graphql").write_text(long)
    asker = Asker(tmp_path, clock, allowed=Allowed(documents=folder))
    asked: dict[str, Any] = {"documentId": document_id(long), "variables": {"yes": True}}
    headers = {"authorization": "Bearer admin"}
    posted = asker.client.post("/graphql", json=asked, headers=headers)
    got = asker.client.get("/graphql", params={**asked, "variables": '{"yes": true}'}, headers=headers)
    assert posted.json()["data"] == got.json()["data"] == {"viewer": {"key": None}}
    assert asker.codes(long, {"yes": True}) == ["LIMIT"]
    asker.close()


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"documentId": "sha256:" + "0" * 64}, 400, "no trusted document"),
        ({"documentId": "x", "query": "{ __typename }"}, 400, "or the `documentId`"),
        ({"documentId": 5}, 400, "must be strings"),
        ({"documentId": ""}, 400, "not empty"),
        ({}, 400, "give `query`"),
    ],
)
def test_an_id_that_is_none_is_refused(asker: Asker, body: dict[str, Any], status: int, says: str) -> None:
    """Unknown ids, ids of the wrong form, and an id together with a query are refused, saying what to do."""
    response = asker.client.post("/graphql", json=body, headers={"accept": GRAPHQL, "authorization": "Bearer admin"})
    assert response.status_code == status
    assert says in response.text


def test_only_trusted_documents_may_be_answered(tmp_path: Path, clock: FixedClock) -> None:
    """With the setting any other document is refused, and a trusted one is answered by its text too."""
    asker = Asker(tmp_path, clock, allowed=Allowed(only_documents=True))
    assert asker.codes("{ __typename }") == ["UNKNOWN_DOCUMENT"]
    own = (OWN / "export_person.graphql").read_text()
    assert asker.codes(own, {"person": "p", "period": {"from": "2026-01-01", "to": "2026-02-01"}}) == []
    export = asker.client.get(
        "/export/scorecards.csv?team=t&from=2026-01-01&to=2026-02-01", headers={"authorization": "Bearer admin"}
    )
    assert export.status_code == 404  # there is no such team
    asker.close()


def test_documents_that_do_not_fit_the_schema_stop_the_start(tmp_path: Path) -> None:
    """A file that is no document, or none of this schema, is named."""
    schema = create_schema()
    for wrong in ("{ nothing }", "{ viewer", "\udcff"):
        (tmp_path / "wrong.graphql").write_bytes(wrong.encode("utf-8", "surrogateescape"))
        with pytest.raises(Misconfigured, match=r"wrong\.graphql"):
            load_documents(schema, [tmp_path])
    with pytest.raises(Misconfigured, match="not a folder"):
        load_documents(schema, [tmp_path / "nowhere"])


@pytest.mark.parametrize("file", sorted(OWN.rglob("*.graphql")), ids=lambda file: str(file.relative_to(OWN)))
def test_own_documents_fit_the_schema(file: Path) -> None:
    """The ones that no start checks: each is one operation of the schema."""
    document = parse(file.read_text(encoding="utf-8"))
    assert validate(build_schema(create_schema().as_str()), document) == []
    assert [type(defined) for defined in document.definitions].count(OperationDefinitionNode) == 1


def test_documents_know_each_other_apart() -> None:
    """The id is of the text to the letter."""
    documents = Documents({"a": "{ __typename }"}, only=True)
    assert documents.text(documents.ids["a"]) == "{ __typename }"
    documents.check("{ __typename }")
    with pytest.raises(UnknownDocument):
        documents.check("{ __typename  }")

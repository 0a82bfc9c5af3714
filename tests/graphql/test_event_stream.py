"""Live answers as server-sent events, in the distinct connections mode, against a real server."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import pytest

from tests.graphql.test_sockets import TEAM, push
from tests.live import LARGE, SCORE, WATCH, breached, event_stream, unread_stream
from tests.serving import Server, run, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An open server with a team, which is quiet for half a second at most."""
    limits = {"live_keep_alive_seconds": "0.5", "live_connections_each": "3", "answer_seconds": "1"}
    with serving(tmp_path_factory.mktemp("streams") / "data", **limits) as server:
        posted = server.post(*TEAM)
        server.query("{ viewer { key } }", posted.json()["position"])
        yield server


def test_an_act_that_is_posted_reaches_who_watches(server: Server) -> None:
    """`next` with the present state at once, comments while nothing happens, `next` again once the act is folded."""
    with event_stream(server.url, SCORE) as events:
        assert events.response.status == 200
        assert events.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert events.response.headers["cache-control"] == "no-store"
        name, first = events.next()
        assert name == "next"
        assert events.next()[0] == ":"
        server.post(push(1))
        name, later = events.next()
        while name == ":":
            name, later = events.next()
        assert (name, breached(later)) == ("next", breached(first) + 1)


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("subscription {", None, "BAD_USER_INPUT"),
        (WATCH, {}, "BAD_USER_INPUT"),
        (WATCH, {"team": "nowhere"}, "FORBIDDEN"),
        ("{" + "children { " * 11 + "key" + " }" * 11 + "}", None, "LIMIT"),
    ],
)
def test_errors_are_events(server: Server, query: str, variables: object, code: str) -> None:
    """What does not run is one `next` with the errors, then `complete`, and the stream ends."""
    with event_stream(server.url, query, variables) as events:
        name, body = events.next()
        assert (name, body["errors"][0]["extensions"]["code"], "data" in body) == ("next", code, False)
        assert events.next() == ("complete", None)
        assert events.response.read() == b""


def test_queries_are_answered_too(server: Server) -> None:
    """One `next`, then `complete`; by GET as well."""
    with event_stream(server.url, "{ viewer { scopes } }") as events:
        assert events.next()[1]["data"] == {"viewer": {"scopes": ["admin"]}}
        assert events.next()[0] == "complete"
    answer = server.ask("GET", "/graphql?query=%7Bviewer%7Bkey%7D%7D", accept="text/event-stream")
    assert answer.body.startswith(b'event: next\ndata: {"data":{"viewer":{"key":null}}')
    assert answer.body.endswith(b"event: complete\ndata:\n\n")


@pytest.mark.parametrize(
    ("accept", "type_"),
    [
        ("application/graphql-response+json, application/json, text/event-stream", "application/graphql-response+json"),
        ("text/event-stream;q=0.5, application/json", "application/json"),
        ("text/event-stream, */*", "text/event-stream"),
        ("text/event-stream, application/json;q=0.9", "text/event-stream"),
    ],
)
def test_a_stream_is_for_who_wants_it_most(server: Server, accept: str, type_: str) -> None:
    """Who takes JSON as willingly gets JSON."""
    body = b'{"query": "{ viewer { key } }"}'
    answer = server.ask("POST", "/graphql", body, content_type="application/json", accept=accept)
    assert answer.headers["content-type"] == f"{type_}; charset=utf-8"


def test_a_quiet_stream_ends_with_its_credential(tmp_path: Path) -> None:
    """With the error and `complete`, long before all is checked: here of who came in before there was a first key."""
    with serving(tmp_path / "data") as own:
        own.query("{ viewer { key } }", own.post(*TEAM).json()["position"])
        with event_stream(own.url, WATCH, {"team": "north"}) as events:
            events.following()
            run(own.folder, ["keys", "create", "--name", "ops", "--scope", "admin"])
            made = time.monotonic()
            assert events.following()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert events.next() == ("complete", None)
            assert time.monotonic() - made < 20


def test_a_subscription_needs_a_stream(server: Server) -> None:
    """Asked for as JSON, the refusal says how to ask."""
    body = b'{"query": "subscription { scorecardChanged(team: \\"north\\") { key } }"}'
    answer = server.ask("POST", "/graphql", body, content_type="application/json")
    assert answer.status == 400
    assert "text/event-stream" in answer.json()["detail"]


def test_streams_are_limited(server: Server) -> None:
    """One more than the limit of a credential is 429 with Retry-After; what has ended does not count."""
    with ExitStack() as stack:
        for _ in range(3):
            events = stack.enter_context(event_stream(server.url, WATCH, {"team": "north"}))
            assert events.next()[0] == "next"
        with event_stream(server.url, WATCH, {"team": "north"}) as refused:
            assert refused.response.status == 429
            assert refused.response.headers["retry-after"] == "5"


def test_a_foreign_page_gets_no_stream_from_an_open_server(server: Server) -> None:
    """As for any request there."""
    with event_stream(server.url, WATCH, {"team": "north"}, origin="https://elsewhere.example") as events:
        assert events.response.status == 403


def test_who_does_not_read_is_dropped(server: Server) -> None:
    """What is sent to them is not kept: the connection is cut, counted, and nobody else waits."""
    with closing(unread_stream(server.url, LARGE)):
        for number in count(1000):
            server.post(push(number))
            metrics = server.ask("GET", "/metrics").body.decode()
            if 'exemplar_live_dropped_total{reason="slow"} 0.0' not in metrics:
                break
    assert server.query("{ viewer { scopes } }")["data"] == {"viewer": {"scopes": ["admin"]}}


def test_stopping_completes_streams(tmp_path: Path) -> None:
    """SIGTERM ends a stream with `complete`, and the server within its time."""
    with serving(tmp_path / "data") as server:
        server.query("{ viewer { key } }", server.post(*TEAM).json()["position"])
        with event_stream(server.url, WATCH, {"team": "north"}) as events:
            assert events.next()[0] == "next"
            assert server.stop() == 0
            assert events.next()[0] == "complete"


def test_a_credential_that_is_no_good_is_told_by_the_status(tmp_path: Path) -> None:
    """Where credentials are needed: 401, and no stream."""
    with serving(tmp_path / "data", "--host", "0.0.0.0") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        with event_stream(url, WATCH, {"team": "north"}, authorization="Bearer exk_wrong") as events:
            assert events.response.status == 401
            assert "invalid_token" in events.response.headers["www-authenticate"]

"""The protocol graphql-transport-ws against a real server: what it answers, and with which code it closes."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from services.graphql.sign_in import COOKIE
from tests.live import LARGE, SCORE, WAIT_SECONDS, WATCH, Socket, breached, narrow_socket, web_socket
from tests.serving import Server, run, serving

CONNECTIONS = 6


def act(name: str, subject: str, id_: str, /, **data: Any) -> dict[str, Any]:
    """An act of the team of these tests."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/crm",
        "type": f"exemplar.{name}.v1",
        "subject": subject,
        "time": "2026-02-01T09:00:00Z",
        "data": data,
    }


TEAM = [
    act("team.formed", "north", "north", name="North"),
    act("team.joined", "north", "ann", person="ann", role="leader", name="Ann"),
    act("team.joined", "north", "rik", person="rik", role="rep", name="Rik"),
]


def push(number: int) -> dict[str, Any]:
    """A breach of Rik's."""
    return act("urgency.pressed", f"customer-{number}", f"push-{number}", rep="rik", tactic="deadline")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The keys of an admin and of a leader, by name, and the folder of their server."""
    folder = tmp_path_factory.mktemp("live") / "data"
    made = {"folder": str(folder)}
    for name, *more in (("ops", "--scope", "admin"), ("ann", "--scope", "cards:read", "--person", "ann")):
        done = run(folder, ["keys", "create", "--name", name, *more])
        assert done.returncode == 0, done.stderr
        made[name] = f"Bearer {done.stdout.strip()}"
    return made


@pytest.fixture(scope="module")
def server(keys: dict[str, str]) -> Iterator[Server]:
    """A server with small limits, a team and two people in it."""
    limits = {"live_subscriptions": "2", "live_connections": str(CONNECTIONS)}
    limits |= {"live_connections_each": "4", "live_message_bytes": "2048", "answer_seconds": "1"}
    with serving(Path(keys["folder"]), **limits) as server:
        posted = server.post(*TEAM, authorization=keys["ops"])
        server.query("{ viewer { key } }", posted.json()["position"], authorization=keys["ops"])
        yield server


@pytest.fixture
def opened(server: Server, keys: dict[str, str]) -> Iterator[Socket]:
    """A connection that the leader has opened."""
    with web_socket(server.url) as made:
        made.begin(keys["ann"])
        yield made


def test_an_act_that_is_posted_reaches_who_watches(server: Server, keys: dict[str, str], opened: Socket) -> None:
    """The present state comes at once, the new one once the act is folded; `complete` ends it, and the id is free."""
    opened.ask("1", SCORE)
    before = breached(opened.next()["payload"])
    server.post(push(1), authorization=keys["ops"])
    message = opened.next()
    assert (message["type"], message["id"], breached(message["payload"])) == ("next", "1", before + 1)
    assert message["payload"]["extensions"]["position"]
    opened.send("complete", id="1")
    opened.ask("1", "{ viewer { key } }")
    assert opened.next()["payload"]["data"] == {"viewer": {"key": "ann"}}
    assert opened.next() == {"type": "complete", "id": "1"}


def test_errors_end_an_operation_and_nothing_else(opened: Socket) -> None:
    """What may not be watched, is over a limit or is no document is an `error`; a ping is still answered."""
    for query, variables, code in (
        (WATCH, {"team": "south"}, "FORBIDDEN"),
        (WATCH, {}, "BAD_USER_INPUT"),
        ("subscription {", None, "BAD_USER_INPUT"),
        ("{" + "children { " * 11 + "key" + " }" * 11 + "}", None, "LIMIT"),
    ):
        opened.ask("x", query, variables)
        message = opened.next()
        assert (message["type"], message["id"]) == ("error", "x")
        assert message["payload"][0]["extensions"]["code"] == code
    opened.send("subscribe", id="y", payload={"documentId": "sha256:" + "0" * 64})
    assert opened.next()["payload"][0]["extensions"]["code"] == "UNKNOWN_DOCUMENT"
    opened.send("ping", payload={"any": 1})
    assert opened.next() == {"type": "pong"}
    opened.send("pong")
    opened.send("complete", id="never-begun")
    opened.send("ping")
    assert opened.next() == {"type": "pong"}


def test_operations_of_a_connection_are_limited(opened: Socket) -> None:
    """One more than the limit is an `error` with the code LIMIT; the others go on."""
    for number in range(3):
        opened.ask(str(number), WATCH, {"team": "north"})
    messages = [opened.next() for _ in range(3)]
    assert sorted((m["id"], m["type"]) for m in messages) == [("0", "next"), ("1", "next"), ("2", "error")]
    refused = next(m for m in messages if m["type"] == "error")
    assert refused["payload"][0]["extensions"]["code"] == "LIMIT"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { key } }"}}'], 4401),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer exk_wrong"}}'], 4403),
        (['{"type": "connection_init"}'], 4403),
        (['{"type": "connection_init", "payload": {"authorization": 7}}'], 4400),
        (['{"type": "connection_init", "payload": []}'], 4400),
        (["INIT", "INIT"], 4429),
        (["INIT", "WATCH", "WATCH"], 4409),
        (["INIT", '{"type": "subscribe", "payload": {"query": "{ viewer { key } }"}}'], 4400),
        (["INIT", '{"type": "subscribe", "id": "1"}'], 4400),
        (["INIT", '{"type": "subscribe", "id": "1", "payload": {"query": 1}}'], 4400),
        (["INIT", '{"type": "subscribe", "id": "1", "payload": {"query": "{ x }", "variables": []}}'], 4400),
        (["INIT", '{"type": "subscribe", "id": "1", "payload": {"query": "{ x }", "documentId": "y"}}'], 4400),
        (["INIT", '{"type": "next", "id": "1"}'], 4400),
        (["INIT", '{"type": "complete"}'], 4400),
        (["{"], 4400),
        (["[]"], 4400),
        (["{}"], 4400),
        (['{"type": "ping", "type": "pong"}'], 4400),
        ([b"{}"], 4400),
        (["x" * 3000], 1009),
    ],
)
def test_close_codes(server: Server, keys: dict[str, str], messages: list[str | bytes], code: int) -> None:
    """Each breach of the protocol closes the connection with the code that the protocol has for it."""
    watch = {"type": "subscribe", "id": "1", "payload": {"query": WATCH, "variables": {"team": "north"}}}
    words = {
        "INIT": json.dumps({"type": "connection_init", "payload": {"authorization": keys["ann"]}}),
        "WATCH": json.dumps(watch),
    }
    with web_socket(server.url) as made:
        for message in messages:
            made.connection.send(words.get(message, message) if isinstance(message, str) else message)
        assert made.end()[0] == code


def test_who_says_nothing_is_closed(tmp_path: Path) -> None:
    """Whoever does not begin in time: 4408."""
    with serving(tmp_path / "data", live_init_seconds="0.5") as impatient, web_socket(impatient.url) as made:
        assert made.end()[0] == 4408


@pytest.mark.parametrize("protocol", ["graphql-ws", "soap"])
def test_other_protocols_are_refused(server: Server, protocol: str) -> None:
    """The legacy protocol too: 4406."""
    with web_socket(server.url, protocol) as made:
        assert made.connection.subprotocol is None
        assert made.end()[0] == 4406


def test_connections_are_limited(server: Server, keys: dict[str, str]) -> None:
    """A credential has so many and all together so many: then 1013, and 429 for the handshake."""
    with ExitStack() as stack:
        for number in range(CONNECTIONS):
            made = stack.enter_context(web_socket(server.url))
            if number < 4:
                made.begin(keys["ann"])
            else:
                made.begin(keys["ops"])
        with pytest.raises(InvalidStatus) as refused, web_socket(server.url):
            pass
        assert refused.value.response.status_code == 429
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(web_socket(server.url)).begin(keys["ann"])
        fifth = stack.enter_context(web_socket(server.url))
        fifth.send("connection_init", payload={"authorization": keys["ann"]})
        assert fifth.end()[0] == 1013


def test_who_does_not_read_is_dropped(server: Server, keys: dict[str, str]) -> None:
    """What is sent to them is not kept: the connection is cut, and counted."""
    with web_socket(server.url, sock=narrow_socket(server.url), max_queue=1, max_size=None) as made:
        made.begin(keys["ann"])
        made.ask("1", LARGE)
        for number in count(1000):
            server.post(push(number), authorization=keys["ops"])
            metrics = server.ask("GET", "/metrics").body.decode()
            if 'exemplar_live_dropped_total{reason="slow"} 0.0' not in metrics:
                break


def test_with_credentials_any_origin_may_connect(server: Server, keys: dict[str, str]) -> None:
    """The credential is in a message: no page can have a browser present it."""
    with web_socket(server.url, origin="https://elsewhere.example") as made:
        made.begin(keys["ann"])


def test_the_cookie_of_the_dashboard_counts_for_pages_of_this_server_alone(
    server: Server, keys: dict[str, str]
) -> None:
    """A page of ours opens a connection with the cookie, a foreign one cannot; a credential comes before the cookie."""
    cookie = {"Cookie": f"{COOKIE}={keys['ann'].removeprefix('Bearer ')}"}
    own = Origin(server.url)
    with web_socket(server.url, additional_headers=cookie, origin=own) as opened:
        opened.begin()
        opened.ask("1", "{ viewer { key } }")
        assert opened.next()["payload"]["data"] == {"viewer": {"key": "ann"}}
    with web_socket(server.url, additional_headers=cookie, origin=own) as opened:
        opened.begin(keys["ops"])
        opened.ask("1", "{ viewer { key } }")
        assert opened.next()["payload"]["data"] == {"viewer": {"key": None}}
    for foreign in (Origin("https://evil.example"), None):
        with web_socket(server.url, additional_headers=cookie, origin=foreign) as opened:
            opened.send("connection_init")
            assert opened.end()[0] == 4403


def test_a_revoked_key_ends_its_connections_at_the_next_event(server: Server, keys: dict[str, str]) -> None:
    """It is forgotten within seconds, and then what happens is not told: 4403."""
    created = run(server.folder, ["keys", "create", "--name", "short", "--scope", "admin"])
    with web_socket(server.url) as made:
        made.begin(f"Bearer {created.stdout.strip()}")
        made.ask("1", WATCH, {"team": "north"})
        made.next()
        run(server.folder, ["keys", "revoke", "short"])
        with suppress(ConnectionClosed):
            for number in count(100):
                server.post(push(number), authorization=keys["ops"])
                made.next()
        assert made.end()[0] == 4403


def test_a_revoked_key_ends_quiet_connections_and_gives_their_places_back(server: Server, keys: dict[str, str]) -> None:
    """Within seconds, though nothing happens: 4403, with subscriptions and without, and no `error` before it."""
    key = f"Bearer {run(server.folder, ['keys', 'create', '--name', 'brief', '--scope', 'admin']).stdout.strip()}"
    with ExitStack() as stack:
        opened = [stack.enter_context(web_socket(server.url)) for _ in range(4)]
        for made in opened:
            made.begin(key)
        opened[0].ask("1", WATCH, {"team": "north"})
        opened[0].next()
        run(server.folder, ["keys", "revoke", "brief"])
        for made in opened:
            with pytest.raises(ConnectionClosed):
                made.next()
            assert made.end() == (4403, "Forbidden: the credential is not good any more")
        for number in range(CONNECTIONS):
            stack.enter_context(web_socket(server.url)).begin(keys["ann" if number < 3 else "ops"])


WANTED = b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /graphql HTTP/1.1\r\n" + WANTED + b"\r\n",
        b"POST /v1/events HTTP/1.1\r\n" + WANTED + b"Content-Length: 9\r\n\r\n",
        b"GET /graphql HTTP/1.1\r\n" + WANTED + b"Content-Length: 9\r\n\r\n",
        b"GET /graphql HTTP/1.1\r\n" + WANTED + b"X-More: a\r\n" * 300 + b"\r\n",
    ],
    ids=["post", "post with a body", "get with a body", "too many headers"],
)
def test_what_cannot_become_a_web_socket_is_400(server: Server, sent: bytes) -> None:
    """A request to go on as a WebSocket that is no handshake is answered at once, and the connection closed."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), WAIT_SECONDS) as connection:
        connection.sendall(sent)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_an_open_server_is_for_its_own_pages(tmp_path: Path) -> None:
    """Open on loopback, a foreign Origin or Host is refused at the handshake; stopping closes with 1001."""
    with serving(tmp_path / "data") as open_server:
        with pytest.raises(InvalidStatus) as refused, web_socket(open_server.url, origin="https://elsewhere.example"):
            pass
        assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus), web_socket(open_server.url, additional_headers={"Host": "evil.example"}):
            pass
        with web_socket(open_server.url, origin=open_server.url) as made:
            made.begin()
            open_server.post(*TEAM)
            made.ask("1", "{ viewer { scopes } }")
            assert made.next()["payload"]["data"] == {"viewer": {"scopes": ["admin"]}}
            assert open_server.stop() == 0
            assert made.end()[0] == 1001

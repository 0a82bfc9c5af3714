"""The proxy does to a connection what it says, or the faults would prove nothing."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.proxy import KafkaFraming, PostgresFraming, Proxy, Verdict

SILENT_SECONDS = 1.0  # without an answer for so long, and there is none
STARTUP = struct.pack(">ii", 8, 3 << 16)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy before a server that sends back what it gets, in the framing of PostgreSQL."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = Proxy(PostgresFraming)
    made.target = listening.getsockname()[1]
    threading.Thread(target=_echo, args=(listening,), daemon=True).start()
    yield made
    made.close()
    listening.close()


def _echo(listening: socket.socket) -> None:
    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(1024):
                    connection.sendall(data)
            except OSError:
                return

    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


@contextmanager
def connected(proxy: Proxy) -> Iterator[socket.socket]:
    """A client that has said who it is."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
        assert said(client, STARTUP) == STARTUP
        yield client


def said(client: socket.socket, message: bytes) -> bytes:
    """What comes back."""
    client.sendall(message)
    return client.recv(1024)


def query(text: bytes) -> bytes:
    """A simple query of PostgreSQL's protocol."""
    return b"Q" + struct.pack(">i", len(text) + 5) + text + b"\0"


def test_it_carries_what_it_is_given(proxy: Proxy) -> None:
    """Without a fault, bytes go both ways as they are, in however many pieces they come."""
    with connected(proxy) as client:
        message = query(b"SELECT 1")
        client.sendall(message[:3])
        assert said(client, message[3:]) == message


def test_a_reset_is_an_error_and_not_an_end(proxy: Proxy) -> None:
    """Both sides see a connection that broke; a new one works."""
    with connected(proxy) as client:
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with connected(proxy):
        pass


def test_cut_off_nothing_comes_about_until_it_heals(proxy: Proxy) -> None:
    """While it is cut, a connection breaks at once."""
    proxy.cut()
    with pytest.raises(OSError, match=r"reset|refused|pipe"), connected(proxy):
        pass
    proxy.heal()
    with connected(proxy):
        pass


def test_half_open_connections_stay_dead(proxy: Proxy) -> None:
    """A connection of the silence carries nothing after it either; one made later does."""
    with connected(proxy) as client:
        proxy.silence()
        proxy.heal()
        client.settimeout(SILENT_SECONDS)
        with pytest.raises(TimeoutError):
            said(client, query(b"SELECT 1"))
    with connected(proxy):
        pass


@pytest.mark.parametrize("verdict", [Verdict.RESET, Verdict.LOSE])
def test_a_commit_is_seen_and_stopped(proxy: Proxy, verdict: Verdict) -> None:
    """The COMMIT of a transaction can be told from other statements, and does not arrive."""
    seen = []

    def watch(name: str) -> Verdict:
        seen.append(name)
        return verdict if name == "commit" else Verdict.PASS

    proxy.watch = watch
    with connected(proxy) as client:
        assert said(client, query(b"BEGIN")) == query(b"BEGIN")
        client.settimeout(SILENT_SECONDS if verdict is Verdict.LOSE else 30)
        with pytest.raises(ConnectionResetError if verdict is Verdict.RESET else TimeoutError):
            said(client, query(b"COMMIT"))
    assert [name for name in seen if name] == ["begin", "commit"]


def test_the_answer_to_a_produce_is_told_by_its_correlation() -> None:
    """Of two requests on one connection, only the answer to the produce is named so, in pieces too."""
    framing = KafkaFraming()
    produce, fetch = (struct.pack(">ihhi", 8, key, 9, number) for key, number in ((0, 7), (1, 8)))
    assert [name for name, _ in framing.up(produce + fetch)] == ["produce", ""]
    answers = struct.pack(">ii", 4, 8) + struct.pack(">ii", 4, 7)
    pieces = [*framing.down(answers[:5]), *framing.down(answers[5:])]
    assert [name for name, _ in pieces] == ["", "produced"]
    assert b"".join(message for _, message in pieces) == answers

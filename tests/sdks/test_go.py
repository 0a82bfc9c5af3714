"""The CloudEvents Go SDK as a client.

It writes times to the nanosecond in UTC, encodes a source that is not ASCII, and puts attributes into headers as they
are (CloudEvents' HTTP binding §3.1.3.2 asks for percent-encoding): what comes of that is stated here.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.sdks.clients import (
    ACTS,
    MODES,
    ODD_ACTS,
    SHOWN,
    Client,
    act,
    assert_logged,
    copy_of,
    extensions_logged,
    fetch,
    snippet,
)
from tests.serving import Server

# Nothing but the checked-in locks decides what is built, and no C compiler is needed.
GO = {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's folder, its packages in Go's own cache."""
    copy = copy_of("go", tmp_path_factory.mktemp("sdk"), "go")
    fetch(["go", "mod", "download"], copy, **GO)
    return copy


@pytest.fixture(scope="module")
def client(folder: Path) -> Client:
    """The program, built."""
    return Client([str(built(folder, "."))])


def built(folder: Path, package: str) -> Path:
    """The program of a package; the first time on a machine this compiles the SDK and Go's own library too."""
    program = folder / f"{Path(package).name or 'client'}.built"
    command = ["go", "build", "-o", str(program), package]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | GO, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_logged_as_it_was_meant(client: Client, server: Server, mode: str, name: str) -> None:
    """Text of any script, a space in an id, an offset: the same in every mode, the time cut to the microsecond."""
    event = act(name, mode, **ACTS[name])
    outcome = client.post(server, mode, event)
    assert outcome.accepted, outcome.answer
    logged = {"time": "2025-03-01T04:00:00.123456Z"} if name == "precise" else {}
    assert_logged(server, event | logged)


@pytest.mark.parametrize("mode", ["structured", "batch"])
@pytest.mark.parametrize("name", ODD_ACTS)
def test_json_carries_any_attribute(client: Client, server: Server, mode: str, name: str) -> None:
    """In structured mode and in a batch, ids and sources with `%`, quotes or other scripts arrive as they are."""
    event = act(name, mode, **{"subject": f"odd-{mode}-{name}"} | ODD_ACTS[name])
    event["id"] += f" {mode}"
    outcome = client.post(server, mode, event)
    assert outcome.accepted, outcome.answer
    assert_logged(server, event)


def test_a_source_that_is_not_ascii_is_encoded_by_the_sdk(client: Client, server: Server) -> None:
    """The SDK makes a URI of it before sending, so the log has the encoded source."""
    event = act("source", "structured", source="https://crm.example.com/Käufer")
    assert client.post(server, "structured", event).accepted
    assert_logged(server, event | {"source": "https://crm.example.com/K%C3%A4ufer"})


def test_extensions_are_kept(client: Client, server: Server) -> None:
    """JSON keeps an extension's type; in binary mode a header is text, so the log has text."""
    extensions = ACTS["extensions"]
    for mode, kept in (("structured", extensions), ("binary", extensions | {"attempt": "3", "resent": "true"})):
        event = act("kept", mode, **extensions)
        assert client.post(server, mode, event).accepted
        assert extensions_logged(server, event) == kept


def test_a_batch_of_several_is_logged(client: Client, server: Server) -> None:
    """The SDK's request of several events logs each."""
    events = [act(f"of-three-{i}", "batch") for i in range(3)]
    assert client.post(server, "batch", *events).accepted
    for event in events:
        assert_logged(server, event)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        # `%` begins an encoded byte for the ingress; the SDK wrote it for itself.
        ({"id": "100%"}, '"pointer":"/id","reason":"a `%` in a header begins a percent-encoded byte'),
        # Go puts UTF-8 into the header, which is not ASCII.
        ({"id": "für"}, '"pointer":"/id","reason":"what is not ASCII must be percent-encoded'),
        ({"id": "東京"}, '"pointer":"/id","reason":"what is not ASCII must be percent-encoded'),
        # A source that is rightly encoded, or that the SDK encoded, is decoded, and then is no URI reference any more.
        ({"source": "https://crm.example.com/m%C3%BCller"}, '"pointer":"/source","reason":"`source` must be a URI'),
        ({"source": "https://crm.example.com/müller"}, '"pointer":"/source","reason":"`source` must be a URI'),
    ],
)
def test_binary_mode_refuses_what_the_sdk_should_encode(
    client: Client, server: Server, changes: dict[str, str], answer: str
) -> None:
    """Nothing is guessed: the answer is 400 with the attribute's pointer, which the SDK's result tells in full."""
    outcome = client.post(server, "binary", act("refused", "binary", **changes))
    assert not outcome.accepted
    assert outcome.answer.startswith("400: ")
    assert answer in outcome.answer


@pytest.mark.parametrize(("sent", "read"), [("a%20b", "a b"), ('"c d"', "c d")])
def test_binary_mode_reads_a_header_as_the_binding_says(client: Client, server: Server, sent: str, read: str) -> None:
    """What looks encoded or quoted is decoded: another id than in structured mode, since the SDK encodes nothing."""
    event = act("decoded", "binary", id=sent, subject=f"decoded-{read}")
    assert client.post(server, "binary", event).accepted
    assert_logged(server, event | {"id": read})


def test_the_example_in_the_docs_works(folder: Path, server: Server) -> None:
    """What integrators are shown posts the act that it says."""
    (folder / "snippet").mkdir()
    (folder / "snippet" / "main.go").write_text(snippet("go", server))
    done = subprocess.run([built(folder, "./snippet")], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert_logged(server, SHOWN)

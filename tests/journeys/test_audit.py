"""The transparency log as an auditor meets it: on a real server, checked by verifiers that were not written here."""

import json
import os
import shutil
import sqlite3
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tlog_scales.backend import HttpBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint

from services.events.log.sqlite import open_log
from services.kit import instants
from services.kit.errors import Invalid
from services.kit.settings import Settings
from services.parts import opened
from services.parts.audit import copies, signing
from services.projections.audit.checking import check_tree
from services.projections.audit.copies import FolderCopies
from services.projections.audit.notes import Signer, parse_verifier
from services.projections.audit.proofs import check_proof, check_range
from tests.journeys.production import made_database
from tests.sdks.clients import copy_of, fetch
from tests.sdks.test_go import GO
from tests.serving import Server, run, serving
from tests.waiting import wait_until

ACTS = 300  # more than one tile


def contact(number: int, **more: Any) -> dict[str, Any]:
    """An act with a personal field."""
    return {
        "specversion": "1.0",
        "id": f"contact-{number}",
        "source": "/crm",
        "type": "exemplar.contact.made.v1",
        "subject": f"c-{number % 7}",
        "time": "2026-01-05T09:00:00Z",
        "data": {"rep": "r-1", "channel": "call", "purpose": "introduce", "text": f"good morning, number {number}"},
        **more,
    }


def covered(server: Server, entries: int, key: str = "") -> Checkpoint:
    """The checkpoint, once it covers so many entries: within 10 s."""
    wait_until(lambda: checkpoint(server, key).size >= entries, 10.0)
    return checkpoint(server, key)


def checkpoint(server: Server, key: str = "") -> Checkpoint:
    """The checkpoint that is served, read by another's code."""
    answer = server.ask("GET", "/audit/checkpoint", authorization=f"Bearer {key}")
    assert answer.status == 200, answer.body
    return Checkpoint.from_text(answer.body.decode())


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program over golang.org/x/mod/sumdb."""
    folder = copy_of("gotlog", tmp_path_factory.mktemp("verifier"), "go")
    fetch(["go", "mod", "download"], folder, **GO)
    program = folder / "verifier"
    command = ["go", "build", "-o", str(program), "."]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | GO, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return program


def holds(verifier: Path, *arguments: str | Path, credential: str = "") -> str:
    """What the program says if all of it holds, else nothing."""
    command = [str(verifier), *map(str, arguments)]
    own = os.environ | {"CREDENTIAL": credential}
    done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout if done.returncode == 0 else ""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that was told some acts, a copy, an unreadable record's like, and an erasure."""
    with serving(tmp_path_factory.mktemp("audit") / "data") as running:
        for start in range(0, ACTS, 100):
            assert running.post(*map(contact, range(start, start + 100))).status == 202
        covered(running, ACTS + 2)  # with the model and its policy
        yield running


def copied(server: Server, folder: Path) -> Path:
    """A copy of a server's files at a moment when it writes to none: all is folded, numbered and kept outside."""
    position = server.post(contact(0)).json()["position"]  # where it is already; the others came before it
    assert "errors" not in server.query("{ viewer { key } }", position)
    size = checkpoint(server).size
    wait_until(lambda: any(Checkpoint.from_text(note).size == size for note in FolderCopies(server.folder).kept()))
    shutil.copytree(server.folder, folder)
    return folder


def key_of(server: Server) -> str:
    """The verifier key, alone on stdout."""
    done = run(server.folder, ["audit", "key"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return done.stdout.strip()


def test_each_record_of_the_log_is_one_entry(told: Server) -> None:
    """What is served commits to each record's place and bytes as the log keeps them, and to nothing else of an act."""
    with closing(open_log(f"sqlite:///{told.folder / 'log.sqlite'}", 12, instants.now).reader()) as log:
        records = log.read(dict.fromkeys(range(12), 0), 10_000, 0.0)
    expected = {record.place[:2]: sha256(record.value).hexdigest() for record in records}
    size = checkpoint(told).size
    reader = TilesReader(HttpBackend(f"{told.url}/audit"))
    reader.set_size(size)
    entries = [json.loads(reader.get_entry(index)) for index in range(size)]
    acts = [entry for entry in entries if entry["kind"] == "act"]
    assert {(entry["partition"], entry["offset"]): entry["sha256"] for entry in acts} == expected
    assert len(acts) == len(expected) >= ACTS
    assert all(entry.keys() == {"kind", "partition", "offset", "sha256"} for entry in acts)
    assert {entry["kind"] for entry in entries} == {"act", "model.switched", "policy.changed"}


def test_the_tree_holds_by_other_peoples_verifiers(told: Server, verifier: Path, tmp_path: Path) -> None:
    """Signature, entries and tiles hold by Go's sumdb and by tlog-scales, and go on from an earlier tree."""
    key = key_of(told)
    signed = told.ask("GET", "/audit/checkpoint").body
    earlier = tmp_path / "earlier"
    earlier.write_bytes(signed)
    now = Checkpoint.from_text(signed.decode())
    now.verify(Vkey.from_string(key))
    reader = TilesReader(HttpBackend(f"{told.url}/audit"))
    reader.set_size(now.size)
    assert reader.calculate_root_hash() == now.root_hash
    assert told.post(contact(100_000)).status == 202
    later = covered(told, now.size + 1)
    assert holds(verifier, "log", f"{told.url}/audit", key, earlier) == f"holds: {later.size} entries\n"
    name, _, _ = key.split("+", 2)
    other = f"{name}+{str(Signer(name, b'x' * 32).verifier).split('+', 1)[1]}"
    assert holds(verifier, "log", f"{told.url}/audit", other) == ""


def test_headers_are_those_of_the_specification(told: Server) -> None:
    """Tiles never change and may be kept for ever, the checkpoint may not; bundles are packed for who takes that."""
    answer = told.ask("GET", "/audit/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    for path in ("tile/0/000", "tile/0/000.p/17", "tile/1/000.p/1", "tile/entries/000", "tile/entries/000.p/17"):
        answer = told.ask("GET", f"/audit/{path}")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
        assert "immutable" in answer.headers["cache-control"]
    packed = told.ask("GET", "/audit/tile/entries/000", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(told.ask("GET", "/audit/tile/entries/000").body) / 2
    refused = told.ask("GET", "/audit/tile/entries/000", accept_encoding="gzip;q=0, br")
    assert "content-encoding" not in refused.headers


@pytest.mark.parametrize(
    "path",
    ["tile/0/001", "tile/2/000", "tile/64/000", "tile/00/000", "tile/0/0", "tile/0/000.p/256", "tile/entries/x"]
    + [f"tile/{kind}/{'x999/' * 6}999" for kind in ("0", "entries")],
)
def test_what_there_is_not_is_not_found(told: Server, path: str) -> None:
    """A tile that the tree has not, or that no path of the specification names, is 404."""
    assert told.ask("GET", f"/audit/{path}").status == 404


def test_an_act_is_proven_offline(told: Server, verifier: Path, tmp_path: Path) -> None:
    """A proof in a file holds by the verifier key alone, here and by Go's sumdb; changed anywhere it does not."""
    done = run(told.folder, ["audit", "prove", "/crm", "contact-42"])
    assert done.returncode == 0, done.stderr
    proof, key = tmp_path / "act.tlog-proof", key_of(told)
    proof.write_text(done.stdout)
    offline = ["audit", "verify", "--json", "--key", key, "--offline", str(proof)]
    elsewhere = tmp_path / "elsewhere"
    shown = run(elsewhere, offline)
    assert shown.returncode == 0, shown.stderr
    assert not elsewhere.exists()
    (entry,) = json.loads(shown.stdout)["entries"]
    assert entry["committed"]["id"] == "contact-42"
    assert "number 42" not in shown.stdout
    assert holds(verifier, "proof", proof, key).startswith("holds: ")
    for changed in _changed_proofs(done.stdout):
        with pytest.raises(Invalid):
            check_proof(changed, [parse_verifier(key)])
    proof.write_text(done.stdout.replace("index ", "index 1"))
    assert run(elsewhere, offline).returncode == 1
    assert run(told.folder, ["audit", "prove", "/crm", "nothing"]).returncode == 1


def _changed_proofs(text: str) -> Iterator[str]:
    lines = text.split("\n")
    extra = json.loads(b64decode(lines[1].removeprefix("extra ")))
    for change in ({"entry": extra["entry"].replace("1", "2")}, {"record": b64encode(b"{}").decode()}):
        yield text.replace(lines[1], "extra " + b64encode(json.dumps(extra | change).encode()).decode())
    yield text.replace(lines[2], "index 7")
    yield text.replace(lines[3] + "\n", "", 1)
    yield text.replace(lines[3], b64encode(b"x" * 32).decode())
    yield text.replace(lines[-4], b64encode(b"x" * 32).decode())


def test_an_export_leaves_nothing_out(told: Server, tmp_path: Path) -> None:
    """An export holds offline; with an entry dropped, added, moved or changed it does not."""
    key, file = key_of(told), tmp_path / "export.jsonl"
    done = run(told.folder, ["audit", "export", "--from", "10", "--to", "60", "--subject", "c-3"])
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    offline = ["audit", "verify", "--json", "--key", key, "--offline", str(file)]
    file.write_text(done.stdout)
    shown = run(tmp_path / "elsewhere", offline)
    assert shown.returncode == 0, shown.stderr
    entries = json.loads(shown.stdout)["entries"]
    assert len(entries) == 50
    assert {entry["committed"]["subject"] for entry in entries if entry["committed"]} == {"c-3"}
    assert 0 < sum(entry["committed"] is not None for entry in entries) < 50
    for changed in (
        lines[:5] + lines[6:],
        lines[:-1],
        [*lines, lines[-1]],
        [*lines[:5], lines[6], lines[5], *lines[7:]],
        [lines[0].replace('"to":60', '"to":59'), *lines[1:-1]],
        [lines[0], *(line.replace('\\"kind\\":\\"act\\"', '\\"kind\\":\\"axt\\"') for line in lines[1:])],
    ):
        with pytest.raises(Invalid):
            check_range(changed, [parse_verifier(key)])
    file.write_text("\n".join(lines[:-1]))
    assert run(tmp_path / "elsewhere", offline).returncode == 1


def test_the_whole_tree_is_checked_beside_a_server(told: Server) -> None:
    """`audit verify` finds the tree sound, and `audit checkpoint` prints what is served."""
    done = run(told.folder, ["audit", "verify", "--json"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["sound"]
    shown = run(told.folder, ["audit", "checkpoint"]).stdout
    assert Checkpoint.from_text(shown).size <= checkpoint(told).size


SWAPPED = "(SELECT entry FROM entries AS other WHERE other.number = 31 - entries.number)"
LATE = "SELECT place + 100000, recorded_at - 60000000, key, value, headers FROM records LIMIT 1"
TAMPERED: Mapping[str, tuple[str, str, str]] = {
    "a flipped byte in an entry": (
        "audit",
        "UPDATE entries SET entry = CAST(replace(entry, 'act', 'bct') AS BLOB) WHERE number = 9",
        "commit",
    ),
    "a dropped entry": ("audit", "DELETE FROM entries WHERE number = 9", "missing"),
    "a dropped last entry": ("audit", f"DELETE FROM entries WHERE number = {ACTS + 1}", "missing"),
    "swapped entries": ("audit", f"UPDATE entries SET entry = {SWAPPED} WHERE number IN (15, 16)", "root"),
    "an entry added at the end": (
        "audit",
        "INSERT INTO entries SELECT 1000, entry, kind, 0, type, actor, subject, 0, 99 FROM entries LIMIT 1",
        "behind",
    ),
    "a flipped byte in a tile": (
        "audit",
        "UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE level = 0 AND tile = 0",
        "tile 0/0",
    ),
    "another actor": ("audit", "UPDATE entries SET actor = 'nobody' WHERE number = 9", "does not say"),
    "a changed checkpoint": (
        "audit",
        "UPDATE tree SET checkpoint = replace(checkpoint, char(10) || '3', char(10) || '2')",
        "the checkpoint",
    ),
    "a changed record": (
        "log",
        "UPDATE records SET value = CAST(replace(value, '/crm', '/CRM') AS BLOB) WHERE place % 10 = 3",
        "commit",
    ),
    "a changed document": (
        "audit",
        "UPDATE documents SET document = CAST(replace(document, 'default', 'defXult') AS BLOB)",
        "commit",
    ),
    "a record that was never entered": ("log", f"INSERT INTO records {LATE}", "stale"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_found(told: Server, tmp_path: Path, what: str) -> None:
    """Whoever changes the files finds that the check fails and tells where."""
    folder = copied(told, tmp_path / "data")
    area, statement, fault = TAMPERED[what]
    file = folder / ("log.sqlite" if area == "log" else "exemplar.audit.sqlite")
    with closing(sqlite3.connect(file)) as connection, connection:
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger[0]}")
        assert connection.execute(statement).rowcount
    with opened(Settings(data_dir=folder)) as parts, closing(parts.log.reader()) as log:
        keys = [signer.verifier for signer in signing(parts).signers]
        checked = check_tree(parts.audit, log, keys, copies(parts).kept(), instants.now())
    assert not checked.sound
    assert fault in " ".join(checked.told)


def test_a_server_goes_on_from_no_smaller_tree(told: Server, tmp_path: Path) -> None:
    """A database put back behind what was signed is refused at the start, with what to do."""
    folder = copied(told, tmp_path / "data")
    for file in folder.glob("exemplar.audit.sqlite*"):
        file.unlink()
    refused = run(folder, ["serve", "--port", "0"])
    assert refused.returncode == 1
    assert "there is no audit tree, and a checkpoint kept outside" in refused.stderr
    assert "begin another tree" in refused.stderr


def test_who_may_not_read_it_does_not(tmp_path: Path) -> None:
    """Once a key exists, the tree is for `audit:read` and `admin` alone; keys are in it, made and revoked."""
    with serving(tmp_path / "data") as server:
        run(server.folder, ["audit", "checkpoint"])
        made = {
            scope: run(
                server.folder, ["keys", "create", "--name", scope.replace(":", "-"), "--scope", scope]
            ).stdout.strip()
            for scope in ("admin", "audit:read", "cards:read")
        }
        run(server.folder, ["keys", "revoke", "cards-read"])
        wait_until(lambda: server.ask("GET", "/audit/checkpoint").status == 401, 10)
        for scope in ("admin", "audit:read"):
            covered(server, 6, made[scope])
        bundle = server.ask("GET", "/audit/tile/entries/000.p/6", authorization=f"Bearer {made['audit:read']}").body
        assert bundle.count(b"key.created") == 3
        assert bundle.count(b"key.revoked") == 1
        reader = run(server.folder, ["keys", "create", "--name", "reader", "--scope", "cards:read"]).stdout.strip()
        assert server.ask("GET", "/audit/checkpoint", authorization=f"Bearer {reader}").status == 403


def test_the_key_is_changed_by_restarts(tmp_path: Path) -> None:
    """Both keys sign for a while, then the new one alone; a key that never signed beside the old one is refused."""
    folder, new = tmp_path / "data", tmp_path / "new.key"
    new.write_text("ab" * 32)
    with serving(folder) as server:
        covered(server, 2)
        old_key = Vkey.from_string(key_of(server))
    with serving(folder, audit_next_key_file=str(new)) as server:
        shown = run(folder, ["audit", "key", "--next"], audit_next_key_file=str(new))
        new_key = Vkey.from_string(shown.stdout.strip())
        wait_until(lambda: len(checkpoint(server).signatures) == 2, 10.0)
        checkpoint(server).verify(old_key)
        checkpoint(server).verify(new_key)
    with serving(folder, audit_key_file=str(new)) as server:
        wait_until(lambda: len(checkpoint(server).signatures) == 1, 10.0)
        checkpoint(server).verify(new_key)
    refused = run(folder, ["serve", "--port", "0"])
    assert refused.returncode == 2
    assert "EXEMPLAR_AUDIT_KEY_FILE" in refused.stderr
    assert "EXEMPLAR_AUDIT_NEXT_KEY_FILE" in refused.stderr


@pytest.mark.postgres
def test_one_process_on_postgresql_makes_the_key_that_signs(postgres_url: str, tmp_path: Path) -> None:
    """On its first start, for its owner alone; once something was signed a lost key is not made anew."""
    folder = tmp_path / "data"
    with made_database(postgres_url) as database:
        with serving(folder, database_url=database) as server:
            assert server.post(contact(1)).status == 202
            covered(server, 1)
        assert (folder / "audit.key").stat().st_mode & 0o777 == 0o600
        (folder / "audit.key").unlink()
        done = run(folder, ["serve", "--port", "0"], database_url=database)
    assert done.returncode == 2
    assert "EXEMPLAR_AUDIT_KEY_FILE" in done.stderr
    assert not (folder / "audit.key").exists()

"""An erasure, embedded: the texts are in no file, before it and after it, nor come back with a backup; figures stay."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.kit.settings import Settings
from services.parts import opened
from tests.journeys.erasing import ACTS, CARD, KEPT, READ, TEXTS, WRONG, found_in, raw_files
from tests.serving import ENDED_SECONDS, Server, environment, run
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ERASE = ["erase", "--reason", "asked for", "--by", "dpo", "--yes"]
_READY = re.compile(r"^ready on (\S+)\n", re.MULTILINE)
STORES = ("log.sqlite", "vault.vault.sqlite", "exemplar.control.sqlite", "exemplar.audit.sqlite")


@contextmanager
def logging_server(folder: Path, log: Path) -> Iterator[Server]:
    """A server whose own log, with all it has to tell, is a file."""
    with log.open("wb") as file:
        command = [sys.executable, "-m", "services", "serve", "--port", "0"]
        process = subprocess.Popen(command, env=environment(folder, log_level="debug"), stderr=file, text=True)
    try:
        wait_until(lambda: _READY.search(log.read_text()) is not None or process.poll() is not None, 120)
        ready = _READY.search(log.read_text())
        assert ready is not None, log.read_text()
        yield Server(process, ready[1], folder)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(ENDED_SECONDS)


def succeed(folder: Path, *arguments: str) -> str:
    """A command that must succeed; its stdout."""
    done = run(folder, arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def copy_stores(folder: Path, backup: Path) -> None:
    """A backup of a running server, as docs/operating.md says: each SQLite file copied by SQLite itself."""
    backup.mkdir()
    for name in (*STORES, *(path.name for path in folder.glob("exemplar.model_*.sqlite"))):
        with closing(sqlite3.connect(folder / name)) as source, closing(sqlite3.connect(backup / name)) as copy:
            source.backup(copy)


def restore(folder: Path, backup: Path) -> None:
    """Put the backup in the place of what is there. The wrapping key and the ledger are not in it, and stay.

    Nor are copies of checkpoints: they would tell, rightly, that the audit tree was put back.
    """
    for path in [*folder.glob("*.sqlite*"), *folder.glob("audit-*.checkpoint")]:
        path.unlink()
    for path in backup.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


def read(server: Server) -> Any:
    """What the gateway shows of the erased and, as text, all of it."""
    answer = server.query(READ)
    assert "errors" not in answer, answer
    return answer["data"]


def test_an_erasure_leaves_no_text_anywhere(tmp_path: Path) -> None:
    """Read, erased, searched for in all files and logs, restored from a backup, and rebuilt."""
    folder, log, backup = tmp_path / "data", tmp_path / "serve.log", tmp_path / "backup"
    with logging_server(folder, log) as server:
        server.query("{ principles { id } }", server.post(*ACTS).json()["position"])
        refused = server.post(WRONG)
        assert refused.status == 422
        assert found_in(refused.body) == []
        assert found_in(json.dumps(read(server)).encode()) == list(TEXTS)
        for page in ("/dashboard", "/dashboard/person/r-gone", "/export/scorecards.csv", "/metrics"):
            server.ask("GET", page)
        exported = succeed(folder, "subject", "export", "c-gone")
        assert TEXTS[0] in exported
        card = server.query(CARD)["data"]["person"]
        with opened(Settings(data_dir=folder)) as parts:
            keys = parts.vault.existing_keys(["c-gone", "r-gone"])
        wrapped = _wrapped(folder)
        copy_stores(folder, backup)
        _erase_both(folder)
        wait_until(lambda: found_in(json.dumps(read(server)).encode()) == [], 5)
        assert server.query(CARD)["data"]["person"] == {**card, "name": None}
        assert TEXTS[0] not in succeed(folder, "subject", "export", "c-gone")
        _assert_nothing_left(folder, wrapped, list(keys.values()))
        assert server.stop() == 0
    _assert_nothing_left(folder, wrapped, list(keys.values()))
    assert found_in(log.read_bytes()) == []
    assert all(found_in(content) == [] for content in raw_files(backup).values())
    assert json.loads(succeed(folder, "audit", "verify", "--json"))["sound"]
    assert json.loads(succeed(folder, "verify", "--json"))["equal"]
    assert json.loads(succeed(folder, "rebuild", "--yes", "--json"))["moved"] == 0
    with logging_server(folder, log) as server:
        assert server.query(CARD)["data"]["person"] == {**card, "name": None}
    restore(folder, backup)
    with logging_server(folder, log) as server:
        assert found_in(json.dumps(read(server)).encode()) == []
        assert server.query(CARD)["data"]["person"] == {**card, "name": None}
        assert server.query('{ person(key: "r-stays") { name } }')["data"]["person"]["name"] == KEPT
        # The erasure itself is not in this log; that a later text is not kept follows from the vault alone.
        again = server.post({**ACTS[4], "id": "later"})
        server.query("{ principles { id } }", again.json()["position"])
        assert found_in(json.dumps(read(server)).encode()) == []
    assert "keys of the erased are destroyed again" in log.read_text()
    _assert_nothing_left(folder, wrapped, list(keys.values()))


def test_a_backup_from_before_a_rotation_is_worth_nothing(tmp_path: Path) -> None:
    """Put back without the ledger, as a thief has it, a vault from before does not open with the key of today."""
    folder, log, backup = tmp_path / "data", tmp_path / "serve.log", tmp_path / "backup"
    with logging_server(folder, log) as server:
        server.query("{ principles { id } }", server.post(*ACTS).json()["position"])
        copy_stores(folder, backup)
        _erase_both(folder)
        succeed(folder, "vault", "rotate")
        assert KEPT in json.dumps(server.query('{ person(key: "r-stays") { name } }'))
    restore(folder, backup)
    for ledger in folder.glob("erasures-*"):
        ledger.unlink()
    for command in (["serve", "--port", "0"], ["subject", "export", "c-gone"]):
        refused = run(folder, command)
        assert refused.returncode == 2
        assert "EXEMPLAR_VAULT_KEY_FILE" in refused.stderr
        assert found_in((refused.stdout + refused.stderr).encode()) == []


def test_every_command_applies_the_ledger_first(tmp_path: Path) -> None:
    """Whatever is run first after a restore destroys the keys again."""
    folder, backup = tmp_path / "data", tmp_path / "backup"
    with logging_server(folder, tmp_path / "serve.log") as server:
        assert server.post(*ACTS).status == 202
        copy_stores(folder, backup)
        _erase_both(folder)
    for command in (["status"], ["migrate"], ["rebuild", "--yes"], ["vault", "reapply"]):
        restore(folder, backup)
        assert _destroyed(folder) == []
        succeed(folder, *command)
        assert _destroyed(folder) == ["c-gone", "r-gone"], command


def _destroyed(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "vault.vault.sqlite")) as vault:
        return [row[0] for row in vault.execute("SELECT person FROM data_keys WHERE wrapped IS NULL ORDER BY person")]


def _erase_both(folder: Path) -> None:
    for person in ("c-gone", "r-gone"):
        succeed(folder, *ERASE, person)


def _wrapped(folder: Path) -> dict[str, bytes]:
    """The wrapped keys that the vault holds."""
    with closing(sqlite3.connect(folder / "vault.vault.sqlite")) as vault:
        return dict(vault.execute("SELECT person, wrapped FROM data_keys").fetchall())


def _assert_nothing_left(folder: Path, wrapped: dict[str, bytes], keys: list[bytes | None]) -> None:
    """No text, no data key of the erased, wrapped or not, in any file; what others have is there, so we looked."""
    files = raw_files(folder)
    for path, content in files.items():
        assert found_in(content) == [], path
        for key in (*keys, wrapped["c-gone"], wrapped["r-gone"]):
            assert key is not None
            assert key not in content, path
    assert any(wrapped["r-stays"] in content for content in files.values())
    assert any(b"c-gone" in content for content in files.values())

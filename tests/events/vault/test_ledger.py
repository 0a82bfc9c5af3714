"""The erasure ledger, and a vault that came back from a backup."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.events.vault.ledger import Ledger
from services.events.vault.sql import SqlVault
from services.kit.errors import Corrupt, Unavailable
from tests.events.vault.conftest import WRAPPING_KEY
from tests.fixed_clock import FixedClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is; nothing is there yet."""
    return tmp_path / "elsewhere" / "erasures-1.jsonl"


def test_a_ledger_is_the_same_for_everybody(path: Path) -> None:
    """What one process notes, others read; noted again it is there once, with the first instant."""
    one, other = Ledger(path), Ledger(path)
    assert one.persons() == set()
    one.add(["b", "a"], 0)
    other.add(["a", "客户"], 1_000_000)
    assert one.persons() == other.persons() == {"a", "b", "客户"}
    assert path.read_text("utf-8").splitlines() == [
        '{"person":"a","at":"1970-01-01T00:00:00Z"}',
        '{"person":"b","at":"1970-01-01T00:00:00Z"}',
        '{"person":"客户","at":"1970-01-01T00:00:01Z"}',
    ]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_off_is_none(path: Path) -> None:
    """What is behind the last whole line was never acknowledged: it does not count, and the next line replaces it."""
    Ledger(path).add(["a"], 0)
    with path.open("ab") as file:
        file.write(b'{"person":"b","at":"19')
    assert Ledger(path).persons() == {"a"}
    Ledger(path).add(["c"], 0)
    assert Ledger(path).persons() == {"a", "c"}


def test_a_damaged_ledger_is_corrupt(path: Path) -> None:
    """A line that says nobody is never skipped: it may be somebody who was erased."""
    Ledger(path).add(["a", "b"], 0)
    path.write_bytes(path.read_bytes().replace(b'"person":"a"', b'"person":7'))
    with pytest.raises(Corrupt, match="restore a copy"):
        Ledger(path).persons()


def test_nobody_is_erased_whom_the_ledger_cannot_take(engine: Engine, path: Path, clock: FixedClock) -> None:
    """Where the ledger cannot be written, the key stays and the caller hears which setting it is about."""
    path.parent.write_text("a file where the folder should be")
    vault = SqlVault(engine, WRAPPING_KEY, clock, ledger=Ledger(path))
    key = vault.keys_for(["a"])
    with pytest.raises(Unavailable, match="EXEMPLAR_ERASURES_DIR"):
        vault.destroy(["a"])
    assert vault.existing_keys(["a"]) == key


def test_a_vault_from_a_backup_loses_the_keys_of_the_erased_again(engine: Engine, path: Path, tmp_path: Path) -> None:
    """Put back from before erasures, the vault destroys the same keys, of those too who had none then; no others."""
    file = Path(str(engine.url.database))
    ledger = Ledger(path)
    vault = SqlVault(engine, WRAPPING_KEY, ledger=ledger)
    kept = vault.keys_for(["a", "b"])["b"]
    engine.dispose()
    shutil.copy(file, tmp_path / "backup")
    vault.destroy(["a", "who had no key"])
    engine.dispose()
    shutil.copy(tmp_path / "backup", file)
    again = SqlVault(engine, WRAPPING_KEY, ledger=Ledger(path))
    assert again.keys_for(["a"])["a"] is not None
    started = SqlVault(engine, WRAPPING_KEY, ledger=Ledger(path))
    assert started.destroy_again(ledger) == ["a", "who had no key"]
    assert started.destroy_again(ledger) == []
    assert started.keys_for(["a", "who had no key", "b"]) == {"a": None, "who had no key": None, "b": kept}

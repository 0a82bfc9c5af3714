"""What the SQL vault promises beyond the contract: no traces, few statements, bounded memory, clear words at start."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select

from services.events.vault import sql
from services.events.vault.sql import AREA, SqlVault, data_keys
from services.events.vault.wrapping import WrappingKey
from services.kit.database import open_engine, parse_url, reading
from services.kit.errors import Misconfigured, Unavailable
from services.kit.instants import SECOND
from tests.events.vault.conftest import WRAPPING_KEY
from tests.fixed_clock import FixedClock


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The data statements that run meanwhile."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        if str(arguments[2]).split()[0] in ("SELECT", "INSERT", "UPDATE"):
            seen.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def wrapped_keys(engine: Engine) -> dict[str, bytes]:
    """The wrapped keys that the vault holds now."""
    with reading(engine) as connection:
        rows = connection.execute(select(data_keys).where(data_keys.c.wrapped.is_not(None)))
        return {row.person: row.wrapped for row in rows}


def test_a_destroyed_key_leaves_no_trace_in_the_files(vault: SqlVault, engine: Engine, tmp_path: Path) -> None:
    """No part of a destroyed key's wrapped form is in any file of the vault; those of others still are."""
    persons = [f"person-{n}" for n in range(400)]
    for start in range(0, 400, 50):
        vault.keys_for(persons[start : start + 50])
    wrapped = wrapped_keys(engine)
    erased = persons[::3]
    for start in range(0, len(erased), 20):
        vault.destroy(erased[start : start + 20])
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for person, key in wrapped.items():
        parts = [key[at : at + 15] in content for at in range(0, 60, 15)]
        assert parts == [person not in erased] * 4


def test_a_vault_too_busy_to_clear_traces_says_so(engine: Engine) -> None:
    """While a reader holds an old snapshot the traces stay: Unavailable, so that it is done again; the key is gone."""
    vault = SqlVault(engine, WRAPPING_KEY, clear_seconds=0.05)
    vault.keys_for(["a"])
    with closing(sqlite3.connect(str(engine.url.database), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM data_keys").fetchall()
        with pytest.raises(Unavailable):
            vault.destroy(["a"])
        assert vault.keys_for(["a"]) == {"a": None}
    vault.destroy(["a"])


def test_keys_are_kept_wrapped(vault: SqlVault, engine: Engine, tmp_path: Path) -> None:
    """A data key itself is in no file."""
    key = vault.keys_for(["a"])["a"]
    assert key is not None
    assert not any(key in file.read_bytes() for file in tmp_path.iterdir())


def test_many_persons_take_few_statements(vault: SqlVault, engine: Engine) -> None:
    """The statements of a call do not grow with the persons: look; make, read back; then nothing, it is remembered."""
    persons = [f"person-{n}" for n in range(1000)]
    vault.keys_for(["first"])
    with statements(engine) as seen:
        vault.existing_keys(persons)
        assert len(seen) == 1
        vault.keys_for(persons)
        assert len(seen) == 3
        vault.existing_keys(persons)
        vault.keys_for(persons[::-1])
        assert len(seen) == 3
        vault.destroy(persons)
        assert len(seen) == 4
        vault.keys_for(persons)
        assert len(seen) == 4


def test_a_key_is_remembered_for_a_second_only(vault: SqlVault, engine: Engine, clock: FixedClock) -> None:
    """A key is read again after a second, or when the clock was set back; that somebody was erased never is."""
    vault.keys_for(["a"])
    vault.destroy(["b"])
    with statements(engine) as seen:
        for move in (SECOND - 1, 1, -1):
            clock.advance(move)
            vault.existing_keys(["a", "b"])
    assert len(seen) == 2


def test_memory_is_bounded(vault: SqlVault, engine: Engine) -> None:
    """Of very many persons the last ones are remembered, the others are read again."""
    persons = [f"person-{n}" for n in range(sql.REMEMBERED_PERSONS + 1)]
    vault.keys_for(persons)
    with statements(engine) as seen:
        vault.existing_keys(persons)
    assert len(seen) == 1


def test_the_instants_of_making_and_erasing_are_kept(vault: SqlVault, engine: Engine, clock: FixedClock) -> None:
    """A row says when its key was made and when it was first destroyed."""
    made = clock.instant
    vault.keys_for(["a"])
    clock.advance(SECOND)
    vault.destroy(["a"])
    clock.advance(SECOND)
    vault.destroy(["a"])
    with reading(engine) as connection:
        assert connection.execute(select(data_keys)).all() == [("a", None, made, made + SECOND, None)]


def test_a_wrong_wrapping_key_is_found_at_the_start(vault: SqlVault, engine: Engine) -> None:
    """An empty vault goes with any wrapping key, one with keys only with its own; the message names the variable."""
    stranger = SqlVault(engine, WrappingKey(b"x" * 32))
    stranger.check_wrapping_key()
    vault.keys_for(["a"])
    vault.check_wrapping_key()
    with pytest.raises(Misconfigured, match="EXEMPLAR_VAULT_KEY_FILE"):
        stranger.check_wrapping_key()


def test_a_store_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    """Where the database cannot be opened, every call says Unavailable."""
    (tmp_path / "vault.vault.sqlite").mkdir()
    vault = SqlVault(open_engine(parse_url(f"sqlite:///{tmp_path}/vault.sqlite", "X"), AREA), WRAPPING_KEY)
    for call in (vault.keys_for, vault.existing_keys, vault.destroy):
        with pytest.raises(Unavailable):
            call(["a"])


def test_no_representation_shows_a_key(vault: SqlVault) -> None:
    """What may end up in a log or a traceback says nothing of a key."""
    key = vault.keys_for(["a"])["a"]
    assert key is not None
    shown = repr(vars(vault)) + repr(vars(vars(vault)["_remembered"])) + repr(WRAPPING_KEY)
    assert repr(key) not in shown
    assert repr(bytes(range(32))) not in shown

"""Changing the wrapping key: nothing is lost at any step, and what was wrapped before is worth nothing after."""

import contextlib
import errno
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from services.events.vault.rotation import Rotated, rotate, status
from services.events.vault.sql import SqlVault, data_keys, wrapping_keys
from services.events.vault.wrapping import Held, WrappingFile, load_wrapping_file
from services.kit.database import reading, writing
from services.kit.errors import Corrupt, Misconfigured, Unavailable
from tests.fixed_clock import FixedClock

STEPS = ("named", "rewrapped", "switched", "retired")
PERSONS = [f"person-{n}" for n in range(60)]


@pytest.fixture
def file(tmp_path: Path) -> WrappingFile:
    """A key file."""
    return load_wrapping_file(tmp_path / "vault.key", create=True)


def turn(engine: Engine, file: WrappingFile, stop_at: str = "") -> Rotated:
    """Rotate, killed at a step."""

    def at_step(step: str) -> None:
        if step == stop_at:
            raise KeyboardInterrupt

    return rotate(engine, file, 0, lambda done, total: None, at_step)


def test_a_rotation_changes_no_data_key(engine: Engine, file: WrappingFile, clock: FixedClock) -> None:
    """Afterwards every data key is the same, under a new wrapping key; the old one opens none and is in no file."""
    vault = SqlVault(engine, file, clock)
    keys = dict(vault.keys_for(PERSONS))
    vault.destroy(["person-7"])
    keys["person-7"] = None
    old = file.current()
    with reading(engine) as connection:
        before = {row.person: row.wrapped for row in connection.execute(select(data_keys)) if row.wrapped}
    done = turn(engine, file)
    assert done == Rotated(file.current().id, 59)
    assert done.wrapping != old.id
    assert SqlVault(engine, file).existing_keys(PERSONS) == keys
    with pytest.raises(Corrupt):
        file.current().unwrap("person-1", before["person-1"])
    folder = file.path.parent
    everything = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert old.line().encode() not in everything
    assert not any(wrapped in everything for wrapped in before.values())
    assert status(engine).under == {done.wrapping: 59}


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_goes_on(engine: Engine, file: WrappingFile, step: str) -> None:
    """Killed anywhere, everybody reads every key, new ones are made, and the next rotation ends this one."""
    keys = dict(SqlVault(engine, file).keys_for(PERSONS))
    first = file.current().id
    with contextlib.suppress(KeyboardInterrupt):
        turn(engine, file, step)
    between = SqlVault(engine, load_wrapping_file(file.path, create=False))
    between.check_wrapping_key()
    assert between.existing_keys(PERSONS) == keys
    keys |= between.keys_for(["new"])
    assert len(file.held()) == 2
    ended = turn(engine, file)
    assert ended.wrapping == file.current().id != first
    assert list(file.held()) == [ended.wrapping]
    after = SqlVault(engine, load_wrapping_file(file.path, create=False))
    after.check_wrapping_key()
    assert after.existing_keys([*PERSONS, "new"]) == keys


def test_vaults_that_are_open_go_on(engine: Engine, file: WrappingFile, clock: FixedClock) -> None:
    """A process that had the old key reads and makes keys after a rotation without a restart."""
    going_on = SqlVault(engine, WrappingFile(file.path), clock)
    keys = going_on.keys_for(["a"])
    turn(engine, file)
    assert going_on.keys_for(["b"])["b"] is not None
    clock.advance(10_000_000)
    assert going_on.existing_keys(["a"]) == keys
    assert set(status(engine).under) == {file.current().id}


def test_nobody_makes_keys_under_a_retired_one(engine: Engine, file: WrappingFile) -> None:
    """Who has another copy of the key file, and has not heard of the rotation, is refused, and keeps no key."""
    SqlVault(engine, file).keys_for(["a"])
    stale = SqlVault(engine, file.current())
    turn(engine, file)
    with pytest.raises(Unavailable, match="retired"):
        stale.keys_for(["b"])
    with pytest.raises(Unavailable, match="EXEMPLAR_VAULT_KEY_FILE"):
        stale.existing_keys(["a"])
    with pytest.raises(Misconfigured, match="EXEMPLAR_VAULT_KEY_FILE"):
        stale.check_wrapping_key()
    assert SqlVault(engine, file).existing_keys(["b"]) == {}


def test_a_key_made_under_the_old_one_meanwhile_is_wrapped_anew(engine: Engine, file: WrappingFile) -> None:
    """What others make under the old key until it is retired is not lost."""
    vault = SqlVault(engine, file)
    vault.keys_for(["a"])
    others = SqlVault(engine, file.current())
    made: dict[str, bytes | None] = {}

    def at_step(step: str) -> None:
        if step == "switched":
            made.update(others.keys_for(["b"]))

    done = rotate(engine, file, 0, lambda done, total: None, at_step)
    assert done.rewrapped == 2
    assert SqlVault(engine, file).existing_keys(["b"]) == made


def test_keys_from_before_it_was_noted(engine: Engine, file: WrappingFile) -> None:
    """Keys of which it is not noted what wrapped them open as ever, and are noted after a rotation."""
    keys = SqlVault(engine, file).keys_for(["a", "b"])
    with writing(engine) as connection:
        connection.execute(data_keys.update().values(wrapping=None))
        connection.execute(wrapping_keys.delete())
    vault = SqlVault(engine, file)
    vault.check_wrapping_key()
    assert vault.existing_keys(["a", "b"]) == keys
    turn(engine, file)
    assert SqlVault(engine, file).existing_keys(["a", "b"]) == keys
    assert status(engine).under == {file.current().id: 2}


class Mounted(WrappingFile):
    """A key file that others provide, as a Secret is: it cannot be changed from here."""

    def write(self, held: Held) -> None:
        """See WrappingFile."""
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_file_that_cannot_be_written_is_changed_by_hand(engine: Engine, tmp_path: Path) -> None:
    """Where the key file cannot be changed, each step says what to put there, and the next one goes on from it."""
    path = tmp_path / "vault.key"
    path.write_text("ab" * 32)
    file = Mounted(path)
    keys = SqlVault(engine, file).keys_for(PERSONS)
    for says, then in (
        ("`next`", f"{'ab' * 32}\nnext {'cd' * 32}"),
        ("`old`", f"{'cd' * 32}\nold {'ab' * 32}"),
        ("remove the line", "cd" * 32),
    ):
        with pytest.raises(Misconfigured, match=says):
            turn(engine, file)
        path.write_text(then)
    assert SqlVault(engine, file).existing_keys(PERSONS) == keys
    assert status(engine).under == {file.current().id: len(PERSONS)}


@pytest.mark.parametrize(
    "content", ["next {a}", "{a}\n{b}", "{a}\nnext {b}\nold {b}", "{a}\nlater {b}", "old {a}\nnext {b}"]
)
def test_other_contents_are_misconfigured(tmp_path: Path, content: str) -> None:
    """A key file holds the key that counts and one more at most, after a word; the message quotes none of it."""
    path = tmp_path / "vault.key"
    path.write_text(content.format(a="ab" * 32, b="cd" * 32))
    with pytest.raises(Misconfigured, match="EXEMPLAR_VAULT_KEY_FILE") as caught:
        load_wrapping_file(path, create=False)
    assert "abab" not in str(caught.value)

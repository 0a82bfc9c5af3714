"""Changing the wrapping key beside processes that go on: afterwards nothing that was wrapped before can be unwrapped.

Old copies of wrapped keys, in backups and in what a database leaves behind of rows it replaced, are worth nothing then.
Killed at any step it is begun again and goes on where it was: what the key file holds says how far it is.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Connection, Engine, bindparam, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from services.events.vault.sql import data_keys, empty_wal, overwriting, unwrap_by_any, wrapping_keys
from services.events.vault.wrapping import KEY_BYTES, Held, WrappingFile, WrappingKey
from services.kit.database import asking, insert_missing, one_writer, reading, writing
from services.kit.errors import Misconfigured, Unavailable

KEYS_AT_ONCE = 1_000
_ROUNDS = 100

Progress = Callable[[int, int], None]
"""Is told how many data keys were looked at, and how many there are."""


class Rotated(NamedTuple):
    """The wrapping key that counts now, by its id, and how many data keys were wrapped anew."""

    wrapping: str
    rewrapped: int


class VaultStatus(NamedTuple):
    """How many data keys are under each wrapping key, by its id (None: not noted), and how many were destroyed."""

    under: dict[str | None, int]
    destroyed: int


def status(engine: Engine) -> VaultStatus:
    """How the vault stands."""
    with reading(engine) as connection:
        kept = data_keys.c.wrapped.is_not(None)
        query = select(data_keys.c.wrapping, func.count()).where(kept).group_by(data_keys.c.wrapping)
        under = {row[0]: row[1] for row in connection.execute(query)}
        gone = connection.scalar(select(func.count()).where(data_keys.c.erased_us.is_not(None))) or 0
    return VaultStatus(under, gone)


def rotate(
    engine: Engine, file: WrappingFile, now: int, on_progress: Progress, at_step: Callable[[str], None] = lambda _: None
) -> Rotated:
    """Put every data key under another wrapping key, a new one unless the file names the next, and forget the old.

    `now` in microseconds. Raises Misconfigured where the file cannot be changed, with what to put there by hand,
    Unavailable.
    """
    rewrapped = 0
    with file.rotating():
        held = file.read()
        if held.next is None and held.old is None:
            made = WrappingKey(os.urandom(KEY_BYTES))
            held = _write(file, Held(held.current, next=made), _NAME_NEXT)
            at_step("named")
        if held.next is not None:
            _count(engine, [held.current, held.next], now)
            rewrapped += _rewrap(engine, held, held.next, on_progress)
            at_step("rewrapped")
            held = _write(file, Held(held.next, old=held.current), _PUT_FIRST)
            at_step("switched")
        rewrapped += _retire(engine, held, on_progress)
        at_step("retired")
        held = _write(file, Held(held.current), _DROP_OLD)
    _clear(engine)
    return Rotated(held.current.id, rewrapped)


_NAME_NEXT = "add a line there of the word `next` and 64 hexadecimal digits (openssl rand -hex 32)"
_PUT_FIRST = "put the key after `next` first there, without that word, and the other behind it after the word `old`"
_DROP_OLD = "every key is under the first one: remove the line of the word `old` there"


def _write(file: WrappingFile, held: Held, by_hand: str) -> Held:
    try:
        file.write(held)
    except OSError as error:
        raise Misconfigured(
            f"EXEMPLAR_VAULT_KEY_FILE: {file.path} cannot be written to ({error.strerror}): {by_hand}, "
            "give it to every process, and rotate again"
        ) from error
    return held


def _count(engine: Engine, keys: Sequence[WrappingKey], now: int) -> None:
    """Have these count, so that data keys may be under them."""
    with writing(engine) as connection:
        insert_missing(connection, wrapping_keys, [(key.id, now) for key in keys])


def _rewrap(engine: Engine, held: Held, to: WrappingKey, on_progress: Progress) -> int:
    """Put the data keys that are under other wrapping keys under this one; how many these were."""
    other = data_keys.c.wrapped.is_not(None) & data_keys.c.wrapping.is_distinct_from(to.id)
    keys = [key for key in held if key is not None]
    with asking(engine) as connection:
        total = connection.scalar(select(func.count()).select_from(data_keys).where(other)) or 0
    done, last = 0, ""
    columns = (data_keys.c.person, data_keys.c.wrapped)
    query = select(*columns).where(other, data_keys.c.person > bindparam("last")).order_by(data_keys.c.person)
    while True:
        with asking(engine) as connection:
            rows = connection.execute(query.limit(KEYS_AT_ONCE), {"last": last}).all()
        if not rows:
            return done
        with overwriting(engine) as connection:
            _replace(connection, [(*row, to.wrap(row[0], unwrap_by_any(keys, *row))) for row in rows], to.id)
        done, last = done + len(rows), rows[-1].person
        on_progress(done, max(total, done))


def _replace(connection: Connection, rows: Sequence[tuple[str, bytes, bytes]], wrapping: str) -> None:
    """Write keys wrapped anew, but of those who were erased meanwhile."""
    same = (data_keys.c.person == bindparam("p")) & (data_keys.c.wrapped == bindparam("before"))
    statement = update(data_keys).where(same).values(wrapped=bindparam("after"), wrapping=wrapping)
    connection.execute(statement, [{"p": person, "before": old, "after": new} for person, old, new in rows])


def _retire(engine: Engine, held: Held, on_progress: Progress) -> int:
    """Let no wrapping key count but the current one; wraps anew what others made under the old one meanwhile."""
    others = delete(wrapping_keys).where(wrapping_keys.c.id != held.current.id)
    rewrapped = 0
    for _ in range(_ROUNDS):
        rewrapped += _rewrap(engine, held, held.current, on_progress)
        with suppress(IntegrityError), writing(engine) as connection:
            connection.execute(others)
            return rewrapped
    raise Unavailable("keys are still made under the old wrapping key: give every process the new file")


def _clear(engine: Engine) -> None:
    """Empty what the database keeps of the rows that were replaced, as far as it can be told to."""
    if one_writer(engine):
        empty_wal(engine)
        return
    with asking(engine) as connection:
        connection.execute(text("VACUUM data_keys"))

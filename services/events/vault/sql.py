"""The vault in SQLite or PostgreSQL: a wrapped data key a person, or the mark that it was destroyed."""

import os
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from threading import Lock
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    ForeignKey,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from services.events.vault.ledger import Ledger
from services.events.vault.wrapping import KEY_BYTES, Wrapping, WrappingKey
from services.kit import instants
from services.kit.database import (
    asking,
    insert_missing,
    insert_missing_alone,
    look_up,
    one_writer,
    reading,
    wait_for_turn,
    writing,
)
from services.kit.errors import Corrupt, Misconfigured, Unavailable

AREA = "vault"
REMEMBERED = instants.SECOND  # a destruction by another process takes effect after this long
REMEMBERED_PERSONS = 20_000
_PERSONS_AT_ONCE = 500
CLEAR_SECONDS = 5.0  # how long a destruction waits for those who still read what it is to clear, in SQLite

metadata = MetaData()
data_keys = Table(
    "data_keys",
    metadata,
    Column("person", Text, primary_key=True),
    Column("wrapped", LargeBinary),  # null: destroyed
    Column("made_us", BigInteger, nullable=False),
    Column("erased_us", BigInteger),
    # Under which wrapping key it is; null: made before that was noted. That it must be one of those that count keeps a
    # process that has not heard of a rotation from wrapping by the key that was retired.
    Column("wrapping", Text, ForeignKey("wrapping_keys.id")),
)
wrapping_keys = Table(
    "wrapping_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("since_us", BigInteger, nullable=False),
)


class SqlVault:
    """Vault over an engine on the area `vault`, whose tables are there. It remembers unwrapped keys for a second.

    With a ledger, who is destroyed is noted there first.
    """

    def __init__(
        self,
        engine: Engine,
        wrapping: Wrapping,
        clock: Callable[[], int] = instants.now,
        clear_seconds: float = CLEAR_SECONDS,
        ledger: Ledger | None = None,
    ) -> None:
        self._engine = engine
        self._clear_seconds = clear_seconds
        self._wrapping = wrapping
        self._ledger = ledger
        self._clock = clock
        self._remembered = _Remembered(clock)
        self._insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    def check_wrapping_key(self) -> None:
        """To be called at start. Raises Misconfigured if the vault was made with another wrapping key."""
        with reading(self._engine) as connection:
            counting = set(connection.scalars(select(wrapping_keys.c.id)))
            unknown = data_keys.c.wrapped.is_not(None) & data_keys.c.wrapping.is_(None)
            row = connection.execute(select(data_keys).where(unknown).limit(1)).first()
        if counting and (self._wrapping.current().id not in counting or counting - self._wrapping.held().keys()):
            raise Misconfigured(
                "EXEMPLAR_VAULT_KEY_FILE does not hold the key that this vault is under: it is under "
                + " and ".join(sorted(counting))
            )
        try:
            if row is not None:
                _unwrap(self._wrapping.held(), row.person, row.wrapped, None)
        except Corrupt as error:
            raise Misconfigured("EXEMPLAR_VAULT_KEY_FILE is not the key that this vault was made with") from error

    def destroy_again(self, ledger: Ledger) -> Sequence[str]:
        """Destroy the keys of everybody in a ledger that are there again, since the vault was put back.

        To be called before anything is served. Gives whose they were.
        """
        erased = ledger.persons()
        existing = self._find(erased)
        back = sorted(person for person in erased if existing.get(person, b"") is not None)
        for start in range(0, len(back), _PERSONS_AT_ONCE):
            self.destroy(back[start : start + _PERSONS_AT_ONCE])
        return back

    def keys_for(self, persons: Collection[str]) -> Mapping[str, bytes | None]:
        """See Vault. Meant for those of whom `existing_keys` has just said nothing: they are not looked for again."""
        found = self._remembered.of(persons)
        missing = sorted(set(persons) - found.keys())
        return found | self._make(missing) if missing else found

    def existing_keys(self, persons: Collection[str]) -> Mapping[str, bytes | None]:
        """See Vault."""
        return self._find(persons)

    def destroy(self, persons: Collection[str]) -> None:
        """See Vault."""
        if not persons:
            return
        now = self._clock()
        if self._ledger is not None:
            self._ledger.add(persons, now)
        rows = [{"person": person, "made_us": now, "erased_us": now} for person in sorted(set(persons))]
        statement = self._insert(data_keys)
        erased = func.coalesce(data_keys.c.erased_us, statement.excluded.erased_us)
        gone = {"wrapped": None, "wrapping": None, "erased_us": erased}
        with overwriting(self._engine) as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=[data_keys.c.person], set_=gone),
                rows,
            )
        self._remembered.keep(dict.fromkeys(persons), now)
        if self._engine.dialect.name == "sqlite":
            empty_wal(self._engine, self._clear_seconds)

    def erased(self) -> Sequence[tuple[str, int]]:
        """Everybody whose key was destroyed, and when (microseconds), the first one leading."""
        columns = (data_keys.c.person, data_keys.c.erased_us)
        with asking(self._engine) as connection:
            found = connection.execute(select(*columns).where(data_keys.c.erased_us.is_not(None)))
            return sorted(((row.person, row.erased_us) for row in found), key=lambda row: (row[1], row[0]))

    def _find(self, persons: Collection[str]) -> dict[str, bytes | None]:
        """The keys of those who have one and None for the erased, remembered or read."""
        found = self._remembered.of(persons)
        unknown = sorted(set(persons) - found.keys())
        if unknown:
            now = self._clock()
            found |= self._remembered.keep(self._read(unknown), now)
        return found

    def _make(self, persons: list[str]) -> dict[str, bytes | None]:
        """Make keys for these: where another process was faster, its key or its mark is read and counts."""
        now, wrapping = self._clock(), self._wrapping.current()
        keys = {person: os.urandom(KEY_BYTES) for person in persons}
        rows = [(person, wrapping.wrap(person, key), now, None, wrapping.id) for person, key in keys.items()]
        try:
            made = self._insert_missing(rows)
        except (IntegrityError, self._engine.dialect.loaded_dbapi.IntegrityError) as error:
            if not self._count_first(wrapping, now):
                raise Unavailable("the wrapping key of this process was retired: its key file is read again") from error
            made = self._insert_missing(rows)
        found: dict[str, bytes | None] = {person: keys[person] for person in made}
        if others := sorted(keys.keys() - found.keys()):
            found |= self._read(others)
        return self._remembered.keep(found, now)

    def _insert_missing(self, rows: Sequence[Sequence[object]]) -> Collection[str]:
        """Insert keys; gives of whom it is certain that theirs was missing."""
        if not one_writer(self._engine):
            return insert_missing_alone(self._engine, data_keys, rows)
        with overwriting(self._engine) as connection:
            insert_missing(connection, data_keys, rows)
        return ()

    def _count_first(self, wrapping: WrappingKey, now: int) -> bool:
        """Have the wrapping key count, if none does yet; whether it counts."""
        with writing(self._engine) as connection:
            wait_for_turn(connection)
            counting = set(connection.scalars(select(wrapping_keys.c.id)))
            if not counting:
                connection.execute(insert(wrapping_keys), [{"id": wrapping.id, "since_us": now}])
        return not counting or wrapping.id in counting

    def _read(self, persons: list[str]) -> dict[str, bytes | None]:
        wanted, key = (data_keys.c.person, data_keys.c.wrapped, data_keys.c.wrapping), (data_keys.c.person,)
        found = look_up(self._engine, wanted, key, [(person,) for person in persons])
        held = self._wrapping.held()  # after what was found, which may be under the newest
        return {
            person: None if wrapped is None else _unwrap(held, person, wrapped, wrapping)
            for person, wrapped, wrapping in found
        }


def _unwrap(held: Mapping[str, WrappingKey], person: str, wrapped: bytes, wrapping: str | None) -> bytes:
    """A data key. Raises Corrupt; Unavailable where its wrapping key is not among those that are held."""
    if wrapping is None:
        return unwrap_by_any(held.values(), person, wrapped)
    if wrapping not in held:
        raise Unavailable(f"EXEMPLAR_VAULT_KEY_FILE lacks the wrapping key {wrapping}, which the vault is under")
    return held[wrapping].unwrap(person, wrapped)


def unwrap_by_any(keys: Iterable[WrappingKey], person: str, wrapped: bytes) -> bytes:
    """A data key of which it is not noted by which of these it was wrapped. Raises Corrupt."""
    *others, last = keys
    for key in others:
        with suppress(Corrupt):
            return key.unwrap(person, wrapped)
    return last.unwrap(person, wrapped)


@contextmanager
def overwriting(engine: Engine) -> Iterator[Connection]:
    """A write transaction on the vault; what it replaces is overwritten in SQLite's file."""
    with writing(engine) as connection:
        if one_writer(engine):
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        yield connection


def holds_keys(engine: Engine) -> bool:
    """Whether a vault holds a key, which only the wrapping key that it was made with can unwrap."""
    with reading(engine) as connection:
        kept = select(data_keys.c.person).where(data_keys.c.wrapped.is_not(None)).limit(1)
        return connection.execute(kept).first() is not None


class _Entry(NamedTuple):
    key: bytes | None
    read_at: int

    def __repr__(self) -> str:
        return "_Entry(hidden)"


class _Remembered:
    """Keys of the persons asked for last, for REMEMBERED; None for the erased, for good."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def of(self, persons: Collection[str]) -> dict[str, bytes | None]:
        """What still counts of these persons. A clock set back ends it too."""
        now = self._clock()
        keys: dict[str, bytes | None] = {}
        with self._lock:
            for person in persons:
                entry = self._entries.get(person)
                if entry is not None and (entry.key is None or 0 <= now - entry.read_at < REMEMBERED):
                    self._entries.move_to_end(person)
                    keys[person] = entry.key
        return keys

    def keep(self, keys: Mapping[str, bytes | None], read_at: int) -> dict[str, bytes | None]:
        """Remember keys read at an instant; gives what counts: a key read before its destruction counts no more."""
        current: dict[str, bytes | None] = {}
        with self._lock:
            for person, key in keys.items():
                entry = self._entries.get(person)
                current[person] = None if entry is not None and entry.key is None else key
                self._entries[person] = _Entry(current[person], read_at)
                self._entries.move_to_end(person)
            while len(self._entries) > REMEMBERED_PERSONS:
                self._entries.popitem(last=False)
        return current


def empty_wal(engine: Engine, seconds: float = CLEAR_SECONDS) -> None:
    """Bring everything into SQLite's main file and empty the write-ahead log, in which old pages still hold the key.

    SQLite waits for readers by itself, but not for another checkpoint.
    """
    file, deadline = str(engine.url.database), time.monotonic() + seconds
    try:
        with closing(sqlite3.connect(file, timeout=seconds, isolation_level=None)) as connection:
            while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        "the key was destroyed, but the vault is too busy to clear its traces: do it again"
                    )
                time.sleep(0.01)
    except sqlite3.OperationalError as error:
        raise Unavailable("the vault does not answer") from error

"""What commits of the fold change, told to whoever shows it, in whichever process that is.

In PostgreSQL the news is part of the transaction: a NOTIFY, which the database delivers once that is committed, to one
listening connection a process. An SQLite model is folded and shown by one process: there the fold tells it directly.
"""

import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import structlog
from sqlalchemy import URL, Connection, create_engine, func, select

from services.kit.database import NOTICED_SOON

CHANNEL = "exemplar_changes"
MOST_BYTES = 7_999  # of a NOTIFY: PostgreSQL takes fewer than 8,000
_LOOK_SECONDS = 1.0  # how soon the listening thread sees that it is to end
_PAUSE_SECONDS = 2.0  # before it connects again
_log = structlog.get_logger(__name__)


class Change(NamedTuple):
    """The persons and teams whose figures, names or places may be others now; or that everything may be."""

    persons: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    everything: bool = False

    def joined(self, other: "Change") -> "Change":
        """Both changes as one."""
        return Change(self.persons | other.persons, self.teams | other.teams, self.everything or other.everything)


NOTHING = Change()
EVERYTHING = Change(everything=True)
Listener = Callable[[Change], None]


def changed(persons: Collection[str], teams: Collection[str]) -> Change:
    """A change of these persons and teams."""
    return Change(frozenset(persons), frozenset(teams))


def announce(connection: Connection, change: Change) -> None:
    """Tell of a change with the transaction of this connection, if it commits. SQLite has nobody else to tell."""
    if connection.dialect.name == "postgresql" and change != NOTHING:
        connection.execute(select(func.pg_notify(CHANNEL, _written(change))))


class Changes:
    """Tells listeners, in some thread, of what changes in the model of one database. Safe to use from any thread.

    `look_again` is called before listeners are told that everything may have changed: what is remembered of the
    model may be of a generation that is not the live one any more.
    """

    def __init__(self, url: URL, look_again: Callable[[], None]) -> None:
        self._url = url
        self._look_again = look_again
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def _shared(self) -> bool:
        return self._url.get_backend_name() == "postgresql"

    def add(self, listener: Listener) -> None:
        """Tell this listener from now on. It must not take long."""
        with self._lock:
            self._listeners.append(listener)
            if self._shared and self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="changes", daemon=True)
                self._thread.start()

    def committed(self, change: Change) -> None:
        """Take in what this process has committed: the database tells it, where it is shared."""
        if not self._shared and change != NOTHING:
            self._tell(change)

    def close(self) -> None:
        """Listen no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2 * _LOOK_SECONDS)

    def _tell(self, change: Change) -> None:
        if change.everything:
            self._look_again()
        for listener in tuple(self._listeners):
            listener(change)

    def _listen(self) -> None:
        """Hear of changes on one connection, and connect again when it is lost: what was told meanwhile is unknown."""
        dialect = create_engine(self._url).dialect
        driver: Any = dialect.loaded_dbapi  # imported only where it is used: it takes 9 MB
        _, connect = dialect.create_connect_args(self._url)
        while not self._stop.is_set():
            try:
                with driver.connect(**{**NOTICED_SOON, **connect}, autocommit=True) as connection:
                    self._hear(connection)
            except driver.Error as error:
                _log.warning("changes are not heard of until the database answers", reason=type(error).__name__)
                self._stop.wait(_PAUSE_SECONDS)

    def _hear(self, connection: Any) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        self._tell(EVERYTHING)
        while not self._stop.is_set():
            for notification in connection.notifies(timeout=_LOOK_SECONDS):
                self._tell(_read(notification.payload))


def _written(change: Change) -> str:
    """A change as the payload of a NOTIFY; the empty one, of everything, where it would be too long."""
    if change.everything:
        return ""
    payload = msgspec.json.encode((sorted(change.persons), sorted(change.teams)))
    return payload.decode() if len(payload) <= MOST_BYTES else ""


def _read(payload: str) -> Change:
    with suppress(msgspec.MsgspecError):
        return changed(*msgspec.json.decode(payload, type=tuple[list[str], list[str]]))
    return EVERYTHING

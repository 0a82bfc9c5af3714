"""What a request reads of other people is noted while it is read, and recorded before the answer is given.

One entry a request, whatever it asked for; the entries of requests that end at the same time are written together.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from services.events.catalog.acts import PUBLIC, UNATTRIBUTED
from services.projections.queries.rows import ABOUT_LEADERS, ActRow
from services.projections.reads import Read

_NOBODY = frozenset({PUBLIC, UNATTRIBUTED})


class What(StrEnum):
    """What there is to be read of a person."""

    CARD = "card"  # the figures of one person, or of a team that is one person
    EXAMPLE = "example"  # what a leader models
    SIGNALS = "signals"
    EVIDENCE = "evidence"  # the acts behind a signal
    ACTS = "acts"  # acts shown by themselves
    PERSONAL = "personal"  # the text of a personal field; the name of a person is one
    AUDIT = "audit"  # the audit log, whatever it says of whom
    EXPORT = "export"  # everything that is held, as a command prints it


class Noted:
    """What one request has read of others than `own`, the key of the person who asks."""

    def __init__(self, own: str | None) -> None:
        self._nobody = _NOBODY | {own}
        self.persons: set[str] = set()
        self.what: set[What] = set()

    def note(self, what: What, persons: Iterable[str]) -> None:
        """Note what is read of these persons."""
        others = [person for person in persons if person not in self._nobody]
        if others:
            self.persons.update(others)
            self.what.add(what)

    def note_act(self, what: What, act: ActRow) -> None:
        """Note an act: it is its rep's and, if it is a leader's own, the leader's."""
        about_leader = (act.subject,) if act.name in ABOUT_LEADERS else ()
        self.note(what, about_leader if act.rep is None else (act.rep, *about_leader))

    def note_audit(self, subject: str | None) -> None:
        """Note a look at the audit log, and whom it was about, if anybody: it is put on record in either case."""
        self.what.add(What.AUDIT)
        if subject is not None:
            self.note(What.AUDIT, [subject])

    def entry(self, at: int, actor: str, person: str | None) -> Read | None:
        """The entry to record; None if nothing of anybody else was read."""
        return Read(at, actor, person, sorted(self.persons), sorted(self.what)) if self.what else None


class _Waiting(NamedTuple):
    entry: Read
    written: "asyncio.Future[None]"


class ReadLog:
    """Records the entries of one event loop. `write` is called in a worker thread."""

    def __init__(self, write: Callable[[Sequence[Read]], None]) -> None:
        self._write = write
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(self, entry: Read) -> None:
        """Return once the entry is durable. Raises what `write` raises."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(entry, loop.create_future())
        self._waiting.append(waiting)
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._drain())
        await waiting.written

    async def _drain(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            failure = await asyncio.to_thread(self._try, [waiting.entry for waiting in group])
            for waiting in group:
                if waiting.written.done():
                    continue  # the request was given up
                if failure is None:
                    waiting.written.set_result(None)
                else:
                    waiting.written.set_exception(failure)

    def _try(self, entries: Sequence[Read]) -> Exception | None:
        try:
            self._write(entries)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer to those who wait
            return error
        return None

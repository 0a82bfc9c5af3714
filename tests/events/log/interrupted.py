"""Logs whose writers are disturbed: an append fails of which a part was kept, or others append beside it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from services.events.log.protocol import Identity, Log, LogReader, LogWriter, NewRecord, Place, Share
from services.kit.errors import Unavailable

Disturb = Callable[[LogWriter, Sequence[NewRecord]], Sequence[NewRecord] | None]


class Disturbed:
    """A log. `disturb` is called with each append, and gives what is kept of it before it fails; None: it succeeds."""

    def __init__(self, log: Log, disturb: Disturb) -> None:
        self._log = log
        self._disturb = disturb

    @property
    def identity(self) -> Identity:
        """See Log."""
        return self._log.identity

    def writer(self, waiting_records: int = 100_000, waiting_bytes: int = 64 * 2**20) -> LogWriter:
        """See Log."""
        return _Writer(self._log.writer(waiting_records, waiting_bytes), self._disturb)

    def reader(self) -> LogReader:
        """See Log."""
        return self._log.reader()

    def share(self) -> Share:
        """See Log."""
        return self._log.share()


class _Writer:
    def __init__(self, writer: LogWriter, disturb: Disturb) -> None:
        self._writer = writer
        self._disturb = disturb

    def append(self, records: Sequence[NewRecord]) -> Future[list[Place]]:
        kept = self._disturb(self._writer, records)
        if kept is None:
            return self._writer.append(records)
        self._writer.append(kept).result()
        failed: Future[list[Place]] = Future()
        failed.set_exception(Unavailable("the log did not acknowledge this"))
        return failed

    def close(self) -> None:
        self._writer.close()

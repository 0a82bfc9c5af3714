"""The import of a file: rows read, mapped to acts, recorded in batches and counted; what is wrong is told row by row.

The ids of the acts come from the rows, so importing again records nothing again: whatever stopped an import, it is done
over from the start.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec

from services.events.sources.mapping import Mapped, RowMapping
from services.events.sources.protocol import Outcome, Recorder, Refused
from services.events.sources.readers import RowFile, Unreadable, open_rows

_BATCH = 500
_STEP = 1000


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import came to (architecture.md, Fine print, Embedded).

    `read`, `skipped` and `refused` count rows: all, those that the mapping maps to nothing, those with an error. `sent`
    and `duplicates` count acts: newly logged, known already.
    """

    read: int
    sent: int
    duplicates: int
    skipped: int
    refused: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row with an error: the line it begins on (from 1) and the reason, which holds none of the row's values."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: rows read, and bytes of the file as it lies on the disk."""

    rows: int
    bytes_done: int
    bytes_total: int


def import_file(
    path: Path,
    mapping: RowMapping,
    recorder: Recorder,
    *,
    strict: bool = False,
    on_refused: Callable[[RefusedRow], None],
    on_progress: Callable[[Progress], None],
) -> Summary:
    """Import a file of rows. A bad row is given to `on_refused`, once; its other acts and the rest are recorded.

    With `strict` the first bad row ends the import; what was recorded before it stays. Each row is then recorded by
    itself, which is slower. Raises Invalid if the file cannot be opened or does not fit the mapping, and what the
    recorder raises.
    """
    with open_rows(path, mapping.form, mapping.delimiter) as rows:
        if rows.columns is not None:
            mapping.check_columns(rows.columns)
        run = _Import(mapping, recorder, 1 if strict else _BATCH, on_refused)
        for _ in run.steps(rows):
            on_progress(Progress(run.read, rows.bytes_done, rows.bytes_total))
            if strict and run.refused:
                break
    return Summary(run.read, run.sent, run.duplicates, run.skipped, run.refused)


class _Import:
    """An import under way. Rows wait, with their acts, until they fill a batch."""

    def __init__(
        self, mapping: RowMapping, recorder: Recorder, batch: int, on_refused: Callable[[RefusedRow], None]
    ) -> None:
        self._mapping = mapping
        self._recorder = recorder
        self._batch = batch
        self._on_refused = on_refused
        self._seen: set[bytes] = set()
        self._waiting: list[tuple[int, str | None, int]] = []
        self._events: list[dict[str, object]] = []
        self.read = self.sent = self.duplicates = self.skipped = self.refused = 0

    def steps(self, rows: RowFile) -> Iterator[None]:
        """Take in all rows; gives control back after each batch, and after 1,000 rows at most."""
        for row in rows:
            self.read += 1
            if isinstance(row, Unreadable):
                self._waiting.append((row.line, row.reason, 0))
            else:
                self._take(row.line, *self._mapping.map(row.fields))
            full = max(len(self._waiting), len(self._events)) >= self._batch
            if full:
                self._record()
            if full or self.read % _STEP == 0:
                yield
        self._record()
        yield

    def _take(self, line: int, mapped: list[Mapped], fault: str | None) -> None:
        if not mapped and fault is None:
            self.skipped += 1
            return
        events = [each.event for each in mapped if not (each.once and self._known(each.event))]
        self._waiting.append((line, fault, len(events)))
        self._events += events

    def _known(self, event: dict[str, object]) -> bool:
        """Whether this very event came before. What differs in anything is let through, for the log to judge."""
        digest = blake2b(msgspec.json.encode(event), digest_size=16).digest()
        known = digest in self._seen
        self._seen.add(digest)
        return known

    def _record(self) -> None:
        outcomes = iter(self._recorder.record(self._events) if self._events else ())
        for line, fault, count in self._waiting:
            reasons = [reason for _ in range(count) if (reason := self._count(next(outcomes))) is not None]
            reason = fault or next(iter(reasons), None)
            if reason is not None:
                self.refused += 1
                self._on_refused(RefusedRow(line, reason))
        self._waiting.clear()
        self._events = []

    def _count(self, outcome: Outcome) -> str | None:
        """Count an act that is in the log; of another, say why it is not."""
        if isinstance(outcome, Refused):
            return f"{outcome.pointer}: {outcome.reason}" if outcome.pointer else outcome.reason
        self.duplicates += outcome.duplicate
        self.sent += not outcome.duplicate
        return None

"""Exports of a range of the audit tree: every entry of it, so that none can be left out, those that match in full."""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, Engine

from services.events.log.protocol import LogReader
from services.kit.database import reading
from services.kit.errors import Corrupt, Invalid
from services.projections.audit.merkle import range_proof
from services.projections.audit.notes import parse_checkpoint
from services.projections.audit.proofs import Content, content, write_range
from services.projections.audit.reading import AuditRow, Shown, latest_checkpoint, range_of_entries, stored_nodes
from services.projections.audit.records import values_at
from services.projections.queries.audit import AuditFilter, matching

_AT_ONCE = 1_000


def export(
    audit: Engine,
    log: LogReader,
    wanted: AuditFilter,
    start: int = 0,
    end: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[str]:
    """The lines of an export of the entries from `start` to before `end`, by default all that the tree has now.

    Those that match have their record or document; of the others there is the entry alone. Raises Invalid if there is
    no such range, NotFound before the first checkpoint.
    """
    with reading(audit) as connection:
        note = latest_checkpoint(connection)
        size = parse_checkpoint(note).size
        last = size if end is None else end
        if not 0 <= start < last <= size:
            raise Invalid(f"there is no such range of entries: the tree has {size}, from 0 on")
        proof = range_proof(stored_nodes(connection), start, last, size)
    contents = _contents(audit, log, wanted, start, last, on_progress)
    return write_range(note, start, last, proof, contents)


def _contents(
    audit: Engine,
    log: LogReader,
    wanted: AuditFilter,
    start: int,
    end: int,
    on_progress: Callable[[int, int], None],
) -> Iterator[tuple[int, Content]]:
    for low in range(start, end, _AT_ONCE):
        high = min(low + _AT_ONCE, end)
        with reading(audit) as connection:
            rows, shown = _read(connection, wanted, low, high)
        values = values_at(log, [row.place for row in rows if row.place is not None and row.number in shown])
        for row in rows:
            in_full = row.number in shown
            record = None if row.place is None else values.get(row.place)
            if in_full and row.place is not None and record is None:
                raise Corrupt(f"the log lacks the record at {row.place[0]}:{row.place[1]}: restore the log")
            told = Shown(row.number, row.entry, row.document if in_full else None)
            yield row.number, content(told, record if in_full else None)
        on_progress(high - start, end - start)


def _read(connection: Connection, wanted: AuditFilter, low: int, high: int) -> tuple[list[AuditRow], set[int]]:
    """The entries of a range, and the numbers of those that match."""
    rows = range_of_entries(connection, low, high)
    shown = {row.number for row in rows} if wanted == AuditFilter() else matching(connection, wanted, low, high)
    return list(rows), shown

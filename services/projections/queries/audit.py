"""The audit log: entries of the tree with what they are about, the newest first.

The connection is one on the area `audit` (`Parts.audit`). Who may see it is for the caller to say: `audit:read` alone.
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, or_, select, true, tuple_

from services.projections.audit.reading import AuditRow, read_rows, within
from services.projections.audit.tables import concerned, entries
from services.projections.queries.paging import Page, decode_cursor, encode_cursor, page


class AuditFilter(NamedTuple):
    """Which entries: concerning this subject, done by this actor, at or after `from_` and before `to` (microseconds).

    `types` are CloudEvents types of acts, and kinds of what is no act; `places` are partitions and offsets of records.
    """

    subject: str | None = None
    actor: str | None = None
    types: Collection[str] | None = None
    from_: int | None = None
    to: int | None = None
    places: Collection[tuple[int, int]] | None = None


def audit_cursor(row: AuditRow) -> str:
    """The cursor of an entry in the audit log."""
    return encode_cursor("audit", (row.number,))


def read_audit_cursor(cursor: str | None) -> int | None:
    """The index that a cursor stands for. Raises Invalid."""
    return None if cursor is None else int(decode_cursor(cursor, "audit", (int,))[0])


def list_entries(connection: Connection, wanted: AuditFilter, first: int, after: int | None = None) -> Page[AuditRow]:
    """At most `first` entries that match, the newest first; those before the index `after`."""
    before = true() if after is None else entries.c.number < after
    return page(read_rows(connection, and_(_matches(wanted), before), first + 1), first, after)


def find_entry(connection: Connection, index: int) -> AuditRow | None:
    """The entry of an index."""
    return next(iter(read_rows(connection, entries.c.number == index, 1)), None)


def matching(connection: Connection, wanted: AuditFilter, start: int, end: int) -> set[int]:
    """The indexes of those entries of a range that match."""
    return set(connection.scalars(select(entries.c.number).where(within(start, end), _matches(wanted))))


def _matches(wanted: AuditFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.subject is not None:
        several = select(concerned.c.number).where(concerned.c.subject == wanted.subject)
        conditions.append(or_(entries.c.subject == wanted.subject, entries.c.number.in_(several)))
    if wanted.actor is not None:
        conditions.append(entries.c.actor == wanted.actor)
    if wanted.types is not None:
        conditions.append(entries.c.type.in_(sorted(wanted.types)))
    if wanted.places is not None:
        conditions.append(tuple_(entries.c.partition, entries.c.log_offset).in_(sorted(wanted.places)))
    if wanted.from_ is not None:
        conditions.append(entries.c.at_us >= wanted.from_)
    if wanted.to is not None:
        conditions.append(entries.c.at_us < wanted.to)
    return and_(true(), *conditions)

"""Everything that is held about one person or customer, for whoever has a right to know it (GDPR art. 15).

An iterator a kind of thing, which reads as it is read from: there may be any number of each. Acts are found wherever
they name the key, so all of them are looked through.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, func, or_, select

from services.projections.queries.rows import ACT_COLUMNS, CUSTOMER_FACING, ActRow, StayRow, act_row
from services.projections.tables import acts, dead_letters, memberships, reads, signals, standards

NAMING = ("rep", "person", "by", "referred")
"""The fields of acts that name a person or a customer."""
_ROWS_AT_ONCE = 500


class Judged(NamedTuple):
    """A signal of or about somebody; `principle` and `verdict` as tables have them, `at` in microseconds."""

    person: str
    customer: str | None
    principle: int
    verdict: int
    reason: str
    at: int


class Stated(NamedTuple):
    """A standard that a leader stated to a team, for the first time at an instant."""

    team: str
    principle: int
    at: int


class Dealt(NamedTuple):
    """With whom somebody has customer-facing acts: how many, from when to when (microseconds)."""

    other: str
    acts: int
    first: int
    last: int


class Looked(NamedTuple):
    """A recorded read: by which credential (and whose it is), of whom, what, when (microseconds)."""

    at: int
    actor: str
    person: str | None
    persons: list[str]
    what: list[str]


class Letter(NamedTuple):
    """A record that was not folded and names the key: where it is, when the log took it in, and why."""

    partition: int
    offset: int
    recorded: int
    reason: str


def count_acts(connection: Connection) -> int:
    """How many acts are looked through."""
    return connection.scalar(select(func.count()).select_from(acts)) or 0


def count_about(connection: Connection, key: str) -> int:
    """How many acts are about the key: have it as their subject."""
    return connection.scalar(select(func.count()).where(acts.c.subject == key)) or 0


def acts_naming(connection: Connection, key: str, on_progress: Callable[[int], object]) -> Iterator[ActRow]:
    """The acts that are about the key or name it, in the order of the log; tells how many more were looked at."""
    mark = msgspec.json.encode(key)
    query = select(*ACT_COLUMNS).order_by(acts.c.partition, acts.c.log_offset)
    for rows in _streamed(connection, query).partitions():
        yield from (act_row(row) for row in rows if row.subject == key or _names(row.record, key, mark))
        on_progress(len(rows))


def _names(record: bytes, key: str, mark: bytes) -> bool:
    """Whether a record names the key in a field that names persons or customers."""
    if mark not in record and b"\\u" not in record:
        return False
    data = msgspec.json.decode(record)["data"]
    return any(data.get(field) == key for field in NAMING)


def signals_naming(connection: Connection, key: str) -> Iterator[Judged]:
    """The signals of this person, or from what was done with this customer, the oldest first."""
    query = select(*(signals.c[name] for name in ("person", "customer", "principle", "verdict", "reason", "at_us")))
    query = query.where(or_(signals.c.person == key, signals.c.subject == key)).order_by(signals.c.at_us, signals.c.id)
    return (Judged(*row) for row in _streamed(connection, query))


def stays_of(connection: Connection, key: str) -> Iterator[StayRow]:
    """The person's stays in teams, the oldest first."""
    mine = memberships.c.person == key
    return (StayRow(*row) for row in _streamed(connection, select(*_STAY).where(mine).order_by(memberships.c.from_us)))


_STAY = tuple(memberships.c[name] for name in ("team", "person", "role", "from_us", "to_us"))


def standards_of(connection: Connection, key: str) -> Iterator[Stated]:
    """What the person has stated as standards."""
    query = select(standards.c.team, standards.c.principle, standards.c.stated_us).where(standards.c.leader == key)
    return (Stated(*row) for row in _streamed(connection, query.order_by(standards.c.stated_us)))


def relationships_of(connection: Connection, key: str, as_customer: bool) -> Iterator[Dealt]:
    """With whom there are customer-facing acts: a customer's reps, or a rep's customers."""
    mine, other = (acts.c.subject, acts.c.rep) if as_customer else (acts.c.rep, acts.c.subject)
    figures = (func.count(), func.min(acts.c.time_us), func.max(acts.c.time_us))
    query = select(other, *figures).where(mine == key, acts.c.name.in_(CUSTOMER_FACING)).group_by(other).order_by(other)
    return (Dealt(*row) for row in _streamed(connection, query))


def reads_of(connection: Connection, key: str) -> Iterator[Looked]:
    """Who looked at what of this person, and what this person looked at, the oldest first.

    The connection is one on the control area.
    """
    query = select(reads.c.at_us, reads.c.actor, reads.c.person, reads.c.persons, reads.c.what).order_by(reads.c.id)
    concerned = reads.c.persons.contains(msgspec.json.encode(key).decode(), autoescape=True)
    for row in _streamed(connection, query.where(or_(concerned, reads.c.person == key))):
        persons = msgspec.json.decode(row.persons, type=list[str])
        if key in persons or row.person == key:
            yield Looked(row.at_us, row.actor, row.person, persons, msgspec.json.decode(row.what, type=list[str]))


def letters_naming(connection: Connection, key: str) -> Iterator[Letter]:
    """The dead letters that name the key."""
    mark = msgspec.json.encode(key)
    query = select(dead_letters).order_by(dead_letters.c.partition, dead_letters.c.log_offset)
    for row in _streamed(connection, query):
        if row.subject == key or row.key == key or mark in row.record:
            yield Letter(row.partition, row.log_offset, row.recorded_us, row.reason)


def _streamed(connection: Connection, query: Any) -> Any:
    return connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE))

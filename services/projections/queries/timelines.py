"""Signals as lists of instants, and one by one, for what is counted against other signals and not by itself.

A span says whose signals to read: at instants in [at_from, at_to) that belong to instants in [from_, to). An `owner`
says for whom. All of 50,000 signals come in one statement of some hundred rows, each with the instants of a group.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    null,
    or_,
    select,
)

from services.projections.leadership.examples.signals import Mark, Marks
from services.projections.leadership.signals import Principle, Verdict
from services.projections.queries.listing import INTEGER, TEXT, Columns, as_json, parameter_table
from services.projections.tables import signals

ANY = -1
"""In a span: whatever the principle."""


class Reading(NamedTuple):
    """Signals to read. `principle` is ANY or one."""

    owner: int
    person: str
    principle: int
    at_from: int
    at_to: int
    from_: int
    to: int


class Timeline(NamedTuple):
    """The signals of an owner: their times by principle and person, and those single ones that were asked for."""

    marks: Mapping[Principle, Mapping[str, Marks]]
    single: Mapping[Principle, Mapping[str, Sequence[Mark]]]


class Single(NamedTuple):
    """One signal of an owner's."""

    owner: int
    person: str
    principle: int
    verdict: int
    at: int
    customer: str | None
    reason: str


def timelines(
    connection: Connection, owners: int, readings: Iterable[Reading], customers: Collection[str] = ()
) -> list[Timeline]:
    """The signals of each owner from 0 on that were drawn; single ones too where they are with these customers."""
    found: list[dict[tuple[int, str], list[list[int]]]] = [defaultdict(lambda: [[], []]) for _ in range(owners)]
    single: list[dict[Principle, dict[str, list[Mark]]]] = [
        defaultdict(lambda: defaultdict(list)) for _ in range(owners)
    ]
    parameters = {"spans": as_json(readings)}
    if customers:
        parameters["customers"] = as_json([customer] for customer in sorted(customers))
    statement = _grouped(connection.dialect.name, bool(customers))
    for owner, person, principle, verdict, customer, times in connection.execute(statement, parameters).all():
        at = msgspec.json.decode(f"[{times}]", type=list[int])
        found[owner][principle, person][verdict] += at
        if customer is not None:
            marks = [Mark(time, Verdict(verdict), customer) for time in at]
            single[owner][Principle(principle)][person] += marks
    return [Timeline(_marked(of), of_single) for of, of_single in zip(found, single, strict=True)]


def _marked(found: Mapping[tuple[int, str], list[list[int]]]) -> Mapping[Principle, Mapping[str, Marks]]:
    marked: dict[Principle, dict[str, Marks]] = defaultdict(dict)
    for (principle, person), (breached, kept) in found.items():
        marked[Principle(principle)][person] = Marks(sorted(breached), sorted(kept))
    return marked


def singles(connection: Connection, readings: Iterable[Reading], not_recorded: bool = False) -> list[Single]:
    """The signals one by one, in the order of their times; with those that were not recorded, if asked."""
    rows = connection.execute(_single(connection.dialect.name), {"spans": as_json(readings)}).all()
    return [Single(*row) for row in rows if not_recorded or row.verdict != Verdict.NOT_RECORDED]


def breaches(
    connection: Connection, owners: int, readings: Iterable[Reading], principles: Sequence[Principle]
) -> list[list[int]]:
    """The times of each owner's breaches of these principles, in order."""
    found: list[list[int]] = [[] for _ in range(owners)]
    statement = _breaches(connection.dialect.name, tuple(principles))
    for owner, times in connection.execute(statement, {"spans": as_json(readings)}):
        found[owner] = sorted(msgspec.json.decode(f"[{times}]", type=list[int]))
    return found


_SPAN: Columns = {
    "owner": INTEGER,
    "person": TEXT,
    "principle": INTEGER,
    "at_from": INTEGER,
    "at_to": INTEGER,
    "from_us": INTEGER,
    "to_us": INTEGER,
}
_TIMES = func.aggregate_strings(cast(signals.c.at_us, Text), ",")


def _read(span: Subquery) -> ColumnElement[bool]:
    return and_(
        signals.c.person == span.c.person,
        signals.c.at_us >= span.c.at_from,
        signals.c.at_us < span.c.at_to,
        signals.c.belongs_us >= span.c.from_us,
        signals.c.belongs_us < span.c.to_us,
        or_(span.c.principle == ANY, signals.c.principle == span.c.principle),
    )


@cache
def _grouped(dialect: str, with_customers: bool) -> Select[Any]:
    span = parameter_table(dialect, _SPAN, "spans")
    group: list[ColumnElement[Any]] = [span.c.owner, signals.c.person, signals.c.principle, signals.c.verdict]
    shared: ColumnElement[Any] = null()
    if with_customers:
        wanted = parameter_table(dialect, {"key": TEXT}, "customers")
        shared = case((signals.c.customer.in_(select(wanted.c.key)), signals.c.customer)).label("shared")
    query = select(*group, shared, _TIMES).join(signals, _read(span)).where(signals.c.verdict != Verdict.NOT_RECORDED)
    return query.group_by(*group, *([shared] if with_customers else []))


@cache
def _single(dialect: str) -> Select[Any]:
    span = parameter_table(dialect, _SPAN, "spans")
    columns = (signals.c.person, signals.c.principle, signals.c.verdict, signals.c.at_us, signals.c.customer)
    return select(span.c.owner, *columns, signals.c.reason).join(signals, _read(span)).order_by(signals.c.at_us)


@cache
def _breaches(dialect: str, principles: tuple[Principle, ...]) -> Select[Any]:
    span = parameter_table(dialect, _SPAN, "spans")
    breached = and_(signals.c.verdict == Verdict.BREACHED, signals.c.principle.in_(principles))
    return select(span.c.owner, _TIMES).join(signals, _read(span)).where(breached).group_by(span.c.owner)

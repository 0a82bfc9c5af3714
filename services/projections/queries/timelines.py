"""Signals one by one, for what is counted against other signals and cannot be counted by SQL.

A reading says whose signals: at instants in [at_from, at_to) that belong to instants in [from_, to). Each comes as one
row of JSON, a list for each column, in the order of the index that covers them: so 50,000 signals are read and decoded
in a fifth of the time that as many rows take.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cache, cached_property
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import CTE, ColumnElement, Connection, ScalarSelect, Select, and_, bindparam, or_, select

from services.kit.instants import DAY
from services.projections.leadership.examples.pressure import GETTING
from services.projections.leadership.examples.signals import Mark, Marks
from services.projections.leadership.scorecards import Card, tally_of
from services.projections.leadership.signals import Principle, Verdict
from services.projections.queries.listing import INTEGER, TEXT, Columns, as_json, json_columns, parameter_table
from services.projections.tables import signals

ANY = -1
"""In a reading: whatever the principle."""

VERDICTS = len(Verdict)


class Signals(NamedTuple):
    """Signals as columns. A `code` is principle and verdict: see `judged`."""

    at: list[int]
    code: list[int]
    customer: list[str | None]
    reason: list[str]

    def extend(self, more: "Signals") -> None:
        """Add others to them."""
        self.at.extend(more.at)
        self.code.extend(more.code)
        self.customer.extend(more.customer)
        self.reason.extend(more.reason)

    def each(self) -> Iterator[tuple[Principle, Mark]]:
        """Those that were drawn, one by one."""
        for at, code, customer in zip(self.at, self.code, self.customer, strict=True):
            principle, verdict = judged(code)
            if verdict is not Verdict.NOT_RECORDED:
                yield principle, Mark(at, verdict, customer)


CODES = [(principle, verdict) for principle in Principle for verdict in Verdict]
_CODE = signals.c.principle * VERDICTS + signals.c.verdict


def code_of(principle: Principle, verdict: Verdict) -> int:
    """The code of a principle and a verdict."""
    return principle * VERDICTS + verdict


def judged(code: int) -> tuple[Principle, Verdict]:
    """What a code says."""
    return CODES[code]


class Reading(NamedTuple):
    """Signals to read, for an owner. `principle` is ANY or one."""

    owner: int
    person: str
    principle: int
    at_from: int
    at_to: int
    from_: int
    to: int


class Timeline:
    """The signals of an owner, by person; what was not recorded among them."""

    def __init__(self) -> None:
        self.signals: dict[str, Signals] = defaultdict(lambda: Signals([], [], [], []))

    @cached_property
    def marks(self) -> Mapping[Principle, Mapping[str, Marks]]:
        """The times of the signals, by principle and person."""
        found: dict[Principle, dict[str, Marks]] = {principle: {} for principle in Principle}
        for person, of in self.signals.items():
            times: list[list[int]] = [[] for _ in CODES]
            take = [by_code.append for by_code in times]
            for at, code in zip(of.at, of.code, strict=True):
                take[code](at)
            for principle, marks in found.items():
                first = principle * VERDICTS
                breached, kept = times[first + Verdict.BREACHED], times[first + Verdict.KEPT]
                if breached or kept:
                    marks[person] = Marks(sorted(breached), sorted(kept))
        return found

    def single(self, customers: frozenset[str]) -> Mapping[Principle, Mapping[str, Sequence[Mark]]]:
        """Those with these customers one by one, by principle and person."""
        found: dict[Principle, dict[str, list[Mark]]] = defaultdict(lambda: defaultdict(list))
        for person, of in self.signals.items():
            if not customers.isdisjoint(of.customer):
                for principle, mark in of.each():
                    if mark.customer in customers:
                        found[principle][person].append(mark)
        return found

    @cached_property
    def card(self) -> Card:
        """The tallies by principle, as `figures.count` has them."""
        grouped: Counter[tuple[int, str]] = Counter()
        customers: list[set[str | None]] = [set() for _ in CODES]
        without: Counter[int] = Counter()
        know = [of.add for of in customers]
        for of in self.signals.values():
            grouped.update(zip(of.code, of.reason, strict=True))
            for code, customer in zip(of.code, of.customer, strict=True):
                know[code](customer)
            if None in of.customer:
                without.update(code for code, whom in zip(of.code, of.customer, strict=True) if whom is None)
        rows: dict[Principle, list[tuple[int, str, int]]] = defaultdict(list)
        for (code, reason), number in grouped.items():
            principle, verdict = judged(code)
            rows[principle].append((verdict, reason, number))
        return {principle: tally_of(found, whom(principle, customers, without)) for principle, found in rows.items()}


def whom(principle: Principle, customers: Sequence[Set[str | None]], without: Mapping[int, int]) -> int:
    """With how many customers the drawn signals on a principle are, each without one counting as one; both by code."""
    breached, kept = code_of(principle, Verdict.BREACHED), code_of(principle, Verdict.KEPT)
    named = (customers[breached] | customers[kept]) - {None}
    return len(named) + without.get(breached, 0) + without.get(kept, 0)


def timelines(connection: Connection, owners: int, readings: Iterable[Reading]) -> list[Timeline]:
    """The signals of each owner, from 0 on."""
    found = [Timeline() for _ in range(owners)]
    for owner, person, read in _read(connection, readings, _all(connection.dialect.name)):
        found[owner].signals[person].extend(read)
    return found


def breaches(connection: Connection, owners: int, readings: Iterable[Reading]) -> list[list[int]]:
    """The times of each owner's getting signals, in order."""
    found: list[list[int]] = [[] for _ in range(owners)]
    for owner, _, read in _read(connection, readings, _getting(connection.dialect.name)):
        found[owner] += read.at
    return [sorted(times) for times in found]


class Daily(NamedTuple):
    """Signals as columns: on which day each is, counted from one, its code, with whom; reasons if they are read."""

    day: list[int]
    code: list[int]
    customer: list[str | None]
    reason: Sequence[str] = ()


def daily(
    connection: Connection, readings: Sequence[Reading], first: int, *, reasons: bool
) -> Iterator[tuple[int, int, Daily]]:
    """The signals of each reading that has some, with its owner and principle; the day that begins at `first` is 0."""
    asked = {"readings": as_json(readings), "first": first}
    decode = (_SIGNALS if reasons else _DAILY).decode
    for owner, principle, read in connection.execute(_daily(connection.dialect.name, reasons), asked):
        if read is not None:
            yield owner, principle, Daily(*decode(read))


_DAILY = msgspec.json.Decoder(tuple[list[int], list[int], list[str | None]])
_SIGNALS = msgspec.json.Decoder(tuple[list[int], list[int], list[str | None], list[str]])
_READING: Columns = {
    "owner": INTEGER,
    "person": TEXT,
    "principle": INTEGER,
    "at_from": INTEGER,
    "at_to": INTEGER,
    "from_us": INTEGER,
    "to_us": INTEGER,
}


def _read(
    connection: Connection, readings: Iterable[Reading], statement: Select[Any]
) -> Iterator[tuple[int, str, Signals]]:
    given = list(readings)
    found = connection.execute(statement, {"readings": as_json(given)}) if given else ()
    for owner, person, read in found:
        if read is not None:
            yield owner, person, Signals(*_SIGNALS.decode(read))


@cache
def _all(dialect: str) -> Select[Any]:
    return _statement(dialect)


@cache
def _getting(dialect: str) -> Select[Any]:
    return _statement(dialect, signals.c.verdict == Verdict.BREACHED, signals.c.principle.in_(GETTING))


@cache
def _daily(dialect: str, reasons: bool) -> Select[Any]:
    reading = parameter_table(dialect, _READING, "readings")
    day = (signals.c.at_us - bindparam("first", type_=INTEGER)) // DAY
    columns = [day, _CODE, signals.c.customer, *([signals.c.reason] if reasons else [])]
    return select(reading.c.owner, reading.c.principle, _columns(dialect, reading, columns))


def _statement(dialect: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    reading = parameter_table(dialect, _READING, "readings")
    columns = [signals.c.at_us, _CODE, signals.c.customer, signals.c.reason]
    return select(reading.c.owner, reading.c.person, _columns(dialect, reading, columns, *conditions))


def _columns(
    dialect: str, reading: CTE, columns: Sequence[ColumnElement[Any]], *conditions: ColumnElement[bool]
) -> ScalarSelect[str]:
    """A reading's signals: a subquery for each, which reads along the index and sorts nothing."""
    read = select(json_columns(dialect, *columns)).where(_is_read(reading), *conditions)
    return read.correlate(reading).scalar_subquery()


def _is_read(reading: CTE) -> ColumnElement[bool]:
    return and_(
        signals.c.person == reading.c.person,
        signals.c.at_us >= reading.c.at_from,
        signals.c.at_us < reading.c.at_to,
        signals.c.belongs_us >= reading.c.from_us,
        signals.c.belongs_us < reading.c.to_us,
        or_(reading.c.principle == ANY, signals.c.principle == reading.c.principle),
    )

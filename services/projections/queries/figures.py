"""Counting signals into scorecards: tallies, trends and the signals themselves, for many cards at once.

Figures are counted from signals when they are read, over an index that covers them; walk-the-talk joins here, from the
same signals and the standards of their persons (domain.md §3). Cards are given as spans, one list a card.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from services.kit.errors import Invalid
from services.kit.instants import DAY
from services.projections.leadership.periods import Period
from services.projections.leadership.scorecards import Card, ReasonCount, Tally, in_order
from services.projections.leadership.signals import Principle, Verdict
from services.projections.queries.listing import INTEGER, TEXT, Columns, as_json, json_columns, keys, parameter_table
from services.projections.queries.paging import Page, decode_cursor, encode_cursor, page
from services.projections.queries.rows import SignalRow
from services.projections.queries.teams import Span
from services.projections.tables import signals, standards

Cards = Sequence[Sequence[Span]]
Days = Mapping[Principle, Mapping[int, tuple[int, int]]]
"""(kept, breached) by principle and number of the day, the period's first being 0."""


class SignalKey(NamedTuple):
    """The sort key of a signal in a list: the newest first, then by id."""

    at: int
    id: bytes


def count(connection: Connection, cards: Cards, period: Period) -> list[Card]:
    """The tallies of each card by principle; a principle without any is missing."""
    sources = _sources(connection, cards, period)
    customers = {(owner, principle): number for owner, principle, number in sources.ask(_customers)}
    grouped: dict[tuple[int, int], list[tuple[int, str, int]]] = defaultdict(list)
    for owner, principle, verdict, reason, number in sources.ask(_by_reason):
        grouped[owner, principle].append((verdict, reason, number))
    found: list[dict[Principle, Tally]] = [{} for _ in cards]
    for (owner, principle), rows in grouped.items():
        found[owner][Principle(principle)] = tally_of(rows, customers.get((owner, principle), 0))
    return list(found)


def count_by_day(connection: Connection, cards: Cards, period: Period) -> list[Days]:
    """What each card kept and breached day by day."""
    found: list[dict[Principle, dict[int, tuple[int, int]]]] = [defaultdict(dict) for _ in cards]
    for owner, principle, day, kept, breached in _sources(connection, cards, period).ask(_by_day):
        found[owner][principle][day] = kept, breached  # found by Principle too, which is an integer
    return list(found)


def list_signals(
    connection: Connection,
    cards: Cards,
    period: Period,
    principles: Collection[Principle],
    verdict: Verdict | None,
    first: int,
    after: SignalKey | None,
) -> list[Mapping[Principle, Page[SignalRow]]]:
    """A page of signals for each card and principle, the newest first, then by id."""
    sources = _sources(connection, cards, period)
    pool = _pool(connection.dialect.name, bool(sources.said), signals.c.id, signals.c.at_us, signals.c.verdict)
    wanted = _verdict(pool.c.verdict, verdict) & pool.c.principle.in_(sorted(principles))
    query = select(pool, _rank(pool.c.at_us, pool.c.id, pool.c.owner, pool.c.principle)).where(wanted)
    ranked = query.where(_later_in_list(pool.c.at_us, pool.c.id, after)).subquery()
    shown = (
        select(ranked.c.owner, ranked.c.principle.label("about"), *_SHOWN)
        .join(signals, signals.c.id == ranked.c.id)
        .where(ranked.c.place <= first + 1)
        .order_by(ranked.c.owner, ranked.c.principle, ranked.c.place)
    )
    rows: list[dict[Principle, list[SignalRow]]] = [defaultdict(list) for _ in cards]
    for row in connection.execute(shown, sources.parameters):
        principle = Principle(row.about)
        rows[row.owner][principle].append(_signal(row)._replace(principle=principle))
    return [{principle: page(card[principle], first, after) for principle in principles} for card in rows]


def list_signals_of_relationships(
    connection: Connection,
    customers: Sequence[str],
    persons: Collection[str] | None,
    as_of: int,
    first: int,
    after: SignalKey | None,
) -> Mapping[str, Page[SignalRow]]:
    """A page of each relationship's signals, the newest first, walk-the-talk left out; those of `persons` if given."""
    key = keys(connection, customers)
    query = (
        select(*_SHOWN, _rank(signals.c.at_us, signals.c.id, signals.c.subject))
        .join(key, and_(signals.c.subject == key.c.key, signals.c.customer == key.c.key))
        .where(signals.c.verdict != Verdict.NOT_RECORDED, signals.c.at_us <= as_of)
        .where(_later_in_list(signals.c.at_us, signals.c.id, after))
    )
    if persons is not None:
        allowed = keys(connection, persons)
        query = query.where(signals.c.person.in_(select(allowed.c.key)))
    ranked = query.subquery()
    shown = select(ranked).where(ranked.c.place <= first + 1).order_by(ranked.c.customer, ranked.c.place)
    rows: dict[str, list[SignalRow]] = {customer: [] for customer in customers}
    for row in connection.execute(shown):
        rows[row.customer].append(_signal(row))
    return {customer: page(found, first, after) for customer, found in rows.items()}


def signals_resting_on(connection: Connection, subject: str, offset: int, as_of: int) -> list[SignalRow]:
    """The signals of a subject that have the act at this offset among their evidence, the newest first."""
    query = (
        select(*_SHOWN)
        .where(signals.c.subject == subject, signals.c.verdict != Verdict.NOT_RECORDED, signals.c.at_us <= as_of)
        .order_by(signals.c.at_us.desc(), signals.c.id)
    )
    found = [_signal(row) for row in connection.execute(query)]
    return [signal for signal in found if any(place[1] == offset for place in signal.evidence)]


def signal_cursor(signal: SignalRow) -> str:
    """The cursor of a signal in its list."""
    return encode_cursor("signal", (signal.at, signal.id.hex()))


def read_signal_cursor(cursor: str | None) -> SignalKey | None:
    """The place in the list that a cursor stands for. Raises Invalid."""
    if cursor is None:
        return None
    at, id_ = decode_cursor(cursor, "signal", (int, str))
    try:
        return SignalKey(int(at), bytes.fromhex(str(id_)))
    except ValueError as error:
        raise Invalid("the cursor is none that was given out") from error


_SHOWN = (
    signals.c.id,
    signals.c.partition,
    signals.c.person,
    signals.c.customer,
    signals.c.principle,
    signals.c.verdict,
    signals.c.reason,
    signals.c.at_us,
    signals.c.evidence,
)


class _Sources(NamedTuple):
    """What to count: the period's signals in these spans, and for walk-the-talk what their persons had stated."""

    connection: Connection
    period: Period
    spans: list[tuple[int, str, int, int]]  # owner, person, from, to
    said: list[tuple[int, str, int, int, int, int]]  # the same, principle, the earliest statement

    @property
    def parameters(self) -> Mapping[str, object]:
        """What a statement over the pool is asked with."""
        end = min(self.period.end, self.period.as_of + 1)
        lists = {"spans": as_json(self.spans)} | ({"said": as_json(self.said)} if self.said else {})
        return {"start": self.period.start, "end": end, **lists}

    def ask(self, statement: Callable[[str, bool], Select[Any]]) -> Iterable[tuple[Any, ...]]:
        """The rows of one of the statements below; as JSON they come in a third of the time."""
        kept = _as_json(statement, self.connection.dialect.name, bool(self.said))
        found: str | None = self.connection.execute(kept, self.parameters).scalar()
        return zip(*msgspec.json.decode(found), strict=True) if found else ()


def _pool(dialect: str, said: bool, *columns: ColumnElement[Any]) -> Subquery:
    """The signals as (owner, principle, the columns): the stored ones and, if anything was said, walk-the-talk's."""
    span = parameter_table(dialect, _SPAN, "spans")
    stored = select(span.c.owner, signals.c.principle, *columns).join(signals, _counts(span))
    if not said:
        return stored.subquery()
    stated = parameter_table(dialect, _SAID, "said")
    walk_the_talk = literal(int(Principle.WALK_THE_TALK)).label("principle")
    as_said = and_(
        _counts(stated),
        signals.c.principle == stated.c.principle,
        signals.c.at_us > stated.c.stated_us,
        signals.c.verdict != Verdict.NOT_RECORDED,
    )
    return union_all(stored, select(stated.c.owner, walk_the_talk, *columns).join(signals, as_said)).subquery()


def _counts(span: FromClause) -> ColumnElement[bool]:
    return and_(
        signals.c.person == span.c.person,
        signals.c.at_us >= bindparam("start", type_=INTEGER),
        signals.c.at_us < bindparam("end", type_=INTEGER),
        signals.c.belongs_us >= span.c.from_us,
        signals.c.belongs_us < span.c.to_us,
    )


@cache
def _as_json(statement: Callable[[str, bool], Select[Any]], dialect: str, said: bool) -> Select[Any]:
    return select(json_columns(dialect, *statement(dialect, said).subquery().c))


# The statements that count are kept: to build one anew takes longer than to run it on a year of a team.


def _by_reason(dialect: str, said: bool) -> Select[Any]:
    pool = _pool(dialect, said, signals.c.verdict, signals.c.reason)
    group = (pool.c.owner, pool.c.principle, pool.c.verdict, pool.c.reason)
    return select(*group, func.count().label("number")).group_by(*group)


def _by_day(dialect: str, said: bool) -> Select[Any]:
    pool = _pool(dialect, said, signals.c.verdict, signals.c.at_us)
    day = ((pool.c.at_us - bindparam("start", type_=INTEGER)) // DAY).label("day")
    group = (pool.c.owner, pool.c.principle, day)
    counts = [func.count().filter(pool.c.verdict == v).label(v.name) for v in (Verdict.KEPT, Verdict.BREACHED)]
    return select(*group, *counts).where(pool.c.verdict != Verdict.NOT_RECORDED).group_by(*group)


def _customers(dialect: str, said: bool) -> Select[Any]:
    """How many distinct customers each card's signals on a principle have, each without one counting as one."""
    pool = _pool(dialect, said, signals.c.verdict, signals.c.customer)
    number = (func.count(pool.c.customer.distinct()) + func.count() - func.count(pool.c.customer)).label("number")
    drawn = pool.c.verdict != Verdict.NOT_RECORDED
    return select(pool.c.owner, pool.c.principle, number).where(drawn).group_by(pool.c.owner, pool.c.principle)


_SPAN: Columns = {"owner": INTEGER, "person": TEXT, "from_us": INTEGER, "to_us": INTEGER}
_SAID: Columns = {**_SPAN, "principle": INTEGER, "stated_us": INTEGER}


def _sources(connection: Connection, cards: Cards, period: Period) -> _Sources:
    """The cards' spans, with the standards of their persons: those who stated none cost nothing more."""
    spans = [(owner, *span) for owner, its_spans in enumerate(cards) for span in its_spans]
    persons = {"persons": as_json([person] for person in {span[1] for span in spans})}
    stated: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for leader, principle, earliest in connection.execute(_stated(connection.dialect.name), persons):
        stated[leader].append((principle, earliest))
    return _Sources(connection, period, spans, [(*span, *what) for span in spans for what in stated.get(span[1], ())])


@cache
def _stated(dialect: str) -> Select[Any]:
    """What the persons stated, and when first."""
    person = parameter_table(dialect, {"key": TEXT}, "persons")
    return (
        select(standards.c.leader, standards.c.principle, func.min(standards.c.stated_us))
        .join(person, standards.c.leader == person.c.key)
        .group_by(standards.c.leader, standards.c.principle)
    )


def tally_of(rows: Sequence[tuple[int, str, int]], customers: int) -> Tally:
    """(verdict, reason, number) of one principle, added up."""
    by_verdict = dict.fromkeys(Verdict, 0)
    reasons: dict[str, int] = defaultdict(int)
    for verdict, reason, number in rows:
        by_verdict[Verdict(verdict)] += number
        if verdict != Verdict.NOT_RECORDED:
            reasons[reason] += number
    shown = in_order([ReasonCount(reason, number) for reason, number in reasons.items()])
    kept, breached = by_verdict[Verdict.KEPT], by_verdict[Verdict.BREACHED]
    return Tally(kept, breached, by_verdict[Verdict.NOT_RECORDED], customers, shown)


def _verdict(column: ColumnElement[int], verdict: Verdict | None) -> ColumnElement[bool]:
    return column != Verdict.NOT_RECORDED if verdict is None else column == verdict


def _rank(at: ColumnElement[int], id_: ColumnElement[bytes], *group: ColumnElement[object]) -> ColumnElement[int]:
    return func.row_number().over(partition_by=group, order_by=(at.desc(), id_)).label("place")


def _later_in_list(at: ColumnElement[int], id_: ColumnElement[bytes], after: SignalKey | None) -> ColumnElement[bool]:
    if after is None:
        return literal(1) == 1
    return (at <= after.at) & ((at < after.at) | (id_ > after.id))


def _signal(row: Row[*tuple[Any, ...]]) -> SignalRow:
    offsets: list[int] = msgspec.json.decode(row.evidence, type=list[int])
    evidence = tuple((row.partition, offset) for offset in offsets)
    verdict, principle = Verdict(row.verdict), Principle(row.principle)
    return SignalRow(bytes(row.id), row.person, row.customer, principle, verdict, row.reason, row.at_us, evidence)

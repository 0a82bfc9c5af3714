"""Counting signals into scorecards: tallies, trends and the signals themselves, for many cards at once.

Figures are counted from signals when they are read, over an index that covers them; walk-the-talk joins here, from the
same signals and the standards of their persons (domain.md §3). Cards are given as spans, one list a card.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
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
from services.kit.instants import from_date
from services.projections.leadership.periods import Days, Period
from services.projections.leadership.scorecards import Card, Tally, in_order
from services.projections.leadership.signals import Principle, Verdict
from services.projections.queries.listing import INTEGER, TEXT, Columns, as_json, keys, parameter_table
from services.projections.queries.paging import Page, decode_cursor, encode_cursor, page
from services.projections.queries.rows import SignalRow
from services.projections.queries.teams import Span
from services.projections.queries.timelines import ANY, CODES, VERDICTS, Daily, Reading, code_of, daily, whom
from services.projections.tables import signals, standards

Cards = Sequence[Sequence[Span]]


class SignalKey(NamedTuple):
    """The sort key of a signal in a list: the newest first, then by id."""

    at: int
    id: bytes


class Counted(NamedTuple):
    """What a card comes to, by principle, one without signals missing: tallies, and the days of kept and breached."""

    card: Card
    days: Mapping[Principle, Days]


def count(connection: Connection, cards: Cards, period: Period, *, reasons: bool = True) -> list[Counted]:
    """What each card comes to. Without `reasons` the tallies have none, which is less to read."""
    sources = _sources(connection, cards, period)
    counts = [_Count() for _ in cards]
    for owner, principle, read in daily(connection, sources.readings, from_date(period.from_), reasons=reasons):
        counts[owner].add(read, talk=principle != ANY)
    return [counted.result() for counted in counts]


class _Count:
    """The signals of a card on their way into tallies: by code, principle and verdict."""

    def __init__(self) -> None:
        self._days: list[list[int]] = [[] for _ in _PLACES]
        self._customers: list[set[str | None]] = [set() for _ in _PLACES]
        self._without: Counter[int] = Counter()
        self._reasons: Counter[tuple[int, str]] = Counter()

    def add(self, read: Daily, *, talk: bool) -> None:
        """More signals. With `talk` those that were drawn count as walk-the-talk's."""
        codes = list(map(_TALK.__getitem__, read.code)) if talk else read.code
        days, customers = [of.append for of in self._days], [of.add for of in self._customers]
        for code, day, customer in zip(codes, read.day, read.customer, strict=True):
            days[code](day)
            customers[code](customer)
        if None in read.customer:
            self._without.update(code for code, whom in zip(codes, read.customer, strict=True) if whom is None)
        self._reasons.update(zip(codes, read.reason, strict=bool(read.reason)))

    def result(self) -> Counted:
        """What they come to."""
        reasons: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for (code, reason), number in self._reasons.items():
            if code in _DRAWN:
                reasons[code // VERDICTS][reason] += number
        card: dict[Principle, Tally] = {}
        days: dict[Principle, Days] = {}
        for first, principle in _FIRST_CODES:
            breached, kept, missing = self._days[first : first + VERDICTS]
            if breached or kept or missing:
                customers = whom(principle, self._customers, self._without)
                shown = in_order(reasons[principle]) if principle in reasons else ()
                card[principle] = Tally(len(kept), len(breached), len(missing), customers, shown)
                days[principle] = Days(kept, breached)
        return Counted(card, days)


_FIRST_CODES = [(principle * VERDICTS, principle) for principle in Principle]
_DRAWN = frozenset(code for code, (_, verdict) in enumerate(CODES) if verdict is not Verdict.NOT_RECORDED)
_LEFT_OUT = len(CODES)
_PLACES = range(_LEFT_OUT + 1)
# What walk-the-talk has for a signal: the verdict, unless it was not drawn.
_TALK = [
    code_of(Principle.WALK_THE_TALK, verdict) if code in _DRAWN else _LEFT_OUT
    for code, (_, verdict) in enumerate(CODES)
]


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
        lists = {"spans": as_json(self.spans)} | ({"said": as_json(self.said)} if self.said else {})
        return {"start": self.period.start, "end": self.end, **lists}

    @property
    def end(self) -> int:
        """Where what counts ends."""
        return min(self.period.end, self.period.as_of + 1)

    @property
    def readings(self) -> list[Reading]:
        """The signals in each span and, of one principle each, those that follow what its person had stated."""
        start, end = self.period.start, self.end
        plain = [Reading(owner, person, ANY, start, end, from_, to) for owner, person, from_, to in self.spans]
        said = [
            Reading(owner, person, principle, max(start, stated + 1), end, from_, to)
            for owner, person, from_, to, principle, stated in self.said
        ]
        return plain + said


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

"""What dealings came to: whether pushing pays, whether guides win, what the customer base is worth (domain.md §5)."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, bindparam, case, func, select

from services.projections.leadership.dealings import What
from services.projections.leadership.examples.equity import CustomerEquity, Dealt, Touched, customer_equity
from services.projections.leadership.examples.guides import Achieved, GuidesWin, guides_win
from services.projections.leadership.examples.pushing import Outcome, Pushing, pushing
from services.projections.leadership.examples.rates import Rate
from services.projections.leadership.periods import Period
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.scorecards import Tally, guide_index
from services.projections.leadership.stretches import Stretch, overlap
from services.projections.queries.examples import Keys, Observed
from services.projections.queries.leading import Led, led, reps_of
from services.projections.queries.listing import INTEGER, TEXT, Columns, as_json, json_columns, parameter_table
from services.projections.tables import dealings, decided

_Span = tuple[int, str, int, int]
"""Owner, rep, and the stretch in which their dealings count."""
_SPAN: Columns = {"owner": INTEGER, "rep": TEXT, "from_us": INTEGER, "to_us": INTEGER}


def pushings(connection: Connection, wanted: Keys, period: Period, policy: Policy) -> list[Pushing]:
    """What came of the attempts that each team's reps began to sell in, under its leader in the period."""
    leds = led(connection, wanted, period.as_of)
    found: list[list[Outcome]] = [[] for _ in leds]
    asked = {"spans": as_json(_spans(leds, period)), "as_of": period.as_of}
    for owner, accepted, pressed, ended, next_order in connection.execute(_begun(connection.dialect.name), asked):
        found[owner].append(Outcome(bool(accepted), bool(pressed), ended, next_order))
    return [pushing(outcomes, period.as_of, policy.pushing) for outcomes in found]


@cache
def _begun(dialect: str) -> Select[Any]:
    """The decided attempts whose first selling act is in a span."""
    span = parameter_table(dialect, _SPAN, "spans")
    begun = and_(
        decided.c.first_rep == span.c.rep, decided.c.first_us >= span.c.from_us, decided.c.first_us < span.c.to_us
    )
    columns = (decided.c.accepted, decided.c.pressed, decided.c.ended_us, decided.c.next_order_us)
    by_then = decided.c.ended_us <= bindparam("as_of", type_=INTEGER)
    return select(span.c.owner, *columns).join(decided, begun).where(by_then)


def guides(connection: Connection, observed: Sequence[Observed], period: Period, policy: Policy) -> list[GuidesWin]:
    """Each rep's guide index beside what they achieved, under the leader in the period."""
    achieved = _achievements(connection, [one.led for one in observed], period, policy)
    found = []
    for one, by_rep in zip(observed, achieved, strict=True):
        indexes = {rep: _guide_index(one, rep, policy) for rep in one.led.reps}
        people = [
            Achieved(index, *by_rep.get(rep, (Rate(0, 0), 0, 0))) for rep, index in indexes.items() if index is not None
        ]
        found.append(guides_win(people, policy.guides_win.people_at_least))
    return found


def _guide_index(observed: Observed, rep: str, policy: Policy) -> float | None:
    marks = {principle: by_rep[rep] for principle, by_rep in observed.team.marks.items() if rep in by_rep}
    card = {principle: Tally(len(kept), len(breached)) for principle, (breached, kept) in marks.items()}
    return guide_index(card, policy).value


_Achieved = tuple[Rate, int, int]


def _achievements(
    connection: Connection, leds: Sequence[Led], period: Period, policy: Policy
) -> list[Mapping[str, _Achieved]]:
    """For each leader, by rep: attempts accepted, repeat customers, referrals."""
    decisions: list[dict[str, set[_Decision]]] = [defaultdict(set) for _ in leds]
    orders: list[dict[str, Counter[str]]] = [defaultdict(Counter) for _ in leds]
    referrals: list[dict[str, int]] = [defaultdict(int) for _ in leds]
    asked = {"spans": as_json(_spans(leds, period)), "as_of": period.as_of}
    for owner, rep, decided_, dealt in connection.execute(_done(connection.dialect.name), asked):
        if decided_ is not None:
            decisions[owner][rep].update(zip(*_DECISIONS.decode(decided_), strict=True))
        if dealt is not None:
            kinds, customers = _DEALT.decode(dealt)
            orders[owner][rep].update(whom for kind, whom in zip(kinds, customers, strict=True) if kind == What.ORDER)
            referrals[owner][rep] += kinds.count(What.REFERRAL)
    repeated = policy.guides_win.repeat_orders
    return [
        {
            rep: (
                Rate(sum(accepted for *_, accepted in decisions[place][rep]), len(decisions[place][rep])),
                sum(number >= repeated for number in orders[place][rep].values()),
                referrals[place][rep],
            )
            for rep in one.reps
        }
        for place, one in enumerate(leds)
    ]


_Decision = tuple[str, int, int]
"""Customer, offset, and 1 if accepted."""
_DECISIONS = msgspec.json.Decoder(tuple[list[str], list[int], list[int]])
_DEALT = msgspec.json.Decoder(tuple[list[int], list[str]])


@cache
def _done(dialect: str) -> Select[Any]:
    """For each span the decided attempts that the rep sold in, each once, and the orders and referrals: as columns."""
    span = parameter_table(dialect, _SPAN, "spans")
    sold = and_(_is(What.SELLING), dealings.c.ended_us <= bindparam("as_of", type_=INTEGER))
    accepted = case((dealings.c.accepted, 1), else_=0).label("accepted")
    each = select(dealings.c.subject, dealings.c.decision_offset, accepted).where(_dealt(span), sold).distinct()
    decisions = select(json_columns(dialect, *each.correlate(span).subquery().c)).scalar_subquery()
    kind = dealings.c.what.bitwise_and(int(What.ORDER | What.REFERRAL))
    dealt = select(json_columns(dialect, kind, dealings.c.subject)).where(_dealt(span), kind != 0)
    return select(span.c.owner, span.c.rep, decisions, dealt.correlate(span).scalar_subquery())


# ---- customer equity -------------------------------------------------------------------------------------------------


class Base(NamedTuple):
    """What a team's customer base is worth, and the reps whose dealings may be in the figures."""

    equity: CustomerEquity
    reps: Collection[str]


def equities(connection: Connection, teams: Sequence[str], as_of: int, policy: Policy) -> list[Base]:
    """What the customer base of each team is worth, as of an instant, and whose doing it is."""
    now, year_ago = as_of + 1, as_of + 1 - days(policy.equity.year_days)
    before = year_ago - days(policy.equity.year_before_days)
    spans = [
        (place, rep, *stretch)
        for place, reps in enumerate(reps_of(connection, teams, as_of))
        for rep, stays in reps.items()
        for stretch in overlap(stays, [(before, now)])
    ]
    asked = {"spans": as_json(spans), "year_ago": year_ago}
    dialect = connection.dialect.name
    bases = _bases(connection, len(teams), asked)
    touched = {row[0]: Touched(*map(int, row[1:])) for row in connection.execute(_touches(dialect), asked)}
    to_yes: list[list[int]] = [[] for _ in teams]
    for owner, number in connection.execute(_to_yes(dialect), asked):
        to_yes[owner].append(number)
    by_owner: list[set[str]] = [set() for _ in teams]
    for owner, rep, *_ in spans:
        by_owner[owner].add(rep)
    return [
        Base(customer_equity(Dealt(*base, to_yes[place], touched.get(place, Touched(0, 0, 0))), policy.equity), reps)
        for place, (base, reps) in enumerate(zip(bases, by_owner, strict=True))
    ]


class _Orders(NamedTuple):
    """Who ordered how often in the year; who did in the year before; who referred somebody how often."""

    orders: dict[str, int]
    ordered_before: set[str]
    referrals: dict[str, int]


def _bases(connection: Connection, teams: int, asked: Mapping[str, object]) -> list[_Orders]:
    found = [_Orders({}, set(), {}) for _ in range(teams)]
    for owner, customer, what, recent, number in connection.execute(_orders(connection.dialect.name), asked):
        if what == What.ORDER and not recent:
            found[owner].ordered_before.add(customer)
        elif recent:
            counts = found[owner].orders if what == What.ORDER else found[owner].referrals
            counts[customer] = number
    return found


@cache
def _orders(dialect: str) -> Select[Any]:
    """By customer: the orders and referrals of the year, and those before it."""
    span = parameter_table(dialect, _SPAN, "spans")
    recent = case((_of_the_year(dealings.c.time_us), 1), else_=0).label("recent")
    what = dealings.c.what.bitwise_and(int(What.ORDER | What.REFERRAL)).label("kind")
    group = (span.c.owner, dealings.c.subject, what, recent)
    counts = _is(What.ORDER | What.REFERRAL)
    return select(*group, func.count()).join(dealings, _dealt(span)).where(counts).group_by(*group)


@cache
def _touches(dialect: str) -> Select[Any]:
    """All touches of the year; those with customers who were unfit; those with customers who had ordered."""
    span = parameter_table(dialect, _SPAN, "spans")
    numbers = [func.sum(case((_is(what), 1), else_=0)) for what in (What.TOUCH, What.UNFIT, What.CUSTOMER)]
    touches = and_(_is(What.TOUCH), _of_the_year(dealings.c.time_us))
    return select(span.c.owner, *numbers).join(dealings, _dealt(span)).where(touches).group_by(span.c.owner)


@cache
def _to_yes(dialect: str) -> Select[Any]:
    """The sales touches of the attempt of each decision accepted in the year."""
    span = parameter_table(dialect, _SPAN, "spans")
    of_rep = and_(decided.c.rep == span.c.rep, decided.c.ended_us >= span.c.from_us, decided.c.ended_us < span.c.to_us)
    yes = and_(decided.c.accepted.is_(True), _of_the_year(decided.c.ended_us))
    return select(span.c.owner, decided.c.touches).join(decided, of_rep).where(yes)


def _of_the_year(time: ColumnElement[int]) -> ColumnElement[bool]:
    return time >= bindparam("year_ago", type_=INTEGER)


# ---- spans -----------------------------------------------------------------------------------------------------------


def _spans(leds: Sequence[Led], period: Period) -> Iterable[_Span]:
    """When each rep's acts count in an example."""
    seen: list[Stretch] = [(period.start, min(period.end, period.as_of + 1))]
    for place, one in enumerate(leds):
        for rep in one.reps:
            for stretch in overlap(one.counting(rep), seen):
                yield place, rep, *stretch


def _dealt(span: FromClause) -> ColumnElement[bool]:
    return and_(dealings.c.rep == span.c.rep, dealings.c.time_us >= span.c.from_us, dealings.c.time_us < span.c.to_us)


def _is(what: What) -> ColumnElement[bool]:
    return dealings.c.what.bitwise_and(int(what)) != 0

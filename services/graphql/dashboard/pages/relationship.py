"""A relationship's time line: its acts and the signals made from them, the newest first, each signal with its acts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, groupby
from typing import NamedTuple

from msgspec import Struct

from services.graphql.dashboard.acts import ShownAct, ShownSignal, act_link, anchor, shown_act, shown_signal
from services.graphql.dashboard.answers import Act, Connection, Principle, Relationship, Signal
from services.graphql.dashboard.charts import timelines
from services.graphql.dashboard.charts.drawing import Row
from services.graphql.dashboard.charts.timelines import lane_chart, span_of, time_axis
from services.graphql.dashboard.figures import Cell, Column, Figure, Link, Shown, Table
from services.graphql.dashboard.naming import BY_CUSTOMERS, VERDICTS, act_sentence, personal_text, reason_words
from services.graphql.dashboard.numbers import many, short_day
from services.graphql.dashboard.places import TEAMS
from services.graphql.dashboard.scores import slug
from services.graphql.dashboard.visiting import Page, Visit
from services.graphql.dashboard.wording import SIGNAL

AT_ONCE = 100  # of each: most relationships are one page
_ACTS, _SIGNALS = "after", "after-signals"  # where in its list a page begins, of each
_COLUMNS = (
    Column("Time", "text", "When, UTC: of a signal that of the last act that shows it, or the end of a silence."),
    Column("What", "text", "The act’s name, or the principle that was kept or breached."),
    Column("In words", "text"),
    Column("Person", "text", "The key of who acted, or whom the customer dealt with; of a signal, whose it is."),
    Column("Deal", "text"),
    Column("In their own words", "text"),
    Column("Taken back", "text"),
    Column("Disputed", "text"),
    Column("Source", "text"),
    Column("Id", "text", "Of an act in its source; of a signal, of the acts that show it."),
)
_SIGNS = (
    "On each line are the acts: a disc is ours, a square the customer’s own. Below it are the signals: a disc was "
    "kept, a cross was breached."
)
_READING = (
    "Each line is a deal. An act with a broken outline was taken back.",
    "A signal stands at the last act that shows it, or at the end of a silence.",
    SIGNAL,
)


class Asked(Struct):
    """What the document answers."""

    relationship: Relationship
    principles: tuple[Principle, ...]


class Entry(NamedTuple):
    """An act with the signals that it completes; or, without one, a signal that comes of silence."""

    hour: str
    time: str
    act: ShownAct | None
    signals: Sequence[ShownSignal]


class Moment(NamedTuple):
    """Something that happened: an act, or a signal that was made."""

    at: datetime
    act: Act | None = None
    signal: Signal | None = None


class _Part(NamedTuple):
    """What a page shows of both lists, and where each goes on, by parameter."""

    moments: Sequence[Moment]
    further: Mapping[str, str | None]


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    asked = await visit.ask(
        "relationship",
        Asked,
        customer=visit.needed("customer"),
        first=AT_ONCE,
        after=visit.query.get(_ACTS),
        signalsAfter=visit.query.get(_SIGNALS),
    )
    one = asked.relationship
    part = _merged(one, visit)
    context = {
        "relationship": one,
        "reps": [rep.called for rep in one.reps],
        "days": _days(visit, part.moments, one, asked.principles),
        "paging": visit.paging(**part.further),
    }
    return Shown(one.customer_name or one.customer_key, [_figure(one, part.moments)], context, [TEAMS])


def _merged(one: Relationship, visit: Visit) -> _Part:
    """The newest of both lists together, as far back as both are known: what is older is for the next page."""
    acts = _Side([Moment(edge.node.time, act=edge.node) for edge in one.acts.edges], one.acts)
    signals = _Side([Moment(edge.node.at, signal=edge.node) for edge in one.signals.edges], one.signals)
    moments: list[Moment] = []
    while not acts.at_edge and not signals.at_edge:
        sides = [side for side in (signals, acts) if side.left]
        if not sides:
            return _Part(moments, dict.fromkeys((_ACTS, _SIGNALS)))
        moments.append(max(sides, key=lambda side: side.next.at).take())
    further = {_ACTS: acts.cursor or visit.query.get(_ACTS), _SIGNALS: signals.cursor or visit.query.get(_SIGNALS)}
    return _Part(moments, further)


class _Side:
    """One of the two lists, being taken from."""

    def __init__(self, moments: Sequence[Moment], of: Connection[Act] | Connection[Signal]) -> None:
        self._moments = moments
        self._cursors = [edge.cursor for edge in of.edges]
        self._more = of.page_info.has_next_page
        self._taken = 0

    @property
    def left(self) -> bool:
        """Whether something is left of what is known."""
        return self._taken < len(self._moments)

    @property
    def at_edge(self) -> bool:
        """Whether all that is known is taken, and there is more."""
        return self._more and not self.left

    @property
    def next(self) -> Moment:
        """What comes next."""
        return self._moments[self._taken]

    @property
    def cursor(self) -> str | None:
        """Where the list goes on; None where nothing is taken of it."""
        return self._cursors[self._taken - 1] if self._taken else None

    def take(self) -> Moment:
        """Take what comes next."""
        self._taken += 1
        return self._moments[self._taken - 1]


def _days(
    visit: Visit, moments: Sequence[Moment], one: Relationship, principles: Iterable[Principle]
) -> Sequence[tuple[str, Sequence[Entry]]]:
    """What happened, by day."""
    telling = _Telling(visit, moments, one, principles)
    by_day = groupby(moments, lambda moment: short_day(moment.at))
    return [(day, [entry for moment in of if (entry := telling.entry(moment))]) for day, of in by_day]


class _Telling:
    """Makes entries of moments; people are named only where it could be somebody else."""

    def __init__(
        self, visit: Visit, moments: Iterable[Moment], one: Relationship, principles: Iterable[Principle]
    ) -> None:
        self._visit = visit
        self._times = {anchor(moment.act): moment.at for moment in moments if moment.act}
        self._titles = {principle.id: principle.title for principle in principles}
        self._names = {rep.key: rep.called for rep in one.reps}
        self._signals: dict[str, list[Signal]] = {}
        for moment in moments:
            if moment.signal and (place := self._place(moment.signal)):
                self._signals.setdefault(place, []).append(moment.signal)

    def entry(self, moment: Moment) -> Entry | None:
        """What is told of a moment; None of a signal that is told with its act."""
        at = f"{moment.at:%H:%M}", moment.at.isoformat()
        if moment.signal:
            return None if self._place(moment.signal) else Entry(*at, None, [self._signal(moment.signal, None)])
        assert moment.act is not None
        place = anchor(moment.act)
        act = shown_act(self._visit, moment.act)
        rep = None if self._alone(act.rep) else self._names.get(act.rep or "", act.rep)
        return Entry(*at, act._replace(rep=rep), [self._signal(one, place) for one in self._signals.get(place, ())])

    def _place(self, signal: Signal) -> str | None:
        """The act of this page that the signal is told with: the last that shows it, if it is as of then."""
        place = anchor(signal.evidence[-1]) if signal.evidence else ""
        return place if self._times.get(place) == signal.at else None

    def _alone(self, person: str | None) -> bool:
        return set(self._names) == {person}

    def _signal(self, signal: Signal, at: str | None) -> ShownSignal:
        shown = shown_signal(self._visit, signal, self._titles)
        person = None if signal.person and self._alone(signal.person.key) else shown.person
        return shown._replace(person=person, acts=[self._to_act(act) for act in signal.evidence if anchor(act) != at])

    def _to_act(self, act: Act) -> Link:
        """To the act in this page or, if it is on another, to its own."""
        place = anchor(act)
        href = f"#{place}" if place in self._times else act_link(self._visit, act)
        return Link(f"{short_day(act.time)}, {act.time:%H:%M}", href)


# ---- the chart and the table -----------------------------------------------------------------------------------------


def _figure(one: Relationship, moments: Sequence[Moment]) -> Figure:
    deals = {anchor(moment.act): _deal(moment.act) for moment in moments if moment.act}
    lanes: dict[str, list[Moment]] = {}
    for moment in reversed(moments):  # the first deal first
        lanes.setdefault(_lane(moment, deals), []).append(moment)
    drawn = {lane: ([_drawn_act(m.act) for m in of if m.act], _drawn(of)) for lane, of in lanes.items()}
    acts_of, signals_of = zip(*drawn.values(), strict=True) if drawn else ((), ())
    span = span_of([*chain(*acts_of)], [*chain(*signals_of)])
    rows = []
    for lane, (acts, signals) in drawn.items():
        name = f"Deal {lane}" if lane else "No deal" if len(drawn) > 1 else ""
        note = f"{many(len(acts), 'act')}, {many(len(signals), 'signal')}"
        assert span is not None
        rows.append(Row(name, lane_chart(name or one.customer_key, span, acts, signals), note))
    table = Table(f"{one.customer_key}, the newest first", _COLUMNS, [_row(moment, deals) for moment in moments])
    axis = time_axis(span) if span else None
    return Figure("timeline", "At a glance", [_SIGNS], rows=rows, axis=axis, table=table, definition=_READING)


def _deal(act: Act) -> str:
    return str(act.data.get("deal") or "")


def _lane(moment: Moment, deals: Mapping[str, str]) -> str:
    """The deal of an act; of a signal that of the last act that shows it."""
    if moment.act:
        return _deal(moment.act)
    evidence = moment.signal.evidence if moment.signal else ()
    return deals.get(anchor(evidence[-1]), "") if evidence else ""


def _drawn_act(act: Act) -> timelines.ShownAct:
    return timelines.ShownAct(act.time, act_sentence(act), act.name in BY_CUSTOMERS, act.retracted)


def _drawn(moments: Iterable[Moment]) -> list[timelines.ShownSignal]:
    found = [moment.signal for moment in moments if moment.signal]
    return [timelines.ShownSignal(one.at, reason_words(one.reason), one.verdict) for one in found]


def _row(moment: Moment, deals: Mapping[str, str]) -> Sequence[Cell]:
    time = Cell(f"{short_day(moment.at)}, {moment.at:%H:%M}", moment.at.isoformat())
    if moment.signal is None:
        assert moment.act is not None
        return time, *_act_cells(moment.act)
    signal = moment.signal
    return (
        time,
        Cell(slug(signal.principle)),
        Cell(f"{VERDICTS[signal.verdict]}: {reason_words(signal.reason)}"),
        Cell(signal.person.key if signal.person else ""),
        Cell(_lane(moment, deals)),
        *(Cell("") for _ in range(4)),
        Cell(" ".join(act.act_id for act in signal.evidence)),
    )


def _act_cells(act: Act) -> Sequence[Cell]:
    personal = personal_text(act)
    return (
        Cell(act.name),
        Cell(act_sentence(act)),
        Cell(act.rep or ""),
        Cell(_deal(act)),
        Cell((personal.content or "") if personal else ""),
        Cell("yes" if act.retracted else ""),
        Cell("yes" if act.disputes else ""),
        Cell(act.source),
        Cell(act.act_id),
    )


PAGE = Page("relationship", build, periodic=False)

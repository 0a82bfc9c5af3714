"""What the leader models, read: the questions of domain.md §5 over many leaders and teams at once.

Nothing here reads more of the log than the period, the windows about it, and the people concerned. The chance baseline
concerns whoever leads another team.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select

from services.events.catalog.acts import PUBLIC, CoachingGiven, PushDirected, RecognitionGiven
from services.events.catalog.envelope import Act, Catalogue
from services.kit.instants import DAY, from_date, to_date
from services.projections.leadership.association import OddsRatio, RateRatio
from services.projections.leadership.examples.coaching import (
    Coached,
    CoachingEffect,
    PrincipleCount,
    Recognised,
    Windows,
    behaviour_share,
    coaching_windows,
    counted,
    effects,
)
from services.projections.leadership.examples.mirroring import Example, odds_of_mirroring
from services.projections.leadership.examples.pressure import GETTING, goading, goading_windows, month_end_pressure
from services.projections.leadership.examples.signals import Mark, Marks
from services.projections.leadership.periods import Days, Period
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.scorecards import EMPTY, Tally
from services.projections.leadership.signals import BY_SLUG, Principle, Verdict
from services.projections.leadership.stretches import ALWAYS, EVER, Stretch, Stretches, merged
from services.projections.queries.leading import ExampleKey, Led, directions, led, other_leaders
from services.projections.queries.listing import TEXT, keys, listed
from services.projections.queries.timelines import ANY, Reading, Signals, Timeline, breaches, timelines
from services.projections.tables import standards

JUDGED = tuple(principle for principle in Principle if principle is not Principle.WALK_THE_TALK)
"""The principles that an example compares."""

Keys = Sequence[ExampleKey]
_Own = Mapping[Principle, Sequence[Mark]]


class Associations(NamedTuple):
    """Whether the team does what the leader does; what other leaders would give; whether those who are new do."""

    mirroring: OddsRatio
    chance_baseline: OddsRatio
    imprint: OddsRatio


class Attention(NamedTuple):
    """What the leader coached and recognised, the share of recognition for behaviour, and what came of coaching."""

    coaching: list[PrincipleCount]
    recognition: list[PrincipleCount]
    behaviour_share: float | None
    effects: list[CoachingEffect]


class StatedStandard(NamedTuple):
    """A principle that a leader stated to a team, and the leader's own signals on it after that, also by day."""

    principle: Principle
    period: Period
    tally: Tally
    days: Days

    @property
    def gap(self) -> float | None:
        """How far the leader's conduct is from the leader's words: 1 − rate, None without signals."""
        return None if self.tally.rate is None else 1 - self.tally.rate


class Observed(NamedTuple):
    """The signals of an example: of the team and its leader in the period, and of the team's reps in their first days.

    `own`, `others`: the signals of its leader and of other leaders that can be an example, whatever the stay;
    `customers` are those with whom these have some.
    """

    led: Led
    team: Timeline
    new: Timeline
    leader: Timeline
    own: _Own
    others: Sequence[tuple[str, Stretches, _Own]]
    customers: frozenset[str]


# ---- mirroring -------------------------------------------------------------------------------------------------------


def observe(connection: Connection, wanted: Keys, period: Period, policy: Policy) -> list[Observed]:
    """All signals that mirroring, its baseline and the imprint compare."""
    leds = led(connection, wanted, period.as_of)
    others = other_leaders(connection, wanted, period)
    own = _signals_of_leaders(connection, leds, others, period, policy)
    customers = {mark.customer for of in own.values() for marks in of.values() for mark in marks} - {PUBLIC}
    readings = [reading for place, one in enumerate(leds) for reading in _readings(3 * place, one, period, policy)]
    found = timelines(connection, 3 * len(leds), readings)
    return [
        Observed(
            one,
            found[3 * place],
            found[3 * place + 1],
            found[3 * place + 2],
            own[one.leader],
            [(other, during, own[other]) for other, during in others[place]],
            frozenset(customer for customer in customers if customer is not None),
        )
        for place, one in enumerate(leds)
    ]


def _readings(team: int, one: Led, period: Period, policy: Policy) -> Iterator[Reading]:
    """The signals of the team in the period, then of reps in their first days, then of the leader, an owner each."""
    new, leader = team + 1, team + 2
    for rep in one.reps:
        for stretch in one.counting(rep):
            yield Reading(team, rep, ANY, period.start, _end(period), *stretch)
    for rep, first_days in _first_days(one, period, policy):
        for stretch in one.counting(rep):
            yield Reading(new, rep, ANY, *first_days, *stretch)
    for stretch in one.stays:
        yield Reading(leader, one.leader, ANY, period.start, _end(period), *stretch)


def _first_days(one: Led, period: Period, policy: Policy) -> Iterator[tuple[str, Stretch]]:
    """The first days of each rep who had some under the leader, up to the period's end."""
    for rep, first in one.first.items():
        last = min(first + days(policy.imprint.first_days), _end(period))
        if any(from_ < last and first < to for from_, to in one.counting(rep)):
            yield rep, (first, last)


def _signals_of_leaders(
    connection: Connection,
    leds: Sequence[Led],
    others: Sequence[Sequence[tuple[str, Stretches]]],
    period: Period,
    policy: Policy,
) -> Mapping[str, _Own]:
    """The signals of all leaders and others that can be an example, by person."""
    window, end = days(policy.mirroring.example_days), _end(period)
    when: dict[str, list[Stretch]] = {
        person: [(period.start - window, end)]
        for person in {one.leader for one in leds} | {other for of in others for other, _ in of}
    }
    for one in leds:
        when[one.leader] += [(first - window, last) for _, (first, last) in _first_days(one, period, policy)]
    persons = list(when)
    found = timelines(
        connection,
        len(persons),
        (
            Reading(place, person, ANY, *at, -ALWAYS, ALWAYS)
            for place, person in enumerate(persons)
            for at in merged(when[person])
        ),
    )
    return {person: _by_principle(timeline.signals[person]) for person, timeline in zip(persons, found, strict=True)}


def _by_principle(signals: Signals) -> _Own:
    found: dict[Principle, list[Mark]] = defaultdict(list)
    for principle, mark in signals.each():
        found[principle].append(mark)
    return found


def associations(
    observed: Observed, policy: Policy, between: Callable[[], None] = lambda: None
) -> Mapping[Principle, Associations]:
    """Mirroring, its chance baseline and the imprint for each principle; `between` is called before each, may raise."""
    team, new = observed.team.single(observed.customers), observed.new.single(observed.customers)
    found: dict[Principle, Associations] = {}
    for principle in JUDGED:
        between()
        found[principle] = _associations(observed, principle, team, new, policy)
    return found


_Shared = Mapping[Principle, Mapping[str, Sequence[Mark]]]


def _associations(
    observed: Observed, principle: Principle, team: _Shared, new: _Shared, policy: Policy
) -> Associations:
    example_days = policy.mirroring.example_days
    leader = Example(observed.led.leader, observed.own.get(principle, ()), days(example_days), EVER)
    others = [
        Example(person, own.get(principle, ()), days(example_days), during) for person, during, own in observed.others
    ]

    def odds(examples: Sequence[Example], timeline: Timeline, shared: _Shared) -> OddsRatio:
        return odds_of_mirroring(examples, timeline.marks[principle], shared.get(principle, {}), example_days)

    return Associations(
        odds([leader], observed.team, team), odds(others, observed.team, team), odds([leader], observed.new, new)
    )


# ---- pressure --------------------------------------------------------------------------------------------------------


def goadings(
    connection: Connection, wanted: Keys, period: Period, policy: Policy, catalogue: Catalogue
) -> list[RateRatio]:
    """What followed the pushes that each leader directed the team to."""
    leds = led(connection, wanted, period.as_of)
    directed = directions(connection, {key.leader for key in wanted}, period, catalogue)
    pushes = [
        [
            act.time
            for act in directed.get(key.leader, ())
            if isinstance(act.data, PushDirected) and act.data.team == key.team and _holds(one.stays, act.time)
        ]
        for key, one in zip(wanted, leds, strict=True)
    ]
    readings = [
        Reading(place, rep, ANY, *window, *stay)
        for place, one in enumerate(leds)
        for windows in goading_windows(pushes[place], period.as_of, policy.goading)
        for window in windows
        for rep, stays in one.reps.items()
        for stay in stays
    ]
    getting = breaches(connection, len(leds), readings)
    return [
        goading(of, times, list(one.reps.values()), period.as_of, policy.goading)
        for of, times, one in zip(pushes, getting, leds, strict=True)
    ]


def pressure_at_month_ends(observed: Observed, period: Period, policy: Policy) -> RateRatio:
    """How the team got in the last days of months and in the others."""
    by_rep = [marks for principle in GETTING for marks in observed.team.marks[principle].values()]
    getting = sorted(chain.from_iterable(marks.breached for marks in by_rep))
    reps, stays = list(observed.led.reps.values()), observed.led.stays
    return month_end_pressure(getting, reps, stays, period, policy.month_end)


# ---- coaching and recognition ----------------------------------------------------------------------------------------


def attention(
    connection: Connection, wanted: Keys, period: Period, policy: Policy, catalogue: Catalogue
) -> list[Attention]:
    """What each leader coached and recognised the team's reps for, and how the coached did after and before."""
    leds = led(connection, wanted, period.as_of)
    directed = directions(connection, {key.leader for key in wanted}, period, catalogue)
    counting = [[act for act in directed.get(one.leader, ()) if _is_of_rep(one, act)] for one in leds]
    coached = [[_coached(act) for act in of if isinstance(act.data, CoachingGiven)] for of in counting]
    windows = [coaching_windows(of, period.as_of, policy.coaching) for of in coached]
    after_and_before = _effects(connection, leds, windows)
    found = []
    for of, coachings, its_effects in zip(counting, coached, after_and_before, strict=True):
        recognised = [_recognised(act.data) for act in of if isinstance(act.data, RecognitionGiven)]
        of_coaching = counted(coaching.principle for coaching in coachings)
        of_recognition = counted(recognition.principle for recognition in recognised)
        found.append(Attention(of_coaching, of_recognition, behaviour_share(recognised), its_effects))
    return found


def _is_of_rep(one: Led, act: Act) -> bool:
    """Whether it is coaching or recognition of whoever was a rep of the team then, by who led it."""
    return isinstance(act.data, CoachingGiven | RecognitionGiven) and one.is_counting(act.data.rep, act.time)


def _coached(act: Act) -> Coached:
    assert isinstance(act.data, CoachingGiven)
    return Coached(act.data.rep, _principle(act.data.principle), act.time)


def _recognised(data: RecognitionGiven) -> Recognised:
    principle = None if data.principle is None else _principle(data.principle)
    return Recognised(principle, data.for_ == "behaviour")


def _principle(slug: str) -> Principle:
    return BY_SLUG[slug]


_WindowsOf = Mapping[tuple[str, Principle], Windows]


def _effects(connection: Connection, leds: Sequence[Led], windows: Sequence[_WindowsOf]) -> list[list[CoachingEffect]]:
    """How the coached did, as reps of the team. A rep coached to do as they say is looked at by what they stated."""
    talking = {rep for of in windows for rep, principle in of if principle is Principle.WALK_THE_TALK}
    stated = _stated(connection, talking)
    readings = [
        Reading(2 * place + (principle is Principle.WALK_THE_TALK), rep, on, max(from_, since), to, *stay)
        for place, (one, of) in enumerate(zip(leds, windows, strict=True))
        for (rep, principle), looked_at in of.items()
        for on, since in (stated[rep] if principle is Principle.WALK_THE_TALK else [(int(principle), -ALWAYS)])
        for from_, to in merged((*looked_at.after, *looked_at.before))
        for stay in one.reps[rep]
    ]
    found = timelines(connection, 2 * len(leds), readings)
    return [effects(of, _marks(found[2 * place : 2 * place + 2])) for place, of in enumerate(windows)]


def _stated(connection: Connection, persons: Collection[str]) -> Mapping[str, list[tuple[int, int]]]:
    """The principles that each of these persons stated to any team, with the first instant after they first did."""
    found: dict[str, list[tuple[int, int]]] = {person: [] for person in persons}
    if not persons:
        return found
    key = keys(connection, persons)
    query = select(standards.c.leader, standards.c.principle, func.min(standards.c.stated_us))
    query = query.join(key, standards.c.leader == key.c.key).group_by(standards.c.leader, standards.c.principle)
    for person, principle, earliest in connection.execute(query):
        found[person].append((principle, earliest + 1))
    return found


def _marks(of: Sequence[Timeline]) -> Mapping[tuple[str, Principle], Marks]:
    """Signals by rep and principle; those of the second timeline, whatever they are on, as walk-the-talk's."""
    plain, talked = of
    found = {(rep, principle): marks for principle, by in plain.marks.items() for rep, marks in by.items()}
    by_rep: dict[str, list[Marks]] = defaultdict(list)
    for by in talked.marks.values():
        for rep, marks in by.items():
            by_rep[rep].append(marks)
    for rep, all_ in by_rep.items():
        breached, kept = (sorted(chain.from_iterable(times)) for times in zip(*all_, strict=True))
        found[rep, Principle.WALK_THE_TALK] = Marks(breached, kept)
    return found


# ---- say and do ------------------------------------------------------------------------------------------------------


def stated_standards(connection: Connection, wanted: Keys, period: Period) -> list[list[StatedStandard]]:
    """What each leader stated to the team by the period's end, and what the leader did after that."""
    leds = led(connection, wanted, period.as_of)
    said = _said_to(connection, wanted, _end(period))
    periods = [
        [(Principle(principle), Period(to_date(at), period.to, period.as_of, at)) for principle, at in said[key]]
        for key in wanted
    ]
    readings = [
        Reading(place * len(Principle) + principle, one.leader, principle, since.start, _end(period), *stay)
        for place, (one, its_periods) in enumerate(zip(leds, periods, strict=True))
        for principle, since in its_periods
        for stay in one.stays
    ]
    found = timelines(connection, len(leds) * len(Principle), readings)
    return [
        [_standard(principle, since, found[place * len(Principle) + principle]) for principle, since in its_periods]
        for place, its_periods in enumerate(periods)
    ]


def _said_to(connection: Connection, wanted: Keys, end: int) -> Mapping[ExampleKey, list[tuple[int, int]]]:
    """The principles that each leader stated to the team before an instant, in their order, and when first."""
    key = listed(connection, {"leader": TEXT, "team": TEXT}, wanted)
    query = select(standards.c.leader, standards.c.team, standards.c.principle, standards.c.stated_us)
    query = query.join(key, and_(standards.c.leader == key.c.leader, standards.c.team == key.c.team))
    found: dict[ExampleKey, list[tuple[int, int]]] = {one: [] for one in wanted}
    for leader, team, principle, at in connection.execute(
        query.where(standards.c.stated_us < end).order_by(standards.c.principle)
    ):
        found[ExampleKey(leader, team)].append((principle, at))
    return found


def _standard(principle: Principle, period: Period, found: Timeline) -> StatedStandard:
    kept: list[int] = []
    breached: list[int] = []
    for signals in found.signals.values():
        for _, (at, verdict, _) in signals.each():
            day = (at - from_date(period.from_)) // DAY
            (kept if verdict is Verdict.KEPT else breached).append(day)
    return StatedStandard(principle, period, found.card.get(principle, EMPTY), Days(sorted(kept), sorted(breached)))


def _end(period: Period) -> int:
    """The instant before which everything is that counts."""
    return min(period.end, period.as_of + 1)


def _holds(stretches: Stretches, at: int) -> bool:
    return any(from_ <= at < to for from_, to in stretches)

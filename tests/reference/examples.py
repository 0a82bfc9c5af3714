"""The reference model of a leader's example: domain.md §5 written down sentence by sentence, but for customer equity.

Where the text is open, it is read so:

- "by first stay": by the start of the person's first stay as leader of T, in the period or not, then by key.
- A rep's signal belongs to a stay of L if the instant at which it belongs (§4) lies in that stay, as it does for the
  rep's own stay; its *time* decides about the period and every other window.
- "stated … by the period's end": at an instant within the period or before it. Its score is L's signals that belong to
  stays of L in T as leader, whenever they began; the trend begins with the statement's own day.
- Mirroring: a signal without customer (a rep's own push for another team) shares its customer with nobody.
- Chance baseline: L is never another leader, not even after leaving T for another team.
- Imprint: the first 90 days are [start, start + 90 days), for a signal by its time; as nothing says otherwise, it
  belongs to a stay of L in T as leader, as the rep's own.
- Goading: the pushes are those in the period and in a stay of L; an instant that is no push's own window is neither.
- Month-end pressure: the windows are cut by period, *as of* and L's stays, as the signals are.
- "those without": attempts of the same kind without a getting act of anyone in them.
- Guides win: someone without a decided attempt has no acceptance and is left out of that correlation alone.
- After coaching: a coaching act that counts (in the period, in a stay of L, of a rep of T then) opens the windows; the
  signal belongs to a rep stay in T, whoever led then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise

from tests.reference.model import DAY, HOUR, PRINCIPLES, Attempt, RefAct, RefSignal, Relationship, first
from tests.reference.scorecards import DIMENSIONS, RefDifference, RefScore, Stay, difference, figures, score
from tests.reference.statistics import (
    RefCorrelation,
    RefOddsRatio,
    RefRate,
    RefRateComparison,
    RefRateRatio,
    Table,
    pooled_odds_ratio,
    rank_correlation,
    rate_ratio,
    share,
)
from tests.reference.worlds import (
    GETTING,
    PUBLIC,
    Seen,
    World,
    accepted,
    day_of,
    decided,
    holds,
    is_month_end,
    midnight,
    rep_days,
    selling_acts,
)

Tables = dict[tuple[str, ...], list[tuple[bool, bool]]]
"""Of each stratum: for each counted signal, whether the example and the verdict are breached."""


@dataclass(frozen=True)
class RefComparison:
    """One principle of an example; `difference` is leader − team."""

    principle: str
    leader: RefScore
    team: RefScore
    difference: RefDifference
    mirroring: RefOddsRatio
    chance_baseline: RefOddsRatio
    imprint: RefOddsRatio


@dataclass(frozen=True)
class RefStandard:
    """A standard stated to the team, the score since, and the gap 1 − rate."""

    principle: str
    since: int
    score: RefScore
    gap: float | None


@dataclass(frozen=True)
class RefCoachingEffect:
    """A coached principle: signals kept after (`one`) and before (`other`) coaching."""

    principle: str
    comparison: RefRateComparison


@dataclass(frozen=True)
class RefExample:
    """All figures of `LeaderExample`."""

    leader: str
    team: str
    comparisons: list[RefComparison]
    standards: list[RefStandard]
    goading: RefRateRatio
    month_end_pressure: RefRateRatio
    coaching: list[tuple[str, int]]
    recognition: list[tuple[str, int]]
    behaviour_recognition_share: float | None
    after_coaching: list[RefCoachingEffect]
    acceptance_after_pushing: RefRateComparison
    repeat_after_pushing: RefRateComparison
    guides_acceptance: RefCorrelation
    guides_repeat_customers: RefCorrelation
    guides_referrals: RefCorrelation


def examples(world: World, team: str, from_: date, to: date, as_of: int) -> list[RefExample]:
    """ "One example per person with such a stay overlapping the period, by first stay." """
    seen = world.seen(as_of)
    start, end = midnight(from_), midnight(to)
    as_leader = sorted(seen.stays_of("leader", team), key=lambda stay: (stay.from_, stay.person))
    overlapping = {stay.person for stay in as_leader if stay.from_ < end and (stay.to is None or stay.to > start)}
    by_first_stay = dict.fromkeys(stay.person for stay in as_leader)
    return [Leading(seen, leader, team, from_, to).example() for leader in by_first_stay if leader in overlapping]


class Leading:
    """One leader of one team over a period, seen as of an instant."""

    def __init__(self, seen: Seen, leader: str, team: str, from_: date, to: date) -> None:
        self.seen = seen
        self.leader = leader
        self.team = team
        self.from_, self.to = from_, to
        self.start, self.end = midnight(from_), midnight(to)

    def example(self) -> RefExample:
        """All figures."""
        coached, recognised = self._towards_reps("coaching.given"), self._towards_reps("recognition.given")
        for_behaviour = [act for act in recognised if act.data["for"] == "behaviour"]
        pushing = self._attempts_to_judge()
        return RefExample(
            self.leader,
            self.team,
            self._comparisons(),
            self._standards(),
            self._goading(),
            self._month_end_pressure(),
            _by_principle(coached),
            _by_principle(recognised),
            share(len(for_behaviour), len(recognised)),
            [self._after_coaching(principle, coached) for principle, _ in _by_principle(coached)],
            self._split(pushing, lambda relationship, attempt: True, lambda relationship, attempt: accepted(attempt)),
            self._split(pushing, self._is_old_yes, _ordered_again),
            self._guides(self._acceptance),
            self._guides(self._repeat_customers),
            self._guides(self._referrals),
        )

    # --- what counts

    def _leads(self, at: int) -> bool:
        return self.seen.in_stay(self.leader, "leader", self.team, at)

    def _is_rep(self, person: str, at: int) -> bool:
        return self.seen.in_stay(person, "rep", self.team, at)

    def _in_period(self, at: int) -> bool:
        return self.start <= at < self.end

    def _counts(self, act: RefAct) -> bool:
        """ "Signals and acts count whose time is within the period and that belong (§4; an act at its time) to a stay
        of L in T as leader, except where said."
        """
        return self._in_period(act.time) and self._leads(act.time)

    def _reps_signals(self, pool: Iterable[RefSignal]) -> list[RefSignal]:
        """ "T's reps are its members with role rep": their signals under L, whatever the period."""
        return [
            signal for signal in pool if self._leads(signal.belongs) and self._is_rep(signal.person, signal.belongs)
        ]

    # --- example, mirroring, imprint

    def _comparisons(self) -> list[RefComparison]:
        """ "each principle but walk-the-talk: L's own score, the team's score, and the difference leader − team with
        its interval."
        """
        own = [signal for signal in self.seen.signals if signal.person == self.leader and self._leads(signal.belongs)]
        leader = figures(own, self.from_, self.to).scores
        team = figures(self._reps_signals(self.seen.signals), self.from_, self.to).scores
        found = []
        for principle in PRINCIPLES[:-1]:
            one, other = leader[principle], team[principle]
            found.append(
                RefComparison(
                    principle,
                    one,
                    other,
                    difference(one.kept, one.breached, other.kept, other.breached),
                    self._mirroring(self._taken(principle)),
                    self._chance_baseline(self._taken(principle)),
                    self._mirroring(self._first_days(principle)),
                )
            )
        return found

    def _taken(self, principle: str) -> list[RefSignal]:
        """ "take each signal on P of a rep of T at time t." """
        drawn = [signal for signal in self.seen.drawn if signal.principle == principle and self._in_period(signal.at)]
        return self._reps_signals(drawn)

    def _first_days(self, principle: str) -> list[RefSignal]:
        """ "signals in each rep's first 90 days in T (from the first stay as rep), whatever the period, up to its
        end."
        """
        found = []
        for signal in self._reps_signals(signal for signal in self.seen.drawn if signal.principle == principle):
            starts = [stay.from_ for stay in self.seen.stays_of("rep", self.team) if stay.person == signal.person]
            in_first_days = min(starts) <= signal.at < min(starts) + 90 * DAY
            if in_first_days and signal.at < self.end:
                found.append(signal)
        return found

    def _mirroring(self, taken: list[RefSignal]) -> RefOddsRatio:
        """ "Per rep a 2 × 2 table: example (breached, kept) × verdict (breached, kept)." """
        tables: Tables = {}
        for signal in taken:
            self._count(tables, (signal.person,), self.leader, signal)
        return pooled_odds_ratio(_table(rows) for rows in tables.values())

    def _chance_baseline(self, taken: list[RefSignal]) -> RefOddsRatio:
        """ "the same with each *other* leader in L's place — whoever at t leads another team, does not lead T and is
        not the rep — a table for each rep and other leader, all pooled".
        """
        tables: Tables = {}
        for signal in taken:
            for other in sorted({stay.person for stay in self.seen.stays if stay.role == "leader"}):
                leads_another = any(
                    stay.person == other and stay.role == "leader" and stay.team != self.team and holds(stay, signal.at)
                    for stay in self.seen.stays
                )
                leads_this = self.seen.in_stay(other, "leader", self.team, signal.at)
                if leads_another and not leads_this and other not in (signal.person, self.leader):
                    self._count(tables, (signal.person, other), other, signal)
        return pooled_odds_ratio(_table(rows) for rows in tables.values())

    def _count(self, tables: Tables, stratum: tuple[str, ...], leader: str, signal: RefSignal) -> None:
        """ "L's example at t: *breached* if L has a breached signal on P in [t − 28 days, t) — whatever the period and
        stay — *kept* if L has signals on P there and none is breached, else the signal is left out. L's signals with
        the same customer (other than `public`) do not count."
        """
        there = [
            own
            for own in self.seen.drawn
            if own.person == leader
            and own.principle == signal.principle
            and signal.at - 28 * DAY <= own.at < signal.at
            and (own.customer != signal.customer or signal.customer in (None, PUBLIC))
        ]
        if there:
            breached = any(own.verdict == "breached" for own in there)
            tables.setdefault(stratum, []).append((breached, signal.verdict == "breached"))

    # --- say–do gap

    def _standards(self) -> list[RefStandard]:
        """ "for each principle L stated to T by the period's end (leading T already or not), earliest statement: L's
        score on it strictly after that to the period's end, and the gap 1 − rate. No previous."
        """
        found = []
        for principle in PRINCIPLES:
            statement = first(
                act
                for act in self.seen.all("standard.stated")
                if (act.subject, act.data["team"], act.data["principle"]) == (self.leader, self.team, principle)
                and act.time < self.end
            )
            if statement is None:
                continue
            since = [
                signal
                for signal in self.seen.signals
                if signal.person == self.leader and self._leads(signal.belongs) and signal.at > statement.time
            ]
            scored = score(since, principle, day_of(statement.time), self.to)
            gap = None if scored.n == 0 else scored.breached / scored.n
            found.append(RefStandard(principle, statement.time, scored, gap))
        return found

    # --- goading and month-end pressure

    def _getting(self) -> list[RefSignal]:
        """ "*Getting* signals (breached, on `no-pressure` or `own-goals`) of T's reps"."""
        return [
            signal
            for signal in self.seen.drawn
            if signal.verdict == "breached"
            and signal.principle in GETTING
            and self._is_rep(signal.person, signal.belongs)
        ]

    def _goading(self) -> RefRateRatio:
        """ "L's `push.directed` to T. An instant in (p, p + 14 days] of any push is *after*; otherwise one in
        [p − 14 days, p) of any push is *before*; the windows are cut by neither period nor stay, only by *as of*."
        """
        pushes = [
            act.time
            for act in self.seen.all("push.directed")
            if act.subject == self.leader and act.data["team"] == self.team and self._counts(act)
        ]

        def window(at: int) -> str | None:
            if any(p < at <= p + 14 * DAY for p in pushes):
                return "after"
            return "before" if any(p - 14 * DAY <= at < p for p in pushes) else None

        def window_between(start: int, end: int) -> str | None:
            if any(p <= start and end <= p + 14 * DAY for p in pushes):
                return "after"
            return "before" if any(p - 14 * DAY <= start and end <= p for p in pushes) else None

        edges = [p + days * DAY for p in pushes for days in (-14, 0, 14)]
        return self._ratio(window, window_between, edges, [signal.at for signal in self._getting()])

    def _month_end_pressure(self) -> RefRateRatio:
        """ "the same ratio, *after* = the last 5 days (UTC) of calendar months in the period, *before* = its other
        days."
        """
        led = [stay for stay in self.seen.stays_of("leader", self.team) if stay.person == self.leader]

        def window(at: int) -> str | None:
            if not (self._in_period(at) and self._leads(at)):
                return None
            return "after" if is_month_end(day_of(at)) else "before"

        days = list(range(self.start, self.end + DAY, DAY))
        edges = days + [edge for stay in led for edge in (stay.from_, stay.to) if edge is not None]
        # Between two edges nothing changes, so the first instant speaks for all.
        times = [signal.at for signal in self._getting()]
        return self._ratio(window, lambda start, end: window(start), edges, times)

    def _ratio(
        self,
        window: Callable[[int], str | None],
        window_between: Callable[[int, int], str | None],
        edges: list[int],
        times: list[int],
    ) -> RefRateRatio:
        """Counts and rep-days ("exact time of rep stays in the windows") of both windows, up to *as of*."""
        counts = {"before": 0, "after": 0, None: 0}
        for at in times:
            counts[window(at)] += 1
        days = {"before": 0.0, "after": 0.0, None: 0.0}
        edges = sorted({min(edge, self.seen.as_of) for edge in edges})
        for start, end in pairwise(edges):
            days[window_between(start, end)] += rep_days(self.seen.stays_of("rep", self.team), start, end)
        return rate_ratio(counts["before"], counts["after"], days["before"], days["after"])

    # --- coaching and recognition

    def _towards_reps(self, name: str) -> list[RefAct]:
        """ "Coaching and recognition of people who were reps of T then"."""
        return [
            act
            for act in self.seen.all(name)
            if act.subject == self.leader and self._counts(act) and self._is_rep(act.rep, act.time)
        ]

    def _after_coaching(self, principle: str, coached: list[RefAct]) -> RefCoachingEffect:
        """ "the coached rep's signals in the 28 days after any of L's `coaching.given` to them on it, against those in
        the 28 days before one (and after none), as a rep of T, the windows cut by neither period nor stay, only by *as
        of*".
        """
        after, before = [], []
        for signal in self.seen.drawn:
            times = [act.time for act in coached if (act.rep, act.data["principle"]) == (signal.person, principle)]
            if signal.principle != principle or not self._is_rep(signal.person, signal.belongs):
                continue
            if any(time < signal.at <= time + 28 * DAY for time in times):
                after.append(signal.verdict == "kept")
            elif any(time - 28 * DAY <= signal.at < time for time in times):
                before.append(signal.verdict == "kept")
        comparison = RefRateComparison(RefRate(sum(after), len(after)), RefRate(sum(before), len(before)))
        return RefCoachingEffect(principle, comparison)

    # --- does pushing pay

    def _attempts_to_judge(self) -> list[tuple[Relationship, Attempt]]:
        """ "attempts with a selling act whose first selling act is a rep's of T there, ended in accepted or declined by
        *as of*".
        """
        found = []
        for relationship in self.seen.relationships:
            for attempt in relationship.attempts:
                selling = first(selling_acts(attempt))
                if selling is None or not decided(attempt):
                    continue
                if self._counts(selling) and self._is_rep(selling.rep, selling.time):
                    found.append((relationship, attempt))
        return found

    def _split(
        self,
        pairs: list[tuple[Relationship, Attempt]],
        counts: Callable[[Relationship, Attempt], bool],
        kept: Callable[[Relationship, Attempt], bool],
    ) -> RefRateComparison:
        """ "of those with a *getting act* … against those without"."""
        groups: dict[bool, list[bool]] = {True: [], False: []}
        for relationship, attempt in pairs:
            if counts(relationship, attempt):
                pushed = any(self.seen.is_getting_act(relationship, act) for act in attempt.acts)
                groups[pushed].append(kept(relationship, attempt))
        return RefRateComparison(*(RefRate(sum(groups[side]), len(groups[side])) for side in (True, False)))

    def _is_old_yes(self, relationship: Relationship, attempt: Attempt) -> bool:
        """ "of the accepted ones that are 365 days old by *as of*"."""
        return accepted(attempt) and attempt.acts[-1].time + 365 * DAY <= self.seen.as_of

    # --- guides win

    def _guides(self, success: Callable[[str], float | None]) -> RefCorrelation:
        """ "each person with a rep stay in T and a guide index over the period's signals within it"; "Spearman's rank
        correlation of the index with each".
        """
        pairs = []
        for person in self.seen.persons("rep", self.team):
            index, reached = self._guide_index(person), success(person)
            if index is not None and reached is not None:
                pairs.append((float(index), reached))
        return rank_correlation(pairs)

    def _guide_index(self, person: str) -> Fraction | None:
        """§4: "A dimension is the mean of the rates of its principles with n ≥ 5, null if none; the index is the mean
        of the dimensions, null with fewer than three." In fractions, so that equal ones are ties.
        """
        drawn = [signal for signal in self.seen.drawn if signal.person == person and self._in_period(signal.at)]
        pool = self._reps_signals(drawn)
        means = []
        for principles in DIMENSIONS.values():
            rates = []
            for principle in principles:
                verdicts = [signal.verdict for signal in pool if signal.principle == principle]
                if len(verdicts) >= 5:
                    rates.append(Fraction(verdicts.count("kept"), len(verdicts)))
            if rates:
                means.append(sum(rates, Fraction(0)) / len(rates))
        return sum(means, Fraction(0)) / len(means) if len(means) >= 3 else None

    def _did_there(self, person: str, act: RefAct) -> bool:
        """An act of the person's, as a rep of T under L, within the period."""
        return act.rep == person and self._counts(act) and self._is_rep(person, act.time)

    def _acceptance(self, person: str) -> float | None:
        """ "of the attempts in which they did a selling act there and that ended by *as of* in accepted or declined,
        the share accepted".
        """
        attempts = [
            attempt
            for relationship in self.seen.relationships
            for attempt in relationship.attempts
            if decided(attempt) and any(self._did_there(person, act) for act in selling_acts(attempt))
        ]
        return share(sum(accepted(attempt) for attempt in attempts), len(attempts))

    def _repeat_customers(self, person: str) -> float:
        """ "customers with two or more `order.placed` there with them"."""
        return sum(
            len([order for order in relationship.all("order.placed") if self._did_there(person, order)]) >= 2
            for relationship in self.seen.relationships
        )

    def _referrals(self, person: str) -> float:
        """ "number of `referral.given` there with them"."""
        return sum(
            self._did_there(person, act)
            for relationship in self.seen.relationships
            for act in relationship.all("referral.given")
        )


def _table(rows: list[tuple[bool, bool]]) -> Table:
    a, b, c, d = (rows.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False)))
    return a, b, c, d


def _by_principle(acts: list[RefAct]) -> list[tuple[str, int]]:
    """ "counts per principle", those counted at least once, in the order of §3."""
    named = [act.data.get("principle") for act in acts]
    return [(principle, named.count(principle)) for principle in PRINCIPLES if principle in named]


def _ordered_again(relationship: Relationship, attempt: Attempt) -> bool:
    """ "with an `order.placed` in the relationship more than 24 h and within 365 days after"."""
    yes = attempt.acts[-1].time
    return any(yes + 24 * HOUR < order.time <= yes + 365 * DAY for order in relationship.all("order.placed"))


__all__ = ["RefExample", "Stay", "World", "examples"]

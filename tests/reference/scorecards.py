"""The reference model of memberships and scorecards: domain.md §4 written down sentence by sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from scipy.stats import beta

from tests.reference.model import (
    PRINCIPLES,
    RefAct,
    RefSignal,
    count_acts,
    in_order,
    instant_of,
    latest,
    signals,
    walk_the_talk,
)

# "Four dimensions: trust (…), partnership (…), capability (…), inquiry (…)."
DIMENSIONS = {
    "trust": ("accept-decisions", "follow-through"),
    "partnership": ("own-goals", "aim-to-serve", "right-solution"),
    "capability": ("two-way", "respect-time"),
    "inquiry": ("ask-first", "welcome-hesitation", "no-pressure"),
}


@dataclass(frozen=True)
class Stay:
    """A stay [from_, to) of a person in a team in one role, in instants; `to` is None while it lasts."""

    team: str
    person: str
    role: str
    from_: int
    to: int | None


@dataclass(frozen=True)
class RefDifference:
    """A difference of two rates with its 95 % interval; all None if either n = 0."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class RefScore:
    """One principle's figures. `trend` has a list of (first day of the bucket, kept, breached) by day, week and month.

    `signals` are newest first; those of one instant stand in the reverse of `signal_order`, which the text leaves open.
    """

    principle: str
    kept: int
    breached: int
    n: int
    not_recorded: int
    rate: float | None
    interval: tuple[float, float] | None
    evidence_level: str
    reasons: list[tuple[str, int]]
    trend: dict[str, list[tuple[date, int, int]]]
    signals: list[RefSignal]
    previous: RefScore | None = None
    change: RefDifference | None = None


@dataclass(frozen=True)
class RefGuideIndex:
    """The guide index and its dimensions."""

    value: float | None
    dimensions: dict[str, float | None]


@dataclass(frozen=True)
class RefScorecard:
    """The scores by principle, in the order of §3, and the guide index."""

    scores: dict[str, RefScore]
    guide: RefGuideIndex


# --- Membership ----------------------------------------------------------------------------------------------------


def stays(acts: Iterable[RefAct], as_of: int | None = None) -> list[Stay]:
    """All stays, sorted by team, person and start.

    "a person is in a team for stays [`team.joined`, `team.left`), each team for itself, acts taken in the order of §2.
    Joining again in the same role changes nothing, in another role ends the earlier stay; leaving ends the open stay if
    there is one; a stay without length is none."
    """
    counting, _, _ = count_acts(acts)
    found = []
    moves = [
        act for act in counting if act.name in ("team.joined", "team.left") and (as_of is None or act.time <= as_of)
    ]
    for team, person in sorted({(act.subject, act.data["person"]) for act in moves}):
        open_stay: Stay | None = None
        for act in in_order(act for act in moves if (act.subject, act.data["person"]) == (team, person)):
            joined = act.name == "team.joined"
            if joined and open_stay is not None and open_stay.role == act.data["role"]:
                continue
            if open_stay is not None:
                found.append(Stay(team, person, open_stay.role, open_stay.from_, act.time))
            open_stay = Stay(team, person, act.data["role"], act.time, None) if joined else None
        if open_stay is not None:
            found.append(open_stay)
    return [stay for stay in found if stay.to is None or stay.to > stay.from_]


def teams_below(acts: Iterable[RefAct], team: str) -> list[str]:
    """A team and all its descendants.

    "The latest `team.formed` gives name and parent; a walk up or down the tree stops at a team already met". *As of*
    does not hide `team.formed`.
    """
    counting, _, _ = count_acts(acts)
    formed = [act for act in counting if act.name == "team.formed"]
    parents = {}
    for key in {act.subject for act in formed}:
        last = latest(act for act in formed if act.subject == key)
        parents[key] = last.data.get("parent") if last is not None else None
    met = [team]
    for above in met:
        met += sorted(key for key, parent in parents.items() if parent == above and key not in met)
    return met


# --- Figures -------------------------------------------------------------------------------------------------------


def jeffreys(kept: int, breached: int) -> tuple[float, float] | None:
    """ "the 95 % Jeffreys interval (Beta(kept + ½, breached + ½) quantiles 2.5 % and 97.5 %; low is 0 when kept = 0,
    high is 1 when breached = 0; rate and interval are null when n = 0"
    """
    if kept + breached == 0:
        return None
    low = 0.0 if kept == 0 else float(beta.ppf(0.025, kept + 0.5, breached + 0.5))
    high = 1.0 if breached == 0 else float(beta.ppf(0.975, kept + 0.5, breached + 0.5))
    return low, high


def difference(kept1: int, breached1: int, kept2: int, breached2: int) -> RefDifference:
    """ "A *difference* of two rates p₁ − p₂ comes with the 95 % interval built from their Jeffreys intervals
    (Newcombe's square-and-add): d − √((p₁ − l₁)² + (u₂ − p₂)²) to d + √((u₁ − p₁)² + (p₂ − l₂)²). … Null
    if either n = 0."
    """
    one, two = jeffreys(kept1, breached1), jeffreys(kept2, breached2)
    if one is None or two is None:
        return RefDifference(None, None, None)
    p1, p2 = kept1 / (kept1 + breached1), kept2 / (kept2 + breached2)
    (l1, u1), (l2, u2) = one, two
    d = p1 - p2
    low = d - math.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    return RefDifference(d, low, d + math.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2))


def evidence_level(drawn: list[RefSignal]) -> str:
    """ "by the number of distinct customers in its signals, each signal without customer counting as one (none: 0;
    thin: < 5; fair: < 20; solid)"
    """
    customers = {signal.customer for signal in drawn if signal.customer is not None}
    number = len(customers) + sum(1 for signal in drawn if signal.customer is None)
    return "none" if number == 0 else "thin" if number < 5 else "fair" if number < 20 else "solid"


def _bucket_start(day: date, bucket: str) -> date:
    if bucket == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if bucket == "month" else day


def _day_of(instant: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)).date()


def trend(drawn: list[RefSignal], from_: date, to: date, bucket: str) -> list[tuple[date, int, int]]:
    """ "a trend by day, week (from Monday) or month (one point for each bucket that touches the period, empty ones too,
    `start` being the bucket's own first day, counting only the period's signals)"
    """
    days = [from_ + timedelta(days=number) for number in range((to - from_).days)]
    placed = [(_bucket_start(_day_of(signal.at), bucket), signal) for signal in drawn]
    points = []
    for start in sorted({_bucket_start(day, bucket) for day in days}):
        inside = [signal for own, signal in placed if own == start]
        kept = sum(1 for signal in inside if signal.verdict == "kept")
        points.append((start, kept, len(inside) - kept))
    return points


def _midnight(day: date) -> int:
    return instant_of(day.isoformat())


def score(pool: list[RefSignal], principle: str, from_: date, to: date) -> RefScore:
    """The figures of one principle over the signals of a period [from, to) in UTC dates."""
    inside = [
        signal for signal in pool if signal.principle == principle and _midnight(from_) <= signal.at < _midnight(to)
    ]
    drawn = [signal for signal in inside if signal.verdict != "not_recorded"]
    kept = sum(1 for signal in drawn if signal.verdict == "kept")
    n = len(drawn)
    counts = {signal.reason: 0 for signal in drawn}
    for signal in drawn:
        counts[signal.reason] += 1
    return RefScore(
        principle=principle,
        kept=kept,
        breached=n - kept,
        n=n,
        not_recorded=len(inside) - n,
        rate=kept / n if n else None,
        interval=jeffreys(kept, n - kept),
        evidence_level=evidence_level(drawn),
        # "reasons with counts (most frequent first, then by name)"
        reasons=sorted(counts.items(), key=lambda item: (-item[1], item[0])),
        trend={bucket: trend(drawn, from_, to, bucket) for bucket in ("day", "week", "month")},
        # "the signals themselves (newest first)"
        signals=sorted(drawn, key=lambda signal: signal.at, reverse=True),
    )


def guide_index(scores: dict[str, RefScore]) -> RefGuideIndex:
    """ "A dimension is the mean of the rates of its principles with n ≥ 5, null if none; the index is the mean of the
    dimensions, null with fewer than three."
    """
    dimensions: dict[str, float | None] = {}
    for name, principles in DIMENSIONS.items():
        rates = [scores[principle].kept / scores[principle].n for principle in principles if scores[principle].n >= 5]
        dimensions[name] = sum(rates) / len(rates) if rates else None
    there = [mean for mean in dimensions.values() if mean is not None]
    return RefGuideIndex(sum(there) / len(there) if len(there) >= 3 else None, dimensions)


# --- Scorecards ----------------------------------------------------------------------------------------------------


def belongs_to(signal: RefSignal, memberships: Iterable[Stay], teams: Iterable[str]) -> bool:
    """Whether a signal belongs to a stay with role rep of its person in one of these teams.

    "A team's scorecard pools the signals of its reps that belong to their stays with role rep; with sub-teams, those of
    all descendants too, each signal once."
    """
    wanted = set(teams)
    return any(
        stay.team in wanted
        and stay.person == signal.person
        and stay.role == "rep"
        and stay.from_ <= signal.belongs
        and (stay.to is None or signal.belongs < stay.to)
        for stay in memberships
    )


def scorecard(
    acts: Iterable[RefAct],
    *,
    person: str | None = None,
    team: str | None = None,
    from_date: date,
    to_date: date,
    as_of: int,
    include_subteams: bool = False,
    not_recorded: dict[str, set[str]] | None = None,
) -> RefScorecard:
    """The scorecard of a person or of a team (give one of them) over [from_date, to_date), UTC."""
    log = list(acts)
    stored = signals(log, not_recorded)
    # "*As of* (default now) hides what is later than it: signals, and in §4–5 every act but `team.formed`."
    pool = [signal for signal in stored + walk_the_talk(stored, log) if signal.at <= as_of]
    if team is not None:
        memberships = stays(log, as_of)
        teams = teams_below(log, team) if include_subteams else [team]
        pool = [signal for signal in pool if belongs_to(signal, memberships, teams)]
    else:
        pool = [signal for signal in pool if signal.person == person]
    return figures(pool, from_date, to_date)


def figures(pool: list[RefSignal], from_date: date, to_date: date) -> RefScorecard:
    """The scorecard of these signals over [from_date, to_date), UTC."""
    # "the previous period of equal length (which has no previous of its own) and the change since then"
    earlier = from_date - (to_date - from_date)
    scores = {}
    for principle in PRINCIPLES:
        now = score(pool, principle, from_date, to_date)
        then = score(pool, principle, earlier, from_date)
        change = difference(now.kept, now.breached, then.kept, then.breached)
        scores[principle] = RefScore(**{**vars(now), "previous": then, "change": change})
    return RefScorecard(scores, guide_index(scores))

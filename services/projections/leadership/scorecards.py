"""Scorecards: what the counts of signals amount to (domain.md §4). Pure; the counting is the read model's."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from services.projections.leadership import policy as policies
from services.projections.leadership import statistics
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Principle, Verdict

DIMENSIONS: Mapping[str, tuple[Principle, ...]] = {
    "trust": (Principle.ACCEPT_DECISIONS, Principle.FOLLOW_THROUGH),
    "partnership": (Principle.OWN_GOALS, Principle.AIM_TO_SERVE, Principle.RIGHT_SOLUTION),
    "capability": (Principle.TWO_WAY, Principle.RESPECT_TIME),
    "inquiry": (Principle.ASK_FIRST, Principle.WELCOME_HESITATION, Principle.NO_PRESSURE),
}


class EvidenceLevel(Enum):
    """How much a score rests on: distinct customers, each signal without customer counting as one."""

    NONE = "NONE"
    THIN = "THIN"
    FAIR = "FAIR"
    SOLID = "SOLID"


class ReasonCount(NamedTuple):
    """The number of signals that have this reason."""

    reason: str
    number: int


class Tally(NamedTuple):
    """The signals of one principle, counted. `customers` are distinct ones; a signal without one counts as one."""

    kept: int = 0
    breached: int = 0
    not_recorded: int = 0
    customers: int = 0
    reasons: tuple[ReasonCount, ...] = ()

    @property
    def n(self) -> int:
        """The signals: what was not recorded is none."""
        return self.kept + self.breached

    @property
    def rate(self) -> float | None:
        """kept / n, None when n = 0."""
        return statistics.rate(self.kept, self.breached)

    @property
    def interval(self) -> statistics.Interval | None:
        """The 95 % Jeffreys interval of the rate, None when n = 0."""
        return statistics.jeffreys(self.kept, self.breached)

    def since(self, previous: "Tally") -> statistics.Difference:
        """How the rate changed since the previous period."""
        return statistics.difference(self.kept, self.breached, previous.kept, previous.breached)


class GuideIndex(NamedTuple):
    """The guide index and its four dimensions; None where there are too few signals or dimensions."""

    value: float | None
    trust: float | None
    partnership: float | None
    capability: float | None
    inquiry: float | None


Card = Mapping[Principle, Tally]
"""The tallies of a scorecard; a principle that is missing has none."""

EMPTY = Tally()


def evidence_level(customers: int, evidence: policies.Evidence) -> EvidenceLevel:
    """The level that so many distinct customers make."""
    if customers == 0:
        return EvidenceLevel.NONE
    if customers < evidence.fair_customers:
        return EvidenceLevel.THIN
    return EvidenceLevel.FAIR if customers < evidence.solid_customers else EvidenceLevel.SOLID


def in_order(reasons: Mapping[str, int]) -> tuple[ReasonCount, ...]:
    """Reasons with their numbers as they are shown: the most frequent first, then by name."""
    shown = (ReasonCount(reason, number) for reason, number in reasons.items())
    return tuple(sorted(shown, key=lambda reason: (-reason.number, reason.reason)))


def tally_of(rows: Iterable[tuple[int, str, int]], customers: int) -> Tally:
    """(verdict, reason, number) of one principle, added up."""
    by_verdict = dict.fromkeys(Verdict, 0)
    reasons: dict[str, int] = defaultdict(int)
    for verdict, reason, number in rows:
        by_verdict[Verdict(verdict)] += number
        if verdict != Verdict.NOT_RECORDED:
            reasons[reason] += number
    kept, breached = by_verdict[Verdict.KEPT], by_verdict[Verdict.BREACHED]
    return Tally(kept, breached, by_verdict[Verdict.NOT_RECORDED], customers, in_order(reasons))


def guide_index(card: Card, policy: Policy) -> GuideIndex:
    """The mean of the dimensions, each the mean of the rates of its principles that have enough signals.

    Worked out in fractions, so that those which are equal on paper are equal floats: the ranks of §5 must know a tie.
    """
    needed = policy.guide_index
    means: dict[str, Fraction | None] = {}
    for dimension, principles in DIMENSIONS.items():
        tallies = [card.get(principle, EMPTY) for principle in principles]
        means[dimension] = _mean([Fraction(t.kept, t.n) for t in tallies if t.n >= needed.signals_at_least])
    there = [mean for mean in means.values() if mean is not None]
    value = _mean(there) if len(there) >= needed.dimensions_at_least else None
    return GuideIndex(_shown(value), **{name: _shown(mean) for name, mean in means.items()})


def _mean(values: Sequence[Fraction]) -> Fraction | None:
    return sum(values, Fraction()) / len(values) if values else None


def _shown(value: Fraction | None) -> float | None:
    return None if value is None else float(value)

"""Coaching and recognition: what the leader gave attention to, and what came of it (S0: "when I learned better")."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.projections.leadership.examples.rates import Rate, share
from services.projections.leadership.examples.signals import NONE, Marked, count
from services.projections.leadership.policy import Coaching as Figures
from services.projections.leadership.policy import days
from services.projections.leadership.signals import Principle
from services.projections.leadership.statistics import Difference
from services.projections.leadership.stretches import ALWAYS, Stretches, merged, overlap, without


class Coached(NamedTuple):
    """A `coaching.given` that counts."""

    rep: str
    principle: Principle
    at: int


class Recognised(NamedTuple):
    """A `recognition.given` that counts; it need not name a principle."""

    principle: Principle | None
    for_behaviour: bool


class PrincipleCount(NamedTuple):
    """How often a principle was coached, or recognised."""

    principle: Principle
    number: int


class CoachingEffect(NamedTuple):
    """How the coached kept a principle in the days after coaching, and in those before one and after none."""

    principle: Principle
    after: Rate
    before: Rate

    @property
    def difference(self) -> Difference:
        """After less before, and its interval."""
        return self.after.less(self.before)


class Windows(NamedTuple):
    """The instants after a coaching, and those before one that are after none."""

    after: Stretches
    before: Stretches


def counted(principles: Iterable[Principle | None]) -> list[PrincipleCount]:
    """How often each principle comes, those that do, in the order of §3."""
    counts = Counter(principle for principle in principles if principle is not None)
    return [PrincipleCount(principle, counts[principle]) for principle in sorted(counts)]


def behaviour_share(recognitions: Iterable[Recognised]) -> float | None:
    """The share of recognition that went to behaviour rather than results; None without any."""
    given = list(recognitions)
    return share(sum(recognised.for_behaviour for recognised in given), len(given))


def coaching_windows(
    coachings: Iterable[Coached], as_of: int, figures: Figures
) -> Mapping[tuple[str, Principle], Windows]:
    """For each rep and principle coached, when to look at the rep's signals."""
    times: dict[tuple[str, Principle], list[int]] = defaultdict(list)
    for rep, principle, at in coachings:
        times[rep, principle].append(at)
    return {by: _windows(coached, as_of, figures) for by, coached in times.items()}


def _windows(times: list[int], as_of: int, figures: Figures) -> Windows:
    seen = [(-ALWAYS, as_of + 1)]
    after = overlap(merged((at + 1, at + days(figures.after_days) + 1) for at in times), seen)
    before = overlap(merged((at - days(figures.before_days), at) for at in times), seen)
    return Windows(after, without(before, after))


def effects(windows: Mapping[tuple[str, Principle], Windows], signals: Marked) -> list[CoachingEffect]:
    """For each principle coached, how all who were coached on it kept it after and before, in the order of §3."""
    counts: dict[Principle, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (rep, principle), (after, before) in windows.items():
        marks = signals.get((rep, principle), NONE)
        found = (
            count(marks.kept, after),
            count(marks.breached, after),
            count(marks.kept, before),
            count(marks.breached, before),
        )
        counts[principle] = [one + other for one, other in zip(counts[principle], found, strict=True)]
    return [
        CoachingEffect(principle, Rate(kept, kept + breached), Rate(kept_before, kept_before + breached_before))
        for principle, (kept, breached, kept_before, breached_before) in sorted(counts.items())
    ]

"""Does pushing pay? (S0: "it rarely works"; S1: pressing undermines the outcome.)"""

from collections.abc import Iterable
from typing import NamedTuple

from services.projections.leadership.examples.rates import Rate
from services.projections.leadership.policy import Pushing as Figures
from services.projections.leadership.policy import days
from services.projections.leadership.statistics import Difference


class Outcome(NamedTuple):
    """An attempt that ended in accepted or declined; `next_order` is the first that came late enough after it."""

    accepted: bool
    pressed: bool
    ended: int
    next_order: int | None


class RateComparison(NamedTuple):
    """The rate of attempts with a getting act, and of those without one."""

    with_: Rate
    without: Rate

    @property
    def difference(self) -> Difference:
        """With less without, and its interval."""
        return self.with_.less(self.without)


class Pushing(NamedTuple):
    """Of all attempts the share accepted; of those accepted that are old enough, the share that ordered again."""

    acceptance: RateComparison
    repeat: RateComparison


def pushing(outcomes: Iterable[Outcome], as_of: int, figures: Figures) -> Pushing:
    """What came of attempts that ended by `as_of`, pressed and unpressed ones."""
    decided = list(outcomes)
    window = days(figures.repeat_days)
    old = [outcome for outcome in decided if outcome.accepted and outcome.ended + window <= as_of]
    acceptance = _compared((outcome.pressed, outcome.accepted) for outcome in decided)
    return Pushing(acceptance, _compared((outcome.pressed, _ordered_again(outcome, window)) for outcome in old))


def _ordered_again(outcome: Outcome, window: int) -> bool:
    return outcome.next_order is not None and outcome.next_order <= outcome.ended + window


def _compared(found: Iterable[tuple[bool, bool]]) -> RateComparison:
    """Of (pressed, did so)."""
    counts = {True: [0, 0], False: [0, 0]}
    for pressed, did in found:
        counts[pressed][0] += did
        counts[pressed][1] += 1
    return RateComparison(Rate(*counts[True]), Rate(*counts[False]))

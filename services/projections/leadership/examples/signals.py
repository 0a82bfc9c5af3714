"""Signals as the questions of §5 need them: sorted times by verdict, and single ones where the customer matters."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.projections.leadership.signals import Principle, Verdict
from services.projections.leadership.stretches import Stretches

Times = Sequence[int]
"""Instants in microseconds, sorted."""


class Marks(NamedTuple):
    """The times of somebody's signals on one principle."""

    breached: Times = ()
    kept: Times = ()

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.breached) + len(self.kept)


class Mark(NamedTuple):
    """One signal, of whoever and on whatever its holder says."""

    at: int
    verdict: Verdict
    customer: str | None


By = tuple[str, Principle]
"""A person, and what their signals are about."""
Marked = Mapping[By, Marks]
NONE = Marks()


def count(times: Times, stretches: Stretches) -> int:
    """How many of the times lie in the stretches."""
    return sum(bisect_left(times, to) - bisect_left(times, from_) for from_, to in stretches)

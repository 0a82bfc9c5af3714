"""Rates of what is counted, and two of them compared (domain.md §5)."""

from typing import NamedTuple

from services.projections.leadership.statistics import Difference, Interval, difference, jeffreys, rate


class Rate(NamedTuple):
    """How many of `n` did so: accepted, ordered again, kept the principle."""

    kept: int
    n: int

    @property
    def rate(self) -> float | None:
        """kept / n, None when n = 0."""
        return rate(self.kept, self.n - self.kept)

    @property
    def interval(self) -> Interval | None:
        """The 95 % Jeffreys interval of the rate (§4), None when n = 0."""
        return jeffreys(self.kept, self.n - self.kept)

    def less(self, other: "Rate") -> Difference:
        """This rate less the other one, with the interval of the difference (§4)."""
        return difference(self.kept, self.n - self.kept, other.kept, other.n - other.kept)


def share(part: int, whole: int) -> float | None:
    """part / whole, None when there is nothing to divide by."""
    return part / whole if whole else None

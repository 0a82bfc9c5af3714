"""The periods that scorecards speak of, [from, to) in UTC dates, and the buckets of a trend (domain.md §4)."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from services.kit.instants import from_date


class Bucket(Enum):
    """What a trend is cut into; a week begins on Monday."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"

    def start(self, day: date) -> date:
        """The first day of the bucket that holds the day."""
        if self is Bucket.DAY:
            return day
        return day - timedelta(days=day.weekday()) if self is Bucket.WEEK else day.replace(day=1)


class Period(NamedTuple):
    """The days [from_, to), seen at the instant `as_of` (microseconds), which hides what is later.

    With `since`, an instant of its first day, it is what comes strictly after that.
    """

    from_: date
    to: date
    as_of: int
    since: int | None = None

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.to - self.from_).days

    @property
    def start(self) -> int:
        """The instant it begins at."""
        return from_date(self.from_) if self.since is None else self.since + 1

    @property
    def end(self) -> int:
        """The instant it ends before."""
        return from_date(self.to)

    @property
    def previous(self) -> "Period":
        """The period of equal length that ends where this one begins, as of the same instant."""
        return Period(self.from_ - timedelta(days=self.days), self.from_, self.as_of)


class TrendPoint(NamedTuple):
    """What was kept and breached in the bucket that begins at `start`, counting the period's signals alone."""

    start: date
    kept: int
    breached: int


class Days(NamedTuple):
    """On which day each signal is, by verdict and in any order: the number of the day, the period's first being 0."""

    kept: Sequence[int] = ()
    breached: Sequence[int] = ()


NO_DAYS = Days()


def trend(period: Period, bucket: Bucket, days: Days) -> list[TrendPoint]:
    """A point for each bucket that touches the period, empty ones too."""
    starts, bucket_of = _buckets(period.from_, period.days, bucket)
    kept, breached = [0] * len(starts), [0] * len(starts)
    for number in days.kept:
        kept[bucket_of[number]] += 1
    for number in days.breached:
        breached[bucket_of[number]] += 1
    # The named tuple's own constructor is a function of Python: a heat map makes 16,000 points.
    return list(map(tuple.__new__, repeat(TrendPoint), zip(starts, kept, breached, strict=True)))


@lru_cache(maxsize=64)
def _buckets(first: date, days: int, bucket: Bucket) -> tuple[list[date], list[int]]:
    """The starts of the buckets that these days touch, and for each day which of them it is in."""
    starts: list[date] = []
    bucket_of: list[int] = []
    for number in range(days):
        start = bucket.start(first + timedelta(days=number))
        if not starts or starts[-1] != start:
            starts.append(start)
        bucket_of.append(len(starts) - 1)
    return starts, bucket_of

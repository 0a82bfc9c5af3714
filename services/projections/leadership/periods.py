"""The periods that scorecards speak of, [from, to) in UTC dates, and the buckets of a trend (domain.md §4)."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
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
    """A point for each bucket that touches the period, empty ones too.

    Equal points are one object, mostly: a heat map over a year has 16,000, of which few differ.
    """
    empty, bucket_of = _buckets(period.from_, period.days, bucket)
    counts: dict[int, list[int]] = {}
    for place, numbers in enumerate(days):
        for number in numbers:
            counts.setdefault(bucket_of[number], [0, 0])[place] += 1
    points = empty.copy()
    for number, (kept, breached) in counts.items():
        points[number] = _point(points[number].start, kept, breached)
    return points


@lru_cache(maxsize=16384)
def _point(start: date, kept: int, breached: int) -> TrendPoint:
    return TrendPoint(start, kept, breached)


@lru_cache(maxsize=64)
def _buckets(first: date, days: int, bucket: Bucket) -> tuple[list[TrendPoint], list[int]]:
    """The buckets that these days touch, with nothing in them, and for each day which of them it is in."""
    buckets: list[TrendPoint] = []
    bucket_of: list[int] = []
    for number in range(days):
        start = bucket.start(first + timedelta(days=number))
        if not buckets or buckets[-1].start != start:
            buckets.append(TrendPoint(start, 0, 0))
        bucket_of.append(len(buckets) - 1)
    return buckets, bucket_of

"""The office's calendar: when people work, and when a month ends."""

from datetime import UTC, date, datetime, timedelta
from random import Random

MONTH_END_DAYS = 5


def office_time(at: datetime, rng: Random) -> datetime:
    """A time in office hours (08:00–17:00 UTC) of the day of `at`, or of the Monday after it at a weekend."""
    day = at.date()
    if day.weekday() >= 5:
        day += timedelta(days=7 - day.weekday())
    minute = rng.randrange(8 * 60, 17 * 60)
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, rng.randrange(60), tzinfo=UTC)


def month_end_begins(day: date) -> date:
    """The first of the last five days of the calendar month that `day` is in."""
    next_month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return next_month - timedelta(days=MONTH_END_DAYS)

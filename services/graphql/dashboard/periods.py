"""The period of a page, from its address: a week, month, quarter or year, or any days; all days are UTC.

`period` names the kind and `on` a day in it; `first` and `last` are the days of a free one. A period that has not ended
ends with today, so that it is compared with as many days before it. No clock: today is an argument.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from services.kit.errors import Invalid

Kind = Literal["week", "month", "quarter", "year", "free"]
KINDS: tuple[Kind, ...] = ("week", "month", "quarter", "year", "free")
DEFAULT: Kind = "quarter"
SETTLED = timedelta(days=14)  # without a day the quarter of a fortnight ago: one that has just begun shows nothing
PARAMETERS = ("period", "on", "first", "last")
DAYS_BY_DAY, DAYS_BY_WEEK = 31, 190  # the longest periods whose trend goes by day, and by week
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both in it. `whole_last` is where it ends once it is over."""

    kind: Kind
    first: date
    last: date
    whole_last: date

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.last < self.whole_last

    @property
    def bucket(self) -> str:
        """What a trend over it is cut into."""
        return "DAY" if self.days <= DAYS_BY_DAY else "WEEK" if self.days <= DAYS_BY_WEEK else "MONTH"

    @property
    def variable(self) -> dict[str, str]:
        """The period as documents take it: [from, to)."""
        return {"from": self.first.isoformat(), "to": (self.last + _DAY).isoformat()}

    @property
    def parameters(self) -> dict[str, str]:
        """The same as a page's address has it."""
        if self.kind == "free":
            return {"period": "free", "first": self.first.isoformat(), "last": self.last.isoformat()}
        return {"period": self.kind, "on": self.first.isoformat()}

    @property
    def name(self) -> str:
        """What people call it."""
        match self.kind:
            case "month":
                return f"{self.first:%B %Y}"
            case "quarter":
                return f"Q{(self.first.month + 2) // 3} {self.first.year}"
            case "year":
                return f"{self.first.year}"
            case "week":
                return f"Week {self.first.isocalendar().week}, {self.first.isocalendar().year}"
            case _:
                return f"{said(self.first)} – {said(self.last)}"

    @property
    def before(self) -> str:
        """What it is compared with: as many days right before it."""
        return f"{said(self.first - timedelta(days=self.days))} – {said(self.first - _DAY)}"


def said(day: date) -> str:
    """A day as people write it."""
    return f"{day.day} {day:%b %Y}"


def period_of(asked: Mapping[str, str], today: date) -> Period:
    """The period that an address asks for. Raises Invalid."""
    if "first" in asked or "last" in asked:
        first, last = _day(asked, "first"), _day(asked, "last")
        if asked.get("period", "free") == "free":
            if first > last:
                raise Invalid("the first day of a period is not after its last")
            return Period("free", first, last, last)
    kind = asked.get("period", DEFAULT)
    if kind not in KINDS or kind == "free":
        raise Invalid(f"there is no period {kind}: there are {', '.join(KINDS)}, the last by its first and last day")
    return _around(kind, _day(asked, "on") if asked.get("on") else today - SETTLED * ("period" not in asked), today)


def of_kind(kind: Kind, period: Period, today: date) -> Period:
    """The period of another kind about the end of this one."""
    return _around(kind, min(period.last, today), today)


def neighbours(period: Period, today: date) -> tuple[Period | None, Period | None]:
    """The one before and the one after; None after the one that is running, and where the calendar ends."""
    try:
        before = _shifted(period, period.first - _DAY, today)
    except (OverflowError, ValueError):
        before = None
    after = None if period.whole_last >= today else _shifted(period, period.whole_last + _DAY, today)
    return before, after


def _shifted(period: Period, day: date, today: date) -> Period:
    """The neighbour that holds the day; of a free period the one as long."""
    if period.kind != "free":
        return _around(period.kind, day, today)
    length = timedelta(days=period.days - 1)
    first, last = (day, day + length) if day > period.last else (day - length, day)
    return Period("free", first, last, last)


def _around(kind: Kind, day: date, today: date) -> Period:
    """The week, month, quarter or year of a day, up to today where it has not ended. Raises Invalid."""
    try:
        match kind:
            case "week":
                first = day - timedelta(days=day.weekday())
                after = first + timedelta(days=7)
            case "month":
                first = day.replace(day=1)
                after = _months_on(first, 1)
            case "quarter":
                first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
                after = _months_on(first, 3)
            case _:
                first = day.replace(month=1, day=1)
                after = _months_on(first, 12)
    except (OverflowError, ValueError) as error:
        raise Invalid("the calendar has no such period") from error
    last = after - _DAY
    return Period(kind, first, min(last, max(today, first)), last)


def _months_on(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return first.replace(year=year, month=month + 1)


def _day(asked: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(asked.get(name, ""))
    except ValueError as error:
        raise Invalid(f"`{name}` is a day such as 2026-03-31") from error

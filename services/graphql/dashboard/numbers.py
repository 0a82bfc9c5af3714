"""Numbers as people read them, in one place for sentences, tables and charts.

Rounding never says more than the figure: 99.6 % is not "100 %", and 0.2 % is not "0 %". A number and its unit are held
together by a space that does not break.
"""

from datetime import UTC, date, datetime

from services.graphql.dashboard.answers import Interval

SPACE = "\u00a0"
MINUS = "\u2212"
NOTHING = "\u2013"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def percent(share: float | None) -> str:
    """A share from 0 to 1: "84 %"; "<1 %" and ">99 %" where rounding would say none or all; a dash for None."""
    if share is None:
        return NOTHING
    rounded = round(100 * share)
    if rounded == 0 and share > 0:
        return f"<1{SPACE}%"
    if rounded == 100 and share < 1:
        return f">99{SPACE}%"
    return f"{rounded}{SPACE}%"


def points(difference: float) -> str:
    """A difference of two rates in percentage points, without a sign: "12 points"."""
    rounded = round(100 * abs(difference))
    if rounded == 0 and difference:
        return f"less than 1{SPACE}point"
    return f"{rounded}{SPACE}point{'' if rounded == 1 else 's'}"


def signed_points(difference: float | None) -> str:
    """A difference of two rates as a cell: "+12", "−3", "0"; a dash for None."""
    if difference is None:
        return NOTHING
    rounded = round(100 * difference)
    if rounded == 0:
        return "0"
    return f"+{rounded}" if rounded > 0 else f"{MINUS}{-rounded}"


def times(ratio: float | None) -> str:
    """A ratio with two digits that count: "0.38", "2.3", "14"; near 1 as many as tell it from 1; a dash for None."""
    if ratio is None:
        return NOTHING
    if ratio >= 1000:
        return "over 1,000"
    if ratio >= 9.95:
        return f"{ratio:.0f}"
    if 0.95 <= ratio < 1.05 and ratio != 1:
        near = f"{ratio:.2f}"
        return f"{ratio:.3f}" if near == "1.00" else near
    if ratio >= 0.995:
        return f"{ratio:.1f}"
    if ratio >= 0.005:
        return f"{ratio:.2f}"
    return "under 0.01" if ratio else "0"


def correlation(value: float | None) -> str:
    """A correlation from -1 to 1, signed: "+0.76", "−0.20"; a dash for None."""
    if value is None:
        return NOTHING
    rounded = round(value, 2)
    if rounded == 0:
        return "0.00"
    return f"{'+' if rounded > 0 else MINUS}{abs(rounded):.2f}"


def percents(interval: Interval | None) -> str:
    """The ends of an interval of a rate: "71 % to 92 %"; a dash for None."""
    return NOTHING if interval is None else f"{percent(interval.low)} to {percent(interval.high)}"


def many(count: float, one: str, more: str | None = None) -> str:
    """A count with its noun: "1 signal", "1,204 signals"."""
    word = one if count == 1 else more or f"{one}s"
    return f"{count:,.0f}{SPACE}{word}"


def day(when: date | datetime) -> str:
    """A day: "1 March 2026"; an instant's day is that of UTC."""
    shown = when.astimezone(UTC).date() if isinstance(when, datetime) else when
    return f"{shown.day}{SPACE}{_MONTHS[shown.month - 1]} {shown.year}"


def short_day(when: date | datetime) -> str:
    """A day in little room: "1 Mar 2026"; an instant's day is that of UTC."""
    shown = when.astimezone(UTC).date() if isinstance(when, datetime) else when
    return f"{shown.day}{SPACE}{_MONTHS[shown.month - 1][:3]} {shown.year}"


def month(when: date) -> str:
    """A month in little room: "Mar"."""
    return _MONTHS[when.month - 1][:3]

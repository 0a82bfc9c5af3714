"""Instants as whole microseconds since the Unix epoch (UTC), and their RFC 3339 form.

Inside Exemplar an instant is an `int`: exact, ordered, the same in Python, SQLite and PostgreSQL.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_MICROSECOND = timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:([Zz])|([+-])(\d{2}):(\d{2}))", re.ASCII
)


def now() -> int:
    """The instant of the call, by the machine's clock."""
    return from_datetime(datetime.now(UTC))


def from_datetime(moment: datetime) -> int:
    """The instant of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(instant: int) -> datetime:
    """The aware datetime (UTC) of an instant. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=instant)


def from_date(day: date) -> int:
    """00:00 UTC of the day."""
    return (day.toordinal() - _EPOCH_ORDINAL) * DAY


def to_date(instant: int) -> date:
    """The UTC date that holds the instant."""
    return date.fromordinal(instant // DAY + _EPOCH_ORDINAL)


def parse_rfc3339(text: str) -> int:
    """The instant of an RFC 3339 date-time with offset; digits finer than a microsecond are cut.

    Raises ValueError for anything else, a leap second and instants outside the years 1 to 9999 (UTC) among them.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 date-time with an offset, such as 2026-03-01T09:30:00Z")
    year, month, day, hour, minute, second, fraction, _, sign, hours, minutes = match.groups()
    if second == "60":
        raise ValueError("a leap second cannot be kept: send the second before or after it")
    zone = UTC
    if sign is not None:
        if int(hours) > 23 or int(minutes) > 59:
            raise ValueError("the offset is not between -23:59 and +23:59")
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        zone = timezone(-offset if sign == "-" else offset)
    microsecond = int((fraction or "")[:6].ljust(6, "0"))
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond, zone)
    try:
        return from_datetime(moment.astimezone(UTC))
    except OverflowError as error:
        raise ValueError("the instant lies outside the years 1 to 9999") from error


def format_rfc3339(instant: int) -> str:
    """The RFC 3339 form in UTC, with as many digits as the instant needs: `2026-03-01T09:30:00Z`."""
    return to_datetime(instant).isoformat().removesuffix("+00:00") + "Z"

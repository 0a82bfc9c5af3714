"""The scalars of the contract: dates, and instants as whole microseconds (`services.kit.instants`)."""

import re
from datetime import date
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from services.kit.instants import format_rfc3339, parse_rfc3339

Date = NewType("Date", date)
DateTime = NewType("DateTime", int)
JSON = NewType("JSON", object)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _parse_date(value: object) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise GraphQLError(f"there is no such date: {error}") from error
    raise GraphQLError("a Date is written like 2026-03-01")


def _parse_instant(value: object) -> int:
    try:
        return parse_rfc3339(value if isinstance(value, str) else "")
    except ValueError as error:
        raise GraphQLError(f"a DateTime must be RFC 3339 with an offset: {error}") from error


SCALARS: dict[object, ScalarDefinition] = {
    Date: strawberry.scalar(
        name="Date", description="A date, UTC: 2026-03-01", serialize=date.isoformat, parse_value=_parse_date
    ),
    DateTime: strawberry.scalar(
        name="DateTime",
        description="An instant, RFC 3339 with an offset: 2026-03-01T09:30:00Z",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=format_rfc3339,
        parse_value=_parse_instant,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}

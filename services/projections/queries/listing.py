"""A list of rows as a table of a statement: how a query is asked for many keys at once.

The rows travel as one JSON parameter, so that the statement is the same, and as quickly prepared, for any
number of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, Subquery, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

Columns = Mapping[str, TypeEngine[Any]]
INTEGER = BigInteger()
TEXT = Text()


def listed(connection: Connection, columns: Columns, rows: Iterable[Sequence[object]]) -> Subquery:
    """A table with these columns and rows; one of the places where the two dialects differ."""
    parameter = bindparam(None, msgspec.json.encode(list(rows)).decode(), type_=Text)
    if connection.dialect.name == "postgresql":
        elements = func.jsonb_array_elements(cast(parameter, JSONB)).table_valued(column("value", JSONB))
        values = [
            _typed(elements.c.value[place].astext, kind).label(name)
            for place, (name, kind) in enumerate(columns.items())
        ]
    else:
        elements = func.json_each(parameter).table_valued("value")
        values = [
            func.json_extract(elements.c.value, f"$[{i}]", type_=kind).label(name)
            for i, (name, kind) in enumerate(columns.items())
        ]
    return select(*values).select_from(elements).subquery()


def _typed(text: ColumnElement[str], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """A member of a JSON array in PostgreSQL, compared as the columns of our tables are."""
    return text.collate("C") if kind is TEXT else cast(text, kind)


def keys(connection: Connection, wanted: Iterable[str]) -> Subquery:
    """A table of one column, `key`."""
    return listed(connection, {"key": TEXT}, ([key] for key in wanted))

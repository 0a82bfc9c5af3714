"""A list of rows as a table of a statement: how a query is asked for many keys at once.

The rows travel as one JSON parameter, so that the statement is the same, and as quickly prepared, for any
number of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

Columns = Mapping[str, TypeEngine[Any]]
INTEGER = BigInteger()
TEXT = Text()


def listed(connection: Connection, columns: Columns, rows: Iterable[Sequence[object]]) -> CTE:
    """A table with these columns and rows."""
    return _table(connection.dialect.name, columns, bindparam(None, as_json(rows), type_=Text))


def parameter_table(dialect: str, columns: Columns, name: str) -> CTE:
    """A table with these columns and the rows of the parameter `name` (`as_json`), for a statement that is kept."""
    return _table(dialect, columns, bindparam(name, type_=Text))


def as_json(rows: Iterable[Sequence[object]]) -> str:
    """Rows as the parameter that a statement takes."""
    return msgspec.json.encode(list(rows)).decode()


def _table(dialect: str, columns: Columns, parameter: BindParameter[str]) -> CTE:
    """One of the places where the two dialects differ."""
    if dialect == "postgresql":
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
    # Otherwise SQLite reads a value out of the JSON again for each row that it is compared with.
    return select(*values).select_from(elements).cte().prefix_with("MATERIALIZED")


def _typed(text: ColumnElement[str], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """A member of a JSON array in PostgreSQL, compared as the columns of our tables are."""
    return text.collate("C") if kind is TEXT else cast(text, kind)


def json_columns(dialect: str, *columns: ColumnElement[Any]) -> ColumnElement[str]:
    """The rows of a subquery as the text of a JSON array, an array for each column; null or empty ones without any."""
    if dialect == "postgresql":
        filled = func.count() > 0
        return cast(case((filled, func.json_build_array(*(func.json_agg(column) for column in columns)))), Text)
    return func.json_array(*(func.json_group_array(column) for column in columns))


def keys(connection: Connection, wanted: Iterable[str]) -> CTE:
    """A table of one column, `key`."""
    return listed(connection, {"key": TEXT}, ([key] for key in wanted))

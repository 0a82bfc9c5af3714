"""Checking the live model against its log: fold the log aside, up to where the model is, and compare row by row.

The state after any history of faults must equal the state of a clean rebuild (architecture.md, *The fold*).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from services.kit.database import drop_area, open_engine, reading
from services.projections.projector import positions_of
from services.projections.rebuild import Listener, Source, build
from services.projections.stores import Stores, check_built, check_ends, prepare
from services.projections.tables import (
    acts,
    dead_letters,
    dealings,
    decided,
    entities,
    memberships,
    names,
    signals,
    standards,
    teams,
)

AREA = "verify"
COMPARED = (acts, signals, memberships, teams, standards, names, dealings, decided, entities, dead_letters)
SHOWN = 20  # differences of each table
_ROWS_AT_ONCE = 2_000
_Row = tuple[Any, ...]


class Difference(NamedTuple):
    """A row that is not as the log says, by table and primary key; None stands where there is no such row."""

    table: str
    key: tuple[Any, ...]
    found: tuple[Any, ...] | None
    expected: tuple[Any, ...] | None


class Verified(NamedTuple):
    """What was compared: `different` rows in all, of which `differences` holds the first SHOWN of each table."""

    rows: int
    different: int
    differences: list[Difference]

    @property
    def equal(self) -> bool:
        """Whether the model is what its log says."""
        return self.different == 0


def verify(stores: Stores, source: Source, on_progress: Listener = lambda progress: None) -> Verified:
    """Fold the log aside up to the live model's positions, compare, and remove what was folded.

    Raises Misconfigured or Corrupt if the model was built on something else, Conflict while a rebuild is running.
    """
    live = stores.model()
    with stores.rebuilding():
        drop_area(stores.url, AREA)
        aside = open_engine(stores.url, AREA)
        try:
            prepare(aside, AREA, source.built)
            aside.dispose()
            with reading(live) as found:
                check_built(found, source.built)
                until = positions_of(found)
                check_ends(until, source.log.ends())
                build(stores.url, AREA, source, until, on_progress)
                with reading(aside) as expected:
                    return compare(found, expected)
        finally:
            aside.dispose()
            drop_area(stores.url, AREA)


def compare(found: Connection, expected: Connection) -> Verified:
    """Compare two models, table by table."""
    rows = different = 0
    differences: list[Difference] = []
    for table in COMPARED:
        shown = 0
        for found_row, expected_row in _pairs(table, found, expected):
            rows += 1
            if found_row == expected_row:
                continue
            different += 1
            shown += 1
            if shown <= SHOWN:
                key = _key(table, found_row or expected_row or ())
                differences.append(Difference(table.name, key, found_row, expected_row))
    return Verified(rows, different, differences)


def _pairs(table: Table, found: Connection, expected: Connection) -> Iterator[tuple[_Row | None, _Row | None]]:
    """The rows of both in the order of their keys, those of the same key together."""
    ours, theirs = _rows(table, found), _rows(table, expected)
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        if other is None or (one is not None and _key(table, one) < _key(table, other)):
            yield one, None
            one = next(ours, None)
        elif one is None or _key(table, other) < _key(table, one):
            yield None, other
            other = next(theirs, None)
        else:
            yield one, other
            one, other = next(ours, None), next(theirs, None)


def _rows(table: Table, connection: Connection) -> Iterator[_Row]:
    query = select(table).order_by(*table.primary_key).execution_options(yield_per=_ROWS_AT_ONCE)
    return map(tuple, connection.execute(query))


def _key(table: Table, row: _Row) -> _Row:
    return row[: len(table.primary_key)]

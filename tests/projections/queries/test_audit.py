"""The audit log as it is asked for: newest first, by whom it concerns, who did it, what it is and when."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from services.events.leaves import Leaf
from services.events.log.sqlite import SqliteReader
from services.kit.database import reading
from services.kit.errors import Invalid
from services.kit.instants import SECOND
from services.projections.audit.merkle import leaf_hash, root_by_inclusion
from services.projections.audit.notes import parse_checkpoint
from services.projections.audit.reading import prove
from services.projections.queries.audit import (
    AuditFilter,
    audit_cursor,
    find_entry,
    list_entries,
    read_audit_cursor,
)
from services.projections.queries.audit_export import export
from tests.projections.audit.trees import Tree


@pytest.fixture
def tree(tree_url: URL, tmp_path: Path) -> Iterator[Tree]:
    """Six records, a read of two persons' cards, and a key."""
    made = Tree(tmp_path, tree_url)
    one = made.sequencer()
    one.step()  # nothing is there: what comes is taken as it comes
    for number in range(6):
        made.append(f"c-{number % 2}")
        made.clock.advance(SECOND)
    made.add(Leaf("read", made.clock(), "ana", ["rik", "c-0"], {"what": ["card"]}))
    made.add(Leaf("key.created", made.clock(), "cli", [], {"name": "crm"}))
    while one.step():
        pass
    yield made
    made.close()


def test_a_list_is_newest_first_in_pages(tree: Tree) -> None:
    """Pages go back from the newest entry to the first, and the last page says that no more follow."""
    seen: list[int] = []
    cursor: str | None = None
    while True:
        with reading(tree.audit) as connection:
            page = list_entries(connection, AuditFilter(), 3, read_audit_cursor(cursor))
        assert page.after == (cursor is not None)
        seen += [row.number for row in page.rows]
        if not page.more:
            break
        cursor = audit_cursor(page.rows[-1])
    assert seen == [7, 6, 5, 4, 3, 2, 1, 0]
    with pytest.raises(Invalid):
        read_audit_cursor("nothing")


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (AuditFilter(subject="c-0"), [6, 4, 2, 0]),
        (AuditFilter(subject="rik"), [6]),
        (AuditFilter(subject="nobody"), []),
        (AuditFilter(actor="crm"), [5, 4, 3, 2, 1, 0]),
        (AuditFilter(actor="ana"), [6]),
        (AuditFilter(types=["read", "key.created"]), [7, 6]),
        (AuditFilter(types=["t"], subject="c-1"), [5, 3, 1]),
        (AuditFilter(types=[]), []),
    ],
)
def test_filters_find_what_they_say(tree: Tree, wanted: AuditFilter, numbers: list[int]) -> None:
    """A subject is found where it is one of several, too; types are those of acts, and kinds of the rest."""
    with reading(tree.audit) as connection:
        assert [row.number for row in list_entries(connection, wanted, 100).rows] == numbers


def test_records_are_found_by_their_places(tree: Tree) -> None:
    """By partition and offset together, and none where no place is named."""
    with reading(tree.audit) as connection:
        wanted = [row for row in list_entries(connection, AuditFilter(), 100).rows if row.number in (1, 4)]
        places = [row.place for row in wanted if row.place is not None]
        assert [row.number for row in list_entries(connection, AuditFilter(places=places), 100).rows] == [4, 1]
        assert list_entries(connection, AuditFilter(places=[]), 100).rows == []


def test_times_are_those_at_which_it_was_recorded(tree: Tree) -> None:
    """From an instant on, and before another."""
    with reading(tree.audit) as connection:
        rows = list_entries(connection, AuditFilter(), 100).rows
        from_, to = rows[-3].at, rows[-5].at
        found = list_entries(connection, AuditFilter(from_=from_, to=to), 100).rows
    assert [row.number for row in found] == [3, 2]


def test_an_entry_is_proven(tree: Tree) -> None:
    """The hashes of its proof lead from its leaf hash to the root of the checkpoint."""
    with reading(tree.audit) as connection:
        row, proof = find_entry(connection, 6), prove(connection, 6)
        assert find_entry(connection, 8) is None
    assert row is not None
    checkpoint = parse_checkpoint(proof.checkpoint)
    assert row.leaf_hash == leaf_hash(row.entry)
    assert root_by_inclusion(row.leaf_hash, 6, checkpoint.size, proof.hashes) == checkpoint.root
    assert (row.kind, row.actor, row.subject, row.place) == ("read", "ana", None, None)
    assert row.document is not None
    assert b'"subjects":["rik","c-0"]' in row.document


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 3), (0, 9)])
def test_there_is_no_export_of_no_range(tree: Tree, start: int, end: int) -> None:
    """A range that the tree has not is refused."""
    log = tree.log.reader()
    assert isinstance(log, SqliteReader)
    with pytest.raises(Invalid, match="no such range"):
        list(export(tree.audit, log, AuditFilter(), start, end))

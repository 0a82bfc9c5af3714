"""Checking the whole tree: tampering with what the tree is found by and counted by, beside it."""

from collections.abc import Sequence

import pytest
from sqlalchemy import delete, text

from services.events.leaves import Leaf
from services.kit.database import reading, writing
from services.kit.instants import SECOND
from services.projections.audit.checking import check_tree
from services.projections.audit.reading import latest_checkpoint
from services.projections.audit.tables import positions
from tests.projections.audit.trees import OURS, Tree


def grown(tree: Tree) -> str:
    """Fill the tree, which holds an act and a read of two afterwards; the checkpoint from before."""
    one = tree.sequencer()
    while one.step():
        pass
    with reading(tree.audit) as connection:
        first = latest_checkpoint(connection)
    tree.append("c-1")
    tree.add(Leaf("read", 7, "ana", ["rik", "sam"]))
    while one.step():
        pass
    return first


def faults_of(tree: Tree) -> Sequence[str]:
    """What the check finds a minute later, without copies of checkpoints."""
    now = tree.clock() + 60 * SECOND
    return check_tree(tree.audit, tree.log.reader(), [OURS.verifier], [], now).told


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DELETE FROM concerned WHERE subject = 'sam'", "is not found by all"),
        ("UPDATE entries SET entry = CAST(replace(entry, 'offset', x'ef') AS BLOB) WHERE kind = 'act'", "commit"),
    ],
)
def test_what_was_changed_is_told(sqlite_tree: Tree, statement: str, fault: str) -> None:
    """A search that would leave an entry out is a fault, and so is an entry that is no text."""
    grown(sqlite_tree)
    assert faults_of(sqlite_tree) == []
    with writing(sqlite_tree.audit) as connection:
        connection.execute(text(statement))
    assert any(fault in told for told in faults_of(sqlite_tree))


def test_the_first_checkpoint_again_is_told(sqlite_tree: Tree) -> None:
    """The signed tree of no entries, put back over entries, is a fault also where no copy is kept."""
    first = grown(sqlite_tree)
    with writing(sqlite_tree.audit) as connection:
        connection.execute(text("UPDATE tree SET checkpoint = :note"), {"note": first})
    assert any("behind the last one" in told for told in faults_of(sqlite_tree))


def test_a_partition_left_out_is_told(tree: Tree) -> None:
    """Records of a partition that the tree has no place in are missing from it."""
    grown(tree)
    assert faults_of(tree) == []
    with writing(tree.audit) as connection:
        connection.execute(delete(positions))
    (place,) = tree.append("c-2")
    assert any(f"lacks the record at {place.partition}:" in told for told in faults_of(tree))

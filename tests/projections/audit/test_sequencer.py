"""Numbering: everything once, in order, through every fault, and never two trees under one name."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from re import fullmatch
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import URL, delete, select, update

from services.events.leaves import Leaf, leaves
from services.events.log.protocol import LogReader, Position
from services.kit.database import reading, writing
from services.kit.errors import Corrupt, Misconfigured, Unavailable
from services.projections.audit import checking, notes, sequencer
from services.projections.audit.copies import FolderCopies
from services.projections.audit.notes import Signer
from services.projections.audit.reading import latest_checkpoint
from services.projections.audit.sequencer import Signing, Things, TreeStatus
from services.projections.audit.tables import concerned, documents, entries, positions, tiles
from services.projections.audit.tables import tree as tree_table
from tests.projections.audit.trees import NEXT, ORIGIN, OTHER, OURS, Tree
from tests.waiting import wait_until

STEPS = ["read", "begun", "written", "committed", "forgotten", "kept"]
READ = Leaf("read", 7, "ana", ["rik", "sam"], {"what": ["card"]})


class Killed(BaseException):
    """What ends a process at a step."""


def killing(at: str, after: int = 0) -> Callable[[str], None]:
    """Ends a sequencer at a step, when it comes there for the time after so many."""
    left = [after]

    def at_step(step: str) -> None:
        if step == at:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

    return at_step


def drained(one: sequencer.Sequencer) -> None:
    """Number all there is."""
    while one.step():
        pass


def test_what_is_there_is_taken_by_partition_and_offset(tree: Tree) -> None:
    """A tree that is begun on a log which has records takes them a partition at a time, in the order of offsets."""
    places = tree.append(*(f"c-{number}" for number in range(40)))
    one = tree.sequencer(batch=7)
    assert tree.checked().size == 0
    drained(one)
    assert tree.places() == sorted((place.partition, place.offset) for place in places)
    assert tree.checked().size == 40


def test_what_comes_is_taken_in_the_order_of_its_coming(tree: Tree) -> None:
    """Once it has what was there, a tree takes records as the log took them in, whichever their partition."""
    one = tree.sequencer()
    drained(one)
    expected = []
    for number in range(30):
        (place,) = tree.append(f"c-{number}")
        expected.append((place.partition, place.offset))
        tree.clock.advance(1)
    drained(one)
    assert tree.places() == expected
    assert tree.checked().size == 30


def test_what_is_no_act_is_taken_with_its_document(tree: Tree) -> None:
    """Leaves become entries that are found by whom they concern, and are taken away from where they waited."""
    one = tree.sequencer()
    tree.add(READ, Leaf("key.created", 8, "cli", [], {"name": "crm"}))
    tree.vault.destroy(["rik"])
    drained(one)
    assert tree.kinds() == ["read", "key.created", "erasure"]
    with reading(tree.audit) as connection:
        found = connection.execute(select(concerned).order_by(concerned.c.subject)).all()
        assert [tuple(row) for row in found] == [("rik", 0), ("sam", 0)]
        assert connection.scalar(select(entries.c.subject).where(entries.c.kind == "erasure")) == "rik"
        assert len(connection.execute(select(documents)).all()) == 3
    with reading(tree.control) as connection:
        assert connection.execute(select(leaves)).all() == []
    assert tree.checked().size == 3


def test_an_erasure_is_taken_once(tree: Tree) -> None:
    """That a key is destroyed again, or a sequencer begins anew, adds no entry."""
    tree.vault.destroy(["rik"])
    drained(tree.sequencer())
    tree.vault.destroy(["rik", "sam"])
    drained(tree.sequencer())
    drained(tree.sequencer())
    assert tree.kinds() == ["erasure", "erasure"]


def test_a_vault_that_is_away_keeps_no_act_waiting(sqlite_tree: Tree) -> None:
    """While nobody can say who was erased, all else gets its number, and the erasure gets it afterwards."""

    def away() -> list[tuple[str, int]]:
        raise Unavailable("the vault is away")

    sqlite_tree.append("c-1")
    sqlite_tree.vault.destroy(["rik"])
    things = Things(sqlite_tree.log.reader(), sqlite_tree.control, away)
    copies = FolderCopies(sqlite_tree.copies)
    one = sequencer.Sequencer(sqlite_tree.audit, things, Signing(ORIGIN, [OURS]), copies, sqlite_tree.clock)
    one.take_over()
    drained(one)
    assert sqlite_tree.kinds() == ["act"]
    drained(sqlite_tree.sequencer())
    assert sqlite_tree.kinds() == ["act", "erasure"]


def test_a_record_that_calls_itself_an_erasure_is_none(sqlite_tree: Tree) -> None:
    """Whatever type a record names that came past the ingress, who is erased gets the entry of it."""
    sqlite_tree.append("rik", value=b'{"type":"erasure","subject":"rik"}')
    drained(sqlite_tree.sequencer())
    sqlite_tree.vault.destroy(["rik"])
    drained(sqlite_tree.sequencer())
    assert sqlite_tree.kinds() == ["act", "erasure"]


def test_nothing_new_changes_nothing(tree: Tree) -> None:
    """Without anything new no checkpoint is signed, whoever looks and however often."""
    tree.append("c-1")
    one = tree.sequencer()
    drained(one)
    with reading(tree.audit) as connection:
        before = latest_checkpoint(connection)
    drained(one)
    drained(tree.sequencer())
    with reading(tree.audit) as connection:
        assert latest_checkpoint(connection) == before


def number_for_ever(tree: Tree, at_step: Callable[[str], None]) -> None:
    """Number, in small batches, while there is always more."""
    one = tree.sequencer(batch=9, at_step=at_step)
    while True:
        one.step()
        tree.add(READ)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [0, 2])
def test_killed_at_any_step_it_goes_on(tree: Tree, step: str, after: int) -> None:
    """Nothing is numbered twice, nothing is left out, and what had a number keeps it."""
    tree.append(*(f"c-{number}" for number in range(25)))
    tree.add(READ)
    with pytest.raises(Killed):
        number_for_ever(tree, killing(step, after))
    before = tree.places()
    tree.append("c-7")
    drained(tree.sequencer(batch=9))
    assert tree.places()[: len(before)] == before
    assert len(set(tree.places())) == len(tree.places()) == 26
    read = tree.kinds().count("read")
    assert tree.checked().size == 26 + read
    with reading(tree.control) as connection:
        assert connection.execute(select(leaves)).all() == []


def test_two_cannot_number_the_same(tree: Tree) -> None:
    """Whoever finds that another was faster writes nothing, and goes on from there."""
    tree.append("c-1", "c-2")
    other = tree.sequencer()
    one = tree.sequencer(at_step=lambda step: drained(other) if step == "read" and not tree.places() else None)
    with pytest.raises(Unavailable, match="another process"):
        one.step()
    drained(one)
    assert len(tree.places()) == 2
    assert tree.checked().size == 2


def test_a_database_put_back_is_refused(sqlite_tree: Tree, tmp_path: Path) -> None:
    """A tree that is smaller than a checkpoint kept outside is not continued, at a start or while it runs."""
    sqlite_tree.append("c-1")
    drained(sqlite_tree.sequencer())
    saved = tmp_path / "saved"
    saved.mkdir()
    sqlite_tree.audit.dispose()
    for path in tmp_path.glob("exemplar.audit.sqlite*"):
        shutil.copy(path, saved)
    sqlite_tree.append("c-2")
    one = sqlite_tree.sequencer()
    drained(one)
    sqlite_tree.audit.dispose()
    for path in tmp_path.glob("exemplar.audit.sqlite*"):
        path.unlink()
    for path in saved.iterdir():
        shutil.copy(path, tmp_path)
    with pytest.raises(Corrupt, match="put back"):
        one.step()
    with pytest.raises(Corrupt, match="has 1 entries, and a checkpoint kept outside the database has 2"):
        sqlite_tree.waiting().check()


def test_another_tree_is_refused(tree: Tree) -> None:
    """A tree that is not the one of which a checkpoint is kept outside is not continued: a fork, or none at all."""
    tree.append("c-1", "c-2")
    drained(tree.sequencer())
    forked = notes.sign(notes.Checkpoint(ORIGIN, 2, b"x" * 32), [OURS])
    copy = next(tree.copies.iterdir())
    good = copy.read_text()
    copy.write_text(forked)
    with pytest.raises(Corrupt, match="another one"):
        tree.waiting().check()
    copy.write_text(good)
    tree.waiting().check()
    with writing(tree.audit) as connection:
        for table in (tree_table, positions, entries, tiles):
            connection.execute(delete(table))
    with pytest.raises(Corrupt, match="there is no audit tree"):
        tree.waiting().check()


def test_another_tree_can_be_begun(tree: Tree) -> None:
    """With the area gone and another origin named, a new tree takes the whole log, whatever old copies say."""
    tree.append("c-1", "c-2")
    drained(tree.sequencer())
    with writing(tree.audit) as connection:
        for table in (tree_table, positions, entries, tiles):
            connection.execute(delete(table))
    other = notes.Signer("example.com/other", b"a" * 32)
    drained(tree.sequencer(other))
    assert tree.checked(other).size == 2
    assert len(list(tree.copies.iterdir())) == 2


def test_a_changed_tile_is_never_signed(tree: Tree) -> None:
    """Hashes that are not those which were signed end it."""
    tree.append("c-1", "c-2")
    one = tree.sequencer()
    drained(one)
    with writing(tree.audit) as connection:
        connection.execute(update(tiles).values(hashes=b"x" * 64))
    tree.append("c-3")
    with pytest.raises(Corrupt, match="not those that were signed"):
        one.step()


def test_another_key_is_refused(tree: Tree) -> None:
    """What was signed by one key is continued by no other, unless both have signed for a while."""
    tree.append("c-1")
    drained(tree.sequencer(OURS))
    with pytest.raises(Misconfigured, match="EXEMPLAR_AUDIT_KEY_FILE"):
        tree.waiting(OTHER).check()
    with pytest.raises(Misconfigured, match="EXEMPLAR_AUDIT_KEY_FILE"):
        tree.sequencer(NEXT)
    drained(tree.sequencer(OURS, NEXT))
    assert tree.checked(OURS) == tree.checked(NEXT)
    tree.append("c-2")
    drained(tree.sequencer(NEXT))
    assert tree.checked(NEXT).size == 2


@pytest.mark.parametrize(("before", "after"), [(OURS, NEXT), (NEXT, OURS)])
def test_a_key_is_changed_while_nothing_is_added(sqlite_tree: Tree, before: Signer, after: Signer) -> None:
    """A copy of last month that the former key alone has signed stands in nobody's way, though it is as large."""
    sqlite_tree.append("c-1")
    drained(sqlite_tree.sequencer(before))
    (copy,) = sqlite_tree.copies.iterdir()
    copy.rename(copy.with_name(copy.name.replace("2026-03", "2026-02")))
    sqlite_tree.sequencer(before, after)
    sqlite_tree.sequencer(after)
    sqlite_tree.waiting(after).check()
    kept, now = FolderCopies(sqlite_tree.copies).kept(), sqlite_tree.clock()
    assert len(kept) == 2
    log = sqlite_tree.log.reader()
    assert checking.check_tree(sqlite_tree.audit, log, [after.verifier], kept, now).sound


def test_another_log_is_refused(tree: Tree) -> None:
    """A tree is of one log: the records of another have no place in it."""
    drained(tree.sequencer())
    with writing(tree.audit) as connection:
        connection.execute(update(tree_table).values(log_id="another"))
    with pytest.raises(Corrupt, match="another log"):
        tree.waiting().check()


def test_records_that_are_gone_are_noticed(tree: Tree) -> None:
    """A log that ends before what is in the tree was truncated."""
    tree.append("c-1")
    one = tree.sequencer()
    drained(one)
    with writing(tree.audit) as connection:
        connection.execute(update(positions).values(next_offset=100))
    with pytest.raises(Corrupt, match="restore the log"):
        one.step()


def test_a_partition_that_the_tree_forgot_is_noticed(sqlite_tree: Tree) -> None:
    """A partition whose place is gone from the database is not left out of the tree in silence."""
    sqlite_tree.append("c-1")
    one = sqlite_tree.sequencer()
    drained(one)
    with writing(sqlite_tree.audit) as connection:
        connection.execute(delete(positions).where(positions.c.partition == 2))
    with pytest.raises(Corrupt, match="partitions"):
        one.step()


class Shortened:
    """A log whose partitions begin later than they did."""

    def __init__(self, reader: LogReader, by: int) -> None:
        self._reader = reader
        self._by = by

    def beginnings(self) -> Position:
        """See LogReader."""
        return dict.fromkeys(self._reader.ends(), self._by)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


def test_records_that_were_lost_before_their_turn_are_noticed(sqlite_tree: Tree) -> None:
    """A log that begins behind the place that the tree has come to has lost what no entry can be made of."""
    drained(sqlite_tree.sequencer())

    def beside(by: int) -> sequencer.Sequencer:
        things = Things(Shortened(sqlite_tree.log.reader(), by), sqlite_tree.control, sqlite_tree.vault.erased)
        signing = Signing(ORIGIN, [OURS])
        return sequencer.Sequencer(
            sqlite_tree.audit, things, signing, FolderCopies(sqlite_tree.copies), sqlite_tree.clock
        )

    beside(0).check()
    with pytest.raises(Corrupt, match="records are missing"):
        beside(3).check()


def test_what_the_log_has_lost_is_looked_for_now_and_then(sqlite_tree: Tree) -> None:
    """Records that are gone after their turn are counted: in the first round, and not in every one."""
    places = sqlite_tree.append(*["c-1"] * 4)
    drained(sqlite_tree.sequencer())
    told: list[int] = []
    stop = Event()

    def lose_one(step: str) -> None:
        if step == "read":
            told.append(one.status.log_missing)
            with closing(sqlite3.connect(sqlite_tree.log.path)) as log, log:
                log.execute("DELETE FROM records WHERE place = (SELECT min(place) FROM records)")
            if len(told) == 2:
                stop.set()

    one = sqlite_tree.waiting(at_step=lose_one)
    one.run(stop)
    assert told == [0, 1, 1]
    assert one.status == TreeStatus(len(places), leading=True, log_missing=1)


def test_a_copy_that_cannot_be_kept_is_kept_later(tree: Tree) -> None:
    """The tree goes on while copies cannot be kept, and the next round that can keeps the latest."""
    tree.append("c-1")
    one = tree.sequencer()
    shutil.rmtree(tree.copies)
    tree.copies.touch()
    drained(one)
    assert tree.checked().size == 1
    tree.copies.unlink()
    drained(one)
    (copy,) = tree.copies.iterdir()
    assert fullmatch(r"audit-[0-9a-f]{8}-2026-03\.checkpoint", copy.name)
    assert notes.parse_checkpoint(copy.read_text()).size == 1


def test_a_leader_that_hangs_is_followed(fresh_postgres: URL, tmp_path: Path) -> None:
    """Whoever numbers and asks the database nothing any more loses the lead to another; one that asks keeps it."""
    tree = Tree(tmp_path, fresh_postgres)
    tree.append("c-1")
    stop, stopped = Event(), Event()

    def hang(step: str) -> None:
        if step == "kept":
            stopped.set()
            stop.wait(120)

    hung = tree.waiting(at_step=hang)
    other = tree.waiting()
    threads = [Thread(target=one.run, args=(stop,)) for one in (hung, other)]
    threads[0].start()
    assert stopped.wait(60)
    threads[1].start()
    tree.append("c-2")
    wait_until(lambda: len(tree.places()) == 2, 60)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert tree.checked().size == 2
    tree.close()

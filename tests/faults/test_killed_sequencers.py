"""A sequencer killed at any step, again and again while acts and reads keep coming: nothing renumbered or missing."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest
from sqlalchemy import URL, make_url, select

from services.events.leaves import Leaf, leaves
from services.kit.database import reading
from services.kit.instants import now
from services.projections.audit.checking import check_tree
from services.projections.audit.copies import FolderCopies
from services.projections.audit.tables import documents, entries
from tests.projections.audit.trees import OURS, Tree

SEED = 20260302
STEPS = ("read", "begun", "written", "committed", "forgotten", "kept")
ROUNDS = len(STEPS)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tree]:
    """A log and a tree, on each dialect in turn."""
    postgres = request.param == "postgresql"
    database = make_url(request.getfixturevalue("postgres_url")) if postgres else None
    made = Tree(tmp_path, database)
    yield made
    made.close()


def _number(folder: Path, database: URL, step: str, count: int) -> int:
    url = database.render_as_string(hide_password=False)
    program = [sys.executable, "-m", "tests.faults.numbering_program", str(folder), url, step, str(count)]
    return subprocess.run(program, cwd=Path(__file__).parents[2], timeout=300).returncode


@contextmanager
def _load(tree: Tree, told: list[int]) -> Iterator[None]:
    """Acts and reads keep coming meanwhile; `told` counts the reads."""
    stop = Event()

    def append() -> None:
        while not stop.wait(0.03):
            tree.append(*(f"c-{number}" for number in range(20)))
            tree.add(Leaf("read", now(), "ana", ["rik", "sam"], {"what": ["card"]}))
            told[0] += 1

    thread = Thread(target=append)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _numbers(tree: Tree) -> dict[int, bytes]:
    with reading(tree.audit) as connection:
        return {row.number: row.entry for row in connection.execute(select(entries.c.number, entries.c.entry))}


def test_killed_at_each_step_it_gives_every_number_once(tree: Tree, tmp_path: Path) -> None:
    """After kills at seeded moments under load, each record and each read has one entry, and no number has changed."""
    print(f"seed {SEED}")  # noqa: T201 - to have a failure again
    random, told = Random(SEED), [0]
    before: dict[int, bytes] = {}
    with _load(tree, told):
        for number in range(ROUNDS):
            step = STEPS[number % len(STEPS)]
            tree.append(*(f"c-{one}" for one in range(100)))
            assert _number(tmp_path, tree.database, step, random.randrange(1, 4)) == -signal.SIGKILL
            after = _numbers(tree)
            assert before.items() <= after.items()
            before = after
    assert _number(tmp_path, tree.database, "never", 1) == 0
    assert before.items() <= _numbers(tree).items()
    assert len(set(tree.places())) == len(tree.places()) == sum(tree.log.reader().ends().values()) > 500
    assert tree.kinds().count("read") == told[0]
    with reading(tree.audit) as connection:
        assert len(connection.execute(select(documents.c.number)).all()) == told[0]
    with reading(tree.control) as connection:
        assert connection.execute(select(leaves.c.id)).all() == []
    tree.checked()
    kept = FolderCopies(tree.copies).kept()
    checked = check_tree(tree.audit, tree.log.reader(), [OURS.verifier], kept, tree.clock())
    assert checked.sound, checked.told

"""A projector killed at any step, again and again while acts keep coming, loses nothing and counts nothing twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest
from sqlalchemy import make_url

from services.projections.rebuild import Source, rebuild
from services.projections.verify import verify
from tests.projections.fold_world import FoldWorld, contents
from tests.projections.made_up import stream

SEED = 20260302
ROUNDS = 24
STEPS = ("read", "begun", "written", "committed")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FoldWorld]:
    """A log and a model in files."""
    made = FoldWorld(make_url(f"sqlite:///{tmp_path / 'exemplar.sqlite'}"), tmp_path)
    yield made
    made.close()


def _fold(folder: Path, step: str, count: int) -> int:
    program = [sys.executable, "-m", "tests.faults.folding_program", str(folder), step, str(count)]
    return subprocess.run(program, cwd=Path(__file__).parents[2], timeout=300).returncode


@contextmanager
def _load(world: FoldWorld) -> Iterator[None]:
    """Acts keep coming meanwhile."""
    stop = Event()

    def append() -> None:
        number = 0
        while not stop.wait(0.03):
            number += 1
            world.append(stream(SEED - number, 20))

    thread = Thread(target=append)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_killed_at_each_step_it_goes_on_as_if_nothing_had_been(world: FoldWorld, tmp_path: Path) -> None:
    """After many kills at seeded moments under load, the model equals a clean rebuild, row by row."""
    print(f"seed {SEED}")  # noqa: T201 - to have a failure again
    random = Random(SEED)
    with _load(world):
        for number in range(ROUNDS):
            step = STEPS[number % len(STEPS)]
            world.append(stream(SEED + number, 150))
            assert _fold(tmp_path, step, random.randrange(1, 4)) == -signal.SIGKILL
    assert _fold(tmp_path, "never", 1) == 0
    folded = contents(world.stores.model())
    source = Source(world.log.reader(), world.vault, world.rules, world.built, world.clock)
    assert verify(world.stores, source).equal
    rebuild(world.stores, source)
    assert contents(world.stores.model()) == folded
    assert sum(offset for _, offset in folded["positions"]) == sum(world.log.reader().ends().values())
    assert len(folded["acts"]) > 1000

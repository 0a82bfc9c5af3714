"""A rebuild killed on the way leaves the live model as it was, and nothing behind after the next start."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from services.kit.database import area_file
from tests.projections.fold_world import FoldWorld, contents
from tests.projections.made_up import stream


@pytest.mark.parametrize("count", [1, 2])
def test_a_killed_rebuild_changes_nothing(tmp_path: Path, count: int) -> None:
    """Killed while it keeps acts, or folds them, it leaves the live generation live; a sweep removes the rest."""
    world = FoldWorld(make_url(f"sqlite:///{tmp_path / 'exemplar.sqlite'}"), tmp_path)
    world.append(stream(11, 400))
    world.fold()
    before = contents(world.stores.model())
    program = [sys.executable, "-m", "tests.faults.rebuilding_program", str(tmp_path), str(count)]
    outcome = subprocess.run(program, cwd=Path(__file__).parents[2], timeout=60)
    assert outcome.returncode == -signal.SIGKILL
    assert area_file(world.stores.url, "model_2").exists()
    assert (world.stores.live(), contents(world.stores.model())) == (1, before)
    assert world.stores.sweep() == [2]
    assert not area_file(world.stores.url, "model_2").exists()
    world.close()

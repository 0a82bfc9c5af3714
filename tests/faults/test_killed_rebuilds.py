"""A rebuild killed on the way leaves the live model as it was, and nothing behind after the next start."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.projections.conftest import database_url, fresh_postgres, sqlite_url
from tests.projections.fold_world import FoldWorld, contents
from tests.projections.made_up import stream

__all__ = ["database_url", "fresh_postgres", "sqlite_url"]  # fixtures
ENDING_SECONDS = 60.0


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_killed_rebuild_changes_nothing(database_url: URL, tmp_path: Path, share: float, processes: int) -> None:
    """Killed while it keeps acts, or folds them, it leaves the live generation live; a sweep removes the rest.

    Its helping processes end with it.
    """
    world = FoldWorld(database_url, tmp_path)
    world.append(stream(11, 400))
    world.fold()
    before = contents(world.stores.model())
    arguments = [database_url.render_as_string(hide_password=False), str(tmp_path), str(share), str(processes)]
    program = [sys.executable, "-m", "tests.faults.rebuilding_program", *arguments]
    outcome = subprocess.run(program, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, timeout=300)
    assert outcome.returncode == -signal.SIGKILL
    helpers = [int(number) for number in outcome.stdout.split()]
    assert len(helpers) == (processes if processes > 1 else 0)
    for helper in helpers:
        _wait_for_end(helper)
    assert (world.stores.live(), contents(world.stores.model())) == (1, before)
    assert world.stores.sweep() == [2]
    assert world.stores.sweep() == []
    world.close()


def _wait_for_end(process: int) -> None:
    """Wait until a process, which is not ours, has ended."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(process)
        assert select.select([handle], [], [], ENDING_SECONDS)[0], f"{process} goes on"
        os.close(handle)

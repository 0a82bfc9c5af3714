"""A rebuild in a process of its own, which kills itself when it has told its progress so many times.

`python -m tests.faults.rebuilding_program FOLDER COUNT`.
"""

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import make_url

from services.projections.rebuild import Progress, Source, rebuild
from tests.projections.fold_world import FoldWorld


def main(folder: str, count: str) -> None:
    """Rebuild, and die as asked."""
    world = FoldWorld(make_url(f"sqlite:///{folder}/exemplar.sqlite"), Path(folder))
    told = 0

    def listener(progress: Progress) -> None:
        nonlocal told
        told += 1
        if told == int(count):
            os.kill(os.getpid(), signal.SIGKILL)

    source = Source(world.log.reader(), world.vault, world.rules, world.built, world.clock)
    rebuild(world.stores, source, listener)
    world.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

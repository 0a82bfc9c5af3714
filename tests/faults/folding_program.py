"""A projector in a process of its own, which kills itself at a step that its arguments name.

`python -m tests.faults.folding_program FOLDER STEP COUNT`: folds the log in FOLDER until it has come to STEP for the
COUNT-th time, and dies there by SIGKILL, as by a power cut. With the step `never` it ends when the log does.
"""

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import make_url

from services.projections.projector import Sizes
from tests.projections.fold_world import FoldWorld

SIZES = Sizes(batch=40, catch_up=90, read=40)


def main(folder: str, step: str, count: str) -> None:
    """Fold, and die as asked."""
    seen = 0

    def at_step(name: str) -> None:
        nonlocal seen
        seen += name == step
        if seen == int(count):
            os.kill(os.getpid(), signal.SIGKILL)

    world = FoldWorld(make_url(f"sqlite:///{folder}/exemplar.sqlite"), Path(folder))
    projector = world.projector(SIZES, at_step=at_step)
    projector.take()
    while projector.step():
        pass
    world.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A sequencer in a process of its own, which kills itself at a step that its arguments name.

`python -m tests.faults.numbering_program FOLDER DATABASE STEP COUNT`: numbers what is in FOLDER and DATABASE until it
has come to STEP for the COUNT-th time, and dies there by SIGKILL. With the step `never` it ends when there is no more.
"""

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import make_url

from tests.projections.audit.trees import Tree


def main(folder: str, database: str, step: str, count: str) -> None:
    """Number, and die as asked."""
    seen = 0

    def at_step(name: str) -> None:
        nonlocal seen
        seen += name == step
        if seen == int(count):
            os.kill(os.getpid(), signal.SIGKILL)

    tree = Tree(Path(folder), make_url(database))
    sequencer = tree.sequencer(batch=40, at_step=at_step)
    while sequencer.step() or step != "never":
        pass
    tree.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

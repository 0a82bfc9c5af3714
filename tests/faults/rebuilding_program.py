"""A rebuild in a process of its own, which kills itself while it keeps acts (0), or once it has folded some (0.5).

`python -m tests.faults.rebuilding_program URL FOLDER SHARE PROCESSES`; it tells the ids of its helping processes first.
"""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

from sqlalchemy import make_url

from services.kit.logs import configure_logs
from services.projections.rebuild import Progress, Source, rebuild
from tests.projections.fold_world import FoldWorld


def main(url: str, folder: str, share: str, processes: str) -> None:
    """Rebuild, and die as asked."""
    configure_logs("warning")
    world = FoldWorld(make_url(url), Path(folder))

    def listener(progress: Progress) -> None:
        if progress.done > float(share) * progress.total:
            sys.stdout.write(" ".join(str(helper.pid) for helper in multiprocessing.active_children()))
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    given = (world.log.reader(), world.vault, world.rules, world.built, world.clock, world.help(int(processes)))
    rebuild(world.stores, Source(*given), listener)
    world.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

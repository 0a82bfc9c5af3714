"""A process whose files may not grow beyond a size: appends little, too much, little again, and prints the outcomes.

`python -m tests.events.log.full_disk URL`. A limit on the size of files gives the same error as a full disk would.
"""

import resource
import signal
import sys

from services.events.log.protocol import NewRecord
from services.events.log.sqlite import open_log
from services.kit.errors import ExemplarError


def main(url: str) -> None:
    """Print `taken`, or the name of the error, for each append."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
    writer = open_log(url, 4).writer()
    for size in (1, 4 * 2**20, 1):
        try:
            writer.append([NewRecord("a", b"x" * size)]).result(timeout=60)
            outcome = "taken"
        except ExemplarError as error:
            outcome = type(error).__name__
        sys.stdout.write(f"{outcome}\n")
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])

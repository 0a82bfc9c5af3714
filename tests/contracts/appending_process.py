"""A process that appends to a log from several threads and prints each append once it was acknowledged.

`python -m tests.contracts.appending_process URL NAME THREADS APPENDS`: each thread makes so many appends of two records
of one key; a line printed is `KEY N OFFSET OFFSET`, where N counts the key's appends.
"""

import os
import sys
from threading import Thread

from services.events.log.opening import open_log
from services.events.log.protocol import LogWriter, NewRecord


def append_and_tell(writer: LogWriter, key: str, appends: int) -> None:
    """Append one after the other; the line is written at once, by one system call."""
    for number in range(appends):
        values = (f"{key} {number} {part}".encode() for part in "ab")
        places = writer.append([NewRecord(key, value) for value in values]).result(timeout=60)
        os.write(1, f"{key} {number} {places[0].offset} {places[1].offset}\n".encode())


def main(url: str, name: str, threads: int, appends: int) -> None:
    """Run the threads to their end."""
    writer = open_log(url, 4).writer()
    workers = [Thread(target=append_and_tell, args=(writer, f"{name}-{n}", appends)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

"""Peak memory of a server and of a rebuild as the log grows: both should stay flat.

The server starts on a log of which nothing is folded yet, the most that it ever has to do at once, and then answers
scorecards over 16 connections.
"""

from pathlib import Path

from benchmarks.acts import ends_of, fill, settings_of
from benchmarks.client import drive
from benchmarks.measuring import Sizes, Table, apart, figure
from benchmarks.reading import scorecard_request, wait_for
from benchmarks.rebuilding import rebuilt
from benchmarks.scorecards import TEAM
from benchmarks.servers import exemplar

CONNECTIONS = 16


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """The same at each length of the log; the first row is a server with nothing in its log."""
    rows = [_row(folder / f"memory-{number}", number, sizes.reads) for number in (0, *sizes.memory)]
    columns = ("acts in the log", "server MB: started", "caught up", "after reads", "rebuild MB")
    return [Table("Peak memory", columns, rows)]


def _row(folder: Path, number: int, reads: int) -> tuple[str, ...]:
    apart(fill, folder, number)
    with exemplar(folder) as server:
        started = server.peak()
        wait_for(server, ends_of(folder))
        caught_up = server.peak()
        drive(server.host, server.port, [scorecard_request(TEAM)] * reads, CONNECTIONS)
        read = server.peak()
    again = rebuilt(settings_of(folder)).peak
    return f"{number:,}", *(figure(peak) for peak in (started, caught_up, read, again))

"""Time, CPU and memory of this process and of others, and tables of what was measured.

The machine is shared with whatever else runs on it, so that ratios say more than figures, and CPU-seconds more than
seconds. Of other processes CPU and memory are read from Linux's /proc.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from math import ceil
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from services.kit import collector

P = ParamSpec("P")
T = TypeVar("T")
_TICKS = os.sysconf("SC_CLK_TCK")


class Sizes(NamedTuple):
    """How much is measured: rounds, and in each round so many requests, acts or reads."""

    rounds: int
    singles: int  # events posted one a request
    batches: int  # requests of 100 events
    folded: int  # acts folded by the projector and by the peer
    relationship: int  # acts of one relationship
    rebuilt: int  # acts of a rebuild
    reads: int  # scorecards read at each number of connections
    memory: tuple[int, ...]  # acts in the log
    behind: int = 200_000  # acts of a topic that are caught up on
    long: int = 1_000_000  # acts of long histories
    subscribers: int = 500


FULL = Sizes(3, 10_000, 300, 10_000, 1_000, 200_000, 400, (10_000, 100_000, 200_000))
QUICK = Sizes(1, 3_000, 60, 5_000, 1_000, 20_000, 100, (5_000, 20_000), 20_000, 50_000)
TINY = Sizes(1, 100, 2, 300, 50, 300, 5, (300,), 300, 500, 5)


class Used:
    """Seconds and CPU-seconds that something took; filled in when it ends."""

    wall = 0.0
    cpu = 0.0


@contextmanager
def used() -> Iterator[Used]:
    """What the block takes of this process, all its threads together."""
    found = Used()
    wall, cpu = time.perf_counter(), time.process_time()
    yield found
    found.wall, found.cpu = time.perf_counter() - wall, time.process_time() - cpu


def apart(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What a function gives that runs in a fresh process of its own, whose memory and CPU are nobody else's.

    Its modules are left out of the collection of garbage, as `exemplar` does at its start.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_frozen, partial(function, *arguments, **named)).result()


def _frozen(call: Callable[[], T]) -> T:
    """In the new process, where the function's name has brought all its modules in."""
    collector.spare()
    return call()


def cpu_of(pid: int) -> float:
    """CPU-seconds that a process has taken so far, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_of(pid: int) -> float:
    """The most memory (MB, 10⁶ bytes) that a process has had resident; 0 once it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except FileNotFoundError:
        found = None
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[ceil(len(ordered) * share) - 1]


class Table(NamedTuple):
    """What a benchmark found."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        """As Markdown."""
        lines = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join([f"### {self.title}", table, *self.notes])


def figure(value: float) -> str:
    """A number with three digits that mean something."""
    if value >= 1_000:
        return f"{round(value, 3 - len(str(int(value)))):,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"

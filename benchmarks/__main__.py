"""`python -m benchmarks [NAME …] [--quick]`: measure, and print tables in Markdown."""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    audit,
    cards,
    dashboard,
    examples,
    folding,
    ingress,
    live,
    memory,
    production,
    projecting,
    rebuilding,
    relationship,
    scorecards,
)
from benchmarks.measuring import FULL, QUICK, Sizes, Table
from services.kit.settings import PREFIX

BENCHMARKS: dict[str, Callable[[Sizes, Path], list[Table]]] = {
    "ingress": ingress.measure,
    "events": production.measure,
    "fold": folding.measure,
    "projections": projecting.measure,
    "relationship": relationship.measure,
    "rebuild": rebuilding.measure,
    "scorecards": scorecards.measure,
    "cards": cards.measure,
    "examples": examples.measure,
    "dashboard": dashboard.measure,
    "memory": memory.measure,
    "live": live.measure,
    "audit": audit.measure,
}


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmarks named, all by default, on files of their own that are removed afterwards."""
    parser = argparse.ArgumentParser("python -m benchmarks", description="What Exemplar costs; docs/benchmarks.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="one round of smaller sizes, for a first impression")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in BENCHMARKS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[variable]  # nothing is measured on anybody's own log and database
    print(machine(), flush=True)
    for name in given.names or BENCHMARKS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="exemplar-bench-") as folder:
            for table in BENCHMARKS[name](QUICK if given.quick else FULL, Path(folder)):
                print(f"\n{table}", flush=True)


def machine() -> str:
    """What is measured on, in one line."""
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    load = os.getloadavg()[0]
    return f"{day}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {load:.1f}"


if __name__ == "__main__":
    main()

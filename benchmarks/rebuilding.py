"""A rebuild of the read model from a long log, in a process of its own: seconds, CPU-seconds and peak memory."""

import os
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.acts import fill, settings_of
from benchmarks.measuring import Sizes, Table, apart, figure, peak_of, used
from services.kit import instants
from services.parts import opened
from services.projections.rebuild import Source, rebuild


class Rebuild(NamedTuple):
    """What a rebuild took; memory in MB."""

    wall: float
    cpu: float
    peak: float


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """The same log, rebuilt several times."""
    log = folder / "rebuild"
    apart(fill, log, sizes.rebuilt)
    rounds = [rebuilt(log, sizes.rebuilt) for _ in range(sizes.rounds)]
    wall, cpu = median(one.wall for one in rounds), median(one.cpu for one in rounds)
    row = (
        f"{sizes.rebuilt:,} acts",
        figure(wall),
        figure(sizes.rebuilt / wall),
        figure(1e6 * cpu / sizes.rebuilt),
        figure(max(one.peak for one in rounds)),
    )
    return [Table("Rebuild", ("", "seconds", "acts/s", "CPU µs an act", "peak MB"), [row])]


def rebuilt(folder: Path, number: int) -> Rebuild:
    """Rebuild the model of the Exemplar in this folder."""
    return apart(_rebuild, folder, number)


def _rebuild(folder: Path, number: int) -> Rebuild:
    with opened(settings_of(folder)) as parts:
        parts.stores.migrate(parts.built, instants.now())
        reader = parts.log.reader()
        source = Source(reader, parts.vault, parts.rules, parts.built, instants.now)
        with used() as taken:
            acts = rebuild(parts.stores, source).acts
        reader.close()
    if acts != number:
        raise RuntimeError(f"{acts} of {number} acts were folded")
    return Rebuild(taken.wall, taken.cpu, peak_of(os.getpid()))

"""A rebuild of the read model from a long log: by one process and by one a core, on SQLite, and from Kafka into
PostgreSQL; and verifying what was built. Each in a process of its own, with its helping processes.
"""

import os
import resource
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import engines
from benchmarks.acts import fill, fill_long, settings_of
from benchmarks.measuring import Sizes, Table, apart, figure, peak_of, used
from services.kit import instants
from services.kit.settings import Settings
from services.parts import opened
from services.parts.fold import source
from services.projections.rebuild import rebuild
from services.projections.verify import verify

VERIFIED = "the same, verified"


class Rebuild(NamedTuple):
    """What a rebuild took, its helping processes with it; `peak`: memory of the process that had most, in MB."""

    acts: int
    wall: float
    cpu: float
    peak: float


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """The same log of unrelated years several times; one of long histories once."""
    years, long = settings_of(folder / "years"), settings_of(folder / "long")
    apart(fill, folder / "years", sizes.rebuilt)
    found = {
        f"SQLite: {sizes.rebuilt:,} acts, one process": _several(years, sizes, 1),
        f"SQLite: {sizes.rebuilt:,} acts": _several(years, sizes, 0),
    }
    apart(fill_long, long, sizes.long)
    found[f"SQLite: {sizes.long:,} acts of long histories"] = rebuilt(long)
    with engines.kafka() as broker, engines.postgres() as url:
        site = engines.site(folder / "postgres", broker, url)
        apart(fill_long, site, sizes.long)
        found[f"Kafka and PostgreSQL: {sizes.long:,} acts of long histories"] = rebuilt(site)
        found[VERIFIED] = apart(_verify, site)
    rows = [
        (name, figure(one.wall), figure(one.acts / one.wall), figure(1e6 * one.cpu / one.acts), figure(one.peak))
        for name, one in found.items()
    ]
    return [Table("Rebuild", ("", "seconds", "acts/s", "CPU µs an act", "peak MB of a process"), rows)]


def _several(site: Settings, sizes: Sizes, processes: int) -> Rebuild:
    rounds = [rebuilt(site, processes) for _ in range(sizes.rounds)]
    wall, cpu = median(one.wall for one in rounds), median(one.cpu for one in rounds)
    return Rebuild(rounds[0].acts, wall, cpu, max(one.peak for one in rounds))


def rebuilt(site: Settings, processes: int = 0) -> Rebuild:
    """Rebuild the model of an Exemplar by so many processes, by default one a core."""
    return apart(_rebuild, site.model_copy(update={"rebuild_processes": processes}))


def _rebuild(site: Settings) -> Rebuild:
    with opened(site) as parts:
        parts.stores.migrate(parts.built, instants.now())
        with source(parts) as given:
            helped = _helped()
            with used() as taken:
                done = rebuild(parts.stores, given)
            if done.acts != sum(given.log.ends().values()):
                raise RuntimeError(f"{done.acts} acts were folded, not as many as there are records")
    return Rebuild(done.acts, taken.wall, taken.cpu + _helped() - helped, _peak())


def _verify(site: Settings) -> Rebuild:
    with opened(site) as parts, source(parts) as given:
        helped = _helped()
        with used() as taken:
            found = verify(parts.stores, given)
        if not found.equal:
            raise RuntimeError(f"{found.different} rows are not as the log says")
        acts = sum(given.log.ends().values())
    return Rebuild(acts, taken.wall, taken.cpu + _helped() - helped, _peak())


def _helped() -> float:
    """CPU-seconds of helping processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _peak() -> float:
    """The most memory of this process or a helping one, in MB."""
    return max(peak_of(os.getpid()), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6)

"""Acts folded a second, all principles, beside the SQLite projection of the `eventsourcing` library on the same acts.

The projector keeps the acts, tells copies and conflicts apart, draws the signals of every principle and writes it all
with its offsets; the library's projection counts acts by rep and kind (see `peer`). Both commit with full durability.
"""

from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import peer
from benchmarks.acts import decoded, events, fill, settings_of
from benchmarks.measuring import Sizes, Table, Used, apart, figure, used
from services.events.catalog.envelope import Catalogue
from services.kit import instants
from services.parts import opened
from services.projections.projector import Projector
from services.projections.projector import Sizes as Batches

REGIMES = {
    "far behind: 20,000 acts a batch": Batches(20_000, 20_000),
    "near the end: 2,000 acts a batch": Batches(2_000, 2_000),
    "a trickle: 100 acts a batch": Batches(100, 100),
}
PEER = "`eventsourcing`: an act a transaction"


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """Each round folds all acts in each regime, and lets the peer count them."""
    measured: dict[str, Callable[[Path], tuple[float, float]]] = {PEER: _peer(sizes.folded)}
    measured |= {name: _projector(sizes.folded, batches) for name, batches in REGIMES.items()}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in measured}
    for number in range(sizes.rounds):
        for place, (name, run) in enumerate(measured.items()):
            found[name].append(run(folder / f"fold-{number}-{place}"))
    wall = {name: median(wall for wall, _ in rounds) for name, rounds in found.items()}
    cpu = {name: median(cpu for _, cpu in rounds) for name, rounds in found.items()}
    rows = [
        (
            name,
            figure(sizes.folded / wall[name]),
            figure(1e6 * cpu[name] / sizes.folded),
            figure(wall[PEER] / wall[name]),
            figure(cpu[PEER] / cpu[name]),
        )
        for name in measured
    ]
    columns = ("", "acts/s", "CPU µs an act", "× the peer's rate", "× the peer's rate a CPU-second")
    return [Table(f"Fold: {sizes.folded:,} acts of the made-up year", columns, rows)]


def _projector(number: int, batches: Batches) -> Callable[[Path], tuple[float, float]]:
    def run(folder: Path) -> tuple[float, float]:
        fill(folder, number)
        return apart(_fold, folder, batches, number)

    return run


def _peer(number: int) -> Callable[[Path], tuple[float, float]]:
    def run(folder: Path) -> tuple[float, float]:
        folder.mkdir()
        last = apart(_record, folder, number)
        return apart(_project, folder, last, number)

    return run


def _fold(folder: Path, batches: Batches, number: int) -> tuple[float, float]:
    with opened(settings_of(folder)) as parts:
        parts.stores.migrate(parts.built, instants.now())
        reader = parts.log.reader()
        projector = Projector(
            parts.stores.model,
            reader,
            parts.vault,
            parts.rules,
            parts.built,
            instants.now,
            owner="benchmark",
            sizes=batches,
        )
        projector.take()
        with used() as taken:
            while projector.step():
                pass
        reader.close()
        return _checked(taken, projector.status.acts, number)


def _record(folder: Path, number: int) -> int:
    return peer.record(peer.on_sqlite(folder), decoded(events(number), Catalogue()))


def _project(folder: Path, last: int, number: int) -> tuple[float, float]:
    with used() as taken:
        counted = peer.project(peer.on_sqlite(folder), last)
    return _checked(taken, counted, number)


def _checked(taken: Used, counted: int, number: int) -> tuple[float, float]:
    if counted != number:
        raise RuntimeError(f"{counted} of {number} acts were folded")
    return taken.wall, taken.cpu

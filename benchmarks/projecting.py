"""Acts folded a second from Kafka into PostgreSQL, beside the projection of the `eventsourcing` library on PostgreSQL
and beside reading the same topic alone; and the memory that `exemplar projections` takes, the longer the log.

The peer does what `folding` says, with its recorder and its view on PostgreSQL. All commit with full durability.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from sqlalchemy import make_url

from benchmarks import engines, peer, servers
from benchmarks.acts import decoded, events, fill_log, fill_long, lifelike, log_ends
from benchmarks.measuring import Sizes, Table, apart, figure, used
from benchmarks.reading import wait_for
from services.events.catalog.envelope import Catalogue
from services.kit import instants
from services.kit.settings import Settings
from services.parts import opened
from services.projections.projector import DEFAULT_SIZES, Projector
from services.projections.projector import Sizes as Batches

PEER = "`eventsourcing`: an act a transaction"
ALONE = "reading the topic alone"
NEAR, TRICKLE = "near the end: 2,000 acts a batch", "a trickle: 100 acts a batch"
PROJECTORS = 2
PEERS_ACTS, NEAR_ACTS, TRICKLE_ACTS = 5_000, 20_000, 5_000  # of as many as there are
Measured = tuple[int, float, float]  # acts, seconds, CPU-seconds


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """Each round reads and folds one topic in each way, into a database of its own each time."""
    with engines.kafka() as broker, engines.postgres() as url:
        return [_fold(sizes, folder, broker, url), _memory(sizes, folder, broker, url)]


def _fold(sizes: Sizes, folder: Path, broker: str, url: str) -> Table:
    topic = engines.site(folder / "fold", broker, url)
    apart(_fill, topic, sizes.behind)

    def fresh() -> Settings:
        return engines.site(folder / "fold", broker, url).model_copy(update={"log_url": topic.log_url})

    def fold(number: int, batches: Batches) -> Measured:
        return apart(folded, fresh(), min(number, sizes.behind), batches)

    behind = f"far behind: all {sizes.behind:,} acts"
    shared = f"the same, shared by {PROJECTORS} projectors"
    ways: Mapping[str, Callable[[], Measured]] = {
        PEER: lambda: apart(_peer, engines.site(folder / "peer", broker, url), min(PEERS_ACTS, sizes.folded)),
        ALONE: lambda: apart(_read, topic, sizes.behind),
        behind: lambda: fold(sizes.behind, DEFAULT_SIZES),
        shared: lambda: _shared(fresh()),
        NEAR: lambda: fold(NEAR_ACTS, Batches(2_000, 2_000)),
        TRICKLE: lambda: fold(TRICKLE_ACTS, Batches(100, 100)),
    }
    found: dict[str, list[Measured]] = {name: [] for name in ways}
    for _ in range(sizes.rounds):
        for name, way in ways.items():
            found[name].append(way())
    wall = {name: median(seconds / acts for acts, seconds, _ in rounds) for name, rounds in found.items()}
    cpu = {name: median(seconds / acts for acts, _, seconds in rounds) for name, rounds in found.items()}
    rows = [
        (
            name,
            f"{found[name][0][0]:,}",
            figure(1 / wall[name]),
            figure(1e6 * cpu[name]),
            figure(wall[PEER] / wall[name]),
            figure(wall[ALONE] / wall[name]),
        )
        for name in ways
    ]
    columns = ("", "acts", "acts/s", "CPU µs an act", "× the peer's rate", "× reading alone")
    return Table("Fold from Kafka into PostgreSQL", columns, rows)


def _fill(site: Settings, number: int) -> None:
    fill_log(site, lifelike(), number)


def _shared(site: Settings) -> Measured:
    """Fold a whole topic by several processes, each with its part of the partitions."""
    parts = [range(first, site.partitions, PROJECTORS) for first in range(PROJECTORS)]
    ends = log_ends(site)
    goals = [sum(ends.get(partition, 0) for partition in part) for part in parts]
    with ThreadPoolExecutor(PROJECTORS) as threads:
        started = [
            threads.submit(apart, folded, site, goal, DEFAULT_SIZES, part)
            for part, goal in zip(parts, goals, strict=True)
        ]
        found = [each.result() for each in started]
    return sum(acts for acts, _, _ in found), max(wall for _, wall, _ in found), sum(cpu for _, _, cpu in found)


def folded(site: Settings, number: int, batches: Batches, wanted: Collection[int] | None = None) -> Measured:
    """Fold so many acts of a topic, or of some partitions, into a database of which nothing is there yet."""
    with opened(site) as parts:
        parts.stores.migrate(parts.built, instants.now())
        reader = parts.log.reader()
        model, vault, rules, built = parts.stores.model, parts.vault, parts.rules, parts.built
        projector = Projector(model, reader, vault, rules, built, instants.now, owner="benchmark", sizes=batches)
        projector.take(wanted)
        with used() as taken:
            while projector.status.acts < number:
                projector.step(1.0)
        reader.close()
        return projector.status.acts, taken.wall, taken.cpu


def _read(site: Settings, number: int) -> Measured:
    """Read a topic, and do nothing with what comes."""
    with opened(site) as parts:
        reader = parts.log.reader()
        position = dict.fromkeys(range(parts.log.identity.partitions), 0)
        count = 0
        with used() as taken:
            while count < number:
                records = reader.read(position, DEFAULT_SIZES.read, 1.0)
                position |= {record.place.partition: record.place.offset + 1 for record in records}
                count += len(records)
        reader.close()
    return count, taken.wall, taken.cpu


def _peer(site: Settings, number: int) -> Measured:
    stores = peer.on_postgres(make_url(site.database_url))
    last = peer.record(stores, decoded(events(number), Catalogue()))
    with used() as taken:
        counted = peer.project(stores, last)
    return counted, taken.wall, taken.cpu


def _memory(sizes: Sizes, folder: Path, broker: str, url: str) -> Table:
    rows = []
    for number in (0, sizes.behind, sizes.long):
        site = engines.site(folder / f"memory-{number}", broker, url)
        apart(fill_long, site, number)
        with servers.service("projections", site) as server:
            started = server.peak()
            wait_for(server, log_ends(site))
            rows.append((f"{number:,}", figure(started), figure(server.peak())))
    return Table("Peak memory of `exemplar projections`", ("acts in the log", "MB: started", "caught up"), rows)

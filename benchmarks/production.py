"""Events acknowledged for a CPU-second of `exemplar events` on Kafka and PostgreSQL, beside the least that is possible.

Each event is posted once; nothing is folded meanwhile. A bare ASGI app takes the same posts and only sends them on; a
bare Kafka client sends the same records, sealed and encoded before. Each has a topic of its own on the same broker.
"""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import bare_producer, engines, servers
from benchmarks.acts import events, records, together
from benchmarks.ingress import BATCHED, BATCHES_AT_ONCE, SINGLES_AT_ONCE, driven, request
from benchmarks.measuring import Sizes, Table, apart, figure, quantile
from services.events.credentials import ADMIN, create_key
from services.kit import instants
from services.kit.settings import Settings
from services.parts import make_log, opened

SINGLES, BATCHES = f"single events, {SINGLES_AT_ONCE} at once", f"batches of {BATCHED}, {BATCHES_AT_ONCE} at once"
LEAST_SINGLES, LEAST_BATCHES = f"a bare app: {SINGLES}", f"a bare app: {BATCHES}"
TUNED, DEFAULT = "kafka-python, tuned", "kafka-python, its defaults"
_LEAST = {SINGLES: LEAST_SINGLES, BATCHES: LEAST_BATCHES}
STEP = 0.01  # seconds of CPU, in which other processes are told
WARMING = 500  # events posted before anything is counted: connections, caches


class _Taken(NamedTuple):
    """How many events, and what they took: seconds, CPU-seconds, seconds of each request."""

    events: int
    wall: float
    cpu: float
    latencies: Sequence[float] = ()


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """Each round posts single events and batches, to both, and lets the client send the records of the batches."""
    found: dict[str, list[_Taken]] = {
        name: [] for name in (SINGLES, LEAST_SINGLES, BATCHES, LEAST_BATCHES, TUNED, DEFAULT)
    }
    batched = sizes.batches * BATCHED
    given = events(WARMING + sizes.rounds * (sizes.singles + batched))
    with engines.kafka() as broker, engines.postgres() as database:
        site = engines.site(folder, broker, database)
        authorization = f"authorization: Bearer {_prepared(site)}\r\n"
        with servers.service("events", site) as server, servers.bare_ingress(broker, _topic(site, broker)) as bare:

            def post(to: servers.Server, some: Sequence[bytes], size: int, at_once: int) -> _Taken:
                requests = [request(part, authorization) for part in together(some, size)]
                taken = driven(to, requests, at_once)
                return _Taken(len(some), taken.wall, taken.cpu, taken.latencies)

            started = server.peak()
            for each in (server, bare):
                post(each, given[:WARMING], 1, SINGLES_AT_ONCE)
            for round_ in together(given[WARMING:], sizes.singles + batched):
                singles, batches = round_[: sizes.singles], round_[sizes.singles :]
                for to, one, many in ((server, SINGLES, BATCHES), (bare, LEAST_SINGLES, LEAST_BATCHES)):
                    found[one].append(post(to, singles, 1, SINGLES_AT_ONCE))
                    found[many].append(post(to, batches, BATCHED, BATCHES_AT_ONCE))
                found[TUNED].append(apart(_bare, site, broker, batches, bare_producer.TUNED))
                found[DEFAULT].append(apart(_bare, site, broker, batches, {}))
            peak = server.peak()
    memory = [
        ("its libraries, only imported", figure(servers.bare_libraries())),
        ("started", figure(started)),
        (f"after {len(given):,} events", figure(peak)),
    ]
    return [_table(found), Table("Peak memory of `exemplar events`", ("", "MB"), memory)]


def _prepared(site: Settings) -> str:
    """A key for a site whose topic and tables are made."""
    make_log(site)
    with opened(site) as parts:
        parts.stores.migrate(parts.built, instants.now())
        return create_key(parts.stores.control, "bench", [ADMIN], instants.now())


def _bare(site: Settings, broker: str, given: Sequence[bytes], settings: Mapping[str, object]) -> _Taken:
    """Send the records of these events to a topic made for it."""
    topic = _topic(site, broker)
    with opened(site) as parts:
        made = records(parts, given)
    return _Taken(len(given), *bare_producer.produce(broker, topic, made, settings))


def _topic(site: Settings, broker: str) -> str:
    """A topic made as that of the site is, with as many partitions."""
    topic = f"bare_{uuid.uuid4().hex[:12]}"
    make_log(site.model_copy(update={"log_url": f"kafka://{broker}/{topic}"}))
    return topic


def _table(found: Mapping[str, Sequence[_Taken]]) -> Table:
    costs = {name: median(max(taken.cpu, STEP) / taken.events for taken in rounds) for name, rounds in found.items()}
    rows = []
    for name, rounds in found.items():
        latencies = [latency for taken in rounds for latency in taken.latencies]
        rows.append(
            (
                name,
                figure(1 / costs[name]),
                figure(1e6 * costs[name]),
                figure(costs[_LEAST[name]] / costs[name]) if name in _LEAST else "–",
                figure(costs[TUNED] / costs[name]),
                figure(costs[DEFAULT] / costs[name]),
                figure(median(taken.events / taken.wall for taken in rounds)),
                *[figure(1000 * quantile(latencies, share)) if latencies else "–" for share in (0.5, 0.99)],
            )
        )
    columns = (
        "",
        "events a CPU-second",
        "CPU µs an event",
        "× a bare app",
        f"× {TUNED}",
        f"× {DEFAULT}",
        "events/s",
        "p50 ms",
        "p99 ms",
    )
    return Table("`exemplar events` on Kafka and PostgreSQL: events acknowledged", columns, rows)

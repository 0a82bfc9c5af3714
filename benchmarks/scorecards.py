"""A team's scorecard over HTTP from the made-up year: 15 scores with rate, interval, evidence, change and reasons.

From one process on SQLite, and from the gateway alone on PostgreSQL, into which `exemplar projections` has folded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import engines
from benchmarks.acts import ends_of, events, fill, fill_log, log_ends
from benchmarks.client import drive
from benchmarks.measuring import Sizes, Table, apart, figure, quantile
from benchmarks.reading import check_scorecard, scorecard_request, wait_for
from benchmarks.servers import Server, exemplar, service
from services.events.credentials import ADMIN, create_key
from services.kit import instants
from services.parts import opened

YEAR = 9_600  # acts: nearly all of one year
TEAM = "y7-t-summit"
CARD, PRODUCTION = "scorecard of a team", "the same card: `exemplar graphql` on PostgreSQL"
CONNECTIONS = (1, 16)
WARMING = 20
LIVEZ = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """The card and, for the cost of HTTP alone, `/livez`, on the same server; the gateway's card and its memory."""
    apart(fill, folder / "year", YEAR)
    rows = []
    with exemplar(folder / "year") as server:
        wait_for(server, ends_of(folder / "year"))
        for name, request in {CARD: scorecard_request(TEAM), "`/livez`": LIVEZ}.items():
            rows += [(name, str(number), *_several(server, request, number, sizes)) for number in CONNECTIONS]
    with engines.kafka() as broker, engines.postgres() as url, _gateway(folder, broker, url) as (server, request):
        started = server.peak()
        rows += [(PRODUCTION, str(number), *_several(server, request, number, sizes)) for number in CONNECTIONS]
        memory = [("started", figure(started)), ("after reads", figure(server.peak()))]
    columns = ("", "connections", "p50 ms", "p99 ms", "answers/s", "CPU ms an answer")
    return [
        Table("Scorecards over HTTP", columns, rows),
        Table("Peak memory of `exemplar graphql`", ("", "MB"), memory),
    ]


@contextmanager
def _gateway(folder: Path, broker: str, url: str) -> Iterator[tuple[Server, bytes]]:
    """The gateway alone, all folded, and a request for the card with a key that may have it."""
    site = engines.site(folder / "production", broker, url)
    apart(fill_log, site, events(YEAR), YEAR)
    with opened(site) as parts:
        parts.stores.migrate(parts.built, instants.now())
        key = create_key(parts.stores.control, "bench", [ADMIN], instants.now())
    with service("projections", site) as fold:
        wait_for(fold, log_ends(site))
    with service("graphql", site) as server:
        yield server, scorecard_request(TEAM, headers=f"authorization: Bearer {key}\r\n")


def _several(server: Server, request: bytes, connections: int, sizes: Sizes) -> list[str]:
    _read(server, request, WARMING, connections)
    rounds = [_read(server, request, sizes.reads, connections) for _ in range(sizes.rounds)]
    return [figure(median(column)) for column in zip(*rounds, strict=True)]


def _read(server: Server, request: bytes, number: int, connections: int) -> tuple[float, float, float, float]:
    before = server.cpu()
    driven = drive(server.host, server.port, [request] * number, connections)
    if driven.statuses != {200}:
        raise RuntimeError(f"reads were answered {sorted(driven.statuses)}: {driven.last.decode()[:500]}")
    if request is not LIVEZ:
        check_scorecard(driven.last)
    p50, p99 = (1000 * quantile(driven.latencies, share) for share in (0.5, 0.99))
    return p50, p99, number / driven.wall, 1000 * (server.cpu() - before) / number

"""A team's scorecard over HTTP from the made-up year: 15 scores with rate, interval, evidence, change and reasons."""

from pathlib import Path
from statistics import median

from benchmarks.acts import ends_of, fill
from benchmarks.client import drive
from benchmarks.measuring import Sizes, Table, apart, figure, quantile
from benchmarks.reading import check_scorecard, scorecard_request, wait_for
from benchmarks.servers import Server, exemplar

YEAR = 9_600  # acts: nearly all of one year
TEAM = "y7-t-summit"
CONNECTIONS = (1, 16)
WARMING = 20
LIVEZ = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """The card and, for the cost of HTTP alone, `/livez`, on the same server."""
    apart(fill, folder / "year", YEAR)
    rows = []
    with exemplar(folder / "year") as server:
        wait_for(server, ends_of(folder / "year"))
        requests = {"scorecard of a team": scorecard_request(TEAM), "`/livez`": LIVEZ}
        for name, request in requests.items():
            for connections in CONNECTIONS:
                _read(server, request, WARMING, connections)
                rounds = [_read(server, request, sizes.reads, connections) for _ in range(sizes.rounds)]
                rows.append((name, str(connections), *(figure(median(column)) for column in zip(*rounds, strict=True))))
    columns = ("", "connections", "p50 ms", "p99 ms", "answers/s", "CPU ms an answer")
    return [Table("Scorecards over HTTP", columns, rows)]


def _read(server: Server, request: bytes, number: int, connections: int) -> tuple[float, float, float, float]:
    before = server.cpu()
    driven = drive(server.host, server.port, [request] * number, connections)
    if driven.statuses != {200}:
        raise RuntimeError(f"reads were answered {sorted(driven.statuses)}: {driven.last.decode()[:500]}")
    if request is not LIVEZ:
        check_scorecard(driven.last)
    p50, p99 = (1000 * quantile(driven.latencies, share) for share in (0.5, 0.99))
    return p50, p99, number / driven.wall, 1000 * (server.cpu() - before) / number

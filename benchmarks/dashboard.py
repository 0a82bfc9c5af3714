"""Pages of the dashboard from the made-up year, on SQLite: how long they take, and what a first visit weighs."""

import gzip
import re
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks.acts import UNTIL, ends_of, fill
from benchmarks.client import drive
from benchmarks.measuring import Sizes, Table, apart, figure, quantile
from benchmarks.reading import wait_for
from benchmarks.scorecards import YEAR
from benchmarks.servers import Server, exemplar

LAST = UNTIL - timedelta(days=1)
TEAM, LEADER = "y7-t-summit", "y7-p-003"
QUARTER, WHOLE = f"period=quarter&on={LAST}", f"period=year&on={LAST}"
PAGES = {
    "a team over a quarter": f"/dashboard/team?team={TEAM}&{QUARTER}",
    "a team over a year": f"/dashboard/team?team={TEAM}&{WHOLE}",
    "its signals on a principle": f"/dashboard/signals?team={TEAM}&principle=no-pressure&{WHOLE}",
    "its leader's example over a year": f"/dashboard/example?team={TEAM}&{WHOLE}",
    "week by week over a year": f"/dashboard/heatmap?team={TEAM}&{WHOLE}",
    "a person's card over a year": f"/dashboard/person?person={LEADER}&{WHOLE}",
}
_FILE = re.compile(r'(?:href|src)="(/dashboard/static/[^"]+)"')
_IMPORT = re.compile(r'from "\./([a-z-]+\.js)"')


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """Each page over one connection, compressed as a browser asks for it."""
    apart(fill, folder / "year", YEAR)
    with exemplar(folder / "year") as server:
        wait_for(server, ends_of(folder / "year"))
        rows = [(name, *_read(server, path, sizes)) for name, path in PAGES.items()]
    columns = ("", "p50 ms", "p99 ms", "CPU ms a page", "kB on the first visit")
    return [Table("Pages of the dashboard", columns, rows)]


def _read(server: Server, path: str, sizes: Sizes) -> list[str]:
    reads = max(sizes.reads // 5, 1)
    request = _get(path)
    drive(server.host, server.port, [request] * 3, 1)
    before = server.cpu()
    driven = [drive(server.host, server.port, [request] * reads, 1) for _ in range(sizes.rounds)]
    cpu = 1000 * (server.cpu() - before) / (reads * sizes.rounds)
    if any(one.statuses != {200} for one in driven):
        raise RuntimeError(f"{path} was answered {sorted(driven[0].statuses)}")
    p50, p99 = (median(1000 * quantile(one.latencies, share) for one in driven) for share in (0.5, 0.99))
    return [figure(p50), figure(p99), figure(cpu), figure(_weight(server, driven[0].last) / 1000)]


def _weight(server: Server, page: bytes) -> int:
    """The bytes of a page and of all that it loads, as they are sent."""
    weight, wanted, had = len(page), set(_FILE.findall(gzip.decompress(page).decode())), set[str]()
    while wanted:
        link = wanted.pop()
        had.add(link)
        file = drive(server.host, server.port, [_get(link)], 1).last
        weight += len(file)
        folder = link.rpartition("/")[0]
        wanted |= {f"{folder}/{name}" for name in _IMPORT.findall(gzip.decompress(file).decode())} - had
    return weight


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n\r\n".encode()

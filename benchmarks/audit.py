"""The audit tree: records numbered a second, and how soon after its acknowledgement an act is in a signed checkpoint.

Numbering is reading the log, hashing, and committing entries, tiles and checkpoint. The time until a checkpoint covers
an act is that of a real server which is sent batches without a pause, one after the other.
"""

import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread

from benchmarks import engines, servers
from benchmarks.acts import events, fill, settings_of, together
from benchmarks.ingress import BATCH, BATCHED
from benchmarks.measuring import Sizes, Table, apart, figure, quantile, used
from services.kit import instants
from services.kit.settings import Settings
from services.parts import opened
from services.parts.audit import copies, signing
from services.projections.audit.notes import parse_checkpoint
from services.projections.audit.sequencer import Sequencer, Things

POLL_SECONDS = 0.05
PAUSE_SECONDS = 0.1  # between two batches at rest
COVERED_SECONDS = 60.0


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """Numbering a log that is there, and covering what comes."""
    return [_numbering(sizes.rebuilt, folder), _covering(sizes.batches, folder)]


def _numbering(number: int, folder: Path) -> Table:
    rows = []
    with engines.postgres() as postgres:
        for name, database in (("SQLite", ""), ("PostgreSQL", postgres)):
            settings = settings_of(folder / name).model_copy(update={"database_url": database})
            fill(settings.data_dir, number)
            wall, cpu = apart(_number, settings)
            file = settings.data_dir / "exemplar.audit.sqlite"
            size = "–" if database else figure(file.stat().st_size / number)
            rows.append((name, figure(number / wall), figure(1e6 * cpu / number), size))
    columns = ("", "records/s", "CPU µs a record", "bytes a record")
    return Table(f"Audit tree: {number:,} records numbered", columns, rows)


def _number(settings: Settings) -> tuple[float, float]:
    with opened(settings) as parts:
        things = Things(parts.log.reader(), parts.stores.control, parts.vault.erased)
        sequencer = Sequencer(parts.audit, things, signing(parts, may_make=True), copies(parts), instants.now)
        sequencer.take_over()
        with used() as numbered:
            while sequencer.step():
                pass
        return numbered.wall, numbered.cpu


def _covering(number: int, folder: Path) -> Table:
    rows = []
    for name, pause in (("a batch of 100 each 0.1 s", PAUSE_SECONDS), ("one after the other", 0.0)):
        rate, seconds = _covered(folder / name, list(together(events(number * BATCHED), BATCHED)), pause)
        shown = [figure(quantile(seconds, share)) for share in (0.5, 0.99, 1.0)]
        rows.append((name, figure(rate), *shown))
    columns = ("batches", "acts/s", "p50 (s)", "p99 (s)", "longest (s)")
    return Table("Audit tree: from the acknowledgement to a checkpoint that covers the act", columns, rows)


def _covered(folder: Path, batches: Sequence[Sequence[bytes]], pause: float) -> tuple[float, list[float]]:
    """Acts a second, and for each batch the seconds until a checkpoint had it."""
    with servers.exemplar(folder) as server:
        sizes: list[tuple[float, int]] = []
        stop = Event()
        asking = Thread(target=_watch, args=(server, sizes, stop))
        asking.start()
        try:
            before = _wait(sizes, 1)  # what is told of the model itself
            posted = _post(server, batches, pause)
            _wait(sizes, before + sum(map(len, batches)))
        finally:
            stop.set()
            asking.join()
    seconds = [next(at for at, size in sizes if size >= before + count) - when for when, count in posted]
    return posted[-1][1] / (posted[-1][0] - posted[0][0] or 1.0), [max(one, 0.0) for one in seconds]


def _post(server: servers.Server, batches: Sequence[Sequence[bytes]], pause: float) -> list[tuple[float, int]]:
    """When each batch was acknowledged, and how many acts were by then."""
    connection = HTTPConnection(server.host, server.port, timeout=30)
    posted: list[tuple[float, int]] = []
    count = 0
    for batch in batches:
        connection.request("POST", "/v1/events", b"[" + b",".join(batch) + b"]", {"content-type": BATCH})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise RuntimeError(f"events were answered {answer.status}")
        count += len(batch)
        posted.append((time.monotonic(), count))
        time.sleep(pause)
    connection.close()
    return posted


def _watch(server: servers.Server, sizes: list[tuple[float, int]], stop: Event) -> None:
    """Note how large the signed tree is, again and again."""
    connection = HTTPConnection(server.host, server.port, timeout=30)
    while not stop.wait(POLL_SECONDS):
        connection.request("GET", "/audit/checkpoint")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 200:
            sizes.append((time.monotonic(), parse_checkpoint(body.decode()).size))
    connection.close()


def _wait(sizes: Sequence[tuple[float, int]], least: int) -> int:
    """The size of the tree once it is that large."""
    end = time.monotonic() + COVERED_SECONDS
    while not sizes or sizes[-1][1] < least:
        if time.monotonic() > end:
            raise RuntimeError(f"no checkpoint covered it within {COVERED_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    return sizes[-1][1]

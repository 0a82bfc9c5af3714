"""Events acknowledged a second by a real server on SQLite, beside the log without a server and a server without a log.

`exemplar serve` validates, encrypts, compares with what is known, appends durably, answers, and folds meanwhile. The
bare log only appends the same records durably; the bare route only reads the body and answers 202.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import servers
from benchmarks.acts import ends_of, events, records, settings_of, together
from benchmarks.client import Driven, drive, post
from benchmarks.measuring import Sizes, Table, apart, figure, quantile, used
from benchmarks.reading import wait_for
from services.events.log.protocol import Place
from services.parts import opened

SINGLE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
BATCHED = 100
SINGLES_AT_ONCE, BATCHES_AT_ONCE = 64, 8
EXEMPLAR, LOG, ROUTE = "`exemplar serve`", "the log alone", "a bare route"


class Taken(NamedTuple):
    """One measurement: seconds until acknowledged and until folded, CPU-seconds until acknowledged, latencies."""

    wall: float
    cpu: float
    latencies: Sequence[float] = ()
    folded: float = 0.0


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """Single events over 64 connections, and batches of 100 over 8."""
    return [
        _compare(sizes.rounds, folder, "singles", events(sizes.singles), 1, SINGLES_AT_ONCE),
        _compare(sizes.rounds, folder, "batches", events(sizes.batches * BATCHED), BATCHED, BATCHES_AT_ONCE),
    ]


def _compare(rounds: int, folder: Path, name: str, given: list[bytes], size: int, at_once: int) -> Table:
    """Each round measures the three one after the other, each on fresh files."""
    requests = [request(some) for some in together(given, size)]
    found: dict[str, list[Taken]] = {EXEMPLAR: [], LOG: [], ROUTE: []}
    for number in range(rounds):
        found[EXEMPLAR].append(_exemplar(folder / f"{name}-{number}", requests, at_once))
        found[LOG].append(apart(_bare_log, folder / f"{name}-log-{number}", given, size, at_once))
        with servers.bare_route() as server:
            found[ROUTE].append(driven(server, requests, at_once))
    what = "single events" if size == 1 else f"batches of {size}"
    return _table(f"Events acknowledged: {what}, {at_once} at once", found, len(given))


def request(some: Sequence[bytes], headers: str = "") -> bytes:
    """A post of these events: one alone, or several as a batch."""
    if len(some) == 1:
        return post("/v1/events", SINGLE, some[0], headers)
    return post("/v1/events", BATCH, b"[" + b",".join(some) + b"]", headers)


def _exemplar(folder: Path, requests: list[bytes], at_once: int) -> Taken:
    with servers.exemplar(folder) as server:
        taken = driven(server, requests, at_once)
        with used() as catching_up:
            wait_for(server, ends_of(folder))
    return taken._replace(folded=taken.wall + catching_up.wall)


def driven(server: servers.Server, requests: list[bytes], at_once: int) -> Taken:
    """Post all of it, and see that everything was acknowledged."""
    before = server.cpu()
    answered: Driven = drive(server.host, server.port, requests, at_once)
    if answered.statuses != {202}:
        raise RuntimeError(f"events were answered {sorted(answered.statuses)}: {answered.last.decode()[:500]}")
    return Taken(answered.wall, server.cpu() - before, answered.latencies)


def _bare_log(folder: Path, given: list[bytes], size: int, at_once: int) -> Taken:
    """Append the same records from this process, with as many appends waiting for the disk as there are connections."""
    with opened(settings_of(folder)) as parts:
        appends = list(together(records(parts, given), size))
        writer = parts.log.writer()
        waiting: deque[Future[list[Place]]] = deque()
        with used() as taken:
            for append in appends:
                if len(waiting) == at_once:
                    waiting.popleft().result()
                waiting.append(writer.append(append))
            for future in waiting:
                future.result()
        writer.close()
    return Taken(taken.wall, taken.cpu)


def _table(title: str, found: dict[str, list[Taken]], number: int) -> Table:
    walls = {name: median(taken.wall for taken in rounds) for name, rounds in found.items()}
    cpus = {name: median(taken.cpu for taken in rounds) for name, rounds in found.items()}
    rows = []
    for name, rounds in found.items():
        latencies = [latency for taken in rounds for latency in taken.latencies]
        quantiles = [figure(1000 * quantile(latencies, share)) if latencies else "–" for share in (0.5, 0.99)]
        folded = median(taken.folded for taken in rounds)
        until_folded = figure(number / folded) if folded else "–"
        rows.append((name, figure(number / walls[name]), figure(1e6 * cpus[name] / number), *quantiles, until_folded))
    notes = [
        f"{EXEMPLAR} against {other}: {figure(walls[other] / walls[EXEMPLAR])} × the rate, "
        f"{figure(cpus[EXEMPLAR] / max(cpus[other], 0.01))} × the CPU (its own includes what it folded meanwhile)."
        for other in (LOG, ROUTE)
    ]
    columns = ("", "events/s", "CPU µs an event", "p50 ms", "p99 ms", "folded too, events/s")
    return Table(title, columns, rows, notes)

"""What idle subscribers cost a server: its memory, and what those who post and query notice of them.

Each subscriber is a WebSocket that watches a scorecard of a team. First nothing happens to the team, while events of
others are posted and its card is queried; then one act of its own is told to all.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.acts import UNTIL, ends_of, fill
from benchmarks.client import drive, post
from benchmarks.measuring import Sizes, Table, apart, figure, quantile
from benchmarks.reading import SCORECARD, scorecard_request, wait_for
from benchmarks.scorecards import TEAM, YEAR
from benchmarks.servers import Server, service
from services.kit.settings import load_settings

CONNECTIONS = 4
MEMBER = '{ team(key: "%s") { members { role person { key } } } }'
PROTOCOL = Subprotocol("graphql-transport-ws")
WATCH = SCORECARD.replace("query Card(", "subscription Card(").replace("team(key:", "scorecardChanged(team:")


class Told(NamedTuple):
    """Seconds until the first and the last subscriber had an answer to one act, and what the server took for it."""

    first: float
    last: float
    cpu: float


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """The same server without subscribers and with them, and an act that is told to all."""
    apart(fill, folder, YEAR)
    settings = load_settings(data_dir=folder, live_connections_each=1000)
    with service("serve", settings) as server:
        wait_for(server, ends_of(folder))
        rows, told = asyncio.run(_measure(server, sizes))
    columns = ("subscribers", "server MB", "posts: p50 ms", "p99 ms", "cards: p50 ms", "p99 ms", "CPU-seconds")
    found = (str(sizes.subscribers), figure(told.first), figure(told.last), figure(told.cpu))
    return [
        Table("Idle subscribers", columns, rows),
        Table("An act told to all of them", ("subscribers", "first s", "last s", "CPU-seconds"), [found]),
    ]


async def _measure(server: Server, sizes: Sizes) -> tuple[list[Sequence[str]], Told]:
    await _load(server, sizes, 0)  # what the first of all requests takes
    rows = [await _load(server, sizes, 0)]
    subscribed = [await _subscribe(server) for _ in range(sizes.subscribers)]
    for connection in subscribed:
        await connection.recv()
    rows.append(await _load(server, sizes, len(subscribed)))
    told = await _tell(server, subscribed)
    for connection in subscribed:
        await connection.close()
    return rows, told


async def _subscribe(server: Server) -> ClientConnection:
    address = f"ws://{server.host}:{server.port}/graphql"
    connection = await connect(address, subprotocols=[PROTOCOL], compression=None)
    await connection.send('{"type": "connection_init"}')
    await connection.recv()
    period = {"from": f"{UNTIL.replace(year=UNTIL.year - 1)}", "to": f"{UNTIL}"}
    payload = {"query": WATCH, "variables": {"team": TEAM, **period}}
    await connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
    return connection


async def _load(server: Server, sizes: Sizes, subscribers: int) -> Sequence[str]:
    """Posts of events of nobody in the team, then cards of the team."""
    before = server.cpu()
    times = []
    posts = [_event(f"{subscribers}-{time.monotonic_ns()}-{number}", "nobody") for number in range(sizes.reads)]
    for requests in (posts, [scorecard_request(TEAM)] * sizes.reads):
        driven = await asyncio.to_thread(drive, server.host, server.port, requests, CONNECTIONS)
        if not driven.statuses <= {200, 202}:
            raise RuntimeError(f"answered {sorted(driven.statuses)}: {driven.last.decode()[:500]}")
        times += [figure(1000 * quantile(driven.latencies, share)) for share in (0.5, 0.99)]
    return str(subscribers), figure(server.peak()), *times, figure(server.cpu() - before)


async def _tell(server: Server, subscribed: Sequence[ClientConnection]) -> Told:
    """One act of one of the team's reps."""
    members = post("/graphql", "application/json", json.dumps({"query": MEMBER % TEAM}).encode())
    found = json.loads((await asyncio.to_thread(drive, server.host, server.port, [members], 1)).last)
    rep = next(m["person"]["key"] for m in found["data"]["team"]["members"] if m["role"] == "REP")
    waiting = [asyncio.create_task(connection.recv()) for connection in subscribed]
    await asyncio.to_thread(drive, server.host, server.port, [_event("told", rep)], 1)
    before, started = server.cpu(), time.perf_counter()
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    first = time.perf_counter() - started
    await asyncio.wait(waiting)
    return Told(first, time.perf_counter() - started, server.cpu() - before)


def _event(id_: str, rep: str) -> bytes:
    event = {
        "specversion": "1.0",
        "id": id_,
        "source": "/benchmarks/live",
        "type": "exemplar.urgency.pressed.v1",
        "subject": f"customer-{id_}",
        "time": f"{UNTIL.replace(year=UNTIL.year - 1)}T09:00:00Z",
        "data": {"rep": rep, "tactic": "deadline"},
    }
    return post("/v1/events", "application/cloudevents+json", json.dumps(event).encode())

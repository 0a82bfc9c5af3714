"""A light HTTP/1.1 client in a process of its own: connections that are kept open, each with one request at a time."""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import uvloop

from benchmarks.measuring import apart

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_MOST_BYTES = 16 * 2**20


class Driven(NamedTuple):
    """What requests took: seconds in all, the client's CPU-seconds, seconds of each; statuses; the last body."""

    wall: float
    cpu: float
    latencies: Sequence[float]
    statuses: frozenset[int]
    last: bytes


def post(path: str, media_type: str, body: bytes, headers: str = "") -> bytes:
    """A request, as it goes over the line. `headers` ends with a line break."""
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media_type}\r\n{headers}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def drive(host: str, port: int, requests: Sequence[bytes], connections: int) -> Driven:
    """Send all requests over so many connections, each as soon as the one before it on its connection was answered."""
    return apart(_drive, host, port, requests, connections)


def _drive(host: str, port: int, requests: Sequence[bytes], connections: int) -> Driven:
    return uvloop.run(_connections(host, port, requests, connections))


async def _connections(host: str, port: int, requests: Sequence[bytes], connections: int) -> Driven:
    opened = [await asyncio.open_connection(host, port, limit=_MOST_BYTES) for _ in range(connections)]
    waiting = iter(requests)
    latencies: list[float] = []
    statuses: set[int] = set()
    wall, cpu = time.perf_counter(), time.process_time()
    bodies = await asyncio.gather(*(_connection(*pair, waiting, latencies, statuses) for pair in opened))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    for _, writer in opened:
        writer.close()
    return Driven(wall, cpu, latencies, frozenset(statuses), bodies[0])


async def _connection(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    waiting: Iterator[bytes],
    latencies: list[float],
    statuses: set[int],
) -> bytes:
    body = b""
    for request in waiting:
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        latencies.append(time.perf_counter() - begun)
        statuses.add(int(head[9:12]))
    return body

"""The least that uvicorn and kafka-python can do with posts: send the events as they came, answer once they are there.

Nothing is looked at: no credential, no rule of the catalogue, no copy of what is known, nothing encrypted. What it
takes beyond this is what `exemplar events` itself takes.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import msgspec
import uvicorn
from kafka import KafkaProducer
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.bare import listening
from benchmarks.bare_producer import TUNED
from services.kit import collector

LINGER_MS = 1  # keeps single events short, and lets those that come at the same time go together
PARTITIONS = 12
HEADERS = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])


class _Post:
    """What was sent of a post, and the future that hears of all of it."""

    def __init__(self, answers: "_Answers", size: int) -> None:
        self.answered: asyncio.Future[None] = answers.loop.create_future()
        self.places: list[tuple[int, int]] = []
        self._answers = answers
        self._left = size

    def heard(self, metadata: Any) -> None:
        """Called by the client's thread, which is one."""
        self.places.append((metadata.partition, metadata.offset))
        self._left -= 1
        if not self._left:
            self._answers.tell(self)


class _Answers:
    """Hands what the client's thread hears to the loop, with one wake-up for all that it hears meanwhile."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._heard: deque[_Post] = deque()
        self._woken = False

    def tell(self, post: _Post) -> None:
        """Called by the client's thread."""
        self._heard.append(post)
        if not self._woken:
            self._woken = True
            self.loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False  # first: what is told from now on wakes the loop again
        while self._heard:
            self._heard.popleft().answered.set_result(None)


def ingress(producer: Any, topic: str) -> ASGIApp:
    """The app: each post is one event, or an array of them."""
    started: list[_Answers] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        if not started:
            started.append(_Answers(asyncio.get_running_loop()))
        body = await _body(receive)
        events = [bytes(event) for event in _EVENTS.decode(body)] if body.startswith(b"[") else [body]
        post = _Post(started[0], len(events))
        for event in events:
            key = b"%d" % (crc32(event) % 10_000)
            sent = producer.send(topic, event, key=key, headers=HEADERS, partition=crc32(key) % PARTITIONS)
            sent.add_both(post.heard)
        await post.answered
        await _answer(send, post.places)

    return app


async def _body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _answer(send: Send, places: Sequence[tuple[int, int]]) -> None:
    body = msgspec.json.encode(places)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until the process is ended: `python -m benchmarks.bare_ingress BROKER TOPIC`."""
    broker, topic = sys.argv[1:]
    settings = {**TUNED, "linger_ms": LINGER_MS}
    producer = KafkaProducer(bootstrap_servers=broker, acks="all", enable_idempotence=True, **settings)
    producer.partitions_for(topic)  # connected, and knows the topic
    collector.spare()
    config = uvicorn.Config(ingress(producer, topic), log_level="warning", access_log=False, lifespan="off")
    with listening() as bound:
        uvicorn.Server(config).run(sockets=[bound])


if __name__ == "__main__":
    main()

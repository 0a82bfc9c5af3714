"""Many clients at once, each telling made-up worlds act by act, with a ledger of what they were answered.

The worlds are those of the reference model: real acts of every kind, with copies, conflicts, retractions and erasures.
A client sends again what was not acknowledged, mostly; and now and then what was, in every form that there is.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from random import Random
from urllib.parse import quote

from services.kit.instants import SECOND
from tests.faults.ledger import Attempt, Event, Ledger
from tests.journeys.telling import REFERENCES, event_of, parse, world, written
from tests.reference.model import RefAct
from tests.serving import BATCH, STRUCTURED

RATE = 200  # acts a second, of all clients
CLIENTS = 24
PATIENCE = 20.0  # seconds that a client waits for an answer
AGAIN = 0.3  # seconds after which it sends again
_IDLE_SECONDS = 3.0  # a connection that was not used for longer is made anew, before the server closes it
_NAMED = ("rep", "person", "team", "parent", "referred")  # fields that name persons, teams and customers


class Client:
    """One HTTP connection to the ingress, made anew when it breaks; notes all in the ledger."""

    def __init__(self, port: int, key: str, ledger: Ledger) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._authorization = f"Bearer {key}"
        self._ledger = ledger
        self._used = 0.0

    def post(self, events: Sequence[Event], binary: bool = False) -> Attempt:
        """Post one event or a batch; the attempt has the answer, if there was one."""
        if time.monotonic() - self._used > _IDLE_SECONDS:
            self._connection.close()
        attempt = self._ledger.begin(events)
        try:
            self._connection.request("POST", "/v1/events", *self._message(events, binary))
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, HTTPException):
            self._connection.close()
            attempt.answered = time.monotonic()
            return attempt
        self._used = attempt.answered = time.monotonic()
        attempt.retry_after = response.headers.get("retry-after")
        attempt.receipts = json.loads(body)["receipts"] if response.status == 202 else ()
        attempt.refused = _refused(body) if response.status == 409 else frozenset()
        attempt.status = response.status
        return attempt

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _message(self, events: Sequence[Event], binary: bool) -> tuple[bytes, dict[str, str]]:
        headers = {"authorization": self._authorization}
        if len(events) > 1:
            return json.dumps(events).encode(), {**headers, "content-type": BATCH}
        if not binary:
            return json.dumps(events[0]).encode(), {**headers, "content-type": STRUCTURED}
        attributes = {f"ce-{n}": quote(str(v), safe=":/+@ ") for n, v in events[0].items() if n != "data"}
        return json.dumps(events[0]["data"]).encode(), {**headers, **attributes, "content-type": "application/json"}


def _refused(body: bytes) -> frozenset[int]:
    return frozenset(error["index"] for error in json.loads(body)["errors"])


def acts(seed: int) -> Iterator[Event]:
    """Acts without end, the same for the same seed, no name of which any other seed uses."""
    chapter = 0
    while True:
        for act in world(seed * 1_000 + chapter, 120, 1):
            yield event_of(_renamed(act, f"{seed}.{chapter}"))
        chapter += 1


def _renamed(act: RefAct, chapter: str) -> RefAct:
    """The act with persons, teams, customers and ids of the chapter's own."""
    data = dict(act.data)
    for field in (*_NAMED, *REFERENCES):
        if isinstance(data.get(field), str):
            data[field] = _own(data[field], chapter)
    return replace(act, subject=_own(act.subject, chapter), id=_own(act.id, chapter), data=data)


def _own(name: str, chapter: str) -> str:
    return name if name in ("public", "unattributed") else f"{chapter}-{name}"


class Load:
    """Clients in threads, from `start` to `stop`, at RATE acts a second in all while they are answered.

    `copies`: the share of requests that are told twice. Each client has one or two of the ports.
    """

    def __init__(self, ports: Sequence[int], key: str, ledger: Ledger, seed: int, copies: float = 0.1) -> None:
        self.ledger = ledger
        self._ports = ports
        self._key = key
        self._copies = copies
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(seed * CLIENTS + number,), name=f"client-{number}", daemon=True)
            for number in range(CLIENTS)
        ]

    def start(self) -> None:
        """Let the clients begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the clients come to an end; what has not been answered by then, is by the time this returns."""
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE)

    def _run(self, seed: int) -> None:
        random = Random(seed)
        told = acts(seed)
        client = Client(random.choice(self._ports), self._key, self.ledger)
        other = Client(random.choice(self._ports), self._key, self.ledger)
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            events = [next(told) for _ in range(random.choice((1, 1, 1, 1, 1, 2, 2, 5, 10)))]
            if random.random() < self._copies:
                self._twice(client, other, events, random)
            else:
                self._tell(client, events, random)
            due = max(due, time.monotonic() - 1.0) + len(events) * CLIENTS / RATE
        client.close()
        other.close()

    def _tell(self, client: Client, events: Sequence[Event], random: Random) -> None:
        """Post until it is acknowledged, without what is refused; now and then it is given up."""
        left = list(events)
        while left:
            attempt = client.post(left, binary=random.random() < 0.3)
            if attempt.status == 202:
                return
            if attempt.status == 409:
                left = [event for index, event in enumerate(left) if index not in attempt.refused]
            elif random.random() < 0.1 or self._stop.wait(AGAIN):
                return

    def _twice(self, client: Client, other: Client, events: list[Event], random: Random) -> None:
        """Tell something twice: in one request, at the same time, one after the other, or changed the second time."""
        form = random.randrange(4)
        if form == 0:
            self._tell(client, [*events, *events], random)
        elif form == 1:
            beside = threading.Thread(target=self._tell, args=(other, events, Random(random.random())))
            beside.start()
            self._tell(client, events, random)
            beside.join()
        else:
            self._tell(client, events, random)
            again = [_contradicted(event) for event in events] if form == 3 and random.random() < 0.2 else events
            self._tell(client, [random.choice(again)], random)


def _contradicted(event: Event) -> Event:
    """The same key a second earlier: a conflict."""
    return {**event, "time": written(parse(event["time"]) - SECOND)}


@contextmanager
def load(ports: Sequence[int], key: str, ledger: Ledger, seed: int, copies: float = 0.1) -> Iterator[Load]:
    """A load that runs; it is stopped at the end."""
    made = Load(ports, key, ledger, seed, copies)
    made.start()
    try:
        yield made
    finally:
        made.stop()

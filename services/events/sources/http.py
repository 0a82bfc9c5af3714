"""Records acts over HTTP, at the ingress of an Exemplar that runs elsewhere."""

import http.client
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from services.events.sources.protocol import Accepted, Event, Outcome, Refused
from services.kit.errors import Forbidden, Invalid, Unauthenticated, Unavailable

_MOST_EVENTS = 500
# The ingress takes 4 MiB, but within 10 s: a slow line should manage too.
_MOST_BYTES = 1024 * 1024
# The ingress answers within 12 s.
_TIMEOUT = 20.0
_ATTEMPTS = 8
_LONGEST_PAUSE = 30.0
_ABOUT_EVENTS = frozenset({400, 403, 409, 422})
_AGAIN = frozenset({408, 429, 502, 503, 504})


class _Receipt(msgspec.Struct):
    duplicate: bool


class _Receipts(msgspec.Struct):
    receipts: list[_Receipt]


class _Fault(msgspec.Struct):
    index: int
    reason: str
    pointer: str = ""


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""
    errors: list[_Fault] = []


class _Answer(NamedTuple):
    status: int
    body: bytes
    retry_after: float | None


def read_key(path: Path) -> str:
    """The API key that a file holds. Raises Invalid if it holds none."""
    try:
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from error
    except UnicodeError as error:
        raise Invalid(f"{path}: no API key") from error
    if not key or not key.isprintable() or " " in key:
        raise Invalid(f"{path}: no API key")
    return key


class HttpRecorder:
    """The `Recorder` of `URL/v1/events`. It keeps one connection and is for one thread; `close` it in the end.

    A batch is refused whole when one event in it is bad: the bad ones are taken out and the rest is sent again. What is
    unavailable is tried 8 times, as far apart as the server asks but 30 seconds at most; an outcome that stays unknown
    on the way is harmless, since the server knows an act that it has already. Where nothing ever answered, it gives up.
    """

    def __init__(self, url: str, key: str | None, wait: Callable[[float], None] = time.sleep) -> None:
        """Raises Invalid if the URL is none of HTTP."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"{url}: not a URL such as https://exemplar.example.com")
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._url = url
        self._path = parts.path.rstrip("/") + "/v1/events"
        self._connection = connect(parts.hostname, parts.port, timeout=_TIMEOUT)
        self._headers = {"Content-Type": "application/cloudevents-batch+json", "Accept": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._wait = wait
        self._reached = False

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def record(self, events: Sequence[Event]) -> Sequence[Outcome]:
        """See `Recorder`. Raises Unavailable, Unauthenticated, Forbidden, and Invalid if no Exemplar answers there."""
        outcomes: dict[int, Outcome] = {}
        for batch in _batches([msgspec.json.encode(event) for event in events]):
            self._settle(batch, outcomes)
        return [outcomes[place] for place in range(len(events))]

    def _settle(self, batch: dict[int, bytes], outcomes: dict[int, Outcome]) -> None:
        while batch:
            answer = self._post(b"[" + b",".join(batch.values()) + b"]")
            if answer.status == 413:
                self._halve(batch, outcomes)
                return
            if answer.status == 202:
                outcomes.update(self._receipts(batch, answer.body))
                return
            if answer.status not in _ABOUT_EVENTS:
                raise self._refusal(answer)
            refused = self._faults(batch, answer)
            outcomes.update(refused)
            batch = {place: body for place, body in batch.items() if place not in refused}

    def _halve(self, batch: dict[int, bytes], outcomes: dict[int, Outcome]) -> None:
        places = list(batch)
        if len(places) == 1:
            outcomes[places[0]] = Refused(413, "", "larger than the server takes an event")
            return
        middle = len(places) // 2
        for half in (places[:middle], places[middle:]):
            self._settle({place: batch[place] for place in half}, outcomes)

    def _receipts(self, batch: dict[int, bytes], body: bytes) -> dict[int, Outcome]:
        try:
            receipts = msgspec.json.decode(body, type=_Receipts).receipts
        except msgspec.MsgspecError as error:
            raise Invalid(f"{self._url}: the answer is not Exemplar's") from error
        if len(receipts) != len(batch):
            raise Invalid(f"{self._url}: {len(receipts)} receipts for {len(batch)} events: no Exemplar")
        return {place: Accepted(receipt.duplicate) for place, receipt in zip(batch, receipts, strict=True)}

    def _faults(self, batch: dict[int, bytes], answer: _Answer) -> dict[int, Outcome]:
        places = list(batch)
        refused: dict[int, Outcome] = {}
        for fault in _problem(answer.body).errors:
            if 0 <= fault.index < len(places):
                refused.setdefault(places[fault.index], Refused(answer.status, fault.pointer, fault.reason))
        if not refused:
            raise self._refusal(answer)
        return refused

    def _refusal(self, answer: _Answer) -> Exception:
        """The error of an answer that is about the request and not about single events."""
        problem = _problem(answer.body)
        text = f"{self._url} answered {answer.status} {problem.detail or problem.title}".rstrip()
        kinds: dict[int, type[Exception]] = {401: Unauthenticated, 403: Forbidden}
        return kinds.get(answer.status, Invalid)(text)

    def _post(self, body: bytes) -> _Answer:
        """The answer to a batch, tried again while there is none or it says that the server is busy."""
        fault = ""
        for attempt in range(_ATTEMPTS):
            pause = float(2**attempt)
            try:
                answer = self._exchange(body)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if not self._reached and isinstance(error, ConnectionRefusedError | socket.gaierror):
                    raise Unavailable(f"nothing answers at {self._url}: {error.strerror}") from error
                fault = str(error) or type(error).__name__
                # A connection that the server has closed in the meantime shows here: the first try again is at once.
                pause = 0.0 if attempt == 0 else pause
            else:
                if answer.status not in _AGAIN:
                    return answer
                fault = f"it answered {answer.status}"
                pause = pause if answer.retry_after is None else answer.retry_after
            if attempt < _ATTEMPTS - 1:
                self._wait(min(pause, _LONGEST_PAUSE))
        raise Unavailable(f"{self._url} cannot take acts now: {fault}")

    def _exchange(self, body: bytes) -> _Answer:
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        self._reached = True
        asked = response.getheader("Retry-After", "")
        return _Answer(response.status, response.read(), float(asked) if asked.isdecimal() else None)


def _problem(body: bytes) -> _Problem:
    """The problem+json in an answer; an empty one if there is none."""
    try:
        return msgspec.json.decode(body, type=_Problem)
    except msgspec.MsgspecError:
        return _Problem()


def _batches(bodies: Sequence[bytes]) -> list[dict[int, bytes]]:
    """The events by their places, in requests of 500 events and 1 MiB at most."""
    batches: list[dict[int, bytes]] = []
    size = _MOST_BYTES
    for place, body in enumerate(bodies):
        if size + len(body) + 1 > _MOST_BYTES or len(batches[-1]) == _MOST_EVENTS:
            batches.append({})
            size = len("[]")
        batches[-1][place] = body
        size += len(body) + 1
    return batches

"""The HTTP ingress: `POST /v1/events`, and the schemas of what may be posted.

Posts are answered ahead of Starlette and FastAPI, by plain ASGI: their layers took a quarter of its CPU.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.events import recording
from services.events.binding import Headers, Mode, UnsupportedMediaType, binary_event, mode_of
from services.events.catalog.schemas import SCHEMA_MEDIA_TYPE, Documents
from services.events.credentials import ACTS_WRITE, Credential, Keyring
from services.events.intake import Intake
from services.events.recording import Fault, Receipt, Refused
from services.events.trace import trace_of_post
from services.kit import strict_json
from services.kit.errors import Corrupt, ExemplarError, Forbidden, Malformed, NotFound, Unavailable
from services.kit.problems import problem, problem_of

EVENTS = "/v1/events"
_LATER = {"retry-after": "30"}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may take. `buffered_bytes`: the bodies of all requests together.

    `admitting_seconds`: for the database, or the issuer of tokens, to say whose a credential is.
    """

    event_bytes: int = 256 * 1024
    request_bytes: int = 4 * 1024 * 1024
    events: int = 1000
    requests: int = 256
    buffered_bytes: int = 64 * 1024 * 1024
    admitting_seconds: float = 5.0


class _TooLarge(ExemplarError):
    """413."""


class _TooMany(ExemplarError):
    """429."""


class _TooSlow(ExemplarError):
    """408."""


class Ingress:
    """The ASGI app that answers the posts of events. `registry` gets its metrics."""

    def __init__(self, intake: Intake, keyring: Keyring, limits: Limits, registry: CollectorRegistry) -> None:
        self._intake = intake
        self._keyring = keyring
        self._limits = limits
        self._requests = 0
        self._bytes = 0
        self._admitting: dict[str | None, asyncio.Future[Credential]] = {}
        events = Counter("exemplar_events", "Events answered, by outcome", ["outcome"], registry=registry)
        self._accepted, self._duplicate, self._refused = map(events.labels, ("accepted", "duplicate", "refused"))
        answers = Counter("exemplar_event_posts", "Posts answered, by status", ["status"], registry=registry)
        self._answered = cache(lambda status: answers.labels(str(status)))
        self._seconds = Histogram("exemplar_event_post_seconds", "Time to answer a post", registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a post."""
        started = time.perf_counter()
        response = await self._answer(scope["headers"], receive)
        self._answered(response.status_code).inc()
        self._seconds.observe(time.perf_counter() - started)
        await response(scope, receive, send)

    async def _answer(self, headers: Headers, receive: Receive) -> Response:
        held = [0]
        self._requests += 1
        try:
            return await self._record(headers, receive, held)
        except Refused as error:
            self._refused.inc(len(error.faults))
            return problem(error.status, str(error), [_fault(i, fault) for i, fault in sorted(error.faults.items())])
        except _TooMany:
            return problem(429, headers={"retry-after": "1"})
        except (_TooLarge, _TooSlow, UnsupportedMediaType) as error:
            status = {_TooLarge: 413, _TooSlow: 408, UnsupportedMediaType: 415}[type(error)]
            return problem(status, str(error), headers={"connection": "close"} if status == 408 else None)
        except asyncio.CancelledError:
            return problem(503, "the server is stopping: send the events again", headers={"retry-after": "1"})
        except Corrupt as error:
            _log.error("the log cannot take events", reason=str(error))
            return problem(503, "the log cannot take events until an operator has seen to it", headers=_LATER)
        except ExemplarError as error:
            return problem_of(error)
        finally:
            self._requests -= 1
            self._bytes -= held[0]

    async def _record(self, headers: Headers, receive: Receive, held: list[int]) -> Response:
        if self._requests > self._limits.requests:
            raise _TooMany
        asked = time.monotonic()
        credential = await self._credential(_header(headers, b"authorization"))
        waited = time.monotonic() - asked
        mode = mode_of(headers)
        body = await self._body(headers, receive, self._most(mode), held)
        events = self._events_of(mode, headers, body)
        del body
        request = recording.Request(events, credential, trace_of_post(headers))
        receipts = await self._intake.record(request, waited) if events else []
        if duplicates := sum(receipt.duplicate for receipt in receipts):
            self._duplicate.inc(duplicates)
        self._accepted.inc(len(receipts) - duplicates)
        return _acknowledgement(receipts)

    async def _credential(self, authorization: str | None) -> Credential:
        credential = self._keyring.remembered(authorization)
        if credential is None:
            credential = await self._admitted(authorization)
        if not credential.has(ACTS_WRITE) and credential.person is None:
            raise Forbidden(f"the credential lacks the scope {ACTS_WRITE}")
        return credential

    async def _admitted(self, authorization: str | None) -> Credential:
        """The keyring's answer; those who ask the same at the same time get it together."""
        asked = self._admitting.get(authorization)
        if asked is None:
            asked = asyncio.ensure_future(self._asked(authorization))
            self._admitting[authorization] = asked
            asked.add_done_callback(lambda _: self._admitting.pop(authorization))
        return await asyncio.shield(asked)

    async def _asked(self, authorization: str | None) -> Credential:
        answer = asyncio.to_thread(self._keyring.admit, authorization)
        try:
            return await asyncio.wait_for(answer, self._limits.admitting_seconds)
        except TimeoutError as error:
            raise Unavailable("nobody says in time whose the credential is: send the events again") from error

    def _most(self, mode: Mode) -> int:
        return self._limits.request_bytes if mode is Mode.BATCH else self._limits.event_bytes

    async def _body(self, headers: Headers, receive: Receive, most: int, held: list[int]) -> bytes:
        """The body, of `most` bytes; refused as soon as it is known to be larger. Its time is the protocol's matter."""
        announced = _header(headers, b"content-length") or "0"
        if not announced.isdecimal() or int(announced) > most:
            raise _TooLarge(f"at most {most} bytes")
        parts: list[bytes] = []
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _TooSlow("the body did not arrive")
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
            self._hold(len(parts[-1]), most, held)
        return b"".join(parts)

    def _hold(self, size: int, most: int, held: list[int]) -> None:
        """Count a part of a body. Raises _TooLarge or _TooMany."""
        held[0] += size
        self._bytes += size
        if held[0] > most:
            raise _TooLarge(f"at most {most} bytes")
        if self._bytes > self._limits.buffered_bytes:
            raise _TooMany

    def _events_of(self, mode: Mode, headers: Headers, body: bytes) -> list[object]:
        """The events as JSON values, those that are none as faults. Raises Malformed or _TooLarge."""
        if mode is Mode.BATCH:
            return self._batch(body)
        try:
            return [strict_json.parse(body) if mode is Mode.STRUCTURED else binary_event(headers, body)]
        except Malformed as error:
            return [Fault(400, error.pointer, str(error))]

    def _batch(self, body: bytes) -> list[object]:
        texts = strict_json.split(body, self._limits.events)
        if len(texts) > self._limits.events:
            raise _TooLarge(f"at most {self._limits.events} events in a request")
        events: list[object] = []
        for text in texts:
            if len(text) > self._limits.event_bytes:
                raise _TooLarge(f"at most {self._limits.event_bytes} bytes an event")
            try:
                events.append(strict_json.parse(text))
            except Malformed as error:
                events.append(Fault(400, error.pointer, str(error)))
        return events


class PostsFirst:
    """ASGI app that answers the posts of events by the ingress, ahead of all that answers the rest."""

    def __init__(self, app: ASGIApp, ingress: ASGIApp) -> None:
        self._app = app
        self._ingress = ingress

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["path"] != EVENTS or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            await self._ingress(scope, receive, send)
        except Exception:  # noqa: BLE001  # whatever it is, the client is told, as by the rest of the app
            _log.exception("a post could not be answered")
            await problem(500)(scope, receive, send)


def ingress_routes(ingress: Ingress, documents: Documents) -> list[Route]:
    """`/v1/events`, `/v1/schemas`, `/v1/schemas/{type}`, `/openapi.json`, `/asyncapi.json`."""

    async def schemas(_request: Request) -> Response:
        return _json(documents.index)

    async def schema(request: Request) -> Response:
        found = documents.schemas.get(request.path_params["type"])
        if found is None:
            raise NotFound("there is no such type: see GET /v1/schemas")
        return _json(found, SCHEMA_MEDIA_TYPE)

    async def openapi(_request: Request) -> Response:
        return _json(documents.openapi)

    async def asyncapi(_request: Request) -> Response:
        return _json(documents.asyncapi)

    return [
        Route(EVENTS, ingress, methods=["POST"]),
        Route("/v1/schemas", schemas),
        Route("/v1/schemas/{type}", schema),
        Route("/openapi.json", openapi),
        Route("/asyncapi.json", asyncapi),
    ]


class _Shown(Struct):
    """A receipt as the client gets it."""

    source: str
    id: str
    partition: int
    offset: int
    duplicate: bool


def _acknowledgement(receipts: list[Receipt]) -> Response:
    shown = [_Shown(each.source, each.id, each.place.partition, each.place.offset, each.duplicate) for each in receipts]
    answer = {"receipts": shown, "position": recording.position_of(receipts)}
    return Response(msgspec.json.encode(answer), 202, media_type="application/json")


def _header(headers: Headers, wanted: bytes) -> str | None:
    """The first value of a header."""
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return None


def _fault(index: int, fault: Fault) -> dict[str, object]:
    return {"index": index, "pointer": fault.pointer, "reason": fault.reason}


def _json(document: Mapping[str, Any], media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(document), media_type=media_type)

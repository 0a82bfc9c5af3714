"""GraphQL over HTTP: POST, GET for queries, and the page for people; what is ill-formed is problem+json.

Follows the GraphQL-over-HTTP draft: 200 for all that is well-formed where `application/json` is asked for, a status
that tells what happened where it is `application/graphql-response+json`.
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp
from strawberry.schema.exceptions import InvalidOperationTypeError

from services.graphql import errors
from services.graphql.answering import Answer, Gateway, Question
from services.graphql.event_stream import MEDIA_TYPE as EVENT_STREAM
from services.graphql.event_stream import EventStream
from services.graphql.live import Live
from services.graphql.metrics import REFUSED, QueryMetrics, outcome_of
from services.graphql.sign_in import SignIn, address_of
from services.kit import strict_json
from services.kit.errors import Malformed
from services.kit.problems import challenge, problem

BODY_AT_MOST = 64 * 1024
JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
HTML = "text/html"
WAIT_FOR = "exemplar-wait-for"
ALWAYS_TOLD = (errors.UNAUTHENTICATED, errors.RATE_LIMITED)  # by the status, whatever media type is asked for
PAGE = Path(__file__).parent / "static" / "graphiql" / "index.html"
_CHARSETS = ("utf-8", "utf8")
Result = TypeVar("Result")


class Refusal(Exception):
    """The request is not GraphQL over HTTP: its status, and what is wrong with it."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.response = problem(status, detail, headers=headers)


class Transport:
    """The endpoint `/graphql`."""

    def __init__(self, gateway: Gateway, live: Live, metrics: QueryMetrics, sign_in: SignIn) -> None:
        self._gateway = gateway
        self._live = live
        self._metrics = metrics
        self._sign_in = sign_in

    async def get(self, request: Request) -> ASGIApp:
        """GraphiQL for a browser that asks nothing; else a query in the URL."""
        if not {"query", "documentId"} & request.query_params.keys() and _accepts(request, HTML):
            return FileResponse(PAGE, media_type=HTML, headers={"cache-control": "no-cache"})
        return await self._respond(request, self._from_url)

    async def post(self, request: Request) -> ASGIApp:
        """A request as a JSON body."""
        return await self._respond(request, self._from_body)

    async def _respond(self, request: Request, read: Any) -> ASGIApp:
        return await (self._stream if _streams(request) else self._answer)(request, read)

    async def _stream(self, request: Request, read: Any) -> ASGIApp:
        try:
            return EventStream(self._live, self._gateway, self._question(await read(request), request))
        except Refusal as refusal:
            return refusal.response

    async def _answer(self, request: Request, read: Any) -> Response:
        started, outcome = time.perf_counter(), REFUSED
        try:
            media_type = _negotiated(request)
            asked = self._question(await read(request), request)
            answer = await while_there(request, self._gateway.answer(asked))
            outcome = outcome_of(answer.body)
        except Refusal as refusal:
            return refusal.response
        except InvalidOperationTypeError:
            if request.method == "GET":
                return problem(405, "GET is for queries only", headers={"allow": "POST"})
            return problem(400, f"only queries are answered here; subscriptions as {EVENT_STREAM} or over a WebSocket")
        finally:
            self._metrics.observe(outcome, time.perf_counter() - started)
        return _response(answer, media_type, asked)

    def _question(self, members: Mapping[str, Any], request: Request) -> Question:
        """What is asked, by whom: a page of this server asks with the dashboard's cookie. Raises Refusal."""
        asked = _question(members, self._sign_in.of_script(request), request.headers.get(WAIT_FOR))
        return asked._replace(address=address_of(request))

    async def _from_url(self, request: Request) -> dict[str, Any]:
        members: dict[str, Any] = dict(request.query_params)
        for name in ("variables", "extensions"):
            if members.get(name):
                members[name] = _parsed(members[name].encode(), f"`{name}`")
            else:
                members.pop(name, None)
        return members

    async def _from_body(self, request: Request) -> dict[str, Any]:
        _check_media_type(request)
        members = _parsed(await _body(request), "the body")
        if not isinstance(members, dict):
            raise Refusal(400, "the body is not one JSON object: requests are not batched")
        return members


async def while_there(request: Request, answering: Coroutine[Any, Any, Result]) -> Result:
    """The answer, unless the client goes away: then nobody works on it any more. Raises Refusal."""
    working = asyncio.create_task(answering)
    leaving = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Refusal(408, "the client went away before it was answered")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _negotiated(request: Request) -> str:
    """The media type to answer with. An answer of neither type is asked for: 406."""
    graphql, json = _quality(request, GRAPHQL), _quality(request, JSON)
    if max(graphql, json) == 0:
        raise Refusal(406, f"answers are {GRAPHQL} or {JSON}")
    named = GRAPHQL in request.headers.get("accept", "").lower()
    return GRAPHQL if named and graphql >= json else JSON


def _streams(request: Request) -> bool:
    """Whether the client wants an event stream, and no other answer as much."""
    accept = request.headers.get("accept", "").lower()
    wanted = _quality(request, EVENT_STREAM) if EVENT_STREAM in accept else 0.0
    return wanted > max((_quality(request, other) for other in (GRAPHQL, JSON) if other in accept), default=0.0)


def _accepts(request: Request, media_type: str) -> bool:
    """Whether a client names this media type: a browser does so with text/html."""
    return media_type in request.headers.get("accept", "").lower()


def _quality(request: Request, media_type: str) -> float:
    """How much the client wants this media type, 0 to 1, by its most precise range (RFC 9110)."""
    ranges = {"*/*": 1.0} if not request.headers.get("accept") else {}
    for part in request.headers.get("accept", "").lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            ranges[name] = float(weight)
        except ValueError:
            ranges[name] = 0.0
    wildcard = media_type.split("/")[0] + "/*"
    return next((ranges[name] for name in (media_type, wildcard, "*/*") if name in ranges), 0.0)


def _check_media_type(request: Request) -> None:
    name, *parameters = (piece.strip() for piece in request.headers.get("content-type", "").lower().split(";"))
    charsets = [p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")]
    if name != JSON or any(charset not in _CHARSETS for charset in charsets):
        raise Refusal(415, f"a request is {JSON}, in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "content encodings are not supported")


async def _body(request: Request) -> bytes:
    """The body, never read further than what is allowed."""
    too_large = Refusal(413, f"a request has at most {BODY_AT_MOST} bytes", {"connection": "close"})
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > BODY_AT_MOST:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_AT_MOST:
                raise too_large
    except ClientDisconnect as error:
        raise Refusal(400, "the body broke off") from error
    return bytes(body)


def _parsed(text: bytes, what: str) -> Any:
    try:
        return strict_json.parse(text)
    except Malformed as error:
        raise Refusal(400, f"{what}: {error}") from error


def _question(members: Mapping[str, Any], authorization: str | None, wait_for: str | None) -> Question:
    query, variables = members.get("query"), members.get("variables")
    operation_name, extensions = members.get("operationName"), members.get("extensions")
    document_id = members.get("documentId")
    if (query is None) == (document_id is None):
        raise Refusal(400, "give `query`, or the `documentId` of a trusted document")
    if not isinstance(query if document_id is None else document_id, str) or not (query or document_id):
        raise Refusal(400, "`query` and `documentId` must be strings that are not empty")
    if operation_name is not None and not isinstance(operation_name, str):
        raise Refusal(400, "`operationName` must be a string")
    for name, value in (("variables", variables), ("extensions", extensions)):
        if value is not None and not isinstance(value, dict):
            raise Refusal(400, f"`{name}` must be an object")
    return Question(query, variables, operation_name or None, authorization, wait_for, document_id=document_id)


def _response(answer: Answer, media_type: str, asked: Question) -> Response:
    status = 200
    if answer.code in ALWAYS_TOLD or (answer.code is not None and media_type == GRAPHQL):
        status = errors.STATUSES.get(answer.code, 400)
    headers = {"cache-control": "no-store", "vary": "accept"}
    if status != 200:
        headers |= headers_of(status, answer.body["errors"][0], asked)
    return Response(msgspec.json.encode(answer.body), status, headers, f"{media_type}; charset=utf-8")


def headers_of(status: int, error: Mapping[str, Any], asked: Question) -> dict[str, str]:
    """What a refusal with this status says besides: how to sign in, or when to ask again."""
    if status == 401:
        return {"www-authenticate": challenge(presented=bool(asked.authorization))}
    if status in (429, 503):
        return {"retry-after": str(error["extensions"].get("retryAfter", 1))}
    return {}

"""Errors over HTTP: RFC 9457 `application/problem+json`, one stable `type` for each status.

The type is `urn:exemplar:problem:` and the name in the table below; clients may rely on it and on the status. No
problem quotes what was sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.kit.errors import (
    Conflict,
    ExemplarError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:exemplar:problem:"

KINDS: Mapping[int, tuple[str, str]] = {
    400: ("malformed", "The request is malformed"),
    401: ("unauthenticated", "A credential is needed"),
    403: ("forbidden", "The credential does not allow this"),
    404: ("not-found", "There is no such thing"),
    405: ("method-not-allowed", "The method is not allowed here"),
    406: ("not-acceptable", "There is no answer of the type asked for"),
    408: ("too-slow", "The request did not arrive in time"),
    409: ("conflict", "It contradicts what is recorded already"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "The media type or encoding is not supported"),
    421: ("misdirected", "This server does not answer for that host"),
    422: ("invalid", "The request is invalid"),
    429: ("too-many-requests", "Too many requests"),
    431: ("headers-too-large", "The request's headers are too large"),
    500: ("internal", "Something went wrong here"),
    503: ("unavailable", "Something needed does not answer now"),
    504: ("too-long", "Answering took longer than it may"),
}

STATUSES: Sequence[tuple[type[ExemplarError], int]] = (
    (Malformed, 400),
    (Invalid, 422),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
)


def body_of(status: int, detail: str = "", errors: Sequence[Mapping[str, object]] = ()) -> bytes:
    """The JSON of a problem: `type`, `title`, `status`, and `detail` and `errors` where there are any."""
    name, title = KINDS.get(status, KINDS[500])
    problem: dict[str, Any] = {"type": TYPE_PREFIX + name, "title": title, "status": status}
    if detail:
        problem["detail"] = detail
    if errors:
        problem["errors"] = errors
    return msgspec.json.encode(problem)


def problem(
    status: int,
    detail: str = "",
    errors: Sequence[Mapping[str, object]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response that tells a problem."""
    return Response(body_of(status, detail, errors), status, headers, MEDIA_TYPE)


def problem_of(error: ExemplarError) -> Response:
    """The response to an error raised on purpose; what is none of the caller's business is 500 without detail."""
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    if isinstance(error, Unavailable):
        return problem(status, str(error), headers={"retry-after": str(error.retry_after)})
    if status == 401:
        presented = isinstance(error, Unauthenticated) and error.presented
        return problem(status, str(error), headers={"www-authenticate": challenge(presented)})
    return problem(status, str(error) if status != 500 else "")


def challenge(presented: bool) -> str:
    """The header `WWW-Authenticate` of a 401; `presented`: there was a credential, which is not good (RFC 6750 §3)."""
    return 'Bearer realm="exemplar"' + (', error="invalid_token"' if presented else "")


def install(app: Starlette) -> None:
    """Let the app answer its own errors (404, 405, …), ours and unexpected ones as problems."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ExemplarError, _own_error)
    app.add_exception_handler(Exception, _unexpected)


async def _http_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code not in KINDS:
        return Response(status_code=error.status_code, headers=error.headers)
    return problem(error.status_code, headers=error.headers)


async def _own_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ExemplarError):
        raise error
    return problem_of(error)


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return problem(500)

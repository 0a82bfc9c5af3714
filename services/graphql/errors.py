"""The codes that errors of an answer carry in `extensions.code`, and the one table from our errors to them."""

import uuid
from collections.abc import Sequence
from math import ceil
from typing import Any

import structlog
from graphql import GraphQLError
from starlette.responses import Response

from services.kit.errors import ExemplarError, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from services.kit.problems import problem

FORBIDDEN = "FORBIDDEN"
BAD_USER_INPUT = "BAD_USER_INPUT"
LIMIT = "LIMIT"
NOT_YET = "NOT_YET"
UNAUTHENTICATED = "UNAUTHENTICATED"
UNAVAILABLE = "UNAVAILABLE"
TIMEOUT = "TIMEOUT"
RATE_LIMITED = "RATE_LIMITED"
UNKNOWN_DOCUMENT = "UNKNOWN_DOCUMENT"
INTERNAL = "INTERNAL"
STATUSES = {
    UNAUTHENTICATED: 401,
    FORBIDDEN: 403,
    NOT_YET: 503,
    RATE_LIMITED: 429,
    TIMEOUT: 504,
    UNAVAILABLE: 503,
    INTERNAL: 500,
}
PASSING = (RATE_LIMITED, TIMEOUT, UNAVAILABLE)  # the same request may be answered a little later
ERRORS_AT_MOST = 5
LETTERS = 500  # of a message, which may quote what was asked

_SUGGESTION = " Did you mean "
_log = structlog.get_logger(__name__)


class LimitExceeded(ExemplarError):
    """The document asks for more than a limit allows; the message names the limit and its value."""


class TimedOut(ExemplarError):
    """The request took longer than a request may."""


class TooOften(ExemplarError):
    """Somebody asks more often, or for more at once, than they may; `seconds` until they may again."""

    def __init__(self, message: str, seconds: float) -> None:
        self.seconds = ceil(seconds)
        super().__init__(f"{message}; ask again in {self.seconds} s")

    def response(self) -> Response:
        """What HTTP says of it: 429."""
        return problem(429, str(self), headers={"retry-after": str(self.seconds)})


class UnknownDocument(ExemplarError):
    """There is no trusted document of this id, or only trusted documents are answered."""


class NotYet(ExemplarError):
    """The fold has not reached the position that was asked for in time."""


CODES: Sequence[tuple[type[ExemplarError], str]] = (
    (LimitExceeded, LIMIT),
    (NotYet, NOT_YET),
    (TimedOut, TIMEOUT),
    (TooOften, RATE_LIMITED),
    (UnknownDocument, UNKNOWN_DOCUMENT),
    (Invalid, BAD_USER_INPUT),
    (Unauthenticated, UNAUTHENTICATED),
    (Forbidden, FORBIDDEN),
    (Unavailable, UNAVAILABLE),
    (NotFound, UNAVAILABLE),  # of the read model itself, before the first `exemplar migrate`
)


def code_of(error: ExemplarError) -> str:
    """The code of an error raised on purpose."""
    return next((code for kind, code in CODES if isinstance(error, kind)), INTERNAL)


def formatted(error: GraphQLError, suggestions: bool = True) -> dict[str, Any]:
    """The error as an answer shows it. What was not raised on purpose is masked, and logged under a correlation id.

    Without `suggestions` it does not name parts of the schema that may have been meant.
    """
    message = error.message if suggestions else error.message.split(_SUGGESTION)[0]
    shown: dict[str, Any] = {"message": message if len(message) <= LETTERS else message[:LETTERS] + "…"}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        shown["path"] = list(error.path)
    cause = _cause(error)
    if isinstance(cause, TooOften):
        return shown | {"message": str(cause), "extensions": {"code": RATE_LIMITED, "retryAfter": cause.seconds}}
    if isinstance(cause, ExemplarError) and code_of(cause) != INTERNAL:
        return shown | {"message": str(cause), "extensions": {"code": code_of(cause)}}
    if cause is None:
        return shown | {"extensions": {"code": BAD_USER_INPUT}}
    return shown | _masked(cause)


def formatted_cause(error: ExemplarError) -> dict[str, Any]:
    """An error that came before any field was resolved."""
    return formatted(GraphQLError(str(error), original_error=error))


def _cause(error: GraphQLError) -> BaseException | None:
    """What was raised below; None for a fault of the document or its variables, which graphql-core found itself."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        if cause.original_error is None:
            return None
        cause = cause.original_error
    return cause


def _masked(cause: BaseException) -> dict[str, Any]:
    correlation = uuid.uuid4().hex
    _log.error("a query failed", correlation=correlation, exc_info=cause)
    message = f"something went wrong here; the log has it under {correlation}"
    return {"message": message, "extensions": {"code": INTERNAL, "correlationId": correlation}}

"""One GraphQL request from credential to answer, whatever way it came in."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import strawberry
from graphql import GraphQLError
from sqlalchemy import Engine
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types.graphql import OperationType

from services.events.credentials import Credential
from services.graphql import errors
from services.graphql.errors import ERRORS_AT_MOST, NotYet, formatted, formatted_cause
from services.graphql.loaders import Asked, FindUnfolded, Sources
from services.graphql.permissions import access_of
from services.graphql.reads import ReadLog
from services.kit.database import reading
from services.kit.errors import ExemplarError, Invalid
from services.projections.queries.position import format_position, next_offsets, parse_position
from services.projections.reads import Read


class Question(NamedTuple):
    """What a client asks: a GraphQL request, its credential, and the position to wait for."""

    query: str
    variables: Mapping[str, Any] | None = None
    operation_name: str | None = None
    authorization: str | None = None
    wait_for: str | None = None


class Answer(NamedTuple):
    """A GraphQL response. `code` is that of the first error of a request that did not run, None if it ran."""

    body: Mapping[str, Any]
    code: str | None


@dataclass(frozen=True, slots=True)
class Backing:
    """What the gateway stands on; the composition root makes it. All is called in worker threads.

    `model` gives the engine on the live generation. `authenticate` takes the header Authorization and raises
    Unauthenticated. `wait_until(position, seconds)` is true once the record at each offset of the position is folded.
    `lag_seconds` says how far the fold is behind. `find_unfolded` looks for an act beyond the fold's position.
    `record_reads` makes durable what requests have read of other people; without it they get no answer.
    """

    model: Callable[[], Engine]
    sources: Sources
    clock: Callable[[], int]
    authenticate: Callable[[str | None], Credential]
    wait_until: Callable[[Mapping[int, int], float], bool]
    lag_seconds: Callable[[], float]
    find_unfolded: FindUnfolded
    record_reads: Callable[[Sequence[Read]], None]
    wait_for_seconds: float = 5.0
    cost_ceiling: int = 20_000


class Gateway:
    """Answers questions."""

    def __init__(self, schema: strawberry.Schema, backing: Backing) -> None:
        self._schema = schema
        self._backing = backing
        self._reads = ReadLog(backing.record_reads)

    async def answer(self, question: Question, operations: Sequence[OperationType] = (OperationType.QUERY,)) -> Answer:
        """Authenticate, wait, read. Never raises but for an operation that the way in does not allow."""
        extensions: dict[str, Any] = {"policy": self._backing.sources.policy.identity}
        try:
            asked = await asyncio.to_thread(self._ask, question, extensions)
        except ExemplarError as error:
            return _refused([formatted_cause(error)], extensions)
        except Exception as error:  # noqa: BLE001  # whatever it is, the client gets an answer that tells nothing more
            return _refused([formatted(GraphQLError(str(error), original_error=error))], extensions)
        try:
            result = await self._schema.execute(
                question.query,
                dict(question.variables or {}),
                context_value=asked,
                operation_name=question.operation_name,
                allowed_operation_types=operations,
            )
        except CannotGetOperationTypeError:
            return _refused([formatted_cause(Invalid("the document has no operation of this name"))], extensions)
        extensions["cost"] = asked.cost
        shown = [formatted(error) for error in (result.errors or [])[:ERRORS_AT_MOST]]
        if not asked.ran or (result.data is None and not _has_path(result.errors)):
            return _refused(shown, extensions)
        try:
            await self._record(asked)
        except Exception as error:  # noqa: BLE001  # as above; what was read of others is shown only if that is on record
            return _refused([formatted(GraphQLError(str(error), original_error=error))], extensions)
        body: dict[str, Any] = {"data": result.data, "extensions": extensions}
        if shown:
            body["errors"] = shown
        return Answer(body, None)

    async def _record(self, asked: Asked) -> None:
        """Put on record what the request has read of other people. Raises Unavailable."""
        credential = asked.access.credential
        entry = asked.noted.entry(asked.now, credential.name, credential.person)
        if entry is not None:
            await self._reads.record(entry)

    def _ask(self, question: Question, extensions: dict[str, Any]) -> Asked:
        """Who asks, of what; waits for the fold first. Puts into `extensions` what is known of it."""
        backing = self._backing
        credential = backing.authenticate(question.authorization)
        wanted = None if question.wait_for is None else _position(question.wait_for)
        reached = wanted is None or backing.wait_until(wanted, backing.wait_for_seconds)
        engine, now = backing.model(), backing.clock()
        with reading(engine) as connection:
            extensions["position"] = format_position(next_offsets(connection))
            access = access_of(connection, credential, now)
        extensions["lagSeconds"] = round(backing.lag_seconds(), 3)
        if not reached:
            raise NotYet(f"the fold has not reached {question.wait_for} within {backing.wait_for_seconds:g} s")
        return Asked(access, engine, now, backing.sources, backing.cost_ceiling, backing.find_unfolded)


def _position(text: str) -> Mapping[int, int]:
    try:
        return parse_position(text)
    except Invalid as error:
        raise Invalid(f"Exemplar-Wait-For is {error}") from error


def _has_path(found: Sequence[GraphQLError] | None) -> bool:
    """Whether an error came from a field: a null that went up to the root."""
    return any(error.path is not None for error in found or ())


def _refused(shown: Sequence[Mapping[str, Any]], extensions: Mapping[str, Any]) -> Answer:
    """The answer to a request that did not run: it has no `data`."""
    code = shown[0]["extensions"]["code"] if shown else errors.INTERNAL
    return Answer({"errors": shown, "extensions": extensions}, code)

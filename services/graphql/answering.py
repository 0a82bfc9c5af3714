"""One GraphQL request from credential to answer, whatever way it came in."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

import strawberry
from graphql import GraphQLError
from sqlalchemy import Connection, Engine
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from services.events.credentials import Credential
from services.graphql import errors
from services.graphql.documents import Documents
from services.graphql.errors import ERRORS_AT_MOST, NotYet, TimedOut, TooOften, formatted, formatted_cause
from services.graphql.loaders import Asked, FindUnfolded, Reading, Sources, Watch, unwatched
from services.graphql.permissions import access_of, forbidden
from services.graphql.pulse import Pulse
from services.graphql.rates import ADDRESS_MAY, Rates, Turns, neighbours
from services.graphql.reads import ReadLog
from services.kit.database import reading
from services.kit.errors import Invalid, Unauthenticated, Unavailable
from services.projections.queries.position import format_position, next_offsets, parse_position
from services.projections.queries.sizes import NO_SIZES, Sizes, sizes
from services.projections.reads import Read

WAITING_AT_ONCE = 32  # for the fold; each looks where it is ten times a second
SEARCHES_AT_ONCE = 2  # of the log, for acts that are not folded: each may take seconds, and no time-out ends one
READS_AT_ONCE = 12  # of the model: fewer than connections to it, so that readiness and metrics find one
READS_EACH = 6  # of one credential: however slow its reads are, half of the threads are others'
REQUESTS_EACH = 16  # of one credential; 16 connections of a program get all their answers at once
SIZES_SECONDS = 5.0  # that the sizes of teams are remembered
LATE_SECONDS = 0.5  # beyond its own, for who waits behind so many

Result = TypeVar("Result")


class Question(NamedTuple):
    """What a client asks: a GraphQL request, its credential, and the position to wait for.

    Without a query, a trusted document is asked for by its id. `watch` of a live question is told the team that a
    subscription is about; `again`: it was answered before. `address`: where it comes from.
    """

    query: str | None
    variables: Mapping[str, Any] | None = None
    operation_name: str | None = None
    authorization: str | None = None
    wait_for: str | None = None
    watch: Watch | None = None
    document_id: str | None = None
    again: bool = False
    address: str | None = None


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
    `database_answers` is asked when requests take long: whether the database says anything at all.
    `rates` is of each credential, `failures` of each address that presents some which are not good.
    `ask_seconds`: the longest that answering may take, beside `wait_for_seconds` where the fold is waited for.
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
    ask_seconds: float = 5.0
    database_answers: Callable[[], bool] = lambda: True
    rates: Rates = field(default_factory=lambda: Rates(200, 2000))
    failures: Rates = field(default_factory=lambda: Rates(5, 100, rule=ADDRESS_MAY))


class Gateway:
    """Answers questions."""

    def __init__(
        self, schema: strawberry.Schema, backing: Backing, documents: Documents | None = None, suggestions: bool = True
    ) -> None:
        self._schema = schema
        self._backing = backing
        self._documents = documents or Documents({})
        self._suggestions = suggestions
        self._reads = ReadLog(backing.record_reads)
        self._pulse = Pulse(backing.database_answers)
        self._turns, self._read_turns, self._doubtful = Turns(REQUESTS_EACH), Turns(READS_EACH), Turns(1)
        self._sizes: tuple[Engine | None, float, Sizes] = None, 0.0, NO_SIZES
        self._reading = ThreadPoolExecutor(READS_AT_ONCE, "reading")
        self._waiting = ThreadPoolExecutor(WAITING_AT_ONCE, "waiting")
        self._searching = ThreadPoolExecutor(SEARCHES_AT_ONCE, "searching")

    async def answer(self, question: Question, operations: Sequence[OperationType] = (OperationType.QUERY,)) -> Answer:
        """Authenticate, wait, read. Never raises but for an operation that the way in does not allow."""
        extensions: dict[str, Any] = {"policy": self._backing.sources.policy.identity}
        reads = Reading()
        try:
            return await self._in_time(question, reads, self._answer(question, operations, reads, extensions))
        except InvalidOperationTypeError:
            raise
        except CannotGetOperationTypeError:
            return _refused([formatted_cause(Invalid("the document has no operation of this name"))], extensions)
        except Exception as error:  # noqa: BLE001  # whatever it is, the client gets an answer that tells nothing more
            return _refused([_failed(error)], extensions)

    async def admit(self, authorization: str | None, address: str | None = None) -> Credential:
        """Who presents this header Authorization, from this address. Raises Unauthenticated, TooOften, Unavailable."""
        try:
            async with asyncio.timeout(self._backing.ask_seconds), self._doubts(address):
                return await self._in_thread(self._authenticate, authorization, address)
        except TimeoutError as late:
            raise Unavailable("nobody says in time whose the credential is: ask again") from late

    async def refusal(self, question: Question, team: str) -> Answer | None:
        """What to answer who may not be told of the team's changes (any more); None for who may, and if it is unknown.

        Then, while a database or an issuer does not answer, nothing is told to them either.
        """
        extensions: dict[str, Any] = {"policy": self._backing.sources.policy.identity}
        reads = Reading()
        try:
            asked = await self._in_time(question, reads, self._asked(question, reads, extensions))
        except (Unavailable, TimedOut):
            return None
        except Exception as error:  # noqa: BLE001  # as above
            return _refused([_failed(error)], extensions)
        return None if asked.access.watches_team(team) else _refused([formatted_cause(forbidden())], extensions)

    async def _answer(
        self, question: Question, operations: Sequence[OperationType], reads: Reading, extensions: dict[str, Any]
    ) -> Answer:
        """The answer. Raises whatever keeps the document from being run."""
        question = self._known(question)
        asked = await self._asked(question, reads, extensions)
        name, begun = asked.access.credential.name, asyncio.get_running_loop().time()
        turn, asked.turns = self._turns.of(name), self._read_turns.of(name)
        try:
            await turn.acquire()
        finally:
            reads.waited = asyncio.get_running_loop().time() - begun
        try:
            return await self._read(question, asked, operations, extensions)
        finally:
            turn.release()

    async def _read(
        self, question: Question, asked: Asked, operations: Sequence[OperationType], extensions: dict[str, Any]
    ) -> Answer:
        """The answer to who is known and has the turn."""
        result = await self._run(question, asked, operations)
        if not result.errors:  # else some fields may have been given up that still read
            asked.load.forget()
        extensions["cost"] = asked.cost
        shown = [formatted(error, self._suggestions) for error in (result.errors or [])[:ERRORS_AT_MOST]]
        if not asked.ran or (result.data is None and not _has_path(result.errors)):
            return _refused(shown, extensions)
        await self._record(asked)  # what was read of others is shown only if that is on record
        body: dict[str, Any] = {"data": result.data, "extensions": extensions}
        if shown:
            body["errors"] = shown
        return Answer(body, None)

    def _known(self, question: Question) -> Question:
        """The question with the text of its document. Raises UnknownDocument."""
        if question.query is None:
            return question._replace(query=self._documents.text(str(question.document_id)))
        self._documents.check(question.query)
        return question

    async def _in_time(self, question: Question, reads: Reading, result: Awaitable[Result]) -> Result:
        """The result. Raises TimedOut, or Unavailable where it is the database that does not answer.

        Then, or where nobody waits for it any more, nothing more is read for it.
        """
        backing = self._backing
        seconds = backing.ask_seconds + (0 if question.wait_for is None else backing.wait_for_seconds)
        try:
            async with self._pulse.limit(seconds):
                return await result
        except TimeoutError as late:
            reads.end_soon()
            if reads.waited > seconds / 2:
                raise TooOften(f"a credential has {REQUESTS_EACH} requests under way at once", 1) from late
            raise TimedOut(f"the request took longer than {seconds:g} s: ask for less at once") from late
        except (asyncio.CancelledError, Unavailable):
            reads.end_soon()
            raise

    async def _asked(self, question: Question, reads: Reading, extensions: dict[str, Any]) -> Asked:
        """Who asks, of what, once the fold has been waited for. Puts into `extensions` what is known of it."""
        self._pulse.check()
        if question.wait_for is None and not self._is_doubtful(question.address):
            return await self._in_thread(lambda: self._ask(question, self._admit(question), reads, extensions))
        async with self._doubts(question.address):
            credential = await self._in_thread(self._admit, question)
        reached = question.wait_for is None or await self._reached(_position(question.wait_for))
        return await self._in_thread(self._ask, question, credential, reads, extensions, reached)

    async def _in_thread(self, work: Callable[..., Result], *given: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._reading, partial(work, *given))

    def _doubts(self, address: str | None) -> AbstractAsyncContextManager[None]:
        """From where many credentials failed, they are looked up one at a time: the good ones wait for their turn."""
        return self._doubtful.of(neighbours(address)) if address and self._is_doubtful(address) else nullcontext()

    def _is_doubtful(self, address: str | None) -> bool:
        return address is not None and self._backing.failures.spent(neighbours(address))

    async def _reached(self, wanted: Mapping[int, int]) -> bool:
        """Whether the fold has come to a position in time. Those who wait take no thread from those who read."""
        backing = self._backing
        waiting = asyncio.get_running_loop().run_in_executor(
            self._waiting, backing.wait_until, wanted, backing.wait_for_seconds
        )
        try:
            done, _ = await asyncio.wait({waiting}, timeout=backing.wait_for_seconds + LATE_SECONDS)
        finally:
            waiting.cancel()
        return waiting.result() if done else False

    async def _run(
        self, question: Question, asked: Asked, operations: Sequence[OperationType]
    ) -> ExecutionResult | PreExecutionError:
        """The result of the operation; of a subscription the one of now. Raises what the library raises."""
        given: dict[str, Any] = {
            "variable_values": dict(question.variables or {}),
            "context_value": asked,
            "operation_name": question.operation_name,
            "allowed_operation_types": operations,
        }
        if question.watch is None:
            return await self._schema.execute(question.query, **given)
        try:
            results: list[Any] = [result async for result in await self._schema.stream(question.query, **given)]
        except Exception as error:  # noqa: BLE001  # executing makes a result of what a limit raises, streaming does not
            located = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
            return PreExecutionError(data=None, errors=[located])
        result: ExecutionResult | PreExecutionError = results[0]
        for found in result.errors or ():
            if isinstance(found.original_error, CannotGetOperationTypeError | InvalidOperationTypeError):
                raise found.original_error
        return result

    async def _record(self, asked: Asked) -> None:
        """Put on record what the request has read of other people. Raises Unavailable."""
        credential = asked.access.credential
        entry = asked.noted.entry(asked.now, credential.name, credential.person)
        if entry is not None:
            await self._reads.record(entry)

    def _admit(self, question: Question) -> Credential:
        """Who asks. Raises Unauthenticated, Unavailable or TooOften."""
        credential = self._authenticate(question.authorization, question.address)
        if not question.again:
            self._backing.rates.take(credential.name)
        return credential

    def _authenticate(self, authorization: str | None, address: str | None) -> Credential:
        """Who asks. Raises Unauthenticated or, from where that was so too often, TooOften; Unavailable."""
        try:
            return self._backing.authenticate(authorization)
        except Unauthenticated as error:
            if error.presented and address is not None:
                self._backing.failures.take(neighbours(address))
            raise

    def _ask(
        self,
        question: Question,
        credential: Credential,
        reads: Reading,
        extensions: dict[str, Any],
        reached: bool = True,
    ) -> Asked:
        """The request, with the model as it is now. Raises NotYet if that is not where the question wants it."""
        backing = self._backing
        engine, now = backing.model(), backing.clock()
        with reading(engine) as connection, reads.of(connection):
            extensions["position"] = format_position(next_offsets(connection))
            access = access_of(connection, credential, now)
            known = self._known_sizes(engine, connection, now)
        extensions["lagSeconds"] = round(backing.lag_seconds(), 3)
        if not reached:
            raise NotYet(f"the fold has not reached {question.wait_for} within {backing.wait_for_seconds:g} s")
        watch = question.watch or unwatched
        asked = Asked(access, engine, now, backing.sources, backing.cost_ceiling, backing.find_unfolded, watch, reads)
        asked.threads, asked.searching = self._reading, self._searching
        asked.sizes = known if access.all else known.seen(access.teams, access.reach.led_teams, access.persons)
        asked.trusted = question.document_id is not None
        asked.names_operation = question.operation_name is not None
        return asked

    def _known_sizes(self, engine: Engine, connection: Connection, now: int) -> Sizes:
        """How many people are in which teams, as of a few seconds ago."""
        of, until, known = self._sizes
        if of is not engine or time.monotonic() >= until:
            known = sizes(connection, now)
            self._sizes = engine, time.monotonic() + SIZES_SECONDS, known
        return known


def _position(text: str) -> Mapping[int, int]:
    try:
        return parse_position(text)
    except Invalid as error:
        raise Invalid(f"Exemplar-Wait-For is {error}") from error


def _has_path(found: Sequence[GraphQLError] | None) -> bool:
    """Whether an error came from a field: a null that went up to the root."""
    return any(error.path is not None for error in found or ())


def _failed(error: Exception) -> Mapping[str, Any]:
    """What is shown of anything that was raised."""
    return formatted(GraphQLError(str(error), original_error=error))


def _refused(shown: Sequence[Mapping[str, Any]], extensions: Mapping[str, Any]) -> Answer:
    """The answer to a request that did not run: it has no `data`."""
    code = shown[0]["extensions"]["code"] if shown else errors.INTERNAL
    return Answer({"errors": shown, "extensions": extensions}, code)

"""What is read directly is the same, to the letter and to the error, as what the library makes of it."""

import asyncio
import random
from collections.abc import Callable, Generator
from enum import Enum
from typing import Any

import strawberry
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from services.graphql.answering import Answer, Gateway, Question
from services.graphql.errors import LIMIT
from services.graphql.execution import DirectExecutor
from services.graphql.schema import create_schema
from tests.graphql.gateway import Asker
from tests.graphql.queries import Queries

WAYS = (DirectExecutor, StrawberryGraphQLCoreExecutionContext)
PERIOD = '{from: "2026-01-01", to: "2026-03-01"}'
VALUES = {
    "key": ['"north"', '"company"', '"rik"', '"rosa"', '"nobody"'],
    "team": ['"north"', '"south"', '"nowhere"'],
    "id": ['"bm90aGluZw"', '"WyJUZWFtIiwibm9ydGgiXQ"', '"WyJQZXJzb24iLCJyaWsiXQ"'],
    "customer": ['"acme"', '"globex"', '"nobody"'],
    "source": ['"test"', '"other"'],
    "actId": ['"hello"', '"push"', '"none"'],
    "subject": ['"acme"', '"globex"'],
    "period": [PERIOD, PERIOD, '{from: "2026-01-01", to: "2026-01-08", asOf: "2026-01-06T00:00:00Z"}'],
    "asOf": ['"2026-01-20T00:00:00Z"', '"2024-01-01T00:00:00Z"', "null"],
    "includeSubteams": ["true", "false"],
    "principle": ["NO_PRESSURE", "ASK_FIRST", "WALK_THE_TALK"],
    "verdict": ["KEPT", "BREACHED", "null"],
    "by": ["DAY", "WEEK", "MONTH", "$by"],
    "first": ["1", "2", "5", "0"],
    "after": ['"no cursor"', "null"],
    "index": ["0", "1000000"],
    "filter": ['{subject: "acme"}', '{types: ["exemplar.contact.made.v1"]}', "{}"],
}


@given(seed=st.integers(0, 2**40), by=st.sampled_from(["DAY", "MONTH"]))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_query_is_answered_as_the_library_answers_it(company: Asker, seed: int, by: str) -> None:
    """Random queries with every kind of selection, argument, fragment and directive have the same data and errors."""
    query = Queries(create_schema()._schema, VALUES, random.Random(seed)).query()  # noqa: SLF001
    direct, library = _answers(company, query, yes=True, no=False, by=by)
    assert library.code in (None, LIMIT), (query, library)
    assert direct == library, query


def _answers(asker: Asker, query: str, **variables: object) -> list[Answer]:
    """The gateway's answer, read directly and by the library alone."""
    found = []
    for way in WAYS:
        schema = create_schema()
        schema.execution_context_class = way
        question = Question(query, variables, authorization=f"Bearer {asker.person('ann')}")
        found.append(asyncio.run(Gateway(schema, asker.backing).answer(question)))
    return found


class Colour(Enum):
    """An enum of the schema below."""

    RED = "red"


class Told(str):
    """A text of a class of its own."""


class Later:
    """What is to be awaited, and may be left unawaited: a method that gives a coroutine would be `async`."""

    def __await__(self) -> Generator[None, None, int]:
        yield None
        return 1


def _raising() -> int:
    raise ValueError("no such thing")


@strawberry.type
class Odd:
    """Attributes and methods that may hold anything."""

    number: int
    share: float | None
    text: str
    flag: bool
    colour: Colour | None
    others: list["Odd"]
    gaps: list[int | None] | None
    made: strawberry.Private[Callable[[], Any]]

    @strawberry.field
    def method(self) -> int:
        """Whatever `made` gives."""
        found: int = self.made()
        return found

    @strawberry.field
    def plus(self, more: int = 1) -> int:
        """The number and some more."""
        return self.number + more


@strawberry.type
class Query:
    """What there is to ask."""

    @strawberry.field
    def odd(self, info: strawberry.Info) -> list[Odd | None]:
        """What the test gives."""
        found: list[Odd | None] = info.context
        return found


SCHEMA = strawberry.Schema(query=Query)
ASKED = """query ($more: Int!, $no: Boolean!) { odd {
  __typename number share text flag colour gaps method plus six: plus(more: 6) more: plus(more: $more)
  left: number @include(if: $no) none: others { number @skip(if: true) } others { ...Deep others { number text } } } }
fragment Deep on Odd { t: __typename number share colour ... @skip(if: $no) { flag } }"""
ANYTHING: list[Any] = [
    *(None, 0, 1, -1, 2**31, -(2**31), True, 1.0, 0.5, float("nan"), float("inf"), "1", "", "x", Told("y"), Colour.RED),
    *("red", b"bytes", [], [1, None], (1, 2), {"a": 1}, ValueError("as a value"), 10**30, object),
]
odds: st.SearchStrategy[Odd] = st.deferred(
    lambda: st.builds(
        Odd,
        number=_mostly(3),
        share=_mostly(0.25),
        text=_mostly("text"),
        flag=_mostly(False),
        colour=_mostly(Colour.RED),
        others=st.one_of(st.just([]), st.lists(odds, max_size=2), st.sampled_from(ANYTHING)),
        gaps=_mostly([1, None]),
        made=st.sampled_from([lambda: 7, lambda: 7, _raising, Later, lambda: None]),
    )
)


def _mostly(usual: object) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda dice: st.sampled_from(ANYTHING) if dice == 0 else st.just(usual))


NOTHING_ASKED_OF_NULL = Odd(
    number=3,
    share=0.25,
    text="text",
    flag=False,
    colour=Colour.RED,
    others=[1, None],  # type: ignore[list-item]  # what the schema does not say
    gaps=[],
    made=lambda: 7,
)


@example(objects=[NOTHING_ASKED_OF_NULL], more=0)
@given(objects=st.lists(st.one_of(odds, st.none()), max_size=3), more=st.integers(-5, 2**31 - 1))
@settings(max_examples=300, deadline=None)
def test_values_that_are_not_what_the_schema_says_are_left_to_the_library(objects: list[Odd | None], more: int) -> None:
    """Nulls, wrong types, numbers out of bounds, exceptions and awaitables end in the library's own data and errors."""
    direct, library = (asyncio.run(_executed(way, objects, more)) for way in WAYS)
    assert direct == library


@given(objects=st.lists(st.one_of(odds, st.none()), min_size=1, max_size=3), more=st.integers(-5, 5))
@settings(max_examples=40, deadline=None)
def test_what_stands_in_a_list_many_times_is_shown_as_often(objects: list[Odd | None], more: int) -> None:
    """One object in many places has the library's data and errors in each of them."""
    direct, library = (asyncio.run(_executed(way, objects * 50, more)) for way in WAYS)
    assert direct == library


async def _executed(way: Any, objects: list[Odd | None], more: int) -> tuple[str, list[Any]]:
    SCHEMA.execution_context_class = way
    result = await SCHEMA.execute(ASKED, {"more": more, "no": False}, context_value=objects)
    return repr(result.data), [dict(error.formatted) for error in result.errors or []]

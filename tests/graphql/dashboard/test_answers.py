"""The types of answers say what schema.graphql says: the same fields, None where the schema lets be null."""

import types
import typing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, build_schema
from hypothesis import given
from hypothesis import strategies as st

from services.graphql.dashboard import answers
from services.graphql.dashboard.answers import Act, Answer, Interval, LeaderExample, Team
from services.projections.leadership.policy import Coaching, Policy

SCHEMA = build_schema((Path(__file__).parents[3] / "schema.graphql").read_text(encoding="utf-8"))
GENERIC = {"Edge", "Connection", "Answer"}
SHAPES = {
    name: shape
    for name, shape in vars(answers).items()
    if isinstance(shape, type) and issubclass(shape, Answer) and name not in GENERIC
}
ALWAYS_ASKED = {("Signal", "person"), ("Scorecard", "score")}  # None only where the document left them out


def _fields() -> list[tuple[str, str, bool]]:
    found = []
    for name, shape in SHAPES.items():
        hints = typing.get_type_hints(shape, vars(answers))
        for own, encoded in zip(shape.__struct_fields__, shape.__struct_encode_fields__, strict=True):
            found.append((name, encoded, _lets_be_none(hints[own])))
    return found


def _lets_be_none(hint: Any) -> bool:
    return types.NoneType in typing.get_args(hint)


@pytest.mark.parametrize(("shape", "field", "optional"), _fields())
def test_a_field_is_one_of_the_schema_and_as_nullable(shape: str, field: str, optional: bool) -> None:
    """Each field of an answer is in the schema under its name; it may be None exactly where the schema says null."""
    kind = SCHEMA.type_map[shape]
    assert isinstance(kind, GraphQLObjectType)
    described: GraphQLField = kind.fields[field]
    if (shape, field) not in ALWAYS_ASKED:
        assert optional is not isinstance(described.type, GraphQLNonNull)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_document_may_leave_out_any_field(shape: type[Answer]) -> None:
    """An answer without a single field can be read: each has a default."""
    assert msgspec.convert({}, shape) == shape()


def test_an_answer_is_read_from_the_json_of_the_gateway() -> None:
    """Dates, instants, connections, nulls and the names that Python keeps for itself come through."""
    signal = {"person": {"key": "kim", "name": None}, "verdict": "BREACHED", "at": "2026-03-01T09:30:00.000001Z"}
    score = {"kept": 1, "signals": {"edges": [{"cursor": "c", "node": signal}], "pageInfo": {"hasNextPage": True}}}
    team = msgspec.convert(
        {"key": "north", "parent": None, "scorecard": {"from": "2026-01-05", "scores": [score]}, "members": None}, Team
    )
    assert team.scorecard is not None
    assert team.scorecard.from_ == date(2026, 1, 5)
    signals = team.scorecard.scores[0].signals
    assert signals.page_info.has_next_page
    (read,) = signals.nodes
    assert read.at == datetime(2026, 3, 1, 9, 30, 0, 1, UTC)
    assert read.person is not None
    assert read.person.called == "kim"


def test_with_and_without_a_getting_act_are_told_apart() -> None:
    """`with` is a word of Python's; the answer keeps it as `with_`."""
    found = msgspec.convert({"pushing": {"repeat": {"with": {"kept": 1, "n": 2, "rate": 0.5}}}}, LeaderExample)
    assert found.pushing.repeat.with_.kept == 1
    assert found.pushing.repeat.without.n == 0


def test_an_act_is_called_by_its_name_in_the_catalogue() -> None:
    """The CloudEvents type without its prefix and its version."""
    assert Act(type="exemplar.contact.made.v1").name == "contact.made"
    assert Act(type="exemplar.need.ruled_out.v12").name == "need.ruled_out"


ends = st.none() | st.floats(-10, 10)


@given(ends, ends, ends, ends)
def test_intervals_overlap_alike_from_both_sides(a: float | None, b: float | None, c: float | None, d: float) -> None:
    """Whether two intervals have a value in common does not depend on which is asked."""
    one, other = Interval(low=a, high=b), Interval(low=c, high=d)
    assert one.overlaps(other) is other.overlaps(one)


def test_an_end_that_is_not_known_excludes_nothing() -> None:
    """An interval with only a low end holds everything above it."""
    open_ended = Interval(low=1.2)
    assert open_ended.holds(1e9)
    assert not open_ended.holds(1.0)
    assert open_ended.overlaps(Interval(low=0.0, high=1.2))
    assert not open_ended.overlaps(Interval(low=0.0, high=1.1))


def test_a_policy_is_read_with_all_its_figures() -> None:
    """What the gateway says of the policy is the policy itself, figure by figure."""
    policy = Policy(
        name="ours", coaching=Coaching(after_days=21), not_recorded={"crm": frozenset({"need.established"})}
    )
    said = msgspec.convert({"identity": policy.identity, "figures": policy.figures}, answers.Policy)
    assert said.read == policy

"""The schema explains itself."""

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLEnumType, GraphQLNamedType, is_introspection_type, is_specified_scalar_type

from services.graphql.schema import create_schema


def _undescribed(kind: GraphQLNamedType) -> Iterator[str]:
    members: dict[str, Any] = {**getattr(kind, "fields", {})}
    if isinstance(kind, GraphQLEnumType):
        members = dict(kind.values)
    yield from (f"{kind.name}.{name}" for name, member in members.items() if not member.description)
    if not kind.description:
        yield kind.name


def test_every_type_field_and_value_says_what_it_means() -> None:
    """Types, fields, members of inputs and values of enums all have a description for whoever builds on them."""
    types = create_schema()._schema.type_map.values()  # noqa: SLF001  # strawberry shows graphql-core's nowhere else
    ours = [kind for kind in types if not is_introspection_type(kind) and not is_specified_scalar_type(kind)]
    assert len(ours) > 40
    assert [name for kind in ours for name in _undescribed(kind)] == []

"""Random valid queries: any field of the schema, however it can be asked for."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

VARIABLES = {"yes": "Boolean!", "no": "Boolean!", "by": "Bucket"}


class Queries:
    """Writes queries. `values` has literals to choose from for each argument, by its name."""

    def __init__(self, schema: GraphQLSchema, values: Mapping[str, Sequence[str]], chance: random.Random) -> None:
        self._schema = schema
        self._values = values
        self._chance = chance
        self._fragments: list[str] = []

    def query(self) -> str:
        """A query, with the fragments that it spreads."""
        root = self._schema.query_type
        assert root is not None
        text = self._selection(root, 7) + "".join(self._fragments)
        used = ", ".join(f"${name}: {kind}" for name, kind in VARIABLES.items() if f"${name}" in text)
        return f"query Any{f'({used})' if used else ''} {text}"

    def _selection(self, kind: Any, depth: int) -> str:
        fields = [name for name, field in kind.fields.items() if depth > 1 or is_leaf_type(get_named_type(field.type))]
        chosen = self._chance.sample(fields, min(len(fields), self._chance.randint(1, 4)))
        parts = [self._field(kind, name, depth) for name in chosen]
        if self._chance.random() < 0.2 or not parts:
            parts.append("__typename")
        if isinstance(kind, GraphQLInterfaceType):
            inner = self._chance.choice(self._schema.get_possible_types(kind))
            parts.append(f"... on {inner.name} {self._selection(inner, depth)}")
        elif isinstance(kind, GraphQLObjectType) and self._chance.random() < 0.15:
            parts.append(self._spread(kind, self._selection(kind, depth)))
        return "{ " + " ".join(parts) + " }"

    def _spread(self, kind: GraphQLObjectType, selection: str) -> str:
        if self._chance.random() < 0.5:
            return f"... {self._directive()} {selection}"
        name = f"F{len(self._fragments)}"
        self._fragments.append(f" fragment {name} on {kind.name} {selection}")
        return f"...{name} {self._directive()}"

    def _field(self, parent: Any, name: str, depth: int) -> str:
        field = parent.fields[name]
        given = [(key, self._argument(key, argument)) for key, argument in field.args.items()]
        arguments = ", ".join(f"{key}: {value}" for key, value in given if value)
        kind = get_named_type(field.type)
        below = "" if is_leaf_type(kind) else self._selection(kind, depth - 1)
        # Under one name there may be one field with one set of arguments only.
        alias = f"a{self._chance.getrandbits(40)}: " if arguments or below or self._chance.random() < 0.1 else ""
        return f"{alias}{name}{f'({arguments})' if arguments else ''} {self._directive()} {below}"

    def _argument(self, name: str, argument: GraphQLArgument) -> str:
        if not is_required_argument(argument) and self._chance.random() < 0.5:
            return ""
        return self._chance.choice(self._values[name])

    def _directive(self) -> str:
        often = [""] * 12
        return self._chance.choice(
            [*often, "@include(if: $yes)", "@include(if: $no)", "@skip(if: $no)", "@skip(if: true)"]
        )

"""What a document may ask for, checked before it runs: tokens, depth, aliases, days of a period, and cost.

Cost is the number of objects that the document may read: each object field counts once for each object it is asked of,
lists by their `first`, by how many there are where that is known beforehand, or by the most there can be; trends by a
tenth of their points. Connections, edges and page infos are free. A guess are but the lists of `USUAL`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    get_argument_values,
    get_named_type,
    get_nullable_type,
    get_variable_values,
    is_leaf_type,
    is_list_type,
    parse,
    visit,
)
from graphql.execution.values import VariableValues
from strawberry.extensions import SchemaExtension

from services.graphql.errors import LimitExceeded
from services.projections.leadership.periods import Bucket
from services.projections.queries.sizes import ANY, NO_SIZES, Sizes

TOKENS = 500
COMMENTS = 500
DEPTH = 10
TYPES_DEPTH = 2
ALIASES = 30
DIRECTIVES = 30
DIGITS = 300
PERIOD_DAYS = 1100
FIRST = 20
FIRST_AT_MOST = 100
REMEMBERED = 256  # documents that need not be parsed and validated again
SCHEMA_ANSWERS = 8  # to documents about the schema alone; 100 KB each
# The most objects that a list without `first` has: a score each; `reasons` over all scores of a card on average.
MOST = {
    "scores": 15,
    "principles": 15,
    "comparisons": 14,
    "standards": 14,
    "coaching": 15,
    "recognition": 15,
    "afterCoaching": 15,
    "reasons": 7,
    "evidence": 3,
}
# What is not known beforehand, and has no bound: the reps of a customer, disputes of an act, signals that rest on one.
USUAL = 3
TREND_AT_LEAST = 10
POINTS_OF_ONE = 10  # points of a trend take as long as one other object
SHORTEST = {Bucket.DAY: 1, Bucket.WEEK: 7, Bucket.MONTH: 28}  # days of a trend's point
_LONG_NUMBER = re.compile(rf"\d{{{DIGITS}}}", re.ASCII)
_PLUMBING = frozenset({"edges", "pageInfo"})
_LISTS_OF_TYPES = frozenset({"types", "fields", "inputFields", "interfaces", "possibleTypes"})


@lru_cache(maxsize=REMEMBERED)
def parse_limited(query: str, trusted: bool = False) -> DocumentNode:
    """The document of a query text; of a trusted one the tokens are not counted.

    Raises GraphQLError, or LimitExceeded for too many tokens, aliases, directives or levels, or for introspection with
    aliases or of types in types: it is answered without awaiting anything.
    """
    tokens, comments = (None, None) if trusted else (TOKENS, COMMENTS)
    try:
        document = parse(query, max_lexical_tokens=tokens, max_comments=comments)
    except GraphQLError as error:
        if error.message.startswith("Syntax Error: Document contains more than"):
            raise LimitExceeded(f"a document has at most {TOKENS} tokens and {COMMENTS} comments") from error
        raise
    if _LONG_NUMBER.search(query):
        visit(document, _Numbers())
    aliases = sum(_aliases(definition) for definition in document.definitions)
    if aliases > ALIASES:
        raise LimitExceeded(f"a document has at most {ALIASES} aliases, this one has {aliases}")
    directives = sum(_directives(definition) for definition in document.definitions)
    if directives > DIRECTIVES:
        raise LimitExceeded(f"a document has at most {DIRECTIVES} directives, this one has {directives}")
    if any(_asks_schema_again(definition) for definition in document.definitions):
        raise LimitExceeded("the schema is asked for once: there are no aliases of `__schema`, nor in what it says")
    if _Levels(document, _level_of_types).deepest() > TYPES_DEPTH:
        raise LimitExceeded(f"the schema says the fields of types at most {TYPES_DEPTH} lists deep, `types` being one")
    depth = _Levels(document, _level).deepest()
    if depth > DEPTH:
        raise LimitExceeded(f"a document is at most {DEPTH} fields deep, this one is {depth}")
    return document


def _level(field: str) -> int | None:
    """The levels that a field is; None where what is below it does not count: introspection."""
    return None if field.startswith("__") else 1


def _level_of_types(field: str) -> int:
    """How many times more of the schema's types a field may lead to."""
    return int(field in _LISTS_OF_TYPES)


class _Numbers(Visitor):
    """Raises LimitExceeded at a number that is so long that Python itself refuses to read it."""

    def enter_int_value(self, node: IntValueNode, *_where: object) -> None:
        """A whole number."""
        if len(node.value) > DIGITS:
            raise LimitExceeded(f"a number has at most {DIGITS} digits")

    enter_float_value = enter_int_value


class Limits(SchemaExtension):
    """Parses within the limits, and refuses what would cost more than the ceiling; the context is told the cost."""

    def on_parse(self) -> Iterator[None]:
        """Parse the document, or remember it."""
        context = self.execution_context
        document = context.graphql_document = parse_limited(context.query or "", context.context.trusted)
        if len(_operations(document)) > 1 and not context.context.names_operation:  # the library would take the first
            raise GraphQLError("the document has several operations: `operationName` says which is asked for")
        yield

    def on_validate(self) -> Iterator[None]:
        """Once the document is valid, weigh it."""
        yield
        context = self.execution_context
        document = context.graphql_document
        if context.pre_execution_errors or document is None:
            return
        schema: GraphQLSchema = context.schema._schema  # noqa: SLF001  # strawberry shows graphql-core's nowhere else
        asked = context.context
        asked.fields = field_names(document)
        asked.cost = cost_of(schema, document, context.operation_name, context.variables or {}, asked.sizes)
        if asked.cost > asked.cost_ceiling:
            raise LimitExceeded(f"a query may cost at most {asked.cost_ceiling}, this one would cost {asked.cost}")

    def on_execute(self) -> Iterator[None]:
        """Note that the document runs: errors are of its fields from now on, not of the request."""
        self.execution_context.context.ran = True
        yield


class SchemaAnswers(SchemaExtension):
    """Remembers what was answered to documents about the schema alone, by their text: it is the same for everybody."""

    def __init__(self, answers: dict[str | None, Any], **given: Any) -> None:
        super().__init__(**given)
        self._answers = answers

    def on_execute(self) -> Iterator[None]:
        """Take the answer from memory, or into it."""
        context = self.execution_context
        if context.graphql_document is None or not _asks_schema_only(context.graphql_document):
            yield
            return
        context.result = self._answers.get(context.query)
        yield
        if isinstance(context.result, ExecutionResult) and not context.result.errors:
            self._answers[context.query] = context.result
            if len(self._answers) > SCHEMA_ANSWERS:
                del self._answers[next(iter(self._answers))]


def cost_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    inputs: Mapping[str, Any],
    sizes: Sizes = NO_SIZES,
) -> int:
    """How many objects a valid document asks for. Raises LimitExceeded for a period that is too long."""
    operations = _operations(document)
    operation = next(o for o in operations if operation_name in (None, "", o.name.value if o.name else None))
    variables = get_variable_values(schema, operation.variable_definitions or (), dict(inputs))
    if isinstance(variables, list):
        return 0  # faulty variables: running the document says what is wrong with them
    return _Weighing(schema, document, variables, sizes).selection(
        schema.get_root_type(operation.operation), operation.selection_set, _Under(1, None, ANY)
    )


@lru_cache(maxsize=REMEMBERED)
def field_names(document: DocumentNode) -> frozenset[str]:
    """The names of all fields that the document mentions, wherever."""
    return frozenset(name for definition in document.definitions for name in _names(definition))


class _Levels:
    """How deep fields are, by what each counts. A fragment is looked at once, however often it is spread."""

    def __init__(self, document: DocumentNode, level: Callable[[str], int | None]) -> None:
        self._document = document
        self._level = level
        self._fragments = _fragments(document)
        self._known: dict[str, int] = {}

    def deepest(self) -> int:
        """The depth of the deepest operation; its own fields have depth 1."""
        return max((self._below(operation.selection_set) for operation in _operations(self._document)), default=0)

    def _below(self, selection: SelectionSetNode | None) -> int:
        depth = 0
        for node in selection.selections if selection else ():
            if isinstance(node, FragmentSpreadNode):
                depth = max(depth, self._fragment(node.name.value))
            elif isinstance(node, InlineFragmentNode):
                depth = max(depth, self._below(node.selection_set))
            elif isinstance(node, FieldNode) and (level := self._level(node.name.value)) is not None:
                depth = max(depth, level + self._below(node.selection_set))
        return depth

    def _fragment(self, name: str) -> int:
        if name not in self._known:
            self._known[name] = 0  # a fragment that spreads itself, which validation refuses, ends here
            fragment = self._fragments.get(name)
            self._known[name] = self._below(fragment.selection_set) if fragment else 0
        return self._known[name]


class _Under(NamedTuple):
    """What the objects above say of the lists below: the `first` of a connection, the days of a period, which teams."""

    first: int
    days: int | None
    teams: frozenset[str] | int


class _Weighing:
    """The cost of one operation. A fragment is weighed once for whatever is said above where it is spread."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        variables: VariableValues,
        sizes: Sizes,
    ) -> None:
        self._schema = schema
        self._sizes = sizes
        self._fragments = _fragments(document)
        self._variables = variables
        self._known: dict[tuple[str, _Under], int] = {}

    def selection(self, parent: GraphQLNamedType | None, selection: SelectionSetNode | None, under: _Under) -> int:
        """The cost of fields asked of one object."""
        cost = 0
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                cost += self._field(parent, node, under)
            elif isinstance(node, FragmentSpreadNode):
                cost += self._fragment(node.name.value, under)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                cost += self.selection(inner, node.selection_set, under)
        return cost

    def _fragment(self, name: str, under: _Under) -> int:
        if (name, under) not in self._known:
            fragment = self._fragments[name]
            inner = self._schema.get_type(fragment.type_condition.name.value)
            self._known[name, under] = self.selection(inner, fragment.selection_set, under)
        return self._known[name, under]

    def _field(self, parent: GraphQLNamedType | None, node: FieldNode, under: _Under) -> int:
        name = node.name.value
        field: GraphQLField | None = getattr(parent, "fields", {}).get(name)
        if field is None or is_leaf_type(get_named_type(field.type)):
            return 0
        kind = get_named_type(field.type)
        if name in _PLUMBING:
            return self.selection(kind, node.selection_set, under) * (under.first if name == "edges" else 1)
        arguments = self._arguments(field, node)
        below = self._teams(name, kind, arguments, under)
        if "first" in field.args:
            return self.selection(kind, node.selection_set, below._replace(first=_first(arguments)))
        if period := arguments.get("period"):
            below = below._replace(days=_days(period))
        objects = self._objects(name, arguments, under) if is_list_type(get_nullable_type(field.type)) else 1
        return objects * (1 + self.selection(kind, node.selection_set, below))

    def _teams(self, name: str, kind: GraphQLNamedType, arguments: Mapping[str, Any], under: _Under) -> _Under:
        """What is known of the teams that a field leads to."""
        if kind.name == "TeamConnection":
            return under._replace(teams=_first(arguments))
        if kind.name != "Team" or name == "node":
            return under
        if name == "children":
            below = self._sizes.below(under.teams)
            return under._replace(teams=below if isinstance(below, int) else frozenset(below))
        if name == "teams":
            return under._replace(teams=self._sizes.teams)
        return under._replace(teams=frozenset({arguments["key"]}) if "key" in arguments else ANY)

    def _objects(self, name: str, arguments: Mapping[str, Any], under: _Under) -> int:
        """How many objects a list has, at most."""
        if name == "trend":
            days = under.days or 0
            return max(TREND_AT_LEAST, days // SHORTEST[Bucket(arguments.get("by", Bucket.WEEK))] // POINTS_OF_ONE)
        sizes = self._sizes
        match name:
            case "teams":
                return len(sizes.teams)
            case "children":
                return sizes.each_below(under.teams)
            case "members":
                return sizes.each(sizes.stays if arguments.get("asOf") else sizes.members, under.teams)
            case "leaders" | "examples":
                return sizes.each(sizes.led, under.teams)
            case "memberships":
                return sizes.most_stays
        return MOST.get(name, USUAL)

    def _arguments(self, field: GraphQLField, node: FieldNode) -> Mapping[str, Any]:
        """The values of a field's arguments; none where they are faulty, which running the document will say."""
        try:
            found = get_argument_values(field, node, self._variables)
        except GraphQLError:
            return {}
        if period := found.get("period"):
            days = _days(period)
            if days > PERIOD_DAYS:
                raise LimitExceeded(f"a period has at most {PERIOD_DAYS} days, this one has {days}")
        return found


def _first(arguments: Mapping[str, Any]) -> int:
    """How many a connection is asked for; what is out of bounds is refused where the list is read."""
    first = arguments.get("first")
    return FIRST if first is None else min(max(first, 1), FIRST_AT_MOST)


def _days(period: Mapping[str, Any]) -> int:
    days: int = (period["to"] - period["from"]).days
    return days


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def _fragments(document: DocumentNode) -> Mapping[str, FragmentDefinitionNode]:
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def _aliases(node: object) -> int:
    """The aliases in a definition or a selection, fragments spread in it not looked into."""
    selection: SelectionSetNode | None = getattr(node, "selection_set", None)
    own = int(isinstance(node, FieldNode) and node.alias is not None)
    return own + sum(_aliases(child) for child in (selection.selections if selection else ()))


def _asks_schema_again(node: object, inside: bool = False) -> bool:
    """Whether there is an alias of `__schema` or in introspection, fragments spread in it not looked into."""
    if isinstance(node, FieldNode):
        if node.alias is not None and (inside or node.name.value == "__schema"):
            return True
        inside = inside or node.name.value in ("__schema", "__type")
    elif isinstance(node, FragmentDefinitionNode | InlineFragmentNode) and node.type_condition is not None:
        inside = inside or node.type_condition.name.value.startswith("__")
    selection: SelectionSetNode | None = getattr(node, "selection_set", None)
    return any(_asks_schema_again(child, inside) for child in (selection.selections if selection else ()))


@lru_cache(maxsize=REMEMBERED)
def _asks_schema_only(document: DocumentNode) -> bool:
    """Whether there is one operation, without variables, and it asks of the schema what it says itself."""
    operations = _operations(document)
    return (
        len(operations) == 1
        and not operations[0].variable_definitions
        and all(
            isinstance(node, FieldNode) and node.name.value in ("__schema", "__type", "__typename")
            for node in operations[0].selection_set.selections
        )
    )


def _directives(node: object) -> int:
    """The directives in a definition or a selection, those of its variables too."""
    own = len(getattr(node, "directives", None) or ())
    inner = [*(getattr(node, "variable_definitions", None) or ())]
    selection: SelectionSetNode | None = getattr(node, "selection_set", None)
    inner += selection.selections if selection else ()
    return own + sum(map(_directives, inner))


def _names(node: object) -> Iterator[str]:
    """The names of the fields in a definition or a selection, fragments spread in it not looked into."""
    if isinstance(node, FieldNode):
        yield node.name.value
    selection: SelectionSetNode | None = getattr(node, "selection_set", None)
    for child in selection.selections if selection else ():
        yield from _names(child)

"""Answers of thousands of plain objects, without the library's work for each of their fields.

Most of a scorecard is figures that are there already: attributes of objects, with nothing to ask for and nothing to
await. For each selection it is found out once which of its fields are so, and these are read directly, a whole column
of values at a time; every other field, and every object of which a plain field does not hold what the schema says, is
the library's as before. So the answers are the library's, errors and all, only sooner.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date
from enum import Enum
from functools import lru_cache
from itertools import chain, islice
from math import isfinite
from operator import attrgetter
from types import NoneType
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    TypeNameMetaFieldDef,
    Undefined,
    get_argument_values,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

Column = Sequence[Any]
Reader = Callable[[Column], Column]
"""Makes of a column of values, or of what has them, what the answer shows of each.

What it raises means that the library is to look.
"""

_FEW = 50  # objects in a column, below which it is not worth while to look whether some are the same
_INT_MOST = 2**31


class _Unusual(Exception):
    """A value is not plainly what the schema says."""


class _Fields(NamedTuple):
    """The fields of one selection: those that are read directly, and those that the library resolves."""

    selection: dict[str, Any]  # also kept because what is found out is found again by its identity
    direct: Mapping[str, Reader]
    others: dict[str, Any]


class _Value(NamedTuple):
    """How to show values of a type in a selection, if it can be done directly; the two are kept as above."""

    kind: Any
    details: Any
    read: Reader | None


class DirectExecutor(StrawberryGraphQLCoreExecutionContext):
    """The library's executor, but for what is plain. There is one for each operation that runs."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._fields: dict[int, _Fields] = {}
        self._values: dict[tuple[int, int], _Value] = {}

    def execute_operation(self, serially: bool | None = None) -> Any:
        """The operation's result, after which nothing that was found out is left in cycles to be collected."""
        result: Any = super().execute_operation(serially)
        return self._ended(result) if self.is_awaitable(result) else result

    async def _ended(self, result: Awaitable[Any]) -> Any:
        try:
            return await result
        finally:
            self._fields.clear()
            self._values.clear()

    def execute_fields(self, parent_type: Any, source_value: Any, path: Any, grouped_field_set: Any, rest: Any) -> Any:
        """The fields of one object, in the order of the selection."""
        fields = self._fields.get(id(grouped_field_set))
        if fields is None:
            fields = self._fields[id(grouped_field_set)] = self._split(parent_type, grouped_field_set)
        try:
            shown = {name: read((source_value,))[0] for name, read in fields.direct.items()}
        except Exception:  # noqa: BLE001  # whatever is unusual, the library knows what to make of it
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, rest)
        if not fields.others:
            return shown
        others: Any = super().execute_fields(parent_type, source_value, path, fields.others, rest)
        if self.is_awaitable(others):
            return _joined_later(fields.selection, shown, others)
        return _joined(fields.selection, shown, others)

    def complete_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """What the answer shows of a value: directly, if all below it is plain."""
        key = (id(return_type), id(field_details_list))
        value = self._values.get(key)
        if value is None:
            read = self._reader(return_type, field_details_list)
            value = self._values[key] = _Value(return_type, field_details_list, read)
        if value.read is not None:
            try:
                return value.read((result,))[0]
            except Exception:  # noqa: BLE001  # as above
                pass
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def _split(self, parent: GraphQLObjectType, selection: dict[str, Any]) -> _Fields:
        readers = {name: self._field(parent, details) for name, details in selection.items()}
        direct = {name: read for name, read in readers.items() if read is not None}
        return _Fields(selection, direct, {name: selection[name] for name, read in readers.items() if read is None})

    def _field(self, parent: GraphQLObjectType, details: Any) -> Reader | None:
        """How to read a field from objects of this type; None if the field is not plain."""
        field = self.schema.get_field(parent, details[0].node.name.value)
        if field is TypeNameMetaFieldDef:
            return lambda sources: [parent.name] * len(sources)
        get = None if field is None else self._getter(field, details[0])
        read = None if field is None or get is None else self._reader(field.type, details)
        return None if get is None or read is None else lambda sources: read(list(map(get, sources)))

    def _getter(self, field: GraphQLField, details: Any) -> Callable[[Any], Any] | None:
        """A plain field's value of an object: an attribute, or a method that needs no context and awaits nothing."""
        declared = (field.extensions or {}).get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if not isinstance(declared, StrawberryField) or declared.extensions or declared.permission_classes:
            return None
        resolver = declared.base_resolver
        if resolver is None:
            return attrgetter(declared.python_name)
        if declared.is_async or resolver.info_parameter or resolver.parent_parameter:
            return None
        method: Any = resolver.wrapped_func
        if not resolver.arguments:
            return cast(Callable[[Any], Any], method)
        schema = cast(Any, self.schema)._strawberry_schema  # noqa: SLF001  # where the library itself looks for it
        try:
            given = get_argument_values(field, details.node, self.variable_values, details.fragment_variable_values)
            scalars = schema.schema_converter.scalar_registry
            named = convert_arguments(given, resolver.arguments, scalars, schema.config)
        except Exception:  # noqa: BLE001  # the library says what is wrong with them
            return None
        return lambda source: method(source, **named)

    def _reader(self, kind: GraphQLOutputType, details: Any) -> Reader | None:
        """How to show values of this type; None if something below it is not plain."""
        if is_non_null_type(kind):
            return self._present(kind.of_type, details)
        read = self._present(kind, details)
        return None if read is None else _nullable(read)

    def _present(self, kind: Any, details: Any) -> Reader | None:
        """The same for values that are not None."""
        if is_leaf_type(kind):
            return _LEAVES.get(kind.name) or _leaf(kind.coerce_output_value)
        if is_list_type(kind):
            item = self._reader(kind.of_type, details)
            return None if item is None else _lists(item)
        if is_object_type(kind) and kind.is_type_of is None:
            fields = self._split(kind, self.collect_subfields(kind, details)[0])
            return None if fields.others else _objects(fields.direct)
        return None


def _nullable(read: Reader) -> Reader:
    def nullable(values: Column) -> Column:
        if None not in values:
            return read(values)
        shown = iter(read([value for value in values if value is not None]))
        return [None if value is None else next(shown) for value in values]

    return nullable


def _objects(fields: Mapping[str, Reader]) -> Reader:
    """What is in a list again and again, as the empty points of trends, is read once."""
    rows, readers = _rows(tuple(fields)), list(fields.values())

    def objects(sources: Column) -> Column:
        if len(sources) < _FEW:
            return each(sources)
        places = list(map(id, sources))
        different = dict(zip(places, sources, strict=True))
        if 2 * len(different) > len(places):
            return each(sources)
        shown = dict(zip(different, each(list(different.values())), strict=True))
        return list(map(shown.__getitem__, places))

    def each(sources: Column) -> Column:
        if any(issubclass(kind, Exception | NoneType) for kind in set(map(type, sources))):
            raise _Unusual
        columns = [read(sources) for read in readers]
        return rows(zip(*columns, strict=True) if columns else sources)

    return objects


@lru_cache(maxsize=1024)
def _rows(names: tuple[str, ...]) -> Callable[[Iterable[tuple[Any, ...]]], list[dict[str, Any]]]:
    """Makes objects with these names of rows of values: a display takes a quarter of the time that `dict` does."""
    if not names:
        return lambda rows: [{} for _ in rows]
    values = [f"v{place}" for place in range(len(names))]
    members = ", ".join(f"{name!r}: {value}" for name, value in zip(names, values, strict=True))
    made: Any = eval(f"lambda rows: [{{{members}}} for {', '.join(values)}, in rows]")  # names of GraphQL
    return cast(Callable[[Iterable[tuple[Any, ...]]], list[dict[str, Any]]], made)


def _lists(item: Reader) -> Reader:
    def lists(values: Column) -> Column:
        _expect(list, values)
        shown = iter(item(list(chain.from_iterable(values))))
        return [list(islice(shown, len(value))) for value in values]

    return lists


def _leaf(coerce: Callable[[Any], Any]) -> Reader:
    """Enums and scalars of ours: every value that occurs is coerced once."""

    known: dict[type, dict[Any, Any]] = {}

    def leaves(values: Column) -> Column:
        kinds = set(map(type, values))
        if len(kinds) > 1 or not all(issubclass(kind, int | str | date | Enum) for kind in kinds):
            raise _Unusual
        shown = known.setdefault(next(iter(kinds)), {}) if kinds else {}
        for value in set(values).difference(shown):
            text = coerce(value)
            if text is None or text is Undefined:
                raise _Unusual
            shown[value] = text
        return list(map(shown.__getitem__, values))

    return leaves


def _expect(kind: type, values: Column) -> Column:
    if not set(map(type, values)) <= {kind}:
        raise _Unusual
    return values


def _ints(values: Column) -> Column:
    if _expect(int, values) and not (min(values) >= -_INT_MOST and max(values) < _INT_MOST):
        raise _Unusual
    return values


def _floats(values: Column) -> Column:
    if not all(map(isfinite, _expect(float, values))):
        raise _Unusual
    return values


def _strings(values: Column) -> Column:
    return _expect(str, values)


def _booleans(values: Column) -> Column:
    return _expect(bool, values)


_LEAVES: Mapping[str, Reader] = {
    "Int": _ints,
    "Float": _floats,
    "String": _strings,
    "ID": _strings,
    "Boolean": _booleans,
}


def _joined(selection: Mapping[str, Any], shown: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Both in the order of the selection; what the library leaves out stays out."""
    both = {**shown, **others}
    return {name: both[name] for name in selection if name in both}


async def _joined_later(
    selection: Mapping[str, Any], shown: Mapping[str, Any], others: Awaitable[Mapping[str, Any]]
) -> dict[str, Any]:
    return _joined(selection, shown, await others)

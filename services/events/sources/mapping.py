"""The mapping language: a small TOML file that says which acts a row of another system's file stands for.

It declares and never computes: there is no code in it. `docs/importing.md` describes it to its users. A mapping is
checked whole when it is loaded, against the catalogue too, so that what goes wrong later is a matter of the rows.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct, field

from services.events.catalog.acts import ACTS, ActData, act_name
from services.events.sources.readers import Fields, Form
from services.events.sources.templates import Template
from services.kit.errors import Invalid

_URI_REFERENCE = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_MODELS: dict[str, type[ActData]] = {act_name(model): model for model in ACTS}

Value = Callable[[Fields], object]
"""A value that a mapping declares, asked of a row's fields; None: it has none. Raises ValueError with the reason."""


class _Layout(Struct, frozen=True, forbid_unknown_fields=True):
    form: Form | None = None
    delimiter: str = ","


class _Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """A value from a field with what happens to it, in this order: `except`, `map`, `default`, `as`."""

    from_: str = field(name="from")
    except_: tuple[str, ...] = field(name="except", default=())
    map: dict[str, str] | None = None
    default: str | None = None
    as_: Literal["text", "integer", "boolean"] = field(name="as", default="text")


class _Act(Struct, frozen=True, forbid_unknown_fields=True):
    """What `[default]` and each `[[rule]]` may say of an act."""

    subject: str | _Choice | None = None
    id: str | _Choice | None = None
    time: str | _Choice | None = None
    data: dict[str, object] = {}


class _Rule(_Act, frozen=True, forbid_unknown_fields=True, kw_only=True):
    act: str
    when: dict[str, object] = {}
    once: bool = False


class _File(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    source: str
    rule: tuple[_Rule, ...]
    file: _Layout = _Layout()
    values: dict[str, object] = {}
    default: _Act = _Act()


class Mapped(NamedTuple):
    """An event that a row stands for; `once`: the same may come of other rows and is wanted once an import."""

    event: dict[str, object]
    once: bool


@dataclass(frozen=True, slots=True)
class RowMapping:
    """A mapping, ready to be asked. `form` and `delimiter` are of the files it is for; `fields` are those it names."""

    form: Form | None
    delimiter: str
    fields: frozenset[str]
    _values: Mapping[str, Value]
    _rules: "tuple[_ReadyRule, ...]"

    def map(self, fields: Fields) -> tuple[list[Mapped], str | None]:
        """The events that a row stands for, and what is wrong with the row, if anything: the first fault's reason."""
        known, fault = self._with_values(fields)
        rules = [rule for rule in self._rules if all(holds(known) for holds in rule.conditions)]
        if not rules:
            return [], None
        if fault is not None:
            return [], fault
        events: list[Mapped] = []
        for rule in rules:
            try:
                events.append(Mapped(rule.event(known), rule.once))
            except ValueError as error:
                fault = fault or f"{rule.act}: {error}"
        return events, fault

    def _with_values(self, fields: Fields) -> tuple[Fields, str | None]:
        """The fields and the named values, and the first fault of a value; it matters only if a rule holds."""
        known = dict(fields)
        fault: str | None = None
        for name, value in self._values.items():
            try:
                known[name] = _text_or_none(value(known))
            except ValueError as error:
                known[name] = None
                fault = fault or f"values.{name}: {error}"
        return known, fault

    def check_columns(self, columns: Sequence[str]) -> None:
        """Raises Invalid, naming both sides, if the mapping names a field that is none of the file's columns."""
        absent = sorted(self.fields - set(columns))
        if absent:
            raise Invalid(f"the mapping names {_listed(absent)}; the file has {_listed(columns)}")


@dataclass(frozen=True, slots=True)
class _ReadyRule:
    source: str
    act: str
    type: str
    once: bool
    conditions: tuple[Callable[[Fields], bool], ...]
    attributes: Mapping[str, Value]
    data: Value

    def event(self, fields: Fields) -> dict[str, object]:
        event: dict[str, object] = {"specversion": "1.0", "source": self.source, "type": self.type}
        for name, value in self.attributes.items():
            try:
                found = value(fields)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
            if found is None:
                raise ValueError(f"{name}: a field that it is made of is empty")
            event[name] = found
        event["datacontenttype"] = "application/json"
        event["data"] = self.data(fields)
        return event


def load_mapping(path: Path) -> RowMapping:
    """Load and check a mapping file. Raises Invalid, naming file, table and key of the first fault."""
    try:
        return parse_mapping(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from error
    except (Invalid, UnicodeError) as error:
        raise Invalid(f"{path}: {error}") from error


def parse_mapping(text: str) -> RowMapping:
    """The mapping that a TOML text declares. Raises Invalid, naming table and key of the first fault."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise Invalid(_plain(str(error))) from error
    return _Builder(file).build()


def _plain(message: str) -> str:
    """msgspec's message with its path in the words of TOML: `$.rule[0].act` is `[[rule]] 1, act`."""
    fault, _, path = message.partition(" - at `")
    path = path.rstrip("`").removeprefix("key in ")
    place = re.sub(r"^\$\.rule\[(\d+)\]\.?", lambda match: f"[[rule]] {int(match[1]) + 1}, ", path)
    place = place.removeprefix("$").removeprefix(".").rstrip(", ")
    fault = fault.replace("Object", "the table").replace("field", "key")
    fault = re.sub(r"Expected `(.*)`, got `(.*)`", lambda match: f"must be {_kinds(match[1])}, is {match[2]}", fault)
    return f"{place}: {fault}" if place else fault


def _kinds(types: str) -> str:
    return " or ".join(_KINDS.get(kind, kind) for kind in types.split(" | ") if kind != "null")


_KINDS = {"str": "a text in quotes", "object": "a table", "array": "a list", "bool": "true or false"}


def _converted(raw: object, kind: Any, where: str) -> Any:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"{where}: {_plain(str(error))}") from error


class _Builder:
    """Turns the declarations into functions and gathers the names of the fields on the way."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._fields: set[str] = set()
        self._known: set[str] = set()
        self._taken: set[str] = set()

    def build(self) -> RowMapping:
        file = self._file
        if not file.source:
            raise Invalid("source: must not be empty")
        if not _URI_REFERENCE.fullmatch(file.source):
            raise Invalid("source: must be a URI reference in ASCII, such as crm or https://crm.example.com/eu")
        if not file.rule:
            raise Invalid("rule: at least one [[rule]] is needed")
        if len(file.file.delimiter) != 1 or file.file.delimiter in '"\r\n':
            raise Invalid("file.delimiter: must be one sign, and neither a quote nor the end of a line")
        values = {}
        for name, raw in file.values.items():
            values[name] = self._text(_converted(raw, str | _Choice, f"values.{name}"), f"values.{name}")
            self._known.add(name)
        rules = tuple(self._rule(rule, f"[[rule]] {place}") for place, rule in enumerate(file.rule, start=1))
        for name in file.default.data.keys() - self._taken:
            raise Invalid(f"default.data.{name}: no act of the rules has such a field")
        return RowMapping(file.file.form, file.file.delimiter, frozenset(self._fields), values, rules)

    def _rule(self, rule: _Rule, where: str) -> _ReadyRule:
        model = _MODELS.get(rule.act)
        if model is None:
            raise Invalid(f"{where}, act: the catalogue has no act {rule.act!r}")
        where = f"{where} ({rule.act})"
        attributes: dict[str, Value] = {}
        for name in ("id", "subject", "time"):
            raw: str | _Choice | None = getattr(rule, name) or getattr(self._file.default, name)
            if raw is None:
                raise Invalid(f"{where}, {name}: missing, here and in [default]")
            attributes[name] = self._text(raw, f"{where}, {name}")
        data = self._data(model, rule, f"{where}, data")
        return _ReadyRule(
            source=self._file.source,
            act=rule.act,
            type=f"exemplar.{rule.act}.v{model.version}",
            once=rule.once,
            conditions=tuple(self._condition(name, raw, f"{where}, when.{name}") for name, raw in rule.when.items()),
            attributes=attributes,
            data=self._value(data, f"{where}, data"),
        )

    def _data(self, model: type[ActData], rule: _Rule, where: str) -> dict[str, object]:
        known = {each.encode_name: each.required for each in msgspec.structs.fields(model)}
        for name in rule.data:
            if name not in known:
                raise Invalid(f"{where}.{name}: the act has no such field; it has {_listed(known)}")
        default = {name: raw for name, raw in self._file.default.data.items() if name in known}
        self._taken |= default.keys()
        data = default | rule.data
        for name, required in known.items():
            if required and name not in data:
                raise Invalid(f"{where}.{name}: missing, here and in [default]")
        return data

    def _condition(self, name: str, raw: object, where: str) -> Callable[[Fields], bool]:
        self._name(name)
        wanted: str | tuple[str, ...] | bool = _converted(raw, str | tuple[str, ...] | bool, where)
        if isinstance(wanted, bool):
            return lambda fields: (fields.get(name) is not None) is wanted
        accepted = frozenset((wanted,) if isinstance(wanted, str) else wanted)
        return lambda fields: fields.get(name) in accepted

    def _value(self, raw: object, where: str) -> Value:
        if isinstance(raw, str):
            return self._template(raw, where)
        if isinstance(raw, bool | int):
            return lambda _: raw
        if isinstance(raw, list):
            return _members([self._value(member, f"{where}[{place}]") for place, member in enumerate(raw)])
        if isinstance(raw, dict) and "from" in raw:
            return self._choice(_converted(raw, _Choice, where), where)
        if isinstance(raw, dict):
            return _object({name: self._value(member, f"{where}.{name}") for name, member in raw.items()})
        raise Invalid(f"{where}: must be a text in quotes, a whole number, true or false, a list or a table")

    def _text(self, raw: str | _Choice, where: str) -> Value:
        if isinstance(raw, str):
            return self._template(raw, where)
        if raw.as_ != "text":
            raise Invalid(f"{where}, as: only in data")
        return self._choice(raw, where)

    def _template(self, text: str, where: str) -> Template:
        try:
            template = Template(text)
        except ValueError as error:
            raise Invalid(f"{where}: {error}") from error
        for name in template.fields:
            self._name(name)
        return template

    def _choice(self, choice: _Choice, where: str) -> Value:
        given = self._template(choice.from_, f"{where}, from")
        default = None if choice.default is None else self._template(choice.default, f"{where}, default")

        def value(fields: Fields) -> object:
            text = given(fields)
            if text in choice.except_:
                text = None
            if text is not None and choice.map is not None:
                text = _translated(choice.map, text, needed=default is None)
            if text is None and default is not None:
                text = default(fields)
            return None if text is None else _CASTS[choice.as_](text)

        return value

    def _name(self, name: str) -> None:
        if name not in self._known:
            self._fields.add(name)


def _members(values: Sequence[Value]) -> Value:
    return lambda fields: [found for value in values if (found := value(fields)) is not None]


def _object(members: Mapping[str, Value]) -> Value:
    def value(fields: Fields) -> dict[str, object]:
        found = {}
        for name, member in members.items():
            try:
                given = member(fields)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
            if given is not None:
                found[name] = given
        return found

    return value


def _translated(words: Mapping[str, str], text: str, *, needed: bool) -> str | None:
    if text not in words and needed:
        raise ValueError("its value is not in `map`, and there is no `default`")
    return words.get(text)


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise ValueError("not a whole number")
    return int(text)


def _boolean(text: str) -> bool:
    word = text.lower()
    if word not in _WORDS:
        raise ValueError("neither true, yes, 1 nor false, no, 0")
    return _WORDS[word]


_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CASTS: dict[str, Callable[[str], object]] = {"text": str, "integer": _integer, "boolean": _boolean}


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _listed(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(f"`{name}`" for name in names)

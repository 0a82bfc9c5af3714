"""An act as one CloudEvent 1.0: reading it from JSON values, and writing it as a record of the log.

Reading is strict and invents nothing. What CloudEvents forbids is `Malformed`; what the catalogue forbids is `Invalid`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import Meta, Struct

from services.events.catalog.acts import (
    ACTS,
    DECIMAL,
    NO_CONTROLS,
    PUBLIC,
    UNATTRIBUTED,
    ActData,
    PersonErased,
    act_name,
    personal_fields,
)
from services.kit.errors import Corrupt, Invalid, Malformed
from services.kit.instants import MINUTE, format_rfc3339, from_datetime, parse_rfc3339

AHEAD_AT_MOST = 5 * MINUTE
ID_LENGTH = 128
SOURCE_LENGTH = 1024
RECORDED_BY = "recordedby"

Extension = str | int | bool
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the `data` of one version of an act into that of the next version."""

_TYPE = re.compile(r"exemplar\.([a-z]+\.[a-z_]+)\.v([1-9][0-9]{0,3})")
_EXTENSION_NAME = re.compile(r"[a-z0-9]+")
_PLANE_ENDS = "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
_FORBIDDEN = f"\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_PLANE_ENDS}"
_FORBIDDEN_CHARACTER = re.compile(f"[{_FORBIDDEN}]")
_URI_REFERENCE = re.compile(r"(?!.*%(?![0-9A-Fa-f]{2}))[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.ASCII)
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.*")
_JSON_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/(?:json|[a-z0-9!#$&^_.-]+\+json)\s*(?:;.*)?", re.IGNORECASE)
_CANONICAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.(?:\d{3}|\d{6}))?Z", re.ASCII)
_AT = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)`$", re.DOTALL)
_ATTRIBUTES = frozenset(
    ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "data_base64")
)
_WORDS = {"str": "a string", "int": "an integer", "float": "a number", "bool": "true or false", "array": "a list"}
_WORDS |= {"object": "an object", "null": "null", "date": "a date"}
_REASONS = {
    NO_CONTROLS: "holds a control character",
    DECIMAL: 'not a decimal number ≥ 0 in a string, with at most 4 digits after the point, such as "1250.00"',
}

_Text = Annotated[str, Meta(min_length=1, max_length=ID_LENGTH, pattern=f"^[^{_FORBIDDEN}]*(?![\\s\\S])")]
_Source = Annotated[str, Meta(max_length=SOURCE_LENGTH, pattern=f"^{_URI_REFERENCE.pattern}(?![\\s\\S])")]


class Act(Struct, frozen=True):
    """An act: `name` such as `contact.made`, `time` in microseconds, `data` typed, other attributes as `extensions`."""

    source: str
    id: str
    name: str
    subject: str
    time: int
    data: ActData
    extensions: Mapping[str, Extension] = {}

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the act once and for ever: subject, source, id."""
        return self.subject, self.source, self.id


class Catalogue:
    """The acts that are known, by name, with upcasters from the versions before the current ones.

    `upcasters[(name, version)]` turns data of that version into the next one's; a chain must reach the current version.
    """

    def __init__(
        self, models: Sequence[type[ActData]] = ACTS, upcasters: Mapping[tuple[str, int], Upcaster] | None = None
    ) -> None:
        self.models = {act_name(model): model for model in models}
        self.personal = {name: personal_fields(model) for name, model in self.models.items()}
        self._upcasters = upcasters or {}
        for name, model in self.models.items():
            missing = [v for v in range(1, model.version) if (name, v) not in self._upcasters]
            if missing:
                raise ValueError(f"{name} is at version {model.version} and has no upcaster from {missing}")
        self._names = {self.type_of(name): name for name in self.models}
        self._envelopes = {type_: _envelope(type_, self.models[name]) for type_, name in self._names.items()}
        self._records = msgspec.json.Decoder(Union[tuple(self._envelopes.values())])  # noqa: UP007  # made at run time

    def type_of(self, name: str) -> str:
        """The CloudEvents type of an act at its current version: `exemplar.contact.made.v1`."""
        return f"exemplar.{name}.v{self.models[name].version}"

    def decode_event(self, event: object, now: int) -> Act:
        """The act in an event that was posted, as JSON values; `now` is when the log would take it in.

        An optional field that is null counts as absent. Raises Malformed or Invalid, with the fault's JSON pointer.
        """
        act = self._decode_posted(event)
        if act.time > now + AHEAD_AT_MOST:
            raise Invalid("the time is more than 5 minutes ahead of the log's", "/time")
        if isinstance(act.data, PersonErased) and act.subject in (PUBLIC, UNATTRIBUTED):
            raise Invalid("`public` and `unattributed` are nobody and cannot be erased", "/subject")
        return act

    def decode_record(self, value: bytes) -> Act:
        """The act in a record of the log. Raises Invalid if it cannot be read; the message never quotes the record.

        A record in the form of `encode_record` takes 5 µs; any other, and all that is wrong, goes the long way.
        """
        try:
            return self._plain(self._records.decode(value))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Invalid, ValueError):
            pass
        try:
            event = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed("the record is not JSON") from error
        if not isinstance(event, dict):
            raise Malformed("the record is not a JSON object")
        _check_attributes(event)
        return self._decode(event, event.get("data"), posted=False)

    def encode_record(self, act: Act) -> bytes:
        """The act as a record's value: a structured JSON CloudEvent, the same bytes for the same act and extensions."""
        if type(act.data) is not self.models.get(act.name):
            raise Corrupt(f"the data of an act {act.name} is a {type(act.data).__name__}")
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": act.id,
            "source": act.source,
            "type": self.type_of(act.name),
            "subject": act.subject,
            "time": format_rfc3339(act.time),
            "datacontenttype": "application/json",
        }
        for name in sorted(act.extensions):
            event[name] = act.extensions[name]
        event["data"] = act.data
        return msgspec.json.encode(event)

    def convert(self, name: str, data: object) -> ActData:
        """JSON values as typed data of the act's current version. Raises Invalid with a pointer below /data."""
        if not isinstance(data, dict):
            raise Invalid("`data` must be a JSON object with the fields of the act", "/data")
        try:
            return msgspec.convert(data, self.models[name])
        except msgspec.ValidationError:
            pass
        try:
            return msgspec.convert(_integral(data), self.models[name])
        except msgspec.ValidationError as error:
            raise _explained(str(error)) from error

    def _decode_posted(self, event: object) -> Act:
        if not isinstance(event, dict):
            raise Malformed("an event is a JSON object")
        envelope = self._envelopes.get(event["type"]) if isinstance(event.get("type"), str) else None
        if envelope is not None and RECORDED_BY not in event:
            try:
                act = self._plain(msgspec.convert(event, envelope))
            except (msgspec.ValidationError, Invalid, ValueError):
                pass
            else:
                if not any(getattr(act.data, field) is None for field in self.personal[act.name]):
                    return act
        _check_attributes(event)
        if RECORDED_BY in event:
            raise Malformed("`recordedby` is set by Exemplar alone: leave it out", f"/{RECORDED_BY}")
        return self._decode(event, event.get("data"), posted=True)

    def _plain(self, envelope: Any) -> Act:
        """The act of an envelope of `_envelope`'s. Raises ValueError or Invalid where the long way must tell."""
        if not _CANONICAL_TIME.fullmatch(envelope.time):
            raise ValueError
        time = from_datetime(datetime.fromisoformat(envelope.time))
        envelope.data.check(time)
        extensions = {} if envelope.recordedby is None else {RECORDED_BY: envelope.recordedby}
        name = self._names[envelope.__struct_config__.tag]
        return Act(envelope.source, envelope.id, name, envelope.subject, time, envelope.data, extensions)

    def _decode(self, event: Mapping[str, Any], data: object, posted: bool) -> Act:
        name, version = self._known_type(event["type"])
        _check_identity(event)
        time = parse_rfc3339(event["time"])
        for step in range(version, self.models[name].version):
            if isinstance(data, dict):
                data = self._upcasters[name, step](data)
        if posted and isinstance(data, dict):
            # In a record a personal field that is null was there once; in what is posted it is absent.
            data = {n: value for n, value in data.items() if value is not None or n not in self.personal[name]}
        typed = self.convert(name, data)
        try:
            typed.check(time)
        except Invalid as error:
            raise Invalid(str(error), f"/data{error.pointer}") from error
        extensions = {n: _integral(value) for n, value in event.items() if n not in _ATTRIBUTES and value is not None}
        if event.get("dataschema") is not None:
            extensions["dataschema"] = event["dataschema"]
        return Act(event["source"], event["id"], name, event["subject"], time, typed, extensions)

    def _known_type(self, type_: str) -> tuple[str, int]:
        match = _TYPE.fullmatch(type_)
        if match and match[1] in self.models and int(match[2]) <= self.models[match[1]].version:
            return match[1], int(match[2])
        raise Invalid("the type is not in the catalogue: see GET /v1/schemas", "/type")


def same_content(one: Act, other: Act, personal: Sequence[str]) -> bool:
    """Whether two acts of one key are copies: the same type, instant and data (domain.md §2).

    `personal` names the act's † fields: where one of the two holds None, the person was erased and it is not compared.
    """
    if one.name != other.name or one.time != other.time:
        return False
    if one.data == other.data:
        return True
    replaced = {
        field: None for field in personal if getattr(one.data, field) is None or getattr(other.data, field) is None
    }
    return bool(replaced) and msgspec.structs.replace(one.data, **replaced) == msgspec.structs.replace(
        other.data, **replaced
    )


def _check_attributes(event: Mapping[str, Any]) -> None:
    """The rules of CloudEvents 1.0 for the attributes that every act needs and those it may have."""
    if event.get("specversion") != "1.0":
        raise Malformed('`specversion` must be "1.0"', "/specversion")
    for name in ("id", "source", "type", "subject", "time"):
        value = event.get(name)
        if value is None:
            raise Malformed(f"the attribute `{name}` is missing", f"/{name}")
        _check_string(name, value)
    source = event["source"]
    if not source.isascii() or not _URI_REFERENCE.fullmatch(source):
        raise Malformed("`source` must be a URI reference, in ASCII", "/source")
    try:
        parse_rfc3339(event["time"])
    except ValueError as error:
        raise Malformed(f"`time`: {error}", "/time") from error
    _check_content(event)
    for name in event.keys() - _ATTRIBUTES:
        _check_extension(name, event[name])


def _check_content(event: Mapping[str, Any]) -> None:
    """What the event says of its data."""
    content_type = event.get("datacontenttype")
    if content_type is not None:
        _check_string("datacontenttype", content_type)
        if not _JSON_MEDIA_TYPE.fullmatch(content_type):
            raise Invalid("`datacontenttype` must be JSON: the data of an act is a JSON object", "/datacontenttype")
    schema = event.get("dataschema")
    if schema is not None:
        _check_string("dataschema", schema)
        if not _ABSOLUTE_URI.fullmatch(schema) or not _URI_REFERENCE.fullmatch(schema):
            raise Malformed("`dataschema` must be an absolute URI", "/dataschema")
    if event.get("data_base64") is not None:
        raise Invalid("the data of an act is a JSON object in `data`, not `data_base64`", "/data_base64")


def _check_string(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise Malformed(f"`{name}` must be a string that is not empty", f"/{name}")
    if _FORBIDDEN_CHARACTER.search(value):
        raise Malformed(f"`{name}` holds a character that CloudEvents forbids", f"/{name}")


def _check_extension(name: str, value: object) -> None:
    if not _EXTENSION_NAME.fullmatch(name):
        raise Malformed("the name of an attribute has letters a-z and digits only", f"/{pointer_token(name)}")
    if isinstance(value, str):
        if _FORBIDDEN_CHARACTER.search(value):
            raise Malformed(f"`{name}` holds a character that CloudEvents forbids", f"/{name}")
    elif isinstance(value := _integral(value), int):
        if not -(2**31) <= value < 2**31:
            raise Malformed(f"`{name}` is not an integer of 32 bits", f"/{name}")
    elif value is not None:
        raise Malformed(f"`{name}` must be a string, an integer or a boolean", f"/{name}")


def _check_identity(event: Mapping[str, Any]) -> None:
    for name, most in (("id", ID_LENGTH), ("subject", ID_LENGTH), ("source", SOURCE_LENGTH)):
        if len(event[name]) > most:
            raise Invalid(f"`{name}` is longer than {most} characters", f"/{name}")


def pointer_token(name: str) -> str:
    """A member name as one token of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _explained(message: str) -> Invalid:
    """A validation error of msgspec as ours: a JSON pointer, and a reason that quotes no value."""
    path = ""
    if at := _AT.search(message):
        message = message[: at.start()]
        path = "".join(f"/{token}" for token in re.split(r"[.\[\]]+", at[1].replace("[...]", "")) if token)
    if unknown := _UNKNOWN_FIELD.match(message):
        return Invalid("unknown field", f"/data{path}/{pointer_token(unknown[1])}")
    if missing := re.match(r"Object missing required field `(.*)`$", message):
        return Invalid("a required field is missing", f"/data{path}/{missing[1]}")
    return Invalid(_reason(message), f"/data{path}")


def _reason(message: str) -> str:
    """What a message of msgspec says, in words for the person who posts."""
    if message.startswith("Invalid enum value"):
        return "not one of the values that the catalogue allows"
    if message.startswith("Invalid RFC3339"):
        return "not a date such as 2026-03-01"
    if kinds := re.fullmatch(r"Expected `([^`]*)`, got `([^`]*)`", message):
        wanted = " or ".join(_WORDS.get(kind, kind) for kind in kinds[1].split(" | "))
        return f"must be {wanted}, not {_WORDS.get(kinds[2], kinds[2])}"
    if pattern := re.fullmatch(r"Expected `str` matching regex '(.*)'", message, re.DOTALL):
        # msgspec quotes the expression as Python would, each backslash doubled.
        return _REASONS.get(pattern[1].replace("\\\\", "\\"), "not in the form that the catalogue asks for")
    if length := re.fullmatch(r"Expected `(str|array)` of length (>=|<=) (\d+)", message):
        unit = "characters" if length[1] == "str" else "elements"
        return f"must have at {'least' if length[2] == '>=' else 'most'} {length[3]} {unit}"
    return message.replace("Expected `int` ", "must be an integer ")


def _integral(value: Any) -> Any:
    """The value with each number like 30.0 as the integer that JSON takes it for."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _integral(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_integral(inner) for inner in value]
    return value


def _envelope(type_: str, model: type[ActData]) -> type[Struct]:
    """The whole event of an act in the form that most events have, for msgspec to decode and check in one pass."""
    return msgspec.defstruct(
        f"{model.__name__}Event",
        [
            ("specversion", Literal["1.0"]),
            ("id", _Text),
            ("source", _Source),
            ("subject", _Text),
            ("time", str),
            ("data", model),
            ("datacontenttype", Literal["application/json"], "application/json"),
            (RECORDED_BY, _Text | None, None),
        ],
        frozen=True,
        forbid_unknown_fields=True,
        tag_field="type",
        tag=type_,
    )

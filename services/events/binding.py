"""The CloudEvents 1.0 HTTP binding: a request as events, in structured, binary and batch mode.

The mode is decided by Content-Type alone. Nothing is invented and nothing forgiven: the SDKs' own parsers are not used.
"""

import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from services.kit import strict_json
from services.kit.errors import ExemplarError, Malformed

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rf"\s*({_TOKEN}/{_TOKEN})\s*((?:;\s*(?:{_TOKEN}=(?:{_TOKEN}|\"[^\"]*\"))?\s*)*)", re.ASCII)
_PARAMETER = re.compile(rf"({_TOKEN})=({_TOKEN}|\"[^\"]*\")", re.ASCII)
_JSON = re.compile(r"application/json|[^/]+/[^/]+\+json", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_NOT_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PREFIX = b"ce-"
_NOT_HEADERS = frozenset({"datacontenttype", "data", "data_base64"})

Headers = Sequence[tuple[bytes, bytes]]


class UnsupportedMediaType(ExemplarError):
    """The Content-Type or the Content-Encoding is none that events come in."""


class Mode(Enum):
    """How the events are in the request."""

    STRUCTURED = "structured"
    BINARY = "binary"
    BATCH = "batch"


def mode_of(headers: Headers) -> Mode:
    """The mode by Content-Type. Raises UnsupportedMediaType, also for a content encoding; Malformed."""
    encoding = _only(headers, b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("the body must come without content encoding")
    return _mode_of_type(_only(headers, b"content-type") or "")


@lru_cache(maxsize=64)
def _mode_of_type(content_type: str) -> Mode:
    media = _MEDIA_TYPE.fullmatch(content_type)
    if media is None:
        raise UnsupportedMediaType(f"Content-Type must be {STRUCTURED}, {BATCH}, or application/json in binary mode")
    for name, value in _PARAMETER.findall(media[2]):
        if name.lower() == "charset" and value.strip('"').lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType("the charset must be utf-8")
    kind = media[1].lower()
    if kind == STRUCTURED:
        return Mode.STRUCTURED
    if kind == BATCH:
        return Mode.BATCH
    if kind.startswith("application/cloudevents") or not _JSON.fullmatch(kind):
        raise UnsupportedMediaType(f"Content-Type must be {STRUCTURED}, {BATCH}, or application/json in binary mode")
    return Mode.BINARY


def binary_event(headers: Headers, body: bytes) -> dict[str, Any]:
    """The event whose attributes are in `ce-` headers and whose data is the body. Raises Malformed."""
    event: dict[str, Any] = {}
    for name, value in headers:
        if name.startswith(_PREFIX):
            attribute = name[len(_PREFIX) :].decode("latin-1")
            if attribute in _NOT_HEADERS:
                raise Malformed(f"`{attribute}` is no header in binary mode")
            if attribute in event:
                raise Malformed("a header of the event is there twice", f"/{attribute}")
            event[attribute] = _attribute(attribute, value)
    if "specversion" not in event:
        raise Malformed("there is no header ce-specversion, and no Content-Type of CloudEvents", "/specversion")
    event["datacontenttype"] = _only(headers, b"content-type")
    if body:
        event["data"] = strict_json.parse(body)
    return event


def _attribute(name: str, value: bytes) -> str:
    """An attribute's value from its header: unquoted, then percent-decoded once (HTTP binding §3.1.3.2)."""
    try:
        text = value.decode("ascii").strip(" \t")
    except UnicodeDecodeError as error:
        raise Malformed("what is not ASCII must be percent-encoded in a header", f"/{name}") from error
    if quoted := _QUOTED.fullmatch(text):
        text = _ESCAPED.sub(r"\1", quoted[1])
    if "%" not in text:
        return text
    if _NOT_PERCENT.search(text):
        raise Malformed("a `%` in a header begins a percent-encoded byte, and is itself written %25", f"/{name}")
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("the percent-encoded bytes are not UTF-8", f"/{name}") from error


def _only(headers: Headers, wanted: bytes) -> str | None:
    """The value of a header that may be there once. Raises Malformed."""
    found: bytes | None = None
    for name, value in headers:
        if name == wanted:
            if found is not None:
                raise Malformed(f"the header {wanted.decode()} is there twice")
            found = value
    return None if found is None else found.decode("latin-1")

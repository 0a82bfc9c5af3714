"""Texts with places for fields, such as `{opportunity_id}-contact` or `{account|slug}`: what mappings are made of."""

import re
from collections.abc import Callable
from typing import NamedTuple

from services.events.sources.readers import Fields

_PIECE = re.compile(
    r"(?P<brace>\{\{|\}\})|\{(?P<field>[^{}|]+)(?:\|(?P<change>[^{}|]*))?\}|(?P<text>[^{}]+)|(?P<stray>[{}])"
)
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """The text in lower case, each run of anything but a–z and 0–9 as one `-`. ValueError if none of these is in it."""
    key = _NOT_IN_SLUG.sub("-", text.lower())
    if key in ("", "-"):
        raise ValueError("nothing of a–z and 0–9 is left for a key")
    return key


CHANGES: dict[str, Callable[[str], str]] = {"slug": slug}


class _Place(NamedTuple):
    field: str
    change: Callable[[str], str] | None


class Template:
    """A text with places for fields. `fields` are their names."""

    def __init__(self, text: str) -> None:
        """Raises ValueError if the text is no template."""
        self._pieces: list[str | _Place] = []
        for match in _PIECE.finditer(text):
            kind = match.lastgroup if match["field"] is None else "field"
            if kind == "stray":
                raise ValueError(f"a {match['stray']!r} without its pair; write it twice to mean the sign itself")
            if kind == "field":
                self._pieces.append(_Place(match["field"], _change(match["change"])))
            else:
                self._pieces.append(match["brace"][0] if kind == "brace" else match["text"])
        self.fields = frozenset(piece.field for piece in self._pieces if isinstance(piece, _Place))

    def __call__(self, fields: Fields) -> str | None:
        """The text for a row, or None if a field in it is empty. Raises ValueError if a field cannot be changed so."""
        texts = []
        for piece in self._pieces:
            if isinstance(piece, str):
                texts.append(piece)
                continue
            value = fields.get(piece.field)
            if value is None:
                return None
            texts.append(_changed(piece, value) if piece.change else value)
        return "".join(texts)


def _change(name: str | None) -> Callable[[str], str] | None:
    if name is None:
        return None
    if name not in CHANGES:
        raise ValueError(f"unknown change `|{name}`; known: {', '.join(CHANGES)}")
    return CHANGES[name]


def _changed(place: _Place, value: str) -> str:
    assert place.change is not None
    try:
        return place.change(value)
    except ValueError as error:
        raise ValueError(f"`{place.field}`: {error}") from error

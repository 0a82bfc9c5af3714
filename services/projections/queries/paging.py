"""Pages by keyset: a cursor holds the sort key of its row, so that what is added meanwhile moves no page."""

import base64
import binascii
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from services.kit.errors import Invalid

Row = TypeVar("Row")
CursorKey = tuple[str | int, ...]

_LARGEST = 2**63 - 1


class Page(NamedTuple, Generic[Row]):
    """Some rows of a longer list; `more` follow. An `after` cursor stood before the first."""

    rows: Sequence[Row]
    more: bool
    after: bool


def page(rows: Sequence[Row], first: int, after: object) -> Page[Row]:
    """A page of at most `first` of the rows, which were read one further to see whether more follow."""
    return Page(rows[:first], len(rows) > first, after is not None)


def encode_cursor(kind: str, key: CursorKey) -> str:
    """The opaque cursor of a row of a list of this kind."""
    return base64.urlsafe_b64encode(msgspec.json.encode([kind, *key])).decode().rstrip("=")


def decode_cursor(cursor: str, kind: str, types: tuple[type, ...]) -> CursorKey:
    """The sort key in a cursor. Raises Invalid for what was not given out as a cursor of this kind of list."""
    try:
        raw = cursor.encode("ascii")
        decoded = msgspec.json.decode(base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeError, msgspec.DecodeError, RecursionError) as error:
        raise Invalid("the cursor is none that was given out") from error
    if not isinstance(decoded, list) or [type(part) for part in decoded] != [str, *types] or decoded[0] != kind:
        raise Invalid("the cursor is not one of this list")
    if not all(_is_storable(part) for part in decoded):
        raise Invalid("the cursor is none that was given out")
    return tuple(decoded[1:])


def _is_storable(part: str | int) -> bool:
    if isinstance(part, int):
        return -_LARGEST <= part <= _LARGEST
    return "\x00" not in part

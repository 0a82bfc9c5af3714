"""JSON as RFC 8259 has it and no more lenient: what two parsers could read differently is refused.

Refused beside broken JSON: a member name that is there twice, NaN and Infinity, numbers too large to be one, invalid
UTF-8, a byte order mark, lone surrogates, and arrays and objects in one another deeper than 32.
"""

import json
import math
from typing import Any, NoReturn

import msgspec

from services.kit.errors import Malformed

DEEPEST = 32


def parse(body: bytes) -> Any:
    """The JSON value of a text. Raises Malformed, which never quotes the text."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8") from error
    try:
        value = _DECODER.decode(text)
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON, at character {error.pos}") from error
    except ValueError as error:  # Python's own bound on the digits of an integer, 4300
        raise Malformed("a number is too large") from error
    if body.count(b"{") + body.count(b"[") > DEEPEST:
        _check_depth(value)
    if b"\\u" in body:
        _check_surrogates(value)
    return value


def split(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each a JSON text of its own still to be parsed. Raises Malformed."""
    try:
        return [bytes(element) for element in _ELEMENTS.decode(body)]
    except RecursionError as error:
        raise _too_deep() from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed("not a JSON array") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("a member name is there twice in an object")
    return members


def _not_a_number(_name: str) -> NoReturn:
    raise Malformed("NaN and Infinity are not JSON")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Malformed("a number is too large")
    return number


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _inside(outer)]
        if not level:
            return
    if any(isinstance(inner, dict | list) for inner in level):
        raise _too_deep()


def _inside(outer: dict[str, Any] | list[Any]) -> Any:
    return outer.values() if isinstance(outer, dict) else outer


def _check_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed("a surrogate stands alone in a string") from error


def _too_deep() -> Malformed:
    return Malformed(f"nested deeper than {DEEPEST}")


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_not_a_number, parse_float=_float)
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])

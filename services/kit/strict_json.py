"""JSON as RFC 8259 has it and no more lenient: what two parsers could read differently is refused.

Refused beside broken JSON: a member name that is there twice, NaN and Infinity, numbers too large to be one, invalid
UTF-8, a byte order mark, lone surrogates, and arrays and objects in one another deeper than 32.
"""

import json
import math
import re
from typing import Any, NoReturn

import msgspec

from services.kit.errors import Malformed

DEEPEST = 32


def parse(body: bytes) -> Any:
    """The JSON value of a text. Raises Malformed, which never quotes the text.

    A text that is what msgspec writes for what it reads, byte by byte, has none of what is refused but depth: most
    programs write such JSON, without spaces, and it is read in half the time.
    """
    try:
        value = msgspec.json.decode(body)
        plain = msgspec.json.encode(value) == body
    except (msgspec.MsgspecError, ValueError, RecursionError):
        value, plain = None, False
    if not plain:
        value = _parsed(body)
    if body.count(b"{") + body.count(b"[") > DEEPEST:
        _check_depth(value)
    return value


def _parsed(body: bytes) -> Any:
    """`parse` by the marks and words of JSON one by one."""
    try:
        value = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8") from error
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON, at character {error.pos}") from error
    except ValueError as error:  # Python's own bound on the digits of an integer, 4300
        raise Malformed("a number is too large") from error
    if b"\\u" in body:
        _check_surrogates(value)
    return value


def split(body: bytes, most: int) -> list[bytes]:
    """The elements of a JSON array, each a text of its own still to be parsed, as far as the first `most` + 1 of them.

    An element that is not JSON itself is split off as well, if its brackets and quotes are in pairs. Raises Malformed.
    """
    if body.count(b",") <= most * _COMMAS_AN_ELEMENT:  # or an array of numbers would take 60 times its size in memory
        try:
            return [bytes(element) for element in _ELEMENTS.decode(body)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    return _split_broken(body, most)


def _split_broken(body: bytes, most: int) -> list[bytes]:
    """`split` by the marks of JSON alone, slower."""
    text = body.strip(_SPACE)
    elements: list[bytes] = []
    depth, start = 0, 1
    for mark in _MARKS.finditer(text) if text.startswith(b"[") else ():
        sign = mark[0][:1]
        if depth == 1 and sign in (b",", b"]"):
            elements.append(text[start : mark.start()])
            start = mark.end()
        depth += _DEPTH.get(sign, 0)
        if len(elements) > most or (depth == 0 and sign == b"]" and mark.end() == len(text)):
            return elements
        if depth == 0:
            break
    raise Malformed("not a JSON array")


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
_COMMAS_AN_ELEMENT = 100
_SPACE = b" \t\n\r"
_MARKS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)
_DEPTH = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}

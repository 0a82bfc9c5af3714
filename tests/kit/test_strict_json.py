"""Strict JSON: what is taken equals the standard library's reading, and what is ambiguous is refused."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.errors import Malformed
from services.kit.strict_json import DEEPEST, parse, split

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(exclude_categories=["Cs"]))
values: st.SearchStrategy[Any] = st.recursive(
    scalars | words, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4)
)


@given(values, st.booleans())
def test_json_is_read_as_it_was_written(value: Any, escaped: bool) -> None:
    """Any JSON value, with or without escapes, in any place."""
    assert parse(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.lists(values, max_size=4))
def test_the_elements_of_an_array_are_split_unread(elements: list[Any]) -> None:
    """Each element is a text of its own, that parses to what it was."""
    assert [parse(text) for text in split(json.dumps(elements, indent=1).encode(), 4)] == elements


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_the_depth_is_bounded(opening: bytes) -> None:
    """32 levels are read, 33 are not, a million neither, and wide is not deep."""
    closing = b"]" if opening == b"[" else b"}"
    assert parse(opening * (DEEPEST - 1) + b"[]" + closing * (DEEPEST - 1)) is not None
    for levels in (DEEPEST, 1_000_000):
        with pytest.raises(Malformed, match="deeper"):
            parse(opening * levels + b"[]" + closing * levels)
    assert len(parse(b"[" + b"[],{}," * 100 + b"1]")) == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"01",
        b"1 2",
        b"'a'",
        b'"a\tb"',
        b'"\\x"',
        b"NaN",
        b"-Infinity",
        b"[1e400]",
        b"9" * 5_000,
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf1",
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b'{"a": 1, "a": 1}',
        b'[{"b": {"a": 1, "\\u0061": 2}}]',
        b"// 1",
    ],
)
def test_what_is_ambiguous_or_broken_is_refused(body: bytes) -> None:
    """Nothing is guessed, and the message does not quote the text."""
    with pytest.raises(Malformed):
        parse(body)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[", b"[1] 2", b"[1}", b'["]', b"[1]]", b"\xef\xbb\xbf[]", b"[" * 1_000_000]
)
def test_what_is_no_array_is_not_split(body: bytes) -> None:
    """A batch is a JSON array."""
    with pytest.raises(Malformed):
        split(body, 10)


@given(st.lists(values, min_size=1, max_size=4), st.data())
def test_broken_elements_are_split_from_the_others(elements: list[Any], data: st.DataObject) -> None:
    """What is no JSON takes its own place in the array only, so that every other element can still be judged."""
    texts = [json.dumps(element).encode() for element in elements]
    broken = data.draw(
        st.sampled_from([b'{"a":tru}', b"NaN", b'"\\ud800"', b'"\xff"', b'"a\nb"', b"", b"[" * 99 + b"]" * 99])
    )
    texts.insert(data.draw(st.integers(0, len(texts))), broken)
    found = split(b" [" + b" ,".join(texts) + b"]\n", 10)
    assert [text.strip() for text in found] == texts


def test_a_long_array_is_split_no_further_than_asked() -> None:
    """An array of very many elements costs no more than it takes to know that they are too many."""
    assert len(split(b"[" + b"1," * 1_000_000 + b"1]", 10)) == 11


def test_large_numbers_stay_exact() -> None:
    """Integers are not rounded, fractions are the nearest float."""
    assert parse(b"123456789012345678901234567890") == 123456789012345678901234567890
    assert math.isclose(parse(b"1.5e300"), 1.5e300)

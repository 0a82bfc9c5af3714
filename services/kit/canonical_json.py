"""Canonical JSON (RFC 8785): one text for one value, so that a hash of the text is a hash of the value."""

import msgspec


def canonical(value: object) -> bytes:
    """The canonical text of text, whole numbers below 2^53, booleans, null, and lists and objects of these.

    The names of an object's members must be ASCII: those are sorted by their bytes, which for others is not what RFC
    8785 §3.2.3 says. Raises TypeError or ValueError for other values: fractions have no one form here.
    """
    return msgspec.json.encode(value, order="sorted")

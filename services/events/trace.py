"""Trace context (W3C Trace Context): of which trace an act's post was a part, carried on in the headers of its record.

What is not as the standard has it is left out without a word, as the standard wants it: tracing refuses no act.
"""

import re
from collections.abc import Mapping, Sequence

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
Trace = tuple[tuple[str, bytes], ...]
"""Headers of a record: `traceparent`, then `tracestate` if there is one; or none at all."""

_MOST_MEMBERS, _MOST_CHARACTERS = 32, 512
# A version after 00 may have more behind the four fields. ff is no version, and zeros are no ids.
_PARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?",
)
_KEY = r"[a-z0-9][a-z0-9_*/-]{0,240}(?:@[a-z][a-z0-9_*/-]{0,13})?"
_MEMBER = re.compile(_KEY + r"=[ -+\--<>-~]{0,255}[!-+\--<>-~]")


def trace_of_post(headers: Sequence[tuple[bytes, bytes]]) -> Trace:
    """The trace that an HTTP request is a part of, by its headers (names in lower case)."""
    parents = [value for name, value in headers if name == b"traceparent"]
    if len(parents) != 1:
        return ()
    states = [value for name, value in headers if name == b"tracestate"]
    return _trace(parents[0].decode("latin-1"), b",".join(states).decode("latin-1"))


def trace_of_event(attributes: Mapping[str, object]) -> Trace:
    """The trace that an event is a part of, by its attributes of CloudEvents' distributed tracing extension."""
    parent, state = attributes.get(TRACEPARENT), attributes.get(TRACESTATE)
    return _trace(parent, state if isinstance(state, str) else "") if isinstance(parent, str) else ()


def trace_of_record(headers: Sequence[tuple[str, bytes]]) -> str | None:
    """The `traceparent` of a record, if its headers have one; whoever wrote the record may have put anything there."""
    values = [value.decode("latin-1") for name, value in headers if name == TRACEPARENT]
    found = _trace(values[0], "") if len(values) == 1 else ()
    return found[0][1].decode() if found else None


def _trace(parent: str, state: str) -> Trace:
    fields = _PARENT.fullmatch(parent.strip(" \t"))
    if fields is None or (fields[1] == "00" and fields[2]):
        return ()
    members = [member for each in state.split(",") if (member := each.strip(" \t"))]
    found = ((TRACEPARENT, fields[0].encode()),)
    if not members or len(members) > _MOST_MEMBERS or not all(map(_MEMBER.fullmatch, members)):
        return found
    joined = ",".join(members)
    return (*found, (TRACESTATE, joined.encode())) if len(joined) <= _MOST_CHARACTERS else found

"""Entries of the audit log in words: what each kind of entry says was done."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from services.graphql.dashboard.answers import AuditEntry
from services.graphql.dashboard.naming import LOOKED_AT, act_sentence
from services.graphql.dashboard.numbers import many

KINDS: Mapping[str, str] = {
    "read": "Looks at what is another’s",
    "erasure": "Erasures of a person’s key",
    "key.created": "API keys made",
    "key.revoked": "API keys taken back",
    "model.switched": "Another read model shown",
    "policy.changed": "Another policy",
    "dead-letters.retried": "Dead letters read again",
}
"""What the kinds of entries are called that are not acts."""


def entry_sentence(entry: AuditEntry) -> str:
    """What an entry says was done, without a full stop."""
    if entry.kind == "act":
        return _record(entry)
    says = _SAYS.get(entry.kind)
    return entry.kind if says is None else says(entry, told(entry))


def told(entry: AuditEntry) -> Mapping[str, Any]:
    """What the document of an entry says; nothing where there is none, or it cannot be read."""
    try:
        found = json.loads(entry.document or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _record(entry: AuditEntry) -> str:
    if entry.act is not None:
        return act_sentence(entry.act) + (" (taken back since)" if entry.act.retracted else "")
    if entry.refused is not None:
        return "A record that counts for nothing: it could not be read, or another one counts"
    return "A record that is a copy, or not folded yet"


def _read(entry: AuditEntry, said: Mapping[str, Any]) -> str:
    what = [LOOKED_AT.get(str(one), str(one)) for one in said.get("what") or ()]
    whose = f" of {many(len(entry.subjects), 'person', 'people')}" if len(entry.subjects) > 1 else ""
    return f"Read {' and '.join(filter(None, (', '.join(what[:-1]), *what[-1:])))}{whose}"


def _named(words: str) -> Callable[[AuditEntry, Mapping[str, Any]], str]:
    return lambda _entry, said: f"{words} {said.get('name')}"


def _retried(_entry: AuditEntry, said: Mapping[str, Any]) -> str:
    counts = [f"{name} {said[name]}" for name in ("folded", "duplicates", "conflicts", "unreadable") if name in said]
    return f"Read dead letters again: {', '.join(counts)}"


_SAYS: Mapping[str, Callable[[AuditEntry, Mapping[str, Any]], str]] = {
    "read": _read,
    "erasure": lambda _entry, _said: "Destroyed the key of a person’s personal fields",
    "key.created": _named("Made the API key"),
    "key.revoked": _named("Took back the API key"),
    "model.switched": lambda _entry, said: f"Showed the read model {said.get('generation')} from here on",
    "policy.changed": lambda _entry, said: f"Judged by the policy {said.get('policy')} from here on",
    "dead-letters.retried": _retried,
}

"""One entry of the audit log: what it says, and the proof that it is in the tree, which the browser checks."""

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from services.graphql.dashboard.answers import AuditEntry
from services.graphql.dashboard.auditing import entry_sentence, told
from services.graphql.dashboard.figures import Figure, Link, Shown, field_by_field
from services.graphql.dashboard.links import page_link
from services.graphql.dashboard.visiting import MALFORMED, Failure, Page, Visit

_DIGITS = 9  # of an index that GraphQL's Int surely holds
_HELD = "(personal: it is recorded, encrypted, and not shown here)"
_SHOWN_APART = frozenset({"kind", "at", "actor", "subjects"})
_AUDIT = Link("The audit log", page_link("audit"))


class Asked(Struct, rename="camel"):
    """What the document answers."""

    audit_entry: AuditEntry


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    index = visit.needed("index")
    if not index.isascii() or not index.isdecimal() or len(index) > _DIGITS:
        raise Failure(MALFORMED, "`index` is the number of an entry")
    entry = (await visit.ask("audit_entry", Asked, index=int(index))).audit_entry
    size = int(entry.proof.checkpoint.split("\n")[1])
    context = {
        "entry": entry,
        "says": entry_sentence(entry),
        "committed": entry.document or entry.record,
        "before": page_link("audit-entry", index=str(entry.index - 1)) if entry.index else None,
        "after": page_link("audit-entry", index=str(entry.index + 1)) if entry.index + 1 < size else None,
        "size": size,
        "same": [Link(f"All about {subject}", page_link("audit", subject=subject)) for subject in entry.subjects[:3]],
        "act": _act(visit, entry),
    }
    return Shown(f"Entry {entry.index:,}", [_fields(entry)], context, [_AUDIT])


def _act(visit: Visit, entry: AuditEntry) -> Link | None:
    """The page of the act, for who may see acts at all."""
    act = entry.act
    if act is None or visit.viewer is None or "admin" not in visit.viewer.scopes:
        return None
    return Link("The act", page_link("act", source=act.source, id=act.act_id, subject=act.subject))


def _fields(entry: AuditEntry) -> Figure:
    """The entry, and what it is about, field by field."""
    rows: list[tuple[str, str]] = [
        ("type", entry.type or "(it cannot be read)"),
        ("recorded at", entry.at.isoformat()),
        ("concerning", ", ".join(entry.subjects) or "(nobody)"),
        ("by", entry.actor or "(nobody’s credential)"),
    ]
    if entry.offset is not None:
        rows.append(("place in the log", f"{entry.partition}:{entry.offset}"))
    if entry.refused is not None:
        rows.append(("counts for nothing", entry.refused))
    rows += _of_act(entry)
    rows += [(name, _value(value)) for name, value in told(entry).items() if name not in _SHOWN_APART]
    return field_by_field("What it says", f"Entry {entry.index:,}, field by field", rows, _HELD)


def _of_act(entry: AuditEntry) -> Sequence[tuple[str, str]]:
    act = entry.act
    if act is None:
        return ()
    held = dict.fromkeys(act.personal_fields, _HELD)
    data = {name: held.get(name) or _value(value) for name, value in act.data.items()}
    return [
        ("time", act.time.isoformat()),
        ("source", act.source),
        ("id", act.act_id),
        *((f"data.{name}", value) for name, value in data.items()),
    ]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


PAGE = Page("audit-entry", build, periodic=False)

"""The audit log, for compliance: what was recorded and done, by whom and about whom, the newest first."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct

from services.graphql.dashboard.answers import AuditEntry, Connection
from services.graphql.dashboard.auditing import KINDS, entry_sentence
from services.graphql.dashboard.figures import NOTHING, Cell, Column, Figure, Link, Missing, Shown, Table
from services.graphql.dashboard.links import page_link
from services.graphql.dashboard.numbers import short_day
from services.graphql.dashboard.visiting import MALFORMED, Failure, Page, Visit
from services.projections.queries.rows import NAMES

AT_ONCE = 50
_READY: Sequence[tuple[str, Mapping[str, str]]] = (
    ("Everything", {}),
    ("Who looked at whose card", {"type": "read"}),
    ("Erasures asked for", {"type": "exemplar.person.erased.v1"}),
    ("Keys destroyed", {"type": "erasure"}),
    ("Retractions", {"type": "exemplar.act.retracted.v1"}),
    ("Disputes", {"type": "exemplar.act.disputed.v1"}),
    ("Dead letters", {"refused": "true"}),
    ("Dead letters read again", {"type": "dead-letters.retried"}),
    ("API keys made", {"type": "key.created"}),
)
_TYPES = (("Acts", [(f"exemplar.{name}.v1", name) for name in NAMES]), ("Everything else", list(KINDS.items())))
_NONE = Missing("No entries", "Nothing that was recorded or done is as you ask. Take a filter away, or the days.")
_COLUMNS = (
    Column("Entry", "number", "Its index in the tree, from 0, which never changes."),
    Column("When", "text", "When the log took it in, or when it was done, UTC."),
    Column("What", "text"),
    Column("Type", "text"),
    Column("Concerning", "text", "Keys of those whom it is about."),
    Column("By", "text", "The name of the credential: an API key’s, or person:KEY of who came by a token."),
)


class Asked(Struct, rename="camel"):
    """What the document answers."""

    audit_log: Connection[AuditEntry]


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    asked = await visit.ask("audit", Asked, filter=_filter(visit), first=AT_ONCE, after=visit.query.get("after"))
    found = asked.audit_log.nodes
    table = Table("The audit log, the newest first", _COLUMNS, [_row(entry) for entry in found])
    context = {
        "ready": [(Link(text, page_link("audit", wanted)), _is_asked(visit, wanted)) for text, wanted in _READY],
        "types": _TYPES,
        "chosen": {name: visit.query.get(name, "") for name in ("subject", "actor", "type", "first", "last")},
        "paging": visit.paging(after=asked.audit_log.page_info.further),
    }
    figure = Figure("entries", "Entries", table=table, open_table=True)
    return Shown("The audit log", [figure] if found else [], context, missing=None if found else _NONE)


def _filter(visit: Visit) -> Mapping[str, object]:
    asked = visit.query
    first, last = _day(visit, "first"), _day(visit, "last")
    if first and last and first > last:
        raise Failure(MALFORMED, "the first day is not after the last")
    return {
        "subject": asked.get("subject") or None,
        "actor": asked.get("actor") or None,
        "types": [asked["type"]] if asked.get("type") else None,
        "refused": visit.chosen("refused"),
        "from": _begin(first) if first else None,
        "to": _begin(last + timedelta(days=1)) if last else None,
    }


def _day(visit: Visit, name: str) -> date | None:
    try:
        found = date.fromisoformat(visit.query[name]) if visit.query.get(name) else None
    except ValueError as error:
        raise Failure(MALFORMED, f"`{name}` is a day such as 2026-03-01") from error
    if found is not None and not 1000 <= found.year < 9999:
        raise Failure(MALFORMED, f"`{name}` is a day such as 2026-03-01")
    return found


def _begin(day: date) -> str:
    return datetime.combine(day, time(), UTC).isoformat()


def _is_asked(visit: Visit, wanted: Mapping[str, str]) -> bool:
    return {name: value for name, value in visit.query.items() if value and name != "after"} == wanted


def _row(entry: AuditEntry) -> Sequence[Cell]:
    return (
        Cell(f"{entry.index:,}", entry.index, page_link("audit-entry", index=str(entry.index))),
        Cell(f"{short_day(entry.at)}, {entry.at:%H:%M:%S}", entry.at.isoformat()),
        Cell(entry_sentence(entry), soft=entry.kind == "act" and entry.act is None),
        Cell(entry.type) if entry.type else NOTHING,
        _subjects(entry.subjects),
        Cell(entry.actor, href=page_link("audit", actor=entry.actor)) if entry.actor else NOTHING,
    )


def _subjects(subjects: Sequence[str]) -> Cell:
    if not subjects:
        return NOTHING
    if len(subjects) == 1:
        return Cell(subjects[0], href=page_link("audit", subject=subjects[0]))
    shown = ", ".join(subjects[:3])
    return Cell(f"{shown} and {len(subjects) - 3} more" if len(subjects) > 3 else shown, " ".join(subjects))


PAGE = Page("audit", build, periodic=False)

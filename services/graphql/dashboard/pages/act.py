"""One act: all its fields, its place in the log, what became of it, the signals made from it, and its disputes."""

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from services.graphql.dashboard.acts import anchor, shown_act, shown_signal
from services.graphql.dashboard.answers import Act, ActExplanation, Principle
from services.graphql.dashboard.disputing import form_for
from services.graphql.dashboard.figures import Figure, Link, Missing, Shown, field_by_field
from services.graphql.dashboard.places import TEAMS
from services.graphql.dashboard.visiting import NOT_THERE, Failure, Page, Visit
from services.projections.queries.rows import ABOUT_LEADERS, ABOUT_TEAMS

_FATES: Mapping[str, str] = {
    "FOLDED": "It counts.",
    "RETRACTED": "It was taken back, and counts for nothing. The log keeps it.",
    "CONFLICT": "Something else was sent under the same source and id. What came first counts.",
    "DEAD_LETTER": "It could not be read, counts for nothing, and waits for an operator.",
    "NOT_YET_FOLDED": "It is recorded, and not in the figures yet: open the page again in a moment.",
}
_HIDDEN = "(not yours to read, or erased)"


class Asked(Struct, rename="camel"):
    """What the document answers."""

    explain_act: ActExplanation
    principles: tuple[Principle, ...]


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    source, id_ = visit.needed("source"), visit.needed("id")
    asked = await visit.ask("act", Asked, source=source, id=id_, subject=visit.query.get("subject"))
    found = asked.explain_act
    if found.fate == "UNKNOWN":
        raise Failure(NOT_THERE)
    fate = _FATES.get(found.fate, found.fate)
    if found.act is None:
        return Shown(
            "An act", (), {"act": None}, [TEAMS], missing=Missing(f"Act {id_} of {source}", _said(fate, found))
        )
    act = found.act
    titles = {principle.id: principle.title for principle in asked.principles}
    shown = shown_act(visit, act)
    whose = _whose(visit, act)
    context: dict[str, object] = {
        "act": shown,
        "fate": fate,
        "reason": _sentence(found.reason) if found.reason else "",
        "whose": whose,
        "signals": [shown_signal(visit, signal, titles) for signal in found.signals],
        "disputing": form_for(visit, act),
    }
    return Shown(shown.says, [_fields(act)], context, [TEAMS, *([whose] if whose else [])])


def _said(fate: str, found: ActExplanation) -> str:
    place = f" It is in the log at {found.partition}:{found.offset}." if found.offset is not None else ""
    return f"{fate}{place} {_sentence(found.reason)}" if found.reason else f"{fate}{place}"


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:].rstrip('.')}."


def _whose(visit: Visit, act: Act) -> Link | None:
    """The page about whom the act is: of a customer the relationship, at the act."""
    if act.name in ABOUT_TEAMS:
        return Link(f"Team {act.subject}", visit.link("team", team=act.subject))
    if act.name in ABOUT_LEADERS:
        return Link(f"Leader {act.subject}", visit.link("person", person=act.subject))
    if act.name == "person.erased":
        return None
    place = visit.link("relationship", customer=act.subject)
    return Link(f"Customer {act.subject}", f"{place}#{anchor(act)}")


def _fields(act: Act) -> Figure:
    """The act as it was recorded, field by field."""
    rows = [
        ("type", act.type),
        ("subject", act.subject),
        ("time", act.time.isoformat()),
        ("source", act.source),
        ("id", act.act_id),
        *((f"data.{name}", _value(value)) for name, value in act.data.items()),
        ("recorded at", act.recorded_at.isoformat()),
        ("place in the log", f"{act.partition}:{act.offset}"),
    ]
    caption = "The act as it is in the log; personal fields are encrypted there"
    return field_by_field("All its fields", caption, rows, _HIDDEN)


def _value(value: Any) -> str:
    """A field in words; only a personal one is ever null."""
    if value is None:
        return _HIDDEN
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


PAGE = Page("act", build, periodic=False)

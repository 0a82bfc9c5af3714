"""Everybody who may ask about the small company: its people, who once led there, machines, and people by token."""

from pathlib import Path

from services.events.credentials import ACTS_WRITE, AUDIT_READ, CARDS_READ, Credential
from services.events.tokens import credential_of
from tests.fixed_clock import FixedClock
from tests.graphql.company import found_company
from tests.graphql.gateway import Asker

PEOPLE = ("cleo", "ann", "bob", "dan", "rik", "rosa", "sam")
"""Cleo leads the whole, Ann north, Bob south, Dan led north once; Rik and Rosa are reps in north, Sam in south."""
MACHINES = ("reader", "writer", "auditor", "keyed")
TOKENS = {"token": {"sub": "ann"}, "token-audit": {"sub": "ann", "scope": "audit:read"}, "token-admin": {"sub": "rik", "scope": "admin"}}  # fmt: skip  # noqa: E501
ROLES = ("open", "admin", *PEOPLE, *MACHINES, *TOKENS)

EVERYTHING = frozenset({"open", "admin", "token-admin"})
AUDITORS = EVERYTHING | {"auditor", "token-audit"}
OVER_ALL = EVERYTHING | {"cleo"}
OVER_NORTH = OVER_ALL | {"ann", "token"}
OVER_SOUTH = OVER_ALL | {"bob"}
NOBODY_LED = frozenset({"reader", "writer", "auditor", "keyed", "token-audit"})
"""They may read no card, whatever person they are of: no scope for it, or no person."""


def everybody(asker: Asker) -> Asker:
    """The company with Dan in its past, and a credential for everybody."""
    found_company(asker)
    asker.world.post("team.joined", "north", "2025-01-01", person="dan", role="leader", name="Dan Name")
    asker.world.post("team.left", "north", "2026-02-01", person="dan")
    asker.world.fold()
    for person in PEOPLE:
        asker.person(person)
    asker.credentials |= {
        "reader": Credential("reader", frozenset({CARDS_READ})),
        "writer": Credential("writer", frozenset({ACTS_WRITE}), ("test",)),
        "auditor": Credential("auditor", frozenset({AUDIT_READ}), (), "ann"),
        "keyed": Credential("keyed", frozenset(), (), "ann"),
    }
    asker.credentials |= {name: credential_of(claims) for name, claims in TOKENS.items()}
    return asker


def over_everybody(folder: Path) -> Asker:
    """A gateway of its own over all this, numbered in the audit tree; close it. Many ask: one event loop for them."""
    made = everybody(Asker(folder, FixedClock()))
    made.number()
    made.on_close.enter_context(made.client)
    return made


def header(role: str) -> str | None:
    """How a role is asked as: the open mode by no credential."""
    return None if role == "open" else role

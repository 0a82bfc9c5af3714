"""The record of who read whose card, evidence or personal fields: an entry a request, for the audit log to show.

It is in the control area, which no rebuild touches, and holds keys, no names. Nothing deletes from it: on SQLite an
entry that names one person takes 84 bytes, one that names twenty 250.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine, insert

from services.events.leaves import Leaf, add_leaves
from services.kit.database import writing
from services.projections.tables import reads


class Read(NamedTuple):
    """What one request read of others. `actor` is the name of the credential, `person` whose that is, if anybody's.

    `persons` are the keys of all those concerned, `what` the kinds of things read of them, both sorted; `at` in
    microseconds.
    """

    at: int
    actor: str
    person: str | None
    persons: Sequence[str]
    what: Sequence[str]


def record_reads(engine: Engine, entries: Sequence[Read]) -> None:
    """Write entries and their leaves of the audit tree, durable when it returns, in one transaction.

    `engine` is that of the control area. Raises Unavailable.
    """
    rows = [
        {
            "at_us": entry.at,
            "actor": entry.actor,
            "person": entry.person,
            "persons": _json(entry.persons),
            "what": _json(entry.what),
        }
        for entry in entries
    ]
    told = [
        Leaf("read", entry.at, entry.actor, entry.persons, {"person": entry.person, "what": entry.what})
        for entry in entries
    ]
    with writing(engine) as connection:
        connection.execute(insert(reads), rows)
        add_leaves(connection, told)


def _json(texts: Sequence[str]) -> str:
    return msgspec.json.encode(texts).decode()

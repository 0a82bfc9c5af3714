"""Leaves of the audit tree for what is not an act: reads of other people's cards, changes of keys, and so on.

A leaf is written in the transaction of what it stands for, without a number. The sequencer of the projections gives it
one later and takes it away from here. A record of the log needs none: it is a leaf itself, by being in the log.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, MetaData, Table, insert

from services.kit.canonical_json import canonical
from services.kit.instants import format_rfc3339

SALT_BYTES = 16

metadata = MetaData()
leaves = Table(
    "leaves",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("document", LargeBinary, nullable=False),
    sqlite_autoincrement=True,  # an id is never given again
)


class Leaf(NamedTuple):
    """Something that was done, at an instant (microseconds), by whom, and to whom: keys and names of credentials.

    `kind` is of small letters, dots and hyphens. `more` is what else its document tells, as JSON values.
    """

    kind: str
    at: int
    actor: str | None
    subjects: Sequence[str]
    more: Mapping[str, object] = {}


def add_leaves(connection: Connection, new: Sequence[Leaf]) -> None:
    """Add leaves in a transaction on the control area: they will be in the tree if, and only if, it commits."""
    if new:
        connection.execute(insert(leaves), [{"document": document(leaf)} for leaf in new])


def document(leaf: Leaf) -> bytes:
    """The document of a leaf: canonical JSON with a salt of its own, so that no hash of it can be guessed."""
    told = {"kind": leaf.kind, "at": format_rfc3339(leaf.at), "actor": leaf.actor, "subjects": list(leaf.subjects)}
    return canonical({**leaf.more, **told, "salt": secrets.token_hex(SALT_BYTES)})

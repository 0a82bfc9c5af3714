"""The audit log as it is asked for: entries of the tree, what they are about, and the proof that they are in it.

It is for `audit:read` alone, and each request that reads it is an entry itself. Personal fields stay unread: an act
shows that it has them, and the bytes that an entry commits to have them encrypted.
"""

import base64
from functools import partial
from typing import Any

import msgspec
import strawberry
from strawberry import ID, Private

from services.events.vault.cipher import has_plain_text
from services.graphql.permissions import forbidden
from services.graphql.reads import What
from services.graphql.scalars import DateTime
from services.graphql.schema import (
    Act,
    AuditFilter,
    Connection,
    Info,
    Node,
    act_node,
    connection_of,
    describe,
    given,
    global_id,
    key_of,
    or_forbidden,
)
from services.kit.errors import Invalid
from services.projections.audit.proofs import content, write_proof
from services.projections.audit.reading import AuditRow, Proof, Shown
from services.projections.queries import acts, audit
from services.projections.queries.audit import audit_cursor, read_audit_cursor
from services.projections.queries.rows import ActRow

REFUSED_AT_MOST = 1_000  # of which the entries are looked for; each takes two parameters of a statement


class _Told(msgspec.Struct):
    """What is read of a document."""

    subjects: list[str] = []


@strawberry.type
class AuditProof:
    """That an entry is in the tree of a checkpoint (RFC 6962, SHA-256)."""

    entry: Private["AuditEntry"]
    proof: Private[Proof]
    index: int = strawberry.field(description="The entry's place in the tree, from 0")
    hashes: list[str] = strawberry.field(description="From the leaf's sibling upwards to the root, in base64")
    checkpoint: str = strawberry.field(
        description="The checkpoint as it was signed, a signed note: origin, size, root, and the signatures"
    )

    @strawberry.field
    async def file(self, info: Info) -> str:
        """All that is needed to check it elsewhere, as a tlog-proof: for `exemplar audit verify --offline`."""
        row = self.entry.row
        shown = Shown(row.number, row.entry, row.document)
        return write_proof(self.proof, content(shown, await self.entry.value(info)))


@strawberry.type
class AuditEntry(Node):
    """An entry of the audit tree: a record of the log, or something else that was done."""

    row: Private[AuditRow]
    index: int = strawberry.field(description="Its place in the tree, from 0; once given it never changes")
    leaf_hash: str = strawberry.field(description="SHA-256 of a byte 0 and the entry, in base64")
    kind: str = strawberry.field(description="`act` for any record of the log; else what was done, such as read")
    type: str | None = strawberry.field(
        description="The CloudEvents type of the record, or the kind again; null where the record cannot be read"
    )
    at: DateTime = strawberry.field(description="When the log took the record in, or when it was done")
    subject: str = strawberry.field(description="Whom it concerns; empty where it is nobody, or several")
    subjects: list[str] = strawberry.field(description="All whom it concerns")
    actor: str | None = strawberry.field(description="The name of the credential by which it was done")
    partition: int | None = strawberry.field(description="The partition of the log that holds the record")
    offset: int | None = strawberry.field(description="The record's offset in the partition")
    entry: str = strawberry.field(description="The entry to the byte: what the tree has a leaf hash of")
    document: str | None = strawberry.field(
        description="To the byte, what the entry has the SHA-256 of; null where that is a record of the log"
    )

    @strawberry.field
    def id(self) -> ID:
        """The id."""
        return global_id("AuditEntry", str(self.row.number))

    @strawberry.field
    async def record(self, info: Info) -> str | None:
        """The record's value as the log keeps it, in base64, which the entry has the SHA-256 of; personal fields are
        encrypted. Null where it is no act that counts, and where one that came past the ingress has them in the clear.
        """
        value = await self.value(info)
        return None if value is None else base64.b64encode(value).decode()

    @strawberry.field
    async def act(self, info: Info) -> Act | None:
        """The act; null where there is none that counts: a copy, a record that was refused or is not folded yet."""
        found = await self.about(info)
        return None if found is None else act_node(info, found)

    @strawberry.field
    async def refused(self, info: Info) -> str | None:
        """Why the record counts for nothing, where it could not be read or another one counts."""
        return None if self.row.place is None else await info.context.load.refused_at.load(self.row.place)

    @strawberry.field
    async def proof(self, info: Info) -> AuditProof:
        """That it is in the tree, by the latest checkpoint."""
        proof: Proof = await info.context.load.proof.load(self.row.number)
        hashes = [base64.b64encode(hash_).decode() for hash_ in proof.hashes]
        return AuditProof(entry=self, proof=proof, index=proof.number, hashes=hashes, checkpoint=proof.checkpoint)

    async def value(self, info: Info) -> bytes | None:
        """The record's value if it may be shown, which is put on record."""
        found = await self.about(info)
        if found is None:
            return None
        act = (await info.context.load.opened.load((found, False))).act
        if has_plain_text(act, info.context.sources.catalogue.personal[act.name]):
            return None
        info.context.noted.note_act(What.ACTS, found)
        return found.record

    async def about(self, info: Info) -> ActRow | None:
        """The act that counts, if the entry is of its record."""
        return None if self.row.place is None else await info.context.load.act_at.load(self.row.place)


async def list_log(info: Info, wanted: AuditFilter | None, first: int, after: str | None) -> Connection[AuditEntry]:
    """A page of the audit log. Raises Forbidden, Invalid."""
    _check(info)
    filter_, index = _filter(wanted), read_audit_cursor(after)
    if wanted is not None and given(wanted.refused):
        places = await info.context.read(lambda connection: acts.refused_places(connection, REFUSED_AT_MOST))
        filter_ = filter_._replace(places=places)
    info.context.noted.note_audit(filter_.subject)
    found = await info.context.read_audit(lambda connection: audit.list_entries(connection, filter_, first, index))
    return connection_of(found, partial(_entry, info), audit_cursor)


async def find_entry(info: Info, index: int) -> AuditEntry | None:
    """The entry of this index. Raises Forbidden."""
    _check(info)
    info.context.noted.note_audit(None)
    row = await info.context.read_audit(lambda connection: audit.find_entry(connection, index))
    return or_forbidden(info, None if row is None else _entry(info, row))


def _check(info: Info) -> None:
    if not info.context.access.audits:
        raise forbidden()


def _entry(info: Info, row: AuditRow) -> AuditEntry:
    if row.document is not None:
        info.context.noted.note_audit(row.subject)
    partition, offset = row.place or (None, None)
    return AuditEntry(
        row=row,
        index=row.number,
        leaf_hash=base64.b64encode(row.leaf_hash).decode(),
        kind=row.kind,
        type=row.type,
        at=DateTime(row.at),
        subject=row.subject or "",
        subjects=_subjects(row),
        actor=row.actor,
        partition=partition,
        offset=offset,
        entry=row.entry.decode(errors="replace"),
        document=None if row.document is None else row.document.decode(errors="replace"),
    )


def _subjects(row: AuditRow) -> list[str]:
    if row.document is None:
        return [] if row.subject is None else [row.subject]
    try:
        return msgspec.json.decode(row.document, type=_Told).subjects
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []  # it was tampered with: its proof shows that


def _filter(wanted: AuditFilter | None) -> audit.AuditFilter:
    if wanted is None:
        return audit.AuditFilter()
    from_, to, types = given(wanted.from_), given(wanted.to), given(wanted.types)
    if from_ is not None and to is not None and from_ >= to:
        raise Invalid("`from` is before `to`")
    return audit.AuditFilter(
        _text(wanted.subject), _text(wanted.actor), None if types is None else list(map(key_of, types)), from_, to
    )


def _text(value: Any) -> str | None:
    text = given(value)
    return None if text is None else key_of(text)


describe(AuditEntry, AuditProof)

"""The entries of the tree, to the byte as docs/design/audit.md says: canonical JSON (RFC 8785) that tells what is
committed to and its SHA-256, and nothing of what is in it.

A record of the log is committed to as the log keeps it, so to ciphertext where a field is personal. Everything else has
a document of its own, whose salt keeps its hash from being guessed.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from services.events.leaves import Leaf, document
from services.events.log.protocol import Record
from services.kit.instants import parse_rfc3339

ACT = "act"
ERASURE = "erasure"
_MOST_TEXT = 512


class Entry(NamedTuple):
    """An entry, and what it can be found by. `at` in microseconds; a document where it is not about a record.

    `type` is the record's CloudEvents type, or the kind again; `subjects` are the keys of those whom it concerns.
    """

    entry: bytes
    kind: str
    at: int
    type: str | None
    actor: str | None
    subjects: Sequence[str]
    place: tuple[int, int] | None = None
    document: bytes | None = None

    @property
    def subject(self) -> str | None:
        """Whom it concerns, where that is one."""
        return self.subjects[0] if len(self.subjects) == 1 else None


class Told(msgspec.Struct, frozen=True):
    """What an entry says: `partition` and `offset` of an act."""

    kind: str
    sha256: str
    partition: int | None = None
    offset: int | None = None


class _Envelope(msgspec.Struct):
    """What is looked at in a record; whatever its type, so that one odd attribute hides no other."""

    subject: object = None
    type: object = None
    recordedby: object = None


def record_entry(partition: int, offset: int, value: bytes) -> bytes:
    """The entry of a record: its place, and the hash of its value as the log keeps it."""
    hash_ = sha256(value).hexdigest()
    return b'{"kind":"act","offset":%d,"partition":%d,"sha256":"%s"}' % (offset, partition, hash_.encode())


def document_entry(kind: str, document_: bytes) -> bytes:
    """The entry of a document, whose kind is of letters, dots and hyphens."""
    return b'{"kind":"%s","sha256":"%s"}' % (kind.encode(), sha256(document_).hexdigest().encode())


def of_record(record: Record) -> Entry:
    """What becomes of a record of the log, whether it can be folded or not."""
    partition, offset, recorded_at = record.place
    try:
        told = _ENVELOPE.decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = _Envelope(subject=record.key)
    subject = _text(told.subject)
    return Entry(
        record_entry(partition, offset, record.value),
        ACT,
        recorded_at,
        _text(told.type),
        _text(told.recordedby),
        () if subject is None else (subject,),
        (partition, offset),
    )


def of_document(document_: bytes) -> Entry:
    """What becomes of a leaf that is not a record's."""
    leaf = msgspec.json.decode(document_, type=_Document)
    subjects = [subject for subject in leaf.subjects if _text(subject) is not None]
    entry = document_entry(leaf.kind, document_)
    return Entry(entry, leaf.kind, parse_rfc3339(leaf.at), leaf.kind, _text(leaf.actor), subjects, None, document_)


def erasure(person: str, at: int) -> Entry:
    """The entry that the data key of a person was destroyed, at an instant."""
    return of_document(document(Leaf(ERASURE, at, None, [person])))


def read_entry(entry: bytes) -> Told:
    """What an entry says. Raises msgspec.MsgspecError for what is none."""
    return msgspec.json.decode(entry, type=Told)


class _Document(msgspec.Struct):
    kind: str
    at: str
    subjects: list[str]
    actor: str | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def _text(value: object) -> str | None:
    """Text that every database can store, and no index is too small for."""
    if not isinstance(value, str) or len(value) > _MOST_TEXT or "\x00" in value:
        return None
    return value if value.isascii() or value.encode("utf-8", "replace").decode() == value else None

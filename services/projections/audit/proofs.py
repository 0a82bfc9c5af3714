"""Proofs in files, to be checked anywhere with nothing but the verifier key: of one entry, or of a range of them.

One entry: c2sp.org/tlog-proof, with what was committed to in its `extra` line. A range: lines of JSON, the first of
which has the checkpoint and the hashes around the range, as docs/design/audit.md says to the byte.
"""

import base64
import binascii
from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple, TypeVar

import msgspec

from services.kit.canonical_json import canonical
from services.kit.errors import Invalid
from services.projections.audit.entries import ACT, Told, read_entry
from services.projections.audit.merkle import HASH_BYTES, leaf_hash, root_by_inclusion, root_by_range
from services.projections.audit.notes import Checkpoint, Verifier, open_checkpoint
from services.projections.audit.reading import Proof, Shown

T = TypeVar("T")

HEADER = "c2sp.org/tlog-proof@v1"
EXPORT_FORMAT = "exemplar/audit-export@v1"


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry to the byte, and what it commits to, if that is given: a record's value (base64) or a document."""

    entry: str
    record: str | None = None
    document: str | None = None

    def committed(self) -> bytes | None:
        """What the entry commits to. Raises Invalid if it is not base64."""
        if self.document is not None:
            return self.document.encode()
        return None if self.record is None else _decoded(self.record)


class Proven(NamedTuple):
    """An entry that a checked proof shows to be in a tree: its number, what it says, and what it commits to."""

    number: int
    told: Told
    committed: bytes | None


class _Header(msgspec.Struct, rename={"from_": "from"}):
    format: str
    checkpoint: str
    from_: int
    to: int
    proof: list[str]


class _Line(Content, frozen=True, omit_defaults=True, kw_only=True):
    number: int


def content(shown: Shown, record: bytes | None) -> Content:
    """What a proof tells of an entry; the value of its record, if it is about one."""
    return Content(
        shown.entry.decode(),
        None if record is None else base64.b64encode(record).decode(),
        None if shown.document is None else shown.document.decode(),
    )


# ---- one entry -------------------------------------------------------------------------------------------------------


def write_proof(proof: Proof, told: Content) -> str:
    """The proof of an entry as a file."""
    extra = base64.b64encode(canonical(msgspec.to_builtins(told))).decode()
    hashes = "".join(base64.b64encode(hash_).decode() + "\n" for hash_ in proof.hashes)
    return f"{HEADER}\nextra {extra}\nindex {proof.number}\n{hashes}\n{proof.checkpoint}"


def check_proof(text: str, verifiers: Collection[Verifier]) -> tuple[Checkpoint, Proven]:
    """The checkpoint and the entry of a proof that holds. Raises Invalid if it does not."""
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEADER or len(lines) < 3 or not lines[1].startswith("extra "):
        raise Invalid("it is no proof of an entry")
    told = _read(_decoded(lines[1].removeprefix("extra ")), Content)
    word, _, number = lines[2].partition(" ")
    if word != "index" or not (number.isascii() and number.isdecimal()) or str(int(number[:20])) != number:
        raise Invalid("it is no proof of an entry")
    checkpoint = open_checkpoint(note, verifiers)
    leaf = leaf_hash(told.entry.encode())
    if root_by_inclusion(leaf, int(number), checkpoint.size, [_hash(line) for line in lines[3:]]) != checkpoint.root:
        raise Invalid("the entry is not in the tree of the checkpoint: something was changed")
    return checkpoint, _proven(int(number), told)


# ---- a range ---------------------------------------------------------------------------------------------------------


def write_range(
    note: str, start: int, end: int, proof: Iterable[bytes], contents: Iterable[tuple[int, Content]]
) -> Iterator[str]:
    """The lines of an export of the entries from `start` to before `end`, with the hashes around them."""
    hashes = [base64.b64encode(hash_).decode() for hash_ in proof]
    yield _line(_Header(EXPORT_FORMAT, note, start, end, hashes))
    for number, told in contents:
        yield _line(_Line(number=number, entry=told.entry, record=told.record, document=told.document))


def check_range(lines: Iterable[str], verifiers: Collection[Verifier]) -> tuple[Checkpoint, list[Proven]]:
    """The checkpoint and the entries of an export that holds: every entry of its range, in order, none left out.

    Raises Invalid if it does not.
    """
    left = iter(lines)
    header = _read(next(left, "").encode(), _Header)
    if header.format != EXPORT_FORMAT:
        raise Invalid(f"it is no export of the format {EXPORT_FORMAT}")
    checkpoint = open_checkpoint(header.checkpoint, verifiers)
    found: list[Proven] = []
    hashes: list[bytes] = []
    for number, line in enumerate(left, header.from_):
        told = _read(line.encode(), _Line)
        if told.number != number:
            raise Invalid(f"entry {number} is left out, or not in its place")
        hashes.append(leaf_hash(told.entry.encode()))
        found.append(_proven(number, told))
    if header.from_ + len(found) != header.to:
        raise Invalid(f"entries from {header.from_ + len(found)} to {header.to} are left out")
    around = [_hash(hash_) for hash_ in header.proof]
    if root_by_range(hashes, header.from_, checkpoint.size, around) != checkpoint.root:
        raise Invalid("the entries are not those of the tree of the checkpoint: something was changed")
    return checkpoint, found


def _proven(number: int, told: Content) -> Proven:
    """What an entry says, once what it commits to was found to be what it says. Raises Invalid."""
    try:
        says = read_entry(told.entry.encode())
    except msgspec.MsgspecError as error:
        raise Invalid(f"entry {number} is none of Exemplar's") from error
    committed = told.committed()
    if committed is not None and sha256(committed).hexdigest() != says.sha256:
        what = "record" if says.kind == ACT else "document"
        raise Invalid(f"the {what} of entry {number} is not the one that the entry commits to")
    return Proven(number, says, committed)


def _line(told: msgspec.Struct) -> str:
    return msgspec.json.encode(told).decode()


def _read(data: bytes, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("something in the proof is not the JSON that it should be") from error


def _hash(text: str) -> bytes:
    hash_ = _decoded(text)
    if len(hash_) != HASH_BYTES:
        raise Invalid("a hash of the proof has not 32 bytes")
    return hash_


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("something in the proof is not base64") from error

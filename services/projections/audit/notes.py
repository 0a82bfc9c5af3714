"""Signed notes and checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), with Ed25519 keys."""

import base64
import binascii
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.kit.errors import Invalid
from services.projections.audit.merkle import HASH_BYTES

MOST_BYTES = 100_000
MOST_SIGNATURES = 100
_ED25519 = b"\x01"
_DASH = "— "


class Verifier(NamedTuple):
    """A key that checks signatures: its name, its id of four bytes, and the public key of 32."""

    name: str
    key_id: bytes
    public: bytes

    def __str__(self) -> str:
        """The verifier key in its usual form: NAME+ID+KEY."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.public)}"


class Signer:
    """A key that signs, of a name, from the 32 bytes of its seed (RFC 8032)."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not is_name(name):
            raise ValueError("a key's name has no spaces, no plus sign and no control characters, and is not empty")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.verifier = Verifier(name, _key_id(name, public), public)

    def __repr__(self) -> str:
        return f"Signer({self.verifier})"

    def line(self, text: str) -> str:
        """The signature line of a note with this text."""
        signature = self.verifier.key_id + self._key.sign(text.encode())
        return f"{_DASH}{self.verifier.name} {_base64(signature)}\n"


class Checkpoint(NamedTuple):
    """A tree as it is signed: whose it is, how many entries it has, and its root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


def is_name(name: str) -> bool:
    """Whether a key can have this name, and a tree this origin."""
    return bool(name) and name.isprintable() and not any(one.isspace() or one == "+" for one in name)


def parse_verifier(text: str) -> Verifier:
    """The verifier key in its usual form. Raises Invalid."""
    name, _, rest = text.strip().partition("+")
    key_id, _, key = rest.partition("+")
    decoded = _decoded(key)
    if not is_name(name) or len(decoded) != 33 or decoded[:1] != _ED25519:
        raise Invalid("a verifier key is NAME+ID+KEY, with an Ed25519 key")
    verifier = Verifier(name, _key_id(name, decoded[1:]), decoded[1:])
    if verifier.key_id.hex() != key_id:
        raise Invalid("the verifier key's id is not that of its name and key")
    return verifier


def sign(checkpoint: Checkpoint, signers: Sequence[Signer]) -> str:
    """The checkpoint as a note that all of these have signed."""
    text = checkpoint.text()
    return text + "\n" + "".join(signer.line(text) for signer in signers)


def open_checkpoint(note: str, verifiers: Collection[Verifier]) -> Checkpoint:
    """The checkpoint in a note that one of these has signed. Signatures of unknown keys are left aside.

    Raises Invalid if none of them has, a signature of theirs is not good, or it is no checkpoint.
    """
    text, signatures = _parts(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    good = 0
    for name, signature in signatures:
        verifier = known.get((name, signature[:4]))
        if verifier is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(verifier.public).verify(signature[4:], text.encode())
        except InvalidSignature as error:
            raise Invalid(f"a signature of {verifier.name} is not good: the checkpoint was tampered with") from error
        good += 1
    if not good:
        raise Invalid("no key that is known has signed the checkpoint")
    return _parse(text)


def parse_checkpoint(note: str) -> Checkpoint:
    """The checkpoint in a note, whoever has signed it. Raises Invalid if it is none."""
    return _parse(_parts(note)[0])


def signed_by(note: str) -> list[tuple[str, bytes]]:
    """Names and ids of the keys that sign a note. Raises Invalid."""
    return [(name, signature[:4]) for name, signature in _parts(note)[1]]


def newest(notes: Collection[tuple[int, str]], verifiers: Collection[Verifier]) -> str:
    """Of checkpoints with their sizes the largest; of those that are as large, one that names a key which is known.

    While nothing is added to a tree, a change of its key leaves copies of the same that other keys have signed.
    """
    known = {(verifier.name, verifier.key_id) for verifier in verifiers}
    return max(notes, key=lambda one: (one[0], not known.isdisjoint(signed_by(one[1]))))[1]


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text and the signatures of a note."""
    text, blank, lines = note.rpartition("\n\n")
    signatures = lines.removesuffix("\n").split("\n")
    whole = blank and lines.endswith("\n") and len(note) <= MOST_BYTES and len(signatures) <= MOST_SIGNATURES
    if not whole or any(one < " " and one != "\n" for one in note):
        raise Invalid("it is no signed note")
    return text + "\n", [_signature(line) for line in signatures]


def _signature(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    decoded = _decoded(encoded)
    if not line.startswith(_DASH) or not space or not is_name(name) or len(decoded) < 5:
        raise Invalid("it is no signed note")
    return name, decoded


def _parse(text: str) -> Checkpoint:
    origin, size, root, *more = text.removesuffix("\n").split("\n") + [""] * 3
    hash_ = _decoded(root)
    canonical = size.isascii() and size.isdecimal() and str(int(size[:20])) == size
    if not origin or not canonical or len(hash_) != HASH_BYTES or "" in more[: len(more) - 3]:
        raise Invalid("it is no checkpoint")
    return Checkpoint(origin, int(size), hash_)


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    """What base64 text stands for; nothing where it is none in its one form."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return decoded if _base64(decoded) == text else b""

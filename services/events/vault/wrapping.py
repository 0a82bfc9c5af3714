"""Wrapping keys: the secret outside the vault's store, without which nothing in the store can be read.

There is one, in a file of its own, and beside it for the time of a rotation the one that takes over or went before.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from services.kit.errors import Corrupt, Misconfigured
from services.kit.secret_file import SECRET_BYTES, make_secret, read_secret_lines, replace_secrets

KEY_BYTES = SECRET_BYTES
NEXT, OLD = "next", "old"
_NONCE_BYTES = 12
_VARIABLE = "EXEMPLAR_VAULT_KEY_FILE"
_LOST = "restore the one that this vault was made with"


class Wrapping(Protocol):
    """The wrapping keys that a process holds now. Safe to call from any thread."""

    def current(self) -> "WrappingKey":
        """The one that wraps what is made now."""
        ...

    def held(self) -> Mapping[str, "WrappingKey"]:
        """All that unwrap, by their ids."""
        ...


class WrappingKey:
    """Wraps data keys for storing, each bound to its person: a wrapped key put in another one's row does not unwrap.

    It is a `Wrapping` of itself alone. `id` names it without telling anything of it.
    """

    __slots__ = ("_key", "id")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a wrapping key has {KEY_BYTES} bytes")
        self._key = key
        self.id = sha256(b"exemplar wrapping key\0" + key).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"WrappingKey({self.id})"

    def wrap(self, person: str, key: bytes) -> bytes:
        """A nonce and the key encrypted by AES-256-GCM-SIV (RFC 8452)."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCMSIV(self._key).encrypt(nonce, key, person.encode())

    def unwrap(self, person: str, wrapped: bytes) -> bytes:
        """The key again. Raises Corrupt if it was wrapped by another key, or for somebody else."""
        try:
            return AESGCMSIV(self._key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], person.encode())
        except (InvalidTag, ValueError) as error:
            raise Corrupt(
                f"a key in the vault does not unwrap: restore the key file ({_VARIABLE}) of this vault"
            ) from error

    def current(self) -> "WrappingKey":
        """See Wrapping."""
        return self

    def held(self) -> Mapping[str, "WrappingKey"]:
        """See Wrapping."""
        return {self.id: self}

    def line(self) -> str:
        """The key as its file has it."""
        return self._key.hex()


class Held(NamedTuple):
    """What a key file holds: the key that counts, the one that takes over from it, the one that went before it."""

    current: WrappingKey
    next: WrappingKey | None = None
    old: WrappingKey | None = None


class WrappingFile:
    """The wrapping keys in a file, which is read again when it has changed: a rotation needs no restart.

    A line of 64 hexadecimal digits, the key that counts; for the time of a rotation a second one, of the word `next`
    or `old` and such digits.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._seen: tuple[int, ...] = ()
        self._read: Held | None = None

    def read(self) -> Held:
        """What the file holds now. Raises Misconfigured."""
        with self._lock:
            seen = self._look()
            if self._read is None or seen != self._seen:
                self._read, self._seen = _parse(read_secret_lines(self.path, _VARIABLE, _LOST)), seen
            return self._read

    def current(self) -> WrappingKey:
        """See Wrapping. Raises Misconfigured."""
        return self.read().current

    def held(self) -> Mapping[str, WrappingKey]:
        """See Wrapping. Raises Misconfigured."""
        return {key.id: key for key in self.read() if key is not None}

    def write(self, held: Held) -> None:
        """Put these in the place of what the file holds, whole or not at all. Raises OSError where it may not be."""
        lines = [held.current.line()]
        lines += [f"{word} {key.line()}" for word, key in ((NEXT, held.next), (OLD, held.old)) if key is not None]
        replace_secrets(self.path, lines)

    @contextmanager
    def rotating(self) -> Iterator[None]:
        """Be the only one who changes the file on this machine. Raises Misconfigured if somebody else does."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise Misconfigured(f"{_VARIABLE}: another process is changing {self.path}") from error
        finally:
            os.close(folder)

    def _look(self) -> tuple[int, ...]:
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size


def _parse(lines: list[tuple[str, bytes]]) -> Held:
    """The keys of a file. Raises Misconfigured."""
    found = {word: WrappingKey(key) for word, key in lines}
    if "" not in found or len(found) != len(lines) or not {"", NEXT, OLD}.issuperset(found) or len(found) > 2:
        raise Misconfigured(f"{_VARIABLE} must hold one key and, while it changes, one more after `{NEXT}` or `{OLD}`")
    return Held(found[""], found.get(NEXT), found.get(OLD))


def load_wrapping_file(path: Path, create: bool) -> WrappingFile:
    """The keys in a file; with `create`, one is made (mode 600) where there is no file.

    Raises Misconfigured if there is no such file or something else is in it.
    """
    if create:
        make_secret(path, _VARIABLE)
    file = WrappingFile(path)
    file.read()
    return file


def load_wrapping_key(path: Path, create: bool) -> WrappingKey:
    """The key in a file that counts, as of `load_wrapping_file`."""
    return load_wrapping_file(path, create).current()

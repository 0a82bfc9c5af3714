"""The wrapping key: the one secret outside the vault's store, without which nothing in the store can be read."""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from services.kit.errors import Corrupt, Misconfigured

KEY_BYTES = 32
_NONCE_BYTES = 12
_VARIABLE = "EXEMPLAR_VAULT_KEY_FILE"


class WrappingKey:
    """Wraps data keys for storing, each bound to its person: a wrapped key put in another one's row does not unwrap."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a wrapping key has {KEY_BYTES} bytes")
        self._key = key

    def __repr__(self) -> str:
        return "WrappingKey(hidden)"

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


def load_wrapping_key(path: Path, create: bool) -> WrappingKey:
    """The key in a file of 64 hexadecimal digits; with `create`, a new one (mode 600) where there is no file.

    Raises Misconfigured if there is no such file or something else is in it.
    """
    try:
        if create and not path.exists():
            _create(path)
        return WrappingKey(bytes.fromhex(path.read_text("ascii").strip()))
    except FileNotFoundError as error:
        raise Misconfigured(
            f"{_VARIABLE}: there is no file {path}: restore the one that this vault was made with"
        ) from error
    except OSError as error:
        raise Misconfigured(f"{_VARIABLE}: {path} cannot be used ({error.strerror})") from error
    except ValueError:  # without its cause, which may quote the file
        raise Misconfigured(f"{_VARIABLE}: {path} must hold {KEY_BYTES * 2} hexadecimal digits, nothing else") from None


def _create(path: Path) -> None:
    """Write a new key beside the path and link it there: whole or not at all, and never over one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return  # another process was faster, its key is the one
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

"""The wrapping key: the one secret outside the vault's store, without which nothing in the store can be read."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from services.kit.errors import Corrupt
from services.kit.secret_file import SECRET_BYTES, load_secret

KEY_BYTES = SECRET_BYTES
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
    return WrappingKey(load_secret(path, _VARIABLE, create, "restore the one that this vault was made with"))

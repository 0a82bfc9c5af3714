"""The personal fields (†) of acts, encrypted before the log sees them and decrypted where somebody may read them.

AES-256-GCM-SIV (RFC 8452) under the person's data key. The nonce follows from subject, source, id and field, so that
the same act always gives the same bytes; where two different texts meet one nonce, SIV gives nothing away but that.
"""

import hmac
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from msgspec import UNSET

from services.events.catalog.acts import person_of
from services.events.catalog.envelope import Act, Catalogue
from services.events.vault.protocol import Vault
from services.kit.errors import Corrupt

_NONCE_BYTES = 12
_TAG_BYTES = 16


def encrypt_act(act: Act, personal: Sequence[str], key: bytes | None) -> Act:
    """The act with each of its † fields that was given as base64url ciphertext.

    `personal` names the † fields of the act's model. Without a key the person was erased: every one of them becomes
    None, given or not, so that copies of the act compare equal whatever they hold.
    """
    if key is None:
        changes: dict[str, str | None] = dict.fromkeys(personal)
    else:
        texts = {field: getattr(act.data, field) for field in personal}
        changes = {f: _encrypt(text, _place(act, f), key) for f, text in texts.items() if isinstance(text, str)}
    if not changes:
        return act
    return msgspec.structs.replace(act, data=msgspec.structs.replace(act.data, **changes))


def decrypt_fields(act: Act, personal: Sequence[str], key: bytes | None) -> dict[str, str | None]:
    """The texts of the † fields that a recorded act has; None for all without a key. Absent fields are left out.

    Raises Corrupt if a field does not open: it was altered, or encrypted for another act, field or key.
    """
    found = {field: getattr(act.data, field) for field in personal}
    return {
        field: None if key is None or text is None else _decrypt(text, _place(act, field), key)
        for field, text in found.items()
        if text is not UNSET
    }


def seal(acts: Sequence[Act], catalogue: Catalogue, vault: Vault) -> list[Act]:
    """The acts as the log may have them. Keys are made only for persons of whom something personal is given.

    For the others it is only seen whether they were erased. Raises Unavailable, Corrupt.
    """
    concerned = [(act, catalogue.personal[act.name]) for act in acts]
    needed = {person_of(act.subject, act.data) for act, personal in concerned if _gives(act, personal)}
    others = {person_of(act.subject, act.data) for act, personal in concerned if personal} - needed
    keys = dict(vault.existing_keys(needed | others))
    keys.update(vault.keys_for(needed - keys.keys()))
    return [
        encrypt_act(act, personal, keys[person]) if (person := person_of(act.subject, act.data)) in keys else act
        for act, personal in concerned
    ]


def open_acts(
    acts: Sequence[Act], catalogue: Catalogue, vault: Vault, on_corrupt: Callable[[Corrupt], None] | None = None
) -> list[dict[str, str | None]]:
    """The texts of the † fields of recorded acts, as of `decrypt_fields`, with one question to the vault.

    Where a field does not open, raises Corrupt, or tells `on_corrupt` and gives None for the fields of that act.
    """
    concerned = [(act, catalogue.personal[act.name]) for act in acts]
    keys = vault.existing_keys({person_of(a.subject, a.data) for a, personal in concerned if _gives(a, personal)})
    opened: list[dict[str, str | None]] = []
    for act, personal in concerned:
        try:
            opened.append(decrypt_fields(act, personal, keys.get(person_of(act.subject, act.data))))
        except Corrupt as error:
            if on_corrupt is None:
                raise
            on_corrupt(error)
            opened.append(decrypt_fields(act, personal, None))
    return opened


def has_plain_text(act: Act, personal: Sequence[str]) -> bool:
    """Whether a recorded act has a † field whose text can be no ciphertext: its record came past the ingress."""
    given = (getattr(act.data, field) for field in personal)
    return any(isinstance(text, str) and not _may_be_sealed(text) for text in given)


def _may_be_sealed(text: str) -> bool:
    try:
        return len(b64decode(text, altchars=b"-_", validate=True)) >= _TAG_BYTES
    except ValueError:
        return False


def _gives(act: Act, personal: Sequence[str]) -> bool:
    return any(isinstance(getattr(act.data, field), str) for field in personal)


def _place(act: Act, field: str) -> bytes:
    """Subject, source, id and field, each with its length before it, so that no two places look alike."""
    parts = (part.encode() for part in (act.subject, act.source, act.id, field))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _nonce(place: bytes, key: bytes) -> bytes:
    return hmac.digest(key, place, "sha256")[:_NONCE_BYTES]


def _encrypt(text: str, place: bytes, key: bytes) -> str:
    sealed = AESGCMSIV(key).encrypt(_nonce(place, key), text.encode(), place)
    return urlsafe_b64encode(sealed).decode()


def _decrypt(text: str, place: bytes, key: bytes) -> str:
    try:
        sealed = b64decode(text, altchars=b"-_", validate=True)
        return AESGCMSIV(key).decrypt(_nonce(place, key), sealed, place).decode()
    except (InvalidTag, ValueError) as error:
        raise Corrupt("a personal field does not open: it was altered, or encrypted for another place") from error

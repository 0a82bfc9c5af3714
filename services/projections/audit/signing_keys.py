"""The keys that sign checkpoints, out of files: the seed of an Ed25519 key (RFC 8032) each."""

from pathlib import Path

from services.kit.errors import Misconfigured
from services.kit.secret_file import load_secret
from services.projections.audit.notes import Signer, is_name

KEY_VARIABLE = "EXEMPLAR_AUDIT_KEY_FILE"
NEXT_KEY_VARIABLE = "EXEMPLAR_AUDIT_NEXT_KEY_FILE"
ORIGIN_VARIABLE = "EXEMPLAR_AUDIT_ORIGIN"
_LOST = (
    "it holds the key that signs the audit tree; restore it, or, before anything was signed, have `exemplar migrate` "
    "make one there"
)


def check_origin(origin: str) -> None:
    """Raises Misconfigured if no tree can have this origin."""
    if not is_name(origin):
        raise Misconfigured(f"{ORIGIN_VARIABLE} must be such as example.com/exemplar: no spaces, no plus sign")


def load_signer(path: Path, origin: str, create: bool) -> Signer:
    """The key that signs; with `create` a new one where there is no file. Raises Misconfigured."""
    return Signer(origin, load_secret(path, KEY_VARIABLE, create, _LOST))


def load_next_signer(path: Path, origin: str) -> Signer:
    """The key that signs too, while one takes over from the other. Raises Misconfigured."""
    return Signer(origin, load_secret(path, NEXT_KEY_VARIABLE, False, "`openssl rand -hex 32` makes a key for it"))

"""Secrets of 32 bytes that live in a file of their own, as 64 hexadecimal digits, for their owner alone to read."""

import os
import secrets
from pathlib import Path

from services.kit.errors import Misconfigured

SECRET_BYTES = 32


def load_secret(path: Path, variable: str, create: bool, lost: str) -> bytes:
    """The secret in a file; with `create`, a new one (mode 600) where there is no file.

    Raises Misconfigured, naming the variable, if there is no such file (`lost` says what to do then) or something else
    is in it.
    """
    try:
        if create and not path.exists():
            _create(path)
        secret = bytes.fromhex(path.read_text("ascii").strip())
        if len(secret) != SECRET_BYTES:
            raise ValueError
    except FileNotFoundError as error:
        raise Misconfigured(f"{variable}: there is no file {path}: {lost}") from error
    except OSError as error:
        raise Misconfigured(f"{variable}: {path} cannot be used ({error.strerror})") from error
    except ValueError:  # without its cause, which may quote the file
        raise Misconfigured(
            f"{variable}: {path} must hold {SECRET_BYTES * 2} hexadecimal digits, nothing else"
        ) from None
    return secret


def _create(path: Path) -> None:
    """Write a new secret beside the path and link it there: whole or not at all, and never over one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return  # another process was faster, its secret is the one
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

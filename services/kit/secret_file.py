"""Secrets of 32 bytes that live in a file of their own, as 64 hexadecimal digits, for their owner alone to read."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from services.kit.durable import draft, put, sync_folder
from services.kit.errors import Misconfigured

SECRET_BYTES = 32


def load_secret(path: Path, variable: str, create: bool, lost: str) -> bytes:
    """The secret in a file; with `create`, a new one (mode 600) where there is no file.

    Raises Misconfigured, naming the variable, if there is no such file (`lost` says what to do then) or something else
    is in it.
    """
    if create:
        make_secret(path, variable)
    (word, secret), *more = read_secret_lines(path, variable, lost)
    if word or more:
        raise Misconfigured(f"{variable}: {path} must hold {SECRET_BYTES * 2} hexadecimal digits, nothing else")
    return secret


def make_secret(path: Path, variable: str) -> None:
    """Make a file of a new secret (mode 600) where there is none. Raises Misconfigured."""
    try:
        if not path.exists():
            _create(path)
    except OSError as error:
        raise Misconfigured(f"{variable}: {path} cannot be used ({error.strerror})") from error


def read_secret_lines(path: Path, variable: str, lost: str) -> list[tuple[str, bytes]]:
    """The secrets in a file, one at least, each a line, with the word before it or none. Raises Misconfigured."""
    try:
        found = [line.rpartition(" ") for line in path.read_text("ascii").strip().split("\n")]
        secrets_ = [(word.strip(), bytes.fromhex(digits)) for word, _, digits in found]
        if any(len(secret) != SECRET_BYTES for _, secret in secrets_):
            raise ValueError
    except FileNotFoundError as error:
        raise Misconfigured(f"{variable}: there is no file {path}: {lost}") from error
    except OSError as error:
        raise Misconfigured(f"{variable}: {path} cannot be used ({error.strerror})") from error
    except ValueError:  # without its cause, which may quote the file
        raise Misconfigured(
            f"{variable}: {path} must hold {SECRET_BYTES * 2} hexadecimal digits, nothing else"
        ) from None
    return secrets_


def replace_secrets(path: Path, lines: Sequence[str]) -> None:
    """Put these lines in the place of a file's, whole or not at all and durable, its mode as it was. Raises OSError."""
    put(path, "".join(f"{line}\n" for line in lines), path.stat().st_mode & 0o777)


def _create(path: Path) -> None:
    """Write a new secret beside the path and link it there: whole or not at all, and never over one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = draft(path, f"{secrets.token_hex(SECRET_BYTES)}\n", 0o600)
    try:
        os.link(made, path)
    except FileExistsError:
        return  # another process was faster, its secret is the one
    finally:
        made.unlink()
    sync_folder(path.parent)

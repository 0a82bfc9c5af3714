"""Small files that are put in their place whole or not at all, and are still there after a power cut."""

import os
import secrets
from pathlib import Path


def draft(path: Path, text: str, mode: int = 0o666) -> Path:
    """A durable file beside the path with this text (UTF-8), to be put in its place. `mode`, less the process's mask.

    Raises OSError, and then leaves nothing behind.
    """
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        made.unlink()
        raise
    return made


def put(path: Path, text: str, mode: int = 0o666) -> None:
    """Put this text in the place of what a file holds, if there is one. Raises OSError, and then changes nothing."""
    made = draft(path, text, mode)
    try:
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make durable which files a folder has. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

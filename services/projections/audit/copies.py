"""Copies of checkpoints outside the database: what shows that a tree was rolled back, or is another one.

They say something only as long as whoever can change the database cannot change them: keep them elsewhere.
"""

import shlex
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from services.kit.durable import put
from services.kit.errors import Invalid, Misconfigured, Unavailable
from services.projections.audit.notes import parse_checkpoint

COMMAND_SECONDS = 30.0
_PREFIX, _SUFFIX = "audit-", ".checkpoint"


class Copies(Protocol):
    """Where checkpoints are kept. Used by one thread at a time. Raises Unavailable.

    MUST: what was kept last is among what is there next, in any process; MAY forget earlier ones.
    """

    def keep(self, note: str, day: str) -> None:
        """Keep the checkpoint of a day (`2026-03-02`), durable when it returns; earlier ones MAY be replaced."""
        ...

    def kept(self) -> Sequence[str]:
        """The checkpoints that are there, in any order; none before the first."""
        ...


class FolderCopies:
    """Copies as files of a folder, one a month: `audit-1a2b3c4d-2026-03.checkpoint` is the last of March.

    The digits are the beginning of the SHA-256 of the origin, so that no tree takes the place of another.

    Each is of a tree that all earlier ones are the beginning of, so that few are enough.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, note: str, day: str) -> None:
        """See Copies. One that grew further stays: who hung after it had signed comes late with an earlier one."""
        whose = sha256(note.partition("\n")[0].encode()).hexdigest()[:8]
        path = self._folder / f"{_PREFIX}{whose}-{day[:7]}{_SUFFIX}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists() and _size(path.read_text("utf-8")) > _size(note):
                return
            put(path, note)
        except OSError as error:
            raise Unavailable(f"no checkpoint can be kept in {self._folder} ({error.strerror})") from error

    def kept(self) -> Sequence[str]:
        """See Copies."""
        try:
            return [path.read_text("utf-8") for path in sorted(self._folder.glob(f"{_PREFIX}*{_SUFFIX}"))]
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"the checkpoints in {self._folder} cannot be read") from error


class CommandCopies:
    """Copies by a command: with the argument `keep` and a day it gets a checkpoint on stdin, with `newest` it prints
    the one that it got last, or nothing. Exit code 0 only where it has done so.
    """

    def __init__(self, command: str) -> None:
        self._command = shlex.split(command)
        if not self._command:
            raise Misconfigured("EXEMPLAR_AUDIT_COPIES_COMMAND is empty")

    def keep(self, note: str, day: str) -> None:
        """See Copies."""
        self._run(["keep", day], note)

    def kept(self) -> Sequence[str]:
        """See Copies: the newest alone."""
        newest = self._run(["newest"])
        return [newest] if newest else []

    def _run(self, arguments: Sequence[str], note: str = "") -> str:
        command = [*self._command, *arguments]
        try:
            done = subprocess.run(
                command, input=note.encode(), capture_output=True, timeout=COMMAND_SECONDS, check=False
            )
            said = done.stdout.decode()
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
            raise Unavailable(f"EXEMPLAR_AUDIT_COPIES_COMMAND does not do its work: {type(error).__name__}") from error
        if done.returncode:
            raise Unavailable(f"EXEMPLAR_AUDIT_COPIES_COMMAND ended with {done.returncode} at `{arguments[0]}`")
        return said


def _size(note: str) -> int:
    """How many entries a note's tree has; -1 where that cannot be read."""
    try:
        return parse_checkpoint(note).size
    except Invalid:
        return -1

"""The erasure ledger: who was erased, in a file outside the database, so that no backup of the database knows better.

It holds keys of persons and instants, which stay for ever anyway, and nothing else.
"""

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import msgspec

from services.kit.durable import sync_folder
from services.kit.errors import Corrupt, Unavailable
from services.kit.instants import format_rfc3339


class _Line(msgspec.Struct):
    person: str
    at: str


class Ledger:
    """A file to which a line is appended for everybody who is erased. Safe to call from any thread and process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._read = 0  # bytes of whole lines that are known
        self._persons: set[str] = set()

    def persons(self) -> Collection[str]:
        """Everybody who was erased. Raises Unavailable, or Corrupt where the file is damaged."""
        with self._lock:
            try:
                self._read_on()
            except OSError as error:
                raise self._unavailable(error) from error
            return set(self._persons)

    def add(self, persons: Collection[str], at: int) -> None:
        """Note that these are erased, at an instant in microseconds; durable when it returns. Raises as `persons`."""
        with self._lock:
            if self._persons.issuperset(persons):
                return
            try:
                with self._appending() as file:
                    new = sorted(set(persons) - self._persons)
                    lines = [msgspec.json.encode(_Line(person, format_rfc3339(at))) + b"\n" for person in new]
                    os.write(file, b"".join(lines))
                    os.fsync(file)
                    self._read_on()
            except OSError as error:
                raise self._unavailable(error) from error

    @contextmanager
    def _appending(self) -> Iterator[int]:
        """The file, held by us alone, read to its end; what a crash left behind the last whole line is cut off."""
        fresh = not self.path.exists()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._read_on()
            os.ftruncate(file, self._read)
            if fresh:
                sync_folder(self.path.parent)
            yield file
        finally:
            os.close(file)

    def _read_on(self) -> None:
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._read:
                    self._read = 0  # it was put back, or is another one: what was known stays known
                file.seek(self._read)
                lines = file.read()
        except FileNotFoundError:
            self._read = 0
            return
        whole = lines[: lines.rfind(b"\n") + 1]
        try:
            self._persons.update(msgspec.json.decode(line, type=_Line).person for line in whole.splitlines())
        except msgspec.DecodeError as error:
            raise Corrupt(f"the erasure ledger {self.path} is damaged: restore a copy of it") from error
        self._read += len(whole)

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"EXEMPLAR_ERASURES_DIR: the erasure ledger {self.path} cannot be used ({error.strerror}), "
            "so nobody is erased"
        )

"""Verifiers that were not written here, made easy to ask: tlog-scales (C2SP) and rfc8785, from PyPI."""

from collections.abc import Sequence

from tlog_scales.reader import TilesReader
from tlog_scales.tlog import ConsistencyProof, InclusionProof


class Served:
    """A tlog-scales backend over paths and what is served there."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get(self, *path: str) -> bytes | None:
        return self.files.get("/".join(path))


def reader(files: dict[str, bytes], size: int) -> TilesReader:
    """A reader of a tree of this size, of tiles by their paths."""
    made = TilesReader(Served(files))
    made.set_size(size)
    return made


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises if the proof does not hold."""
    InclusionProof(index, size, list(proof)).check(leaf, root)


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises if the proof does not hold."""
    ConsistencyProof(old, new, list(proof)).check(old_root, new_root)

"""Tiles (c2sp.org/tlog-tiles): the tree's hashes 256 at a time, and the entries themselves in bundles of as many.

Level 0 holds leaf hashes; a hash of a higher level stands for a full tile of the one below. The last tile of a level is
partial until it is full; what it holds already never changes, so a narrower one is its beginning.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from services.kit.errors import Corrupt, Invalid
from services.projections.audit.merkle import HASH_BYTES, joined, node_hash, peaks

HEIGHT = 8
WIDTH = 1 << HEIGHT
MOST_LEVELS = 64
_MOST_PIECES = 1 << 63 - HEIGHT  # more have no number that a database can store
_PATH = re.compile(r"((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)

Tiles = Mapping[tuple[int, int], bytes]
"""Tiles by level and index: their hashes one after the other."""


class Piece(NamedTuple):
    """A tile or a bundle: its number within the level, and how many hashes or entries it has."""

    number: int
    width: int


def piece_path(piece: Piece) -> str:
    """The end of its path: `x001/x234/067` for 1234067, and `.p/112` behind it where it is 112 wide."""
    groups = [f"{piece.number % 1000:03}"]
    rest = piece.number // 1000
    while rest:
        groups.insert(0, f"x{rest % 1000:03}")
        rest //= 1000
    return "/".join(groups) + ("" if piece.width == WIDTH else f".p/{piece.width}")


def parse_piece(path: str) -> Piece:
    """The tile or bundle that the end of a path names. Raises Invalid for what is no such path in its one form."""
    match = _PATH.fullmatch(path)
    if match is not None:
        piece = Piece(int(match[1].replace("x", "").replace("/", "")), int(match[2] or WIDTH))
        if piece.width <= WIDTH and piece.number < _MOST_PIECES and piece_path(piece) == path:
            return piece
    raise Invalid("no tile has such a path")


def edge(size: int) -> list[tuple[int, int]]:
    """Level and index of the partial tiles of a tree."""
    levels = range((size.bit_length() + HEIGHT - 1) // HEIGHT)
    return [(level, size >> HEIGHT * (level + 1)) for level in levels if partial_width(size, level)]


def partial_width(size: int, level: int) -> int:
    """How many hashes the partial tile of a level has; 0: there is none."""
    return (size >> HEIGHT * level) % WIDTH


def check_edge(tiles: Tiles, size: int) -> None:
    """Raises Corrupt unless these are the partial tiles of a tree of this size."""
    for level, index in edge(size):
        if len(tiles.get((level, index), b"")) != partial_width(size, level) * HASH_BYTES:
            raise Corrupt(f"tile {level}/{index} of the audit tree is not what its size says: restore the area `audit`")


def edge_root(tiles: Tiles, size: int) -> bytes:
    """The root of a tree, which its partial tiles suffice for."""
    tops: list[bytes] = []
    for level, index in reversed(edge(size)):
        hashes = split_hashes(tiles[level, index])
        for height, place in peaks(len(hashes)):
            tops.append(perfect(hashes[place << height : (place + 1) << height]))
    return joined(tops)


def grow(tiles: Tiles, size: int, leaf_hashes: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles that are new or wider once these leaves are in; `tiles` are the partial ones of the tree before."""
    changed: dict[tuple[int, int], bytes] = {}
    hashes = list(leaf_hashes)
    for level in count():
        if not hashes:
            return changed
        index = size >> HEIGHT * (level + 1)
        together = tiles.get((level, index), b"") if partial_width(size, level) else b""
        together += b"".join(hashes)
        hashes = []
        step = WIDTH * HASH_BYTES
        for place, start in enumerate(range(0, len(together), step)):
            tile = together[start : start + step]
            changed[level, index + place] = tile
            if len(tile) == step:
                hashes.append(perfect(split_hashes(tile)))
    return changed


def split_hashes(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[start : start + HASH_BYTES] for start in range(0, len(tile), HASH_BYTES)]


def perfect(hashes: Sequence[bytes]) -> bytes:
    """The hash over a number of hashes that is a power of two."""
    row = hashes
    while len(row) > 1:
        row = [node_hash(row[place], row[place + 1]) for place in range(0, len(row), 2)]
    return row[0]


class TileNodes:
    """Nodes (`merkle`) out of tiles, each of which is asked for once."""

    def __init__(self, tile: Callable[[int, int], bytes]) -> None:
        self._tile = tile
        self._read: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, height: int, index: int) -> bytes:
        """See Nodes. Raises Corrupt if a tile lacks hashes that the tree has."""
        level, within = divmod(height, HEIGHT)
        start, end = index << within, (index + 1) << within
        place = start // WIDTH
        if (level, place) not in self._read:
            self._read[level, place] = split_hashes(self._tile(level, place))
        hashes = self._read[level, place][start - place * WIDTH : end - place * WIDTH]
        if len(hashes) != end - start:
            raise Corrupt(f"tile {level}/{place} of the audit tree lacks hashes: restore the area `audit`")
        return perfect(hashes)


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle: each behind its length, two bytes, the higher one first."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)

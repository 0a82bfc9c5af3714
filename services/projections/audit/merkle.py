"""The Merkle tree of RFC 6962 §2.1 (SHA-256): hashes, and proofs that an entry is in a tree or that a tree only grew.

Proofs are made from `Nodes`, the hashes of perfect subtrees, wherever these are kept; checking them needs nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from services.kit.errors import Invalid

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()

Nodes = Callable[[int, int], bytes]
"""The hash of the perfect subtree over the entries from `index * 2**height`, `2**height` of them: (height, index)."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def peaks(size: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees that make up a tree of a size, the largest first, as (height, index)."""
    start = 0
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            yield height, start >> height
            start += 1 << height


def joined(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, the largest first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for one in reversed(hashes[:-1]):
        root = node_hash(one, root)
    return root


class Growing:
    """The root of a tree as entries come in, in memory of the order of its height."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, hash_: bytes) -> None:
        """Take the next leaf hash in."""
        self._peaks.append(hash_)
        self.size += 1
        for _ in range((self.size & -self.size).bit_length() - 1):
            right = self._peaks.pop()
            self._peaks.append(node_hash(self._peaks.pop(), right))

    def root(self) -> bytes:
        """The root over what came in so far."""
        return joined(self._peaks)


# ---- making proofs ---------------------------------------------------------------------------------------------------


def root(nodes: Nodes, size: int) -> bytes:
    """The root of a tree of a size."""
    return joined([nodes(height, index) for height, index in peaks(size)])


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The hashes that lead from an entry to the root (RFC 6962 §2.1.1), from the leaf's sibling on."""
    _check(0 <= index < size, "there is no such entry in a tree of this size")
    return range_proof(nodes, index, index + 1, size, leaf_first=True)


def range_proof(nodes: Nodes, start: int, end: int, size: int, leaf_first: bool = False) -> list[bytes]:
    """The hashes of the largest subtrees outside the entries from `start` to before `end`: what their leaf hashes lack
    to give the root. From left to right or, for a single entry, from the leaf upwards.
    """
    _check(0 <= start < end <= size, "there are no such entries in a tree of this size")

    def outside(low: int, high: int) -> Iterator[bytes]:
        if high <= start or low >= end:
            yield _hash_of(nodes, low, high)
        elif not (start <= low and high <= end):
            middle = low + _split(high - low)
            halves = [(low, middle), (middle, high)]
            if leaf_first and start >= middle:
                halves.reverse()
            for half in halves:
                yield from outside(*half)

    return list(outside(0, size))


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """The hashes that show a tree of size `old` to be the beginning of that of size `new` (RFC 6962 §2.1.2)."""
    _check(0 <= old <= new, "a tree never shrinks")
    if old in (0, new):
        return []

    def between(low: int, high: int, known: bool) -> Iterator[bytes]:
        """Hashes of [low, high), which holds the old tree's end; `known`: its hash is the old root itself."""
        if high == old:
            if not known:
                yield _hash_of(nodes, low, high)
            return
        middle = low + _split(high - low)
        if old <= middle:
            yield from between(low, middle, known)
            yield _hash_of(nodes, middle, high)
        else:
            yield from between(middle, high, False)
            yield _hash_of(nodes, low, middle)

    return list(between(0, new, True))


def _hash_of(nodes: Nodes, low: int, high: int) -> bytes:
    """The hash of the subtree over [low, high), of which `low` is a multiple of the next power of two."""
    hashes = [nodes(height, (low >> height) + index) for height, index in peaks(high - low)]
    return joined(hashes)


def _split(size: int) -> int:
    """The largest power of two below the size, which is 2 or more."""
    return 1 << (size - 1).bit_length() - 1


# ---- checking proofs -------------------------------------------------------------------------------------------------


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162 §2.1.3.2). Raises Invalid if it is none of that shape."""
    _check(0 <= index < size, "there is no such entry in a tree of this size")
    place, last, found = index, size - 1, leaf
    for hash_ in proof:
        _check(last > 0 and len(hash_) == HASH_BYTES, "the proof is longer than the tree is high")
        if place & 1 or place == last:
            found = node_hash(hash_, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, hash_)
        place, last = place >> 1, last >> 1
    _check(last == 0, "the proof is shorter than the tree is high")
    return found


def root_by_range(leaves: Sequence[bytes], start: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that leaf hashes from `start` on and a range proof lead to. Raises Invalid if it has another shape."""
    end = start + len(leaves)
    _check(0 <= start < end <= size, "there are no such entries in a tree of this size")
    given = iter(proof)

    def found(low: int, high: int) -> bytes:
        if high <= start or low >= end:
            hash_ = next(given, b"")
            _check(len(hash_) == HASH_BYTES, "the proof lacks a hash")
            return hash_
        if high - low == 1:
            return leaves[low - start]
        middle = low + _split(high - low)
        return node_hash(found(low, middle), found(middle, high))

    top = found(0, size)
    _check(next(given, None) is None, "the proof has a hash too many")
    return top


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises Invalid unless the proof shows the old tree to be the new one's beginning (RFC 9162 §2.1.4.2)."""
    _check(0 <= old <= new, "a tree never shrinks")
    if old in (0, new):
        _check(not proof, "the proof has a hash too many")
        _check(old == 0 or old_root == new_root, "two trees of one size have two roots: the log shows two views")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    _check(bool(path), "the proof lacks a hash")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for hash_ in path[1:]:
        _check(last > 0 and len(hash_) == HASH_BYTES, "the proof is longer than the tree is high")
        if place & 1 or place == last:
            before, after = node_hash(hash_, before), node_hash(hash_, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, hash_)
        place, last = place >> 1, last >> 1
    _check(last == 0, "the proof is shorter than the tree is high")
    _check(before == old_root and after == new_root, "the later tree does not go on from the earlier one")


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Invalid(otherwise)

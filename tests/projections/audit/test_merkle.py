"""Hashes and proofs of the tree, beside a verifier that was not written here."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.errors import Corrupt, Invalid
from services.projections.audit import merkle, tiles
from tests.projections.audit import peers

SIZES = [*range(1, 20), 255, 256, 257, 511, 512, 513, 700]


def leaves(size: int) -> list[bytes]:
    """Leaf hashes."""
    return [merkle.leaf_hash(str(number).encode()) for number in range(size)]


def by_definition(hashes: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not hashes:
        return sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\x01" + by_definition(hashes[:split]) + by_definition(hashes[split:])).digest()


def grown(steps: list[int]) -> tuple[dict[tuple[int, int], bytes], int]:
    """The tiles of a tree that grew by these steps, and its size."""
    kept: dict[tuple[int, int], bytes] = {}
    hashes, size = leaves(sum(steps)), 0
    for step in steps:
        edge = {place: kept[place] for place in tiles.edge(size)}
        kept |= tiles.grow(edge, size, hashes[size : size + step])
        size += step
    return kept, size


def nodes(kept: dict[tuple[int, int], bytes]) -> tiles.TileNodes:
    """The nodes in these tiles."""
    return tiles.TileNodes(lambda level, tile: kept.get((level, tile), b""))


def files(kept: dict[tuple[int, int], bytes]) -> dict[str, bytes]:
    """The tiles as they are served."""
    return {
        f"tile/{level}/{tiles.piece_path(tiles.Piece(tile, len(hashes) // 32))}": hashes
        for (level, tile), hashes in kept.items()
    }


@given(st.lists(st.integers(1, 400), max_size=8))
def test_a_tree_is_the_same_however_it_grew(steps: list[int]) -> None:
    """Tiles, partial tiles and root depend on the entries alone; another's reader finds the same root in the tiles."""
    kept, size = grown(steps)
    at_once, _ = grown([size] if size else [])
    assert kept == at_once
    root = by_definition(leaves(size))
    edge = {place: kept[place] for place in tiles.edge(size)}
    tiles.check_edge(edge, size)
    growing = merkle.Growing()
    for hash_ in leaves(size):
        growing.add(hash_)
    assert tiles.edge_root(edge, size) == growing.root() == merkle.root(nodes(kept), size) == root
    if size:
        assert peers.reader(files(kept), size).calculate_root_hash() == root


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_is_proven(size: int) -> None:
    """The proof of any entry leads to the root, here and by another's verifier, and is as theirs to the byte."""
    kept, _ = grown([size])
    root, theirs = by_definition(leaves(size)), peers.reader(files(kept), size)
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        leaf = leaves(size)[index]
        proof = merkle.inclusion_proof(nodes(kept), index, size)
        assert merkle.root_by_inclusion(leaf, index, size, proof) == root
        peers.check_inclusion(leaf, index, size, proof, root)
        assert proof == theirs.get_inclusion_proof(index, size).node_hashes


@pytest.mark.parametrize("size", SIZES)
def test_a_tree_is_proven_to_go_on_from_each_earlier_one(size: int) -> None:
    """The proof between two sizes holds here and by another's verifier, and is as theirs to the byte."""
    kept, _ = grown([size])
    root, theirs = by_definition(leaves(size)), peers.reader(files(kept), size)
    for old in {0, 1, 2, 3, size // 3, size // 2, size - 1, size} & set(range(size + 1)):
        old_root = by_definition(leaves(old))
        proof = merkle.consistency_proof(nodes(kept), old, size)
        merkle.check_consistency(old, size, old_root, root, proof)
        peers.check_consistency(old, size, old_root, root, proof)
        if 0 < old < size:
            assert proof == theirs.get_consistency_proof(old, size).node_hashes


@given(st.data(), st.integers(1, 300))
def test_a_range_is_proven_whole(data: st.DataObject, size: int) -> None:
    """Leaves from one index to another and the hashes around them give the root; fewer, more or others do not."""
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    kept, _ = grown([size])
    root, hashes = by_definition(leaves(size)), leaves(size)
    proof = merkle.range_proof(nodes(kept), start, end, size)
    assert merkle.root_by_range(hashes[start:end], start, size, proof) == root
    place = data.draw(st.integers(start, end - 1))
    for wrong in (
        hashes[start:place] + hashes[place + 1 : end],
        [*hashes[start:end], b"x" * 32],
        [*hashes[start:place], b"x" * 32, *hashes[place + 1 : end]],
    ):
        assert not _leads_to(root, wrong, start, size, proof)
    if end - start > 1:
        assert not _leads_to(root, hashes[start:end][::-1], start, size, proof)


def _leads_to(root: bytes, hashes: list[bytes], start: int, size: int, proof: list[bytes]) -> bool:
    try:
        return merkle.root_by_range(hashes, start, size, proof) == root
    except Invalid:
        return False


@given(st.data(), st.integers(2, 300))
def test_no_other_proof_holds(data: st.DataObject, size: int) -> None:
    """A flipped bit, a hash less or more, another index, another size: each ends elsewhere or is refused."""
    index = data.draw(st.integers(0, size - 1))
    kept, _ = grown([size])
    root, leaf = by_definition(leaves(size)), leaves(size)[index]
    proof = merkle.inclusion_proof(nodes(kept), index, size)
    flipped = data.draw(st.integers(0, len(proof) - 1))
    bad = [*proof[:flipped], bytes([proof[flipped][0] ^ 1]) + proof[flipped][1:], *proof[flipped + 1 :]]
    wrong = [(leaf, index, bad), (leaf, index, proof[:-1]), (leaf, index, [*proof, root])]
    wrong += [(leaf, (index + 1) % size, proof), (b"x" * 32, index, proof)]
    for its_leaf, its_index, its_proof in wrong:
        try:
            assert merkle.root_by_inclusion(its_leaf, its_index, size, its_proof) != root
        except Invalid:
            continue


@given(st.data(), st.integers(2, 300))
def test_no_fork_is_proven(data: st.DataObject, size: int) -> None:
    """A tree that does not go on from an earlier one, or a smaller one, is refused whatever the proof."""
    old = data.draw(st.integers(1, size - 1))
    kept, _ = grown([size])
    root, proof = by_definition(leaves(size)), merkle.consistency_proof(nodes(kept), old, size)
    forked = by_definition([*leaves(old - 1), b"x" * 32])
    for first, second, first_root, second_root, its_proof in (
        (old, size, forked, root, proof),
        (size, old, root, by_definition(leaves(old)), proof),
        (size, size, forked, root, []),
        (old, size, by_definition(leaves(old)), root, [*proof, root]),
        (old, size, by_definition(leaves(old)), root, proof[1:]),
    ):
        with pytest.raises(Invalid):
            merkle.check_consistency(first, second, first_root, second_root, its_proof)


def test_a_tile_that_lacks_hashes_proves_nothing() -> None:
    """A stored tile that is shorter than the tree says is told, not taken for something else."""
    kept, size = grown([700])
    kept[0, 1] = kept[0, 1][:-32]
    with pytest.raises(Corrupt, match="tile 0/1"):
        merkle.inclusion_proof(nodes(kept), 510, size)
    kept[0, 2] = kept[0, 2][:-32]
    with pytest.raises(Corrupt, match="tile 0/2"):
        tiles.check_edge({place: kept[place] for place in tiles.edge(size)}, size)


@pytest.mark.parametrize(
    ("index", "width", "path"),
    [
        (0, 256, "000"),
        (1234067, 256, "x001/x234/067"),
        (273, 112, "273.p/112"),
        (1000, 1, "x001/000.p/1"),
    ],
)
def test_paths_are_those_of_the_specification(index: int, width: int, path: str) -> None:
    """A tile has one path, and the path names the tile."""
    assert tiles.piece_path(tiles.Piece(index, width)) == path
    assert tiles.parse_piece(path) == (index, width)


HUGE = "x999/x999/x999/x999/x999/x999/999"  # no database has such a number


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "00",
        "0000",
        "x000/001",
        "001/002",
        "x01/002",
        "000.p/0",
        "000.p/256",
        "000.p/01",
        "000.p/",
        "٠٠٠",
        HUGE,
    ],
)
def test_no_other_path_names_a_tile(path: str) -> None:
    """What is not in the one form of the specification is nothing."""
    with pytest.raises(Invalid):
        tiles.parse_piece(path)

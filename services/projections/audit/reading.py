"""What the tree shows: its checkpoint, tiles and bundles as they are served, and proofs. The engine is on its area."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select

from services.kit.database import asking, reading
from services.kit.errors import NotFound
from services.projections.audit.merkle import HASH_BYTES, inclusion_proof
from services.projections.audit.notes import Checkpoint, parse_checkpoint
from services.projections.audit.tables import documents, entries, tiles, tree
from services.projections.audit.tiles import WIDTH, Piece, TileNodes, bundle


class Proof(NamedTuple):
    """That an entry is in the tree: its number, the hashes from the leaf's sibling upwards, and the checkpoint."""

    number: int
    hashes: list[bytes]
    checkpoint: str


class Shown(NamedTuple):
    """An entry to the byte, and the document that it commits to, if it is not about a record of the log."""

    number: int
    entry: bytes
    document: bytes | None


def latest_checkpoint(connection: Connection) -> str:
    """The latest checkpoint. Raises NotFound before the first one."""
    found: str | None = connection.scalar(select(tree.c.checkpoint))
    if not found:
        raise NotFound("there is no checkpoint yet: a service that folds signs the first one")
    return found


def served_checkpoint(engine: Engine) -> bytes:
    """The checkpoint as it is served. Raises NotFound."""
    with asking(engine) as connection:
        return latest_checkpoint(connection).encode()


def served_tile(engine: Engine, level: int, piece: Piece) -> bytes:
    """A tile, or the beginning of one. Raises NotFound while the tree is too small for it."""
    wanted = select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.tile == piece.number)
    with asking(engine) as connection:
        hashes: bytes = connection.scalar(wanted) or b""
    if len(hashes) < piece.width * HASH_BYTES:
        raise NotFound("the tree has no such tile yet")
    return hashes[: piece.width * HASH_BYTES]


def served_bundle(engine: Engine, piece: Piece) -> bytes:
    """A bundle of entries, or the beginning of one. Raises NotFound while the tree is too small for it."""
    start = piece.number * WIDTH
    these = (entries.c.number >= start) & (entries.c.number < start + piece.width)
    with asking(engine) as connection:
        found = connection.scalars(select(entries.c.entry).where(these).order_by(entries.c.number)).all()
    if len(found) < piece.width:
        raise NotFound("the tree has no such entries yet")
    return bundle(found)


def stored_nodes(connection: Connection) -> TileNodes:
    """The nodes of the tree as they are stored."""

    def tile(level: int, number: int) -> bytes:
        here = (tiles.c.level == level) & (tiles.c.tile == number)
        return connection.scalar(select(tiles.c.hashes).where(here)) or b""

    return TileNodes(tile)


def prove(connection: Connection, index: int) -> Proof:
    """Prove that the entry of this index is in the latest tree. Raises NotFound if it is not."""
    return prove_all(connection, [index])[0]


def prove_all(connection: Connection, indexes: Collection[int]) -> list[Proof]:
    """The same of several, by one checkpoint."""
    note, nodes = latest_checkpoint(connection), stored_nodes(connection)
    size = parse_checkpoint(note).size
    if absent := [index for index in indexes if not 0 <= index < size]:
        raise NotFound(f"the tree has no entry {absent[0]}: it has {size}")
    return [Proof(index, inclusion_proof(nodes, index, size), note) for index in indexes]


def shown(connection: Connection, index: int) -> Shown:
    """The entry of this index. Raises NotFound."""
    of_it = entries.outerjoin(documents, documents.c.number == entries.c.number)
    query = select(entries.c.entry, documents.c.document).select_from(of_it).where(entries.c.number == index)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"the tree has no entry {index}")
    return Shown(index, row.entry, row.document)


def index_of(connection: Connection, partition: int, offset: int) -> int:
    """The index of the entry of a record of the log. Raises NotFound while it has none."""
    here = (entries.c.partition == partition) & (entries.c.log_offset == offset)
    found: int | None = connection.scalar(select(entries.c.number).where(here))
    if found is None:
        raise NotFound(f"the record at {partition}:{offset} has no number in the tree yet: try again in some seconds")
    return found


def tree_of(engine: Engine) -> Checkpoint:
    """The tree as its latest checkpoint says. Raises NotFound."""
    with reading(engine) as connection:
        return parse_checkpoint(latest_checkpoint(connection))

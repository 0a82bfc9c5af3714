"""What the tree shows: its checkpoint, tiles and bundles as they are served, and proofs. The engine is on its area."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, and_, select

from services.kit.database import asking, reading
from services.kit.errors import NotFound
from services.projections.audit.merkle import HASH_BYTES, inclusion_proof, leaf_hash
from services.projections.audit.notes import parse_checkpoint
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


class AuditRow(NamedTuple):
    """An entry. `number`: its index in the tree, from 0.

    `at`: when the log took the record in, or when it was done (microseconds).

    `kind` is `act` for any record of the log, of which `place` is the partition and offset; its `type`, `actor` and
    `subject` are as far as they can be read. What is no act has its `document` (JSON), which tells all `subjects`;
    `subject` is the one whom it concerns, and None where these are several or nobody.
    """

    number: int
    entry: bytes
    kind: str
    at: int
    type: str | None
    actor: str | None
    subject: str | None
    place: tuple[int, int] | None
    document: bytes | None

    @property
    def leaf_hash(self) -> bytes:
        """The hash of the entry in the tree."""
        return leaf_hash(self.entry)


def latest_checkpoint(connection: Connection) -> str:
    """The latest checkpoint. Raises NotFound before the first one."""
    found: str | None = connection.scalar(select(tree.c.checkpoint))
    if not found:
        raise NotFound("there is no checkpoint yet: a service that folds signs the first one")
    return found


def begun_as(engine: Engine) -> str | None:
    """The origin that the tree was begun with; None before anything was signed."""
    with reading(engine) as connection:
        return connection.scalar(select(tree.c.origin))


def served_checkpoint(engine: Engine) -> bytes:
    """The checkpoint as it is served. Raises NotFound."""
    with asking(engine) as connection:
        return latest_checkpoint(connection).encode()


def stored_tile(connection: Connection, level: int, number: int) -> bytes:
    """The hashes that a tile has; nothing where there is none."""
    here = (tiles.c.level == level) & (tiles.c.tile == number)
    return connection.scalar(select(tiles.c.hashes).where(here)) or b""


def served_tile(engine: Engine, level: int, piece: Piece) -> bytes:
    """A tile, or the beginning of one. Raises NotFound while the tree is too small for it."""
    with asking(engine) as connection:
        hashes = stored_tile(connection, level, piece.number)
    if len(hashes) < piece.width * HASH_BYTES:
        raise NotFound("the tree has no such tile yet")
    return hashes[: piece.width * HASH_BYTES]


def served_bundle(engine: Engine, piece: Piece) -> bytes:
    """A bundle of entries, or the beginning of one. Raises NotFound while the tree is too small for it."""
    start = piece.number * WIDTH
    these = within(start, start + piece.width)
    with asking(engine) as connection:
        found = connection.scalars(select(entries.c.entry).where(these).order_by(entries.c.number)).all()
    if len(found) < piece.width:
        raise NotFound("the tree has no such entries yet")
    return bundle(found)


def stored_nodes(connection: Connection) -> TileNodes:
    """The nodes of the tree as they are stored."""
    return TileNodes(partial(stored_tile, connection))


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


def read_rows(connection: Connection, which: ColumnElement[bool], most: int) -> Sequence[AuditRow]:
    """At most so many of these entries, the newest first."""
    columns = (entries.c.number, entries.c.entry, entries.c.kind, entries.c.at_us, entries.c.type, entries.c.actor)
    about = (entries.c.subject, entries.c.partition, entries.c.log_offset, documents.c.document)
    query = select(*columns, *about).select_from(
        entries.outerjoin(documents, documents.c.number == entries.c.number),
    )
    found = connection.execute(query.where(which).order_by(entries.c.number.desc()).limit(most)).all()
    places = [None if row[7:9] == (None, None) else (row.partition, row.log_offset) for row in found]
    return [AuditRow(*row[:7], place, row.document) for row, place in zip(found, places, strict=True)]


def range_of_entries(connection: Connection, start: int, end: int) -> Sequence[AuditRow]:
    """The entries from an index to before another, in order."""
    return read_rows(connection, within(start, end), end - start)[::-1]


def within(start: int, end: int) -> ColumnElement[bool]:
    """Whether an entry's index is from one to before another."""
    return and_(entries.c.number >= start, entries.c.number < end)


def shown(connection: Connection, index: int) -> Shown:
    """The entry of this index. Raises NotFound."""
    for row in read_rows(connection, entries.c.number == index, 1):
        return Shown(index, row.entry, row.document)
    raise NotFound(f"the tree has no entry {index}")


def index_of(connection: Connection, partition: int, offset: int) -> int:
    """The index of the entry of a record of the log. Raises NotFound while it has none."""
    here = (entries.c.partition == partition) & (entries.c.log_offset == offset)
    found: int | None = connection.scalar(select(entries.c.number).where(here))
    if found is None:
        raise NotFound(f"the record at {partition}:{offset} has no number in the tree yet: try again in some seconds")
    return found

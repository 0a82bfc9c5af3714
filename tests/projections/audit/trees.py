"""A small world to number: a real log, control area, vault and tree, in SQLite or PostgreSQL."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import URL, Engine, make_url, select

from services.events.leaves import Leaf, add_leaves
from services.events.log.protocol import NewRecord, Place
from services.events.log.sqlite import open_log
from services.events.vault.sql import SqlVault
from services.events.vault.wrapping import KEY_BYTES, WrappingKey
from services.kit.database import create_area, open_engine, reading, writing
from services.projections.audit.copies import FolderCopies
from services.projections.audit.merkle import Growing, leaf_hash
from services.projections.audit.notes import Checkpoint, Signer, open_checkpoint
from services.projections.audit.reading import latest_checkpoint
from services.projections.audit.sequencer import Sequencer, Signing, Things
from services.projections.audit.tables import entries
from services.projections.migrations import Kind, migrate_area
from tests.beginnings import begin
from tests.fixed_clock import FixedClock

ORIGIN = "example.com/log"
LOG, VAULT, DATABASE = "log.sqlite", "vault.sqlite", "exemplar.sqlite"
OURS, NEXT, OTHER = (Signer(ORIGIN, seed * 32) for seed in (b"a", b"b", b"c"))


class Tree:
    """Append records, add leaves, number them, look at the tree."""

    def __init__(self, folder: Path, database: URL | None = None, partitions: int = 4) -> None:
        self.clock = FixedClock()
        self.folder = folder
        if not (folder / LOG).exists():
            begin(folder, ("tree", partitions), partial(_begin, partitions))
        self.log = open_log(f"sqlite:///{folder / LOG}", partitions, self.clock)
        self.database = database or make_url(f"sqlite:///{folder / DATABASE}")
        self.control, self.audit = _migrated(self.database, "control"), _migrated(self.database, "audit")
        vault = open_engine(make_url(f"sqlite:///{folder / VAULT}"), "vault")
        self.vault = SqlVault(vault, WrappingKey(b"w" * KEY_BYTES), self.clock)
        self.copies = folder / "copies"
        self._writer = self.log.writer()
        self._engines = [self.control, self.audit, vault]

    def sequencer(
        self, *signers: Signer, batch: int = 10_000, at_step: Callable[[str], None] = lambda step: None
    ) -> Sequencer:
        """A sequencer that has taken over."""
        made = self.waiting(*signers, batch=batch, at_step=at_step)
        made.take_over()
        return made

    def waiting(
        self, *signers: Signer, batch: int = 10_000, at_step: Callable[[str], None] = lambda step: None
    ) -> Sequencer:
        """A sequencer that has done nothing yet."""
        things = Things(self.log.reader(), self.control, self.vault.erased)
        signing = Signing(signers[0].verifier.name if signers else ORIGIN, signers or [OURS])
        return Sequencer(
            self.audit, things, signing, FolderCopies(self.copies), self.clock, batch=batch, at_step=at_step
        )

    def append(self, *keys: str, value: bytes | None = None) -> list[Place]:
        """Append a record for each key."""
        records = [
            NewRecord(key, value or b'{"type":"t","subject":"%s","recordedby":"crm"}' % key.encode()) for key in keys
        ]
        return self._writer.append(records).result(60)

    def add(self, *leaves: Leaf) -> None:
        """Add leaves of what is no act."""
        with writing(self.control) as connection:
            add_leaves(connection, leaves)

    def places(self) -> list[tuple[int, int]]:
        """The places of the records, in the order of their numbers."""
        columns = (entries.c.partition, entries.c.log_offset)
        with reading(self.audit) as connection:
            found = connection.execute(select(*columns).where(entries.c.kind == "act").order_by(entries.c.number))
            return [(row.partition, row.log_offset) for row in found]

    def kinds(self) -> list[str]:
        """The kinds of the entries, in the order of their numbers."""
        with reading(self.audit) as connection:
            return list(connection.scalars(select(entries.c.kind).order_by(entries.c.number)))

    def checked(self, *signers: Signer) -> Checkpoint:
        """The tree's checkpoint, once its entries were found to be numbered without a gap and to give its root."""
        with reading(self.audit) as connection:
            checkpoint = open_checkpoint(latest_checkpoint(connection), [one.verifier for one in signers or [OURS]])
            rows = connection.execute(select(entries.c.number, entries.c.entry).order_by(entries.c.number)).all()
        growing = Growing()
        for number, entry in rows:
            assert number == growing.size
            growing.add(leaf_hash(entry))
        assert (growing.size, growing.root()) == (checkpoint.size, checkpoint.root)
        return checkpoint

    def close(self) -> None:
        """Let go of everything."""
        self._writer.close()
        for engine in self._engines:
            engine.dispose()


def _begin(partitions: int, folder: Path) -> None:
    """Make an empty log, vault, control area and tree."""
    open_log(f"sqlite:///{folder / LOG}", partitions, FixedClock())
    database = make_url(f"sqlite:///{folder / DATABASE}")
    for made in (
        _migrated(make_url(f"sqlite:///{folder / VAULT}"), "vault"),
        _migrated(database, "control"),
        _migrated(database, "audit"),
    ):
        made.dispose()


def _migrated(database: URL, kind: Kind) -> Engine:
    """An engine on an area that is called like its kind."""
    engine = open_engine(database, kind)
    create_area(engine, kind)
    migrate_area(engine, kind)
    return engine

"""A log, a read model and a vault for a test of the fold, and what a model holds."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, make_url, select

from services.events.catalog.envelope import Catalogue
from services.events.log.opening import open_reader
from services.events.log.protocol import NewRecord, Place
from services.events.log.sqlite import SqliteLog, open_log
from services.kit.database import reading
from services.projections.applying import Rules
from services.projections.leadership.policy import DEFAULT_POLICY, Policy
from services.projections.projector import DEFAULT_SIZES, Projector, Sizes
from services.projections.rebuild import Help
from services.projections.stores import Built, ModelSource, Stores, built_on
from services.projections.tables import model, partitions
from tests.beginnings import begin
from tests.fixed_clock import FixedClock
from tests.projections.memory_vault import MemoryVault

LOG, MODEL = "log.sqlite", "exemplar.sqlite"
PARTITIONS = 3
COMPARED = tuple(table for table in model.sorted_tables if table.name not in ("facts", "partitions"))


class FoldWorld:
    """Everything that a projector needs, on a real log and database; the model is migrated."""

    def __init__(self, url: URL, folder: Path, policy: Policy = DEFAULT_POLICY) -> None:
        self.clock = FixedClock("2026-09-01T09:00:00Z")
        self.vault = MemoryVault()
        self.rules = Rules(Catalogue(), policy)
        if not (folder / LOG).exists():
            begin(folder, ("fold world", policy.identity), partial(_begin, self.clock, policy))
        self.log: SqliteLog = open_log(f"sqlite:///{folder / LOG}", PARTITIONS, self.clock)
        self.stores = Stores(url)
        self.stores.migrate(self.built, self.clock())
        self._writer = self.log.writer()

    @property
    def built(self) -> Built:
        """What a model of this log is built on."""
        return built_on(self.log.identity, self.rules.policy.identity, self.rules.catalogue)

    def append(self, records: Sequence[NewRecord]) -> list[Place]:
        """Append to the log; the places, once all is durable."""
        return self._writer.append(records).result(10)

    def lose_before(self, place: Place) -> None:
        """Take the records before a place away from its partition, as a retention that is not for ever would."""
        self._lose(place.partition << 48, place.partition << 48 | place.offset)

    def lose_from(self, place: Place) -> None:
        """Take the records from a place on away from its partition: a log that was restored from a copy lacks them."""
        self._lose(place.partition << 48 | place.offset, place.partition + 1 << 48)

    def _lose(self, first: int, end: int) -> None:
        with closing(sqlite3.connect(self.log.path)) as connection, connection:
            connection.execute("DELETE FROM records WHERE place >= ? AND place < ?", (first, end))

    def projector(
        self, sizes: Sizes = DEFAULT_SIZES, rules: Rules | None = None, model: ModelSource | None = None, **more: Any
    ) -> Projector:
        """A projector of all partitions, which it has not taken yet."""
        source = (self.log.reader(), self.vault, rules or self.rules, self.built, self.clock)
        return Projector(model or self.stores.model, *source, owner="test", sizes=sizes, **more)

    def fold(self, sizes: Sizes = DEFAULT_SIZES) -> Projector:
        """Fold to the end of the log."""
        projector = self.projector(sizes)
        projector.take()
        drain(projector)
        return projector

    def help(self, processes: int) -> Help:
        """What a rebuild by so many processes takes."""
        open_log = partial(open_reader, f"sqlite:///{self.log.path}", PARTITIONS)
        return Help(processes, open_log, partial(_rules, self.rules.policy), least=0)

    def close(self) -> None:
        """Let go of the log and the model."""
        self._writer.close()
        self.stores.close()


def _begin(clock: FixedClock, policy: Policy, folder: Path) -> None:
    """Make an empty log and model."""
    log = open_log(f"sqlite:///{folder / LOG}", PARTITIONS, clock)
    stores = Stores(make_url(f"sqlite:///{folder / MODEL}"))
    stores.migrate(built_on(log.identity, policy.identity, Catalogue()), clock())
    stores.close()


def _rules(policy: Policy) -> Rules:
    return Rules(Catalogue(), policy)


def drain(projector: Projector) -> None:
    """Step until nothing comes any more."""
    while projector.step():
        pass


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a model that is a function of the log, and how far it has come."""
    with reading(engine) as connection:
        rows = {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in COMPARED
        }
        offsets = select(partitions.c.partition, partitions.c.next_offset).order_by(partitions.c.partition)
        rows["positions"] = [tuple(row) for row in connection.execute(offsets)]
    return rows

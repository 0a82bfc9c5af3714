"""A small world to ask about: acts go through the real log, vault and fold into the real model."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, make_url

from services.events.catalog.envelope import Catalogue
from services.events.log.partitioning import partition_for
from services.events.log.protocol import NewRecord, Place
from services.events.log.sqlite import open_log
from services.events.vault.cipher import seal
from services.events.vault.sql import AREA, SqlVault
from services.events.vault.wrapping import KEY_BYTES, WrappingKey
from services.kit.database import create_area, open_engine
from services.kit.instants import format_rfc3339, parse_rfc3339
from services.projections.applying import Rules
from services.projections.changes import announce
from services.projections.leadership.policy import DEFAULT_POLICY, Policy
from services.projections.migrations import migrate_area
from services.projections.projector import Commit, Projector
from services.projections.stores import Stores, built_on
from tests.beginnings import begin
from tests.fixed_clock import FixedClock

LOG, VAULT, MODEL = "log.sqlite", "vault.sqlite", "exemplar.sqlite"


class World:
    """Post acts, fold them, look at the model. A time is RFC 3339, or a date for its 00:00 UTC."""

    def __init__(
        self,
        folder: Path,
        clock: FixedClock,
        policy: Policy = DEFAULT_POLICY,
        partitions: int = 4,
        database: URL | None = None,
    ) -> None:
        if not (folder / LOG).exists():
            begin(folder, ("world", policy.identity, partitions, clock()), partial(_begin, clock, policy, partitions))
        self.folder = folder
        self.clock = clock
        self.policy = policy
        self.catalogue = Catalogue()
        self.partitions = partitions
        self.log = open_log(f"sqlite:///{folder / LOG}", partitions, clock)
        self._vault_engine = open_engine(make_url(f"sqlite:///{folder / VAULT}"), AREA)
        self.vault = SqlVault(self._vault_engine, WrappingKey(b"w" * KEY_BYTES), clock)
        self.stores = Stores(database or make_url(f"sqlite:///{folder / MODEL}"))
        self.reader = self.log.reader()
        self._writer = self.log.writer()
        built = built_on(self.reader.identity(), policy.identity, self.catalogue)
        self.stores.migrate(built, clock())
        self.model: Engine = self.stores.model()
        rules = Rules(self.catalogue, policy)
        self.listeners: list[Callable[[Commit], None]] = []
        self._projector = Projector(
            self.stores.model,
            self.reader,
            self.vault,
            rules,
            built,
            clock,
            owner="test",
            announce=announce,
            on_commit=self._committed,
        )
        self._projector.take()
        self._acts = sum(self.reader.ends().values())

    def post(
        self, name: str, subject: str, time: str, /, *, source: str = "test", act_id: str | None = None, **data: Any
    ) -> Place:
        """Append one act. `for_` stands for the field `for`."""
        self._acts += 1
        event = {
            "specversion": "1.0",
            "type": self.catalogue.type_of(name),
            "source": source,
            "id": act_id or f"a{self._acts}",
            "subject": subject,
            "time": time if "T" in time else f"{time}T00:00:00Z",
            "data": {field.rstrip("_"): value for field, value in data.items()},
        }
        return self.append([event])[0]

    def append(self, events: list[dict[str, Any]]) -> list[Place]:
        """Append events as they are, in this order."""
        acts = [self.catalogue.decode_event(event, 2**60) for event in events]
        sealed = seal(acts, self.catalogue, self.vault)
        records = [NewRecord(act.subject, self.catalogue.encode_record(act)) for act in sealed]
        return self._writer.append(records).result(10)

    def append_bytes(self, key: str, value: bytes) -> Place:
        """Append a record that may not be an act at all."""
        return self._writer.append([NewRecord(key, value)]).result(10)[0]

    def fold(self) -> None:
        """Fold everything that is in the log."""
        while self._projector.step():
            pass

    def _committed(self, commit: Commit) -> None:
        for listener in self.listeners:
            listener(commit)

    def partition_of(self, subject: str) -> int:
        """Where the acts of a subject are."""
        return partition_for(subject, self.partitions)

    def close(self) -> None:
        """Let go of every file."""
        self._writer.close()
        self.reader.close()
        self.stores.close()
        self._vault_engine.dispose()


def _begin(clock: FixedClock, policy: Policy, partitions: int, folder: Path) -> None:
    """Make an empty log, vault and model."""
    log = open_log(f"sqlite:///{folder / LOG}", partitions, clock)
    vault = open_engine(make_url(f"sqlite:///{folder / VAULT}"), AREA)
    create_area(vault, AREA)
    migrate_area(vault, "vault")
    vault.dispose()
    stores = Stores(make_url(f"sqlite:///{folder / MODEL}"))
    stores.migrate(built_on(log.identity, policy.identity, Catalogue()), clock())
    stores.close()


def instant(text: str) -> int:
    """The instant of an RFC 3339 date-time, or of a date's 00:00 UTC."""
    return parse_rfc3339(text if "T" in text else f"{text}T00:00:00Z")


def event_of(act: Any, catalogue: Catalogue) -> dict[str, Any]:
    """The CloudEvent of an act of the reference model."""
    data: Mapping[str, Any] = act.data
    return {
        "specversion": "1.0",
        "type": catalogue.type_of(act.name),
        "source": act.source,
        "id": act.id,
        "subject": act.subject,
        "time": format_rfc3339(act.time),
        "data": dict(data),
    }

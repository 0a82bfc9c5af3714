"""The ingress on a real log, vault and control area, in a folder of the test's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine
from starlette.applications import Starlette

from services.events.api import Limits
from services.events.app import create_app
from services.events.catalog.envelope import Act, Catalogue
from services.events.credentials import Keyring
from services.events.known import Known
from services.events.log.protocol import LogWriter, Record
from services.events.log.sqlite import SqliteLog, open_log
from services.events.recording import Recording
from services.events.vault.sql import SqlVault
from services.events.vault.wrapping import WrappingKey
from services.kit.database import open_engine, parse_url
from services.projections.migrations import migrate_area
from tests.beginnings import begin
from tests.events.ingress.log_known import LogKnown
from tests.fixed_clock import FixedClock

LOG, CONTROL, VAULT = "log.sqlite", "exemplar.sqlite", "vault.sqlite"
PARTITIONS = 4


@dataclass
class Parts:
    """What an ingress is made of; `close` it in the end."""

    log: SqliteLog
    writer: LogWriter
    vault: SqlVault
    known: Known
    catalogue: Catalogue
    clock: FixedClock
    control: Engine
    vault_engine: Engine

    @property
    def recording(self) -> Recording:
        """The recording function on these parts."""
        return Recording(self.writer, self.vault, self.known, self.catalogue, self.clock)

    def app(
        self,
        *,
        open_mode: bool = True,
        limits: Limits | None = None,
        append_seconds: float = 10.0,
        keyring: Keyring | None = None,
    ) -> Starlette:
        """An app, open by default."""
        return create_app(
            self.recording,
            keyring or Keyring(self.control, open_mode),
            self.catalogue,
            ready=lambda: None,
            registry=CollectorRegistry(),
            limits=limits or Limits(),
            append_seconds=append_seconds,
        )

    def records(self) -> list[Record]:
        """All that is in the log."""
        reader = self.log.reader()
        try:
            return reader.read(dict.fromkeys(range(self.log.identity.partitions), 0), 1_000_000, 0)
        finally:
            reader.close()

    def acts(self) -> list[Act]:
        """All acts in the log, † fields sealed."""
        return [self.catalogue.decode_record(record.value) for record in self.records()]

    def close(self) -> None:
        """Close what was opened."""
        self.writer.close()
        self.control.dispose()
        self.vault_engine.dispose()


def make_parts(folder: Path, clock: FixedClock) -> Parts:
    """Fresh parts, all their files in the folder."""
    begin(folder, "ingress", _begin)
    catalogue = Catalogue()
    log = open_log(f"sqlite:///{folder / LOG}", PARTITIONS, clock)
    control = _engine(folder / CONTROL, "control")
    vault_engine = _engine(folder / VAULT, "vault")
    vault = SqlVault(vault_engine, WrappingKey(bytes(32)), clock)
    return Parts(log, log.writer(), vault, LogKnown(log, catalogue), catalogue, clock, control, vault_engine)


def event(**attributes: Any) -> dict[str, Any]:
    """A good event, a `contact.made`, with these attributes instead; one that is None is left out."""
    made = {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:crm",
        "type": "exemplar.contact.made.v1",
        "subject": "customer-1",
        "time": "2026-03-01T09:30:00Z",
        "data": {"rep": "ana", "channel": "call", "purpose": "follow_up"},
    } | attributes
    return {name: value for name, value in made.items() if value is not None}


def act(name: str, data: Mapping[str, Any], **attributes: Any) -> dict[str, Any]:
    """An event of the act of this name."""
    return event(type=f"exemplar.{name}.v1", data=dict(data), **attributes)


def _begin(folder: Path) -> None:
    """Make an empty log, control area and vault."""
    open_log(f"sqlite:///{folder / LOG}", PARTITIONS)
    control, vault = _engine(folder / CONTROL, "control"), _engine(folder / VAULT, "vault")
    migrate_area(control, "control")
    migrate_area(vault, "vault")
    control.dispose()
    vault.dispose()


def _engine(file: Path, area: str) -> Engine:
    return open_engine(parse_url(f"sqlite:///{file}", "TEST"), area)

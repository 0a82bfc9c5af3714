"""Each port with each of its adapters: a contract test runs once for every one."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.events.log.opening import create_log, open_log
from services.events.log.protocol import LogReader, LogWriter, Share
from services.events.vault.sql import AREA
from services.kit import instants
from services.kit.database import create_area, drop_area, open_engine, parse_url
from services.projections.migrations import migrate_area
from tests.fixed_clock import FixedClock

PARTITIONS = 4
MILLISECOND = 1000


class LogInTest:
    """One log, new and empty, whatever is below; hands out writers and readers and closes them at the end.

    `now` is the clock by which the log stamps what it takes in, in microseconds, exact to `tick`.
    """

    def __init__(self, url: str, clock: Callable[[], int], tick: int) -> None:
        self.url = url
        self.partitions = PARTITIONS
        self.now = clock
        self.tick = tick
        self._open: list[LogWriter | LogReader | Share] = []

    def writer(self) -> LogWriter:
        """Another writer on the log."""
        writer = open_log(self.url, PARTITIONS, clock=self.now).writer()
        self._open.append(writer)
        return writer

    def reader(self) -> LogReader:
        """Another reader on the log."""
        reader = open_log(self.url, PARTITIONS, clock=self.now).reader()
        self._open.append(reader)
        return reader

    def pair(self) -> tuple[LogWriter, LogReader]:
        """A writer and a reader as one process has them."""
        opened = open_log(self.url, PARTITIONS, clock=self.now)
        writer, reader = opened.writer(), opened.reader()
        self._open += [writer, reader]
        return writer, reader

    def share(self) -> Share:
        """The share of a process on the log."""
        share = open_log(self.url, PARTITIONS, clock=self.now).share()
        self._open.append(share)
        return share

    def close(self) -> None:
        """Close whatever was handed out; doing so twice does no harm."""
        for part in self._open:
            part.close()


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def log(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[LogInTest]:
    """An empty log of each adapter; Kafka's brokers have a clock of their own, which is this machine's."""
    if request.param == "kafka":
        url = f"kafka://{request.getfixturevalue('kafka_bootstrap')}/contract-{uuid.uuid4().hex}"
        create_log(url, PARTITIONS)
        made = LogInTest(url, instants.now, tick=MILLISECOND)
    else:
        made = LogInTest(f"sqlite:///{tmp_path / 'log.sqlite'}", clock, tick=1)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def vault_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """The area of an empty vault in each database, its tables made by the migrations."""
    text = f"sqlite:///{tmp_path / 'vault.sqlite'}"
    if request.param == "postgresql":
        text = request.getfixturevalue("postgres_url")
    url = parse_url(text, "EXEMPLAR_VAULT_URL")
    engine = open_engine(url, AREA)
    create_area(engine, AREA)
    migrate_area(engine, "vault")
    yield engine
    engine.dispose()
    drop_area(url, AREA)

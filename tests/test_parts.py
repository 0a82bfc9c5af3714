"""The parts of the production size that can be looked at without a server."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from services.events.log.protocol import Log, NewRecord, Position
from services.kit.database import writing
from services.kit.errors import Unavailable
from services.kit.instants import SECOND
from services.kit.settings import Settings
from services.parts import Parts, opened
from services.parts.gateway import Lag
from services.projections.tables import partitions
from tests.fixed_clock import FixedClock


class FailingLog:
    """As much of a log and its reader as says where it ends; away while `away` is set."""

    def __init__(self, log: Log) -> None:
        self.away = False
        self._reader = log.reader()

    def reader(self) -> "FailingLog":
        """A reader that may fail."""
        return self

    def ends(self) -> Position:
        """See LogReader."""
        if self.away:
            raise Unavailable("no broker answers")
        return self._reader.ends()

    def close(self) -> None:
        """See LogReader."""
        self._reader.close()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Parts on files of their own."""
    with opened(Settings(data_dir=tmp_path)) as made:
        yield made


def test_reading_goes_on_while_it_is_not_known_how_far_the_fold_is_behind(parts: Parts, clock: FixedClock) -> None:
    """While the log is away, what was known last is told; then it is looked up again."""
    with closing(parts.log.writer()) as writer:
        first, _ = writer.append([NewRecord("a", b"1"), NewRecord("a", b"2")]).result()
    with writing(parts.stores.model()) as connection:
        row = partitions.c.partition == first.partition
        connection.execute(update(partitions).where(row).values(next_offset=1, applied_us=clock()))
    log = FailingLog(parts.log)
    with Lag(replace(parts, log=log), clock) as lag:  # type: ignore[arg-type]  # what a lag needs of a log
        for log.away, seconds in ((False, 2.0), (True, 2.0), (False, 6.0)):
            clock.advance(2 * SECOND)
            assert lag.seconds() == seconds

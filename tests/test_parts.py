"""The parts of the production size that can be looked at without a server, and what they say of how all stands."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from services.events.log.protocol import Log, NewRecord, Position
from services.kit.database import writing
from services.kit.errors import Unavailable
from services.kit.instants import SECOND
from services.kit.settings import Settings
from services.parts import Parts, opened
from services.parts.fold import status
from services.parts.gateway import Lag
from services.projections.tables import facts, partitions
from tests.fixed_clock import FixedClock
from tests.waiting import wait_until


class FailingLog:
    """As much of a log and its reader as says where it ends; away while `away` is set."""

    def __init__(self, log: Log) -> None:
        self.away = False
        self.asked = 0
        self._reader = log.reader()

    def reader(self) -> "FailingLog":
        """A reader that may fail."""
        return self

    def ends(self) -> Position:
        """See LogReader."""
        self.asked += 1
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
        for asked, (log.away, told) in enumerate(((False, 2.0), (True, 2.0), (False, 6.0)), 1):
            clock.advance(2 * SECOND)
            wait_until(partial(_tells, lag, told, log, asked))
            assert lag.seconds() == told


def _tells(lag: Lag, seconds: float, log: FailingLog, asked: int) -> bool:
    """Whether the lag is told so, after the log was asked so often: who asks waits for it only for a moment."""
    return lag.seconds() == seconds and log.asked == asked


def folded_up_to(parts: Parts, offset: int) -> None:
    """Append four records to a partition, three of which it then loses, and have the model stand there."""
    with closing(parts.log.writer()) as writer:
        last = writer.append([NewRecord("a", b"1")] * 4).result()[-1]
    with closing(sqlite3.connect(parts.settings.data_dir / "log.sqlite")) as log, log:
        log.execute("DELETE FROM records WHERE place < ?", (last.partition << 48 | last.offset,))
    with writing(parts.stores.model()) as connection:
        connection.execute(
            update(partitions).where(partitions.c.partition == last.partition).values(next_offset=offset)
        )


def test_status_finds_nothing_where_all_is_well(parts: Parts) -> None:
    """A model of this log has neither a problem nor a warning."""
    found = status(parts)
    assert (found["problem"], found["warning"]) == (None, None)


@pytest.mark.parametrize(
    ("offset", "problem", "warning"),
    [
        (4, None, "begins at 3): what was folded stays, but `exemplar rebuild` and `exemplar verify` refuse"),
        (3, None, "lost its beginning"),
        (2, "begins at 3, and is to be read from 2", "lost its beginning"),
        (5, "ends at 4, the read model has folded it up to 5", "lost its beginning"),
    ],
)
def test_status_tells_of_records_that_are_gone(parts: Parts, offset: int, problem: str | None, warning: str) -> None:
    """Records gone that were folded are a warning; those gone before they were, or behind the log's end, a problem."""
    folded_up_to(parts, offset)
    found = status(parts)
    assert warning in found["warning"]
    assert problem in found["problem"] if problem else found["problem"] is None


@pytest.mark.parametrize(
    ("fact", "value", "says"),
    [
        ("log_id", "another", "put that log back"),
        ("partitions", "3", "Copy it into a log with the former number"),
        ("policy", "another", "run `exemplar rebuild`"),
    ],
)
def test_status_tells_what_the_model_was_not_built_on(parts: Parts, fact: str, value: str, says: str) -> None:
    """Another log, another number of partitions or another policy is a problem, with what to do."""
    with writing(parts.stores.model()) as connection:
        connection.execute(update(facts).where(facts.c.name == fact).values(value=value))
    found = status(parts)
    assert says in found["problem"]
    assert found["warning"] is None

"""Watching a log: away after two looks in vain, back after one, gone at once, however many ask."""

from contextlib import closing
from pathlib import Path
from queue import Queue

import pytest

from services.events.log.protocol import Identity
from services.events.log.sqlite import open_log
from services.events.log.watching import LogWatch
from services.kit.errors import Corrupt, ExemplarError, Unavailable
from tests.waiting import wait_until

PAUSE = 0.01


class StepwiseReader:
    """As much of a reader as is looked at; each look ends as the test says."""

    def __init__(self) -> None:
        self.looks = 0
        self.closed = False
        self._let = 0
        self._answers = Queue[ExemplarError | None]()

    def let(self, error: ExemplarError | None) -> None:
        """So ends the look that has begun; returns when the next one has."""
        wait_until(lambda: self.looks > self._let)
        self._let += 1
        self._answers.put(error)
        wait_until(lambda: self.looks > self._let)

    def end(self) -> None:
        """Let the last look end."""
        self._answers.put(None)

    def identity(self) -> Identity:
        """See LogReader."""
        self.looks += 1
        if error := self._answers.get(timeout=10):
            raise error
        return Identity("log", 1)

    def close(self) -> None:
        """See LogReader."""
        self.closed = True


def test_one_look_in_vain_is_nothing() -> None:
    """The log is away after the second look in vain, with the reason, and back after the first that is not."""
    reader = StepwiseReader()
    watch = LogWatch(reader, PAUSE)  # type: ignore[arg-type]  # what a watch needs of a reader
    silent = Unavailable("no broker answers")
    for found in (None, silent, None, silent):
        reader.let(found)
        watch.check()
    reader.let(silent)
    for _ in range(100):
        with pytest.raises(Unavailable, match="the log is away: no broker answers"):
            watch.check()
    assert reader.looks == 6
    reader.let(None)
    watch.check()
    reader.end()
    watch.close()
    assert reader.closed


def test_that_the_log_is_gone_is_believed_at_once() -> None:
    """Those who answer have said it: the first look is enough, and no silence after it takes it back."""
    reader = StepwiseReader()
    watch = LogWatch(reader, PAUSE)  # type: ignore[arg-type]  # as above
    for found in (Corrupt("the topic is gone"), Unavailable("no broker answers")):
        reader.let(found)
        assert _reason(watch) == "the topic is gone"
    reader.let(None)
    watch.check()
    reader.end()
    watch.close()


def test_a_log_that_was_replaced_is_said_to_be_so(tmp_path: Path) -> None:
    """What to do is told as the log tells it; put back as it was, it is well again."""
    log = open_log(f"sqlite:///{tmp_path / 'log.sqlite'}", 1)
    with closing(LogWatch(log.reader(), PAUSE)) as watch:
        log.path.rename(tmp_path / "away")
        wait_until(lambda: _reason(watch).startswith(f"{log.path} is gone: put it back"))
        (tmp_path / "away").rename(log.path)
        wait_until(lambda: _reason(watch) == "")


def _reason(watch: LogWatch) -> str:
    try:
        watch.check()
    except Unavailable as error:
        return str(error)
    return ""

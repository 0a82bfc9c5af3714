"""What every share of a log's partitions must do (services/events/log/protocol.py), whichever adapter is below."""

import time
from functools import partial

from services.events.log.group import SESSION_SECONDS
from services.events.log.protocol import Share
from tests.contracts.conftest import PARTITIONS, LogInTest
from tests.waiting import wait_until

EVERYTHING = frozenset(range(PARTITIONS))


def test_who_is_alone_has_every_partition(log: LogInTest) -> None:
    """A process that nobody shares with is given all of them, and keeps them."""
    share = log.share()
    wait_until(lambda: share.partitions() == EVERYTHING)
    share.show(dict.fromkeys(EVERYTHING, 0))
    assert share.partitions() == EVERYTHING


def test_a_doubt_is_settled_without_help(log: LogInTest) -> None:
    """A partition that another one wrote for is ours again once the log has said that it still is."""
    share = log.share()
    wait_until(lambda: share.partitions() == EVERYTHING)
    share.doubt({1: 0})
    wait_until(lambda: share.partitions() == EVERYTHING)


def test_who_comes_after_has_every_partition(log: LogInTest) -> None:
    """What a process leaves behind at its end is the next one's at once; closing twice does no harm."""
    took = []
    for _ in range(3):  # a busy machine is late once; who waits for the session of one who is gone is so every time
        first = log.share()
        wait_until(partial(_has_everything, first))
        first.close()
        first.close()
        began = time.monotonic()
        second = log.share()
        wait_until(partial(_has_everything, second))
        took.append(time.monotonic() - began)
        second.close()
    assert min(took) < SESSION_SECONDS - 1


def _has_everything(share: Share) -> bool:
    return share.partitions() == EVERYTHING

"""What sharing by a consumer group promises beyond the contract: equal parts, handing over, keeping what one has."""

import gc
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer
from structlog.testing import capture_logs
from testcontainers.community.kafka import KafkaContainer

from services.events.log import kafka
from services.events.log.access import KafkaAccess
from services.events.log.group import SESSION_SECONDS, KafkaShare
from services.events.log.kafka import KafkaLog
from tests.events.log.odd_clients import OnceBroken, OnceLost
from tests.waiting import wait_until

PARTITIONS = 12
EVERYTHING = frozenset(range(PARTITIONS))
pytestmark = pytest.mark.kafka


@pytest.fixture
def log(kafka_bootstrap: str) -> KafkaLog:
    """An empty log, whose group is its own."""
    url = f"kafka://{kafka_bootstrap}/shared-{uuid.uuid4().hex}"
    kafka.create_topic(url, PARTITIONS, KafkaAccess())
    return kafka.open_log(url, KafkaAccess())


@pytest.fixture
def join(log: KafkaLog) -> Iterator[Callable[[], KafkaShare]]:
    """Takes another share in the log; those still there leave at the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(log.share()))


@pytest.fixture(autouse=True)
def _sockets_left_lying() -> Iterator[None]:
    """Collects the sockets that the client leaves unclosed where nobody answers, or not soon: on a busy machine."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def shared_out(*shares: KafkaShare) -> bool:
    """Whether every partition is exactly one's, and each has as many as any other, give or take one."""
    parts = [share.partitions() for share in shares]
    sizes = [len(part) for part in parts]
    return frozenset().union(*parts) == EVERYTHING and sum(sizes) == PARTITIONS and max(sizes) - min(sizes) <= 1


def handed_over_at_once(change: Callable[[], Sequence[KafkaShare]]) -> bool:
    """Whether a change is followed before those who are gone would have been missed.

    A busy machine is late now and then; who waits for one who is gone is so every time.
    """
    for _ in range(6):
        began = time.monotonic()
        shares = change()
        wait_until(partial(shared_out, *shares))
        if time.monotonic() - began < SESSION_SECONDS - 1:
            return True
    return False


def test_members_have_equal_parts_and_keep_most_of_them(join: Callable[[], KafkaShare]) -> None:
    """Who joins is given an equal part, taken from the others; these keep the rest of what they had."""
    first, second = join(), join()
    wait_until(lambda: shared_out(first, second))
    before = first.partitions(), second.partitions()
    third = join()
    wait_until(lambda: shared_out(first, second, third))
    assert first.partitions() < before[0]
    assert second.partitions() < before[1]


def test_who_leaves_is_followed_at_once(join: Callable[[], KafkaShare]) -> None:
    """What a member leaves behind is the others' before anybody would have missed it, while another one joins."""
    shares = [join() for _ in range(3)]
    wait_until(lambda: shared_out(*shares))

    def follow() -> Sequence[KafkaShare]:
        leaving = shares.pop(0)
        leaving.close()
        assert leaving.partitions() == frozenset()
        shares.append(join())
        return shares

    assert handed_over_at_once(follow)


def test_who_leaves_while_others_are_awaited_is_gone_at_once(join: Callable[[], KafkaShare]) -> None:
    """A member that joins and leaves again before the group was shared out does not hold up the others."""
    first = join()
    wait_until(lambda: shared_out(first))
    there = [first]

    def come_and_go() -> Sequence[KafkaShare]:
        for share in [join() for _ in range(3)]:
            share.close()
        there.append(join())
        return there

    assert handed_over_at_once(come_and_go)


def test_without_brokers_everyone_keeps_what_they_have(
    join: Callable[[], KafkaShare], kafka_broker: KafkaContainer
) -> None:
    """Brokers that stand still for longer than a session change nothing: nobody else was given anything meanwhile."""
    first, second = join(), join()
    wait_until(lambda: shared_out(first, second))
    before = first.partitions(), second.partitions()
    with paused(kafka_broker):
        first.doubt({min(before[0]): 0})
        end = time.monotonic() + SESSION_SECONDS + 2
        wait_until(lambda: time.monotonic() > end)
        assert (first.partitions() | {min(before[0])}, second.partitions()) == before
        assert first.partitions() < before[0]
    wait_until(lambda: shared_out(first, second))


def test_a_doubt_lasts_until_the_group_has_answered(join: Callable[[], KafkaShare]) -> None:
    """A doubted partition is not ours at once, and is again when the group has taken its position from us."""
    share = join()
    wait_until(lambda: share.partitions() == EVERYTHING)
    share.doubt({3: 0})
    assert 3 not in share.partitions()
    wait_until(lambda: share.partitions() == EVERYTHING)


def test_positions_are_shown_in_the_group(log: KafkaLog, join: Callable[[], KafkaShare], kafka_bootstrap: str) -> None:
    """Kafka's own tools see how far each partition is folded."""
    share = join()
    wait_until(lambda: share.partitions() == EVERYTHING)
    share.show({0: 7, 5: 3})
    with closing(KafkaAdminClient(bootstrap_servers=kafka_bootstrap)) as admin:

        def shown() -> dict[int, int]:
            found = admin.list_group_offsets({log.group: None})
            offsets: dict[Any, Any] = found[log.group]
            return {at.partition: each.offset for at, each in offsets.items()}

        wait_until(lambda: shown() == {0: 7, 5: 3})


def test_a_client_that_fails_is_made_anew(log: KafkaLog) -> None:
    """Whatever a client raises, also where it is let go of, the member goes on with another one."""
    consumers = OnceBroken()

    def connect(make: Callable[..., Any], settings: Any) -> Any:
        assert make is KafkaConsumer
        return consumers(**log.connection, **settings)

    with closing(KafkaShare(log.topic, log.group, connect)) as share:
        wait_until(lambda: share.partitions() == EVERYTHING)
    assert consumers.made == 2


@pytest.mark.parametrize("method", ["poll", "commit"])
def test_a_client_that_only_fails_is_made_anew(log: KafkaLog, method: str) -> None:
    """Errors that pass are waited for, but not for ever: then another client joins the group, which is told."""
    consumers = OnceLost(method)

    def connect(make: Callable[..., Any], settings: Any) -> Any:
        return consumers(**log.connection, **settings) if make is KafkaConsumer else make(**log.connection, **settings)

    with capture_logs() as told, closing(KafkaShare(log.topic, log.group, connect, patience=3.0)) as share:
        share.doubt({0: 1})
        wait_until(lambda: consumers.made == 2 and share.partitions() == EVERYTHING)
    assert [each["group"] for each in told if each["event"] == "the group is joined anew"] == [log.group]


@contextmanager
def paused(broker: KafkaContainer) -> Iterator[None]:
    """While the broker's process stands still: connections stay, and nothing answers."""
    container = broker.get_wrapped_container()
    container.pause()
    try:
        yield
    finally:
        container.unpause()

"""Projectors that share the partitions: what each takes and lets go of, and that nobody writes for another's."""

from threading import Event, Thread

import pytest
from sqlalchemy import select, update

from services.kit.database import end_if_hung, reading, writing
from services.kit.errors import Unavailable
from services.projections.projector import Fenced, Projector, Sizes
from services.projections.rebuild import Source, rebuild
from services.projections.tables import partitions
from services.projections.verify import verify
from tests.projections.fold_world import PARTITIONS, FoldWorld, drain
from tests.projections.hand_share import HandShare
from tests.projections.made_up import stream
from tests.waiting import wait_until

ALL = range(PARTITIONS)


@pytest.fixture
def world(fold_world: FoldWorld) -> FoldWorld:
    """The world of each dialect."""
    return fold_world


def _epochs(world: FoldWorld) -> list[int]:
    with reading(world.stores.model()) as connection:
        return list(connection.scalars(select(partitions.c.epoch).order_by(partitions.c.partition)))


def _source(world: FoldWorld) -> Source:
    return Source(world.log.reader(), world.vault, world.rules, world.built, world.clock)


class _Running:
    """A projector with a share, in a thread of its own."""

    def __init__(self, world: FoldWorld, *dealt: int, settles: bool = False) -> None:
        self.share = HandShare(*dealt, settles=settles)
        self.projector = world.projector(Sizes(20, 20), share=self.share)
        self._stop = Event()
        self._thread = Thread(target=self.projector.run, args=(self._stop,))

    def __enter__(self) -> "_Running":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()


def _drained(world: FoldWorld, *running: _Running) -> bool:
    together: dict[int, int] = {}
    for one in running:
        together |= one.projector.status.positions
    return together == world.log.reader().ends()


def test_only_what_is_new_in_the_share_is_taken(world: FoldWorld) -> None:
    """An epoch rises when its partition is taken, and not while it is kept; what is gone is let go of."""
    share = HandShare(0, 1)
    projector = world.projector(share=share)
    projector.take()
    assert _epochs(world) == [1, 1, 0]
    share.deal(1, 2)
    projector.step()
    assert _epochs(world) == [1, 1, 1]
    assert projector.status.positions.keys() == {1, 2}


def test_without_a_partition_it_waits_and_is_well(world: FoldWorld) -> None:
    """Who has no partition folds nothing, tells of no lag and no failure, and begins when it is given one."""
    world.append(stream(3, 50))
    share = HandShare()
    projector = world.projector(share=share)
    projector.take()
    assert projector.step() == 0
    assert (projector.status.positions, projector.status.waiting, projector.status.failure) == ({}, 0, None)
    share.deal(*ALL)
    drain(projector)
    assert projector.status.positions == world.log.reader().ends()


def test_positions_are_shown_to_the_log(world: FoldWorld) -> None:
    """After each batch the log is told the next offsets, for its own tools."""
    world.append(stream(3, 50))
    share = HandShare(*ALL)
    projector = world.projector(share=share)
    projector.take()
    drain(projector)
    assert share.shown == world.log.reader().ends()


def test_partitions_handed_to_and_fro_are_folded_once(world: FoldWorld) -> None:
    """Partitions that change hands again and again while acts come are folded once each, as a clean rebuild does."""
    deals = [((0,), (1, 2)), ((), (0, 1, 2)), ((1, 2), (0,)), ((0, 1, 2), ()), ((2,), (0, 1))]
    with _Running(world, *ALL) as one, _Running(world) as other:
        for number, (mine, others) in enumerate(deals):
            world.append(stream(40 + number, 120))
            one.share.deal(*mine)
            other.share.deal(*others)
            wait_until(lambda: _drained(world, one, other))
        assert (one.projector.status.failure, other.projector.status.failure) == (None, None)
    assert verify(world.stores, _source(world)).equal


def test_a_zombie_commits_nothing_and_goes_on(world: FoldWorld) -> None:
    """One that missed that its partition was given away is fenced, doubts it, and goes on with the others."""
    late = HandShare(0, 1, 2)
    zombie = world.projector(share=late)
    zombie.take()
    now = world.projector(share=HandShare(1))
    now.take()
    world.append(stream(5, 60))
    with pytest.raises(Fenced) as fenced:
        zombie.step()
    assert fenced.value.partitions == [1]
    assert _epochs(world) == [1, 2, 1]
    drain(now)
    before = _epochs(world)
    _run_until_drained(zombie, world, {0, 2})
    assert (set(late.doubted), _epochs(world)) == ({1}, before)
    late.deal(*ALL)
    zombie.step()
    assert _epochs(world) == [1, 3, 1]
    assert verify(world.stores, _source(world)).equal


def _run_until_drained(projector: Projector, world: FoldWorld, which: set[int]) -> None:
    stop = Event()
    thread = Thread(target=projector.run, args=(stop,))
    thread.start()
    try:
        ends = world.log.reader().ends()
        wait_until(lambda: projector.status.positions == {p: ends[p] for p in which})
    finally:
        stop.set()
        thread.join()


@pytest.mark.postgres
def test_what_another_one_is_committing_is_taken_later(fresh_postgres_world: FoldWorld) -> None:
    """Taking never waits for the long batch of who had it before: that one is let finish, and the rest goes on."""
    world, begun, go_on = fresh_postgres_world, Event(), Event()

    def at_step(step: str) -> None:
        if step == "begun":
            begun.set()
            assert go_on.wait(60)

    before = world.projector(share=HandShare(0), at_step=at_step)
    before.take()
    world.append(stream(5, 60))
    thread = Thread(target=before.step)
    thread.start()
    assert begun.wait(60)
    after = world.projector(share=HandShare(*ALL))
    after.take()
    drain(after)
    assert after.status.positions.keys() == {1, 2}
    go_on.set()
    thread.join()
    drain(after)
    assert after.status.positions == world.log.reader().ends()
    assert verify(world.stores, _source(world)).equal


@pytest.mark.postgres
def test_who_hangs_in_a_batch_does_not_hold_its_partitions(fresh_postgres_world: FoldWorld) -> None:
    """PostgreSQL ends the transaction of one that hangs; what it does next says so, and it has committed nothing."""
    engine = fresh_postgres_world.stores.model()

    def hang() -> None:
        with writing(engine) as connection:
            connection.execute(update(partitions).values(owner="hung"))
            end_if_hung(connection, 0.2)  # last: before it nothing may take too long
            with writing(engine) as other:  # waits for the rows until they are let go of
                other.execute(update(partitions).values(owner="other"))
            connection.execute(update(partitions).values(owner="hung"))

    with pytest.raises(Unavailable):
        hang()
    with reading(engine) as connection:
        assert set(connection.scalars(select(partitions.c.owner))) == {"other"}


def test_a_switch_of_generations_is_followed(world: FoldWorld) -> None:
    """After a rebuild every projector takes its share of the new generation, and folds on there."""
    world.append(stream(5, 60))
    with _Running(world, 0, settles=True) as one, _Running(world, 1, 2, settles=True) as other:
        wait_until(lambda: _drained(world, one, other))
        rebuild(world.stores, _source(world))
        world.append(stream(6, 60))
        wait_until(lambda: _drained(world, one, other))
        assert (one.projector.status.failure, other.projector.status.failure) == (None, None)
    assert verify(world.stores, _source(world)).equal

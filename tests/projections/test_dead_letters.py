"""Dead letters: seen page by page, tried again by a newer catalogue, and what follows from that."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import Queue
from threading import Event

import pytest
from sqlalchemy import func, select, text

from services.events.catalog.acts import ACTS
from services.events.catalog.envelope import Catalogue
from services.events.log.partitioning import partition_for
from services.events.log.protocol import NewRecord
from services.kit.database import reading
from services.kit.errors import Conflict, NotFound
from services.projections import dead_letters
from services.projections.applying import Rules
from services.projections.changes import EVERYTHING, Change, Changes
from services.projections.leadership.policy import DEFAULT_POLICY
from services.projections.projector import Projector, Sizes
from services.projections.rebuild import Source, rebuild
from services.projections.stores import Stores
from services.projections.tables import acts, entities
from services.projections.verify import verify
from tests.projections.fold_world import PARTITIONS, FoldWorld, contents, drain
from tests.projections.made_up import START, record, stream
from tests.waiting import wait_until

OLDER = Rules(
    Catalogue([model for model in ACTS if model.__name__ not in ("UrgencyPressed", "TeamJoined", "PersonErased")]),
    DEFAULT_POLICY,
)


def _fold_by_older_version(world: FoldWorld) -> Projector:
    projector = world.projector(Sizes(halt_after=None), rules=OLDER)
    projector.take()
    drain(projector)
    return projector


def _retry(world: FoldWorld) -> dead_letters.Retried:
    return dead_letters.retry(world.stores, world.log.reader(), world.vault, world.rules, 0)


def _source(world: FoldWorld) -> Source:
    return Source(world.log.reader(), world.vault, world.rules, world.built, world.clock)


def _is_what_the_log_says(world: FoldWorld) -> bool:
    return verify(world.stores, _source(world)).equal


def _urgency(number: int, rep: str = "rep-1") -> NewRecord:
    return record("customer-1", f"u-{number}", "urgency.pressed", START + number, rep=rep, tactic="guilt")


def test_pages_follow_the_log(fold_world: FoldWorld) -> None:
    """Pages are in the order of the log, go on behind a place, and lead to each dead letter."""
    fold_world.append([NewRecord(f"customer-{n % 4}", b"{") for n in range(10)])
    fold_world.fold()
    model = fold_world.stores.model()
    first = dead_letters.page(model, 6)
    rest = dead_letters.page(model, 6, (first[-1].partition, first[-1].offset))
    places = [(letter.partition, letter.offset) for letter in (*first, *rest)]
    assert len(places) == 10
    assert places == sorted(places)
    assert dead_letters.show(model, *places[3]) == first[3]
    assert dead_letters.count(model) == (10, 0)
    with pytest.raises(NotFound):
        dead_letters.show(model, 0, 999)


def test_a_retry_folds_what_can_be_read_now(fold_world: FoldWorld) -> None:
    """After an upgrade the retry says how many it would be, folds those, and leaves what still cannot be read."""
    erased = record("gone-1", "e-1", "person.erased", START, by="leader-1", reason="asked")
    fold_world.append([_urgency(1), NewRecord("customer-1", b"{"), _urgency(1), erased])
    _fold_by_older_version(fold_world)
    assert dead_letters.readable(fold_world.stores.model(), fold_world.rules) == 3
    assert _retry(fold_world) == (2, 1, 0, 1)
    assert fold_world.vault.destroyed == {"gone-1"}
    assert _is_what_the_log_says(fold_world)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_model_after_a_retry_equals_a_rebuild(fold_world: FoldWorld, seed: int) -> None:
    """Folded by an older version and retried, beside a running projector, the model is what the log says."""
    fold_world.append(stream(seed, 300))
    _fold_by_older_version(fold_world)
    newer = fold_world.projector()
    newer.take()
    fold_world.append(stream(seed + 1, 50))
    newer.step()
    assert _retry(fold_world).folded > 10
    fold_world.append(stream(seed + 2, 50))
    drain(newer)
    assert _is_what_the_log_says(fold_world)


def test_the_first_in_the_log_counts_also_when_it_is_read_last(fold_world: FoldWorld) -> None:
    """An earlier act that becomes readable takes the place of the one that counted, whose copies are conflicts now."""
    late = record("customer-1", "u-1", "goal.appealed", START, rep="rep-2")
    places = fold_world.append([_urgency(1), late, late, _urgency(1)])
    _fold_by_older_version(fold_world)
    assert _retry(fold_world) == (1, 1, 2, 0)
    with reading(fold_world.stores.model()) as connection:
        assert connection.scalars(select(acts.c.log_offset)).all() == [places[0].offset]
        persons = connection.scalars(select(entities.c.key).where(entities.c.kind == "person")).all()
    assert persons == ["rep-1"]
    letters = dead_letters.page(fold_world.stores.model(), 9)
    assert [(one.offset, one.first_offset) for one in letters] == [(p.offset, places[0].offset) for p in places[1:3]]
    assert _is_what_the_log_says(fold_world)


@pytest.mark.postgres
def test_a_retry_and_a_batch_do_not_overlap(fresh_postgres_world: FoldWorld) -> None:
    """Whom a retry would forget, since no act names them, a batch of another partition names just then: it waits."""
    world, written, go_on = fresh_postgres_world, Event(), Event()
    world.append([_urgency(1), record("customer-1", "u-1", "goal.appealed", START, rep="rep-2")])
    _fold_by_older_version(world)
    here = partition_for("customer-1", PARTITIONS)
    elsewhere = next(one for n in range(2, 99) if partition_for(one := f"customer-{n}", PARTITIONS) != here)

    def at_step(step: str) -> None:
        if step == "written":
            written.set()
            assert go_on.wait(60)

    projector = world.projector(rules=OLDER, at_step=at_step)
    projector.take([partition_for(elsewhere, PARTITIONS)])
    world.append([record(elsewhere, "g-1", "goal.appealed", START, rep="rep-2")])
    with ThreadPoolExecutor(2) as threads:
        folding = threads.submit(projector.step)
        assert written.wait(60)
        retrying = threads.submit(_retry, world)
        wait_until(lambda: retrying.done() or _someone_waits(world))
        go_on.set()
        assert (folding.result(), retrying.result()) == (1, (1, 0, 1, 0))
    assert _is_what_the_log_says(world)


def _someone_waits(world: FoldWorld) -> bool:
    """Whether a transaction waits for the lock of another one."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with reading(world.stores.control) as connection:
        return bool(connection.scalar(text(query)))


def test_what_was_replaced_by_a_rebuild_is_left_alone(fold_world: FoldWorld) -> None:
    """Who still takes the old generation for the live one changes nothing in it, where nobody would see it."""
    fold_world.append([NewRecord("customer-1", b"{")] * 55)
    fold_world.fold()
    stores = Stores(fold_world.stores.url, monotonic=lambda: 0.0)
    assert stores.live() == 1
    rebuild(fold_world.stores, _source(fold_world))
    with closing(stores), pytest.raises(Conflict, match="do it again"):
        dead_letters.resume(stores)
    assert fold_world.fold().status.halted
    assert dead_letters.resume(fold_world.stores)


@pytest.mark.postgres
def test_a_retry_tells_whose_figures_it_changes(fresh_postgres_world: FoldWorld) -> None:
    """Whoever shows the model hears of it, as of what a projector commits."""
    world = fresh_postgres_world
    world.append([_urgency(1)])
    _fold_by_older_version(world)
    heard: Queue[Change] = Queue()
    with closing(Changes(world.stores.url, world.stores.look_again)) as changes:
        changes.add(heard.put)
        assert heard.get(timeout=60) == EVERYTHING
        _retry(world)
        assert heard.get(timeout=60).persons == {"rep-1"}


def test_a_halted_partition_goes_on_when_it_is_dealt_with(fold_world: FoldWorld) -> None:
    """A retry that empties the halted partition's dead letters lets it go on, and so does `resume`; others stay."""
    fold_world.append([_urgency(n) for n in range(60)])
    projector = fold_world.projector(rules=OLDER)
    projector.take()
    drain(projector)
    assert projector.status.halted
    assert _retry(fold_world).folded == 51
    newer = fold_world.fold()
    assert not newer.status.halted
    fold_world.append([NewRecord("customer-1", b"{")] * 52 + [_urgency(99)])
    drain(newer)
    assert newer.status.halted
    assert _retry(fold_world).unreadable == 51
    newer.step()
    assert newer.status.halted
    assert len(dead_letters.resume(fold_world.stores)) == 1
    drain(newer)
    assert not newer.status.halted
    with reading(fold_world.stores.model()) as connection:
        assert connection.scalar(select(func.count()).select_from(acts)) == 61
    assert contents(fold_world.stores.model())["dead_letters"]
    assert _is_what_the_log_says(fold_world)

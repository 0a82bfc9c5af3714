"""Rebuilding beside the live model, and verifying it."""

import multiprocessing
from contextlib import closing
from typing import Any, NoReturn

import pytest
from sqlalchemy import URL, Engine, column, func, select, text

from services.events.log.protocol import NewRecord, Position, Record
from services.kit.database import area_file, drop_area, reading, writing
from services.kit.errors import Conflict, Corrupt, Misconfigured, Unavailable
from services.projections.dead_letters import resume
from services.projections.leadership.policy import Policy, RespectTime
from services.projections.leadership.signals import Principle
from services.projections.positions import Positions
from services.projections.projector import Fenced, Sizes
from services.projections.rebuild import Counts, Move, Progress, Source, plan, rebuild
from services.projections.stores import LIVE, Stores, area_of
from services.projections.tables import acts, generations, signals
from services.projections.verify import AREA, verify
from tests.projections.fold_world import FoldWorld, contents, drain
from tests.projections.made_up import START, record, stream


def _source(world: FoldWorld) -> Source:
    return Source(world.log.reader(), world.vault, world.rules, world.built, world.clock)


def _generations(world: FoldWorld) -> list[tuple[int, str]]:
    with reading(world.stores.control) as connection:
        query = select(generations.c.generation, generations.c.state).order_by(generations.c.generation)
        return [(row.generation, row.state) for row in connection.execute(query)]


def _areas(world: FoldWorld) -> set[str]:
    """The areas of models that exist."""
    names = [area_of(n) for n in range(9)] + [AREA]
    if world.stores.url.get_backend_name() == "sqlite":
        return {name for name in names if area_file(world.stores.url, name).exists()}
    with reading(world.stores.control) as connection:
        found = set(connection.scalars(text("SELECT schema_name FROM information_schema.schemata")))
    return {name for name in names if f"exemplar_{name}" in found}


@pytest.mark.parametrize("batch", [5, 1000])
def test_a_rebuild_gives_what_the_projector_gave(fold_world: FoldWorld, batch: int) -> None:
    """The rebuilt generation holds the same rows, is live afterwards, and tells how far it was."""
    fold_world.append(stream(7, 300))
    fold_world.fold(Sizes(batch, batch))
    before = contents(fold_world.stores.model())
    told: list[Progress] = []
    done = rebuild(fold_world.stores, _source(fold_world), told.append)
    assert contents(fold_world.stores.model()) == before
    assert _generations(fold_world) == [(1, "retired"), (2, "live")]
    assert (done.acts, done.moved, done.dead_letters_after) == (len(before["acts"]), 0, len(before["dead_letters"]))
    assert told[-1].total == 300
    assert told[0].seconds_left > 0
    fold_world.stores.sweep()
    assert _areas(fold_world) == {"model_2"}


@pytest.mark.parametrize("processes", [2, 5])
def test_helping_processes_build_the_same(fold_world: FoldWorld, processes: int) -> None:
    """Shared by processes, even by more than there are partitions, a rebuild gives the same rows and verifies."""
    fold_world.append(stream(7, 300))
    fold_world.fold()
    before = contents(fold_world.stores.model())
    source = _source(fold_world)._replace(help=fold_world.help(processes))
    told: list[Progress] = []
    done = rebuild(fold_world.stores, source, told.append)
    assert contents(fold_world.stores.model()) == before
    assert (done.acts, done.moved) == (len(before["acts"]), 0)
    assert told[-1].done <= told[-1].total == 300
    assert verify(fold_world.stores, source).equal
    assert not multiprocessing.active_children()


def test_a_helping_process_that_dies_leaves_the_live_model_as_it_was(fold_world: FoldWorld) -> None:
    """One that was killed ends the rebuild with what to think of, and nothing stays of it."""
    fold_world.append(stream(7, 300))
    fold_world.fold()
    before = contents(fold_world.stores.model())
    source = _source(fold_world)._replace(help=fold_world.help(2))

    def kill(progress: Progress) -> None:
        for helper in multiprocessing.active_children():
            helper.kill()

    with pytest.raises(Unavailable, match=r"exit code -9.*out of memory"):
        rebuild(fold_world.stores, source, kill)
    assert contents(fold_world.stores.model()) == before
    assert _areas(fold_world) == {"model_1"}


def test_what_a_helping_process_cannot_do_is_raised(fold_world: FoldWorld) -> None:
    """An error of a helping process ends the rebuild, as if it had come about here."""
    fold_world.append(stream(7, 30))
    fold_world.fold()
    source = _source(fold_world)._replace(help=fold_world.help(2)._replace(rules=_no_rules))
    with pytest.raises(Misconfigured, match="no rules today"):
        rebuild(fold_world.stores, source)
    assert _areas(fold_world) == {"model_1"}


def _no_rules() -> NoReturn:
    raise Misconfigured("no rules today")


def test_projectors_go_over_to_the_new_generation(fold_world: FoldWorld) -> None:
    """A projector of the retired generation commits nothing there, and goes on with the new one."""
    projector = fold_world.fold()
    fold_world.append(stream(3, 50))
    old = fold_world.stores.model()
    stale = fold_world.projector(model=lambda: old)  # does not notice the switch
    stale.take()
    rebuild(fold_world.stores, _source(fold_world))
    fold_world.append(stream(4, 50))
    with pytest.raises(Fenced):
        stale.step()
    drain(projector)
    assert sum(projector.status.positions.values()) == 100
    assert verify(fold_world.stores, _source(fold_world)).equal


class _FoldedMeanwhile:
    """A log of which the live model folds one act more whenever a rebuild finds nothing more to read, three times."""

    def __init__(self, world: FoldWorld) -> None:
        self._reader = world.log.reader()
        self._world = world
        self._live = world.projector()
        self._live.take()
        self._more = stream(8, 3)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def read(self, position: Position, limit: int, wait: float) -> list[Record]:
        records = self._reader.read(position, limit, wait)
        if not records and self._more:
            self._world.append([self._more.pop()])
            drain(self._live)
        return records


class _CutMeanwhile(_FoldedMeanwhile):
    """A log, of which a read ends the transactions that stand still, once there was nothing more to read."""

    def read(self, position: Position, limit: int, wait: float) -> list[Record]:
        if len(self._more) < 3:
            ending = select(func.pg_terminate_backend(column("pid"))).select_from(text("pg_stat_activity"))
            with reading(self._world.stores.control) as connection:
                idle = "datname = current_database() AND state = 'idle in transaction' AND pid <> pg_backend_pid()"
                connection.execute(ending.where(text(f"{idle} AND query LIKE '%FOR UPDATE%'")))
        return super().read(position, limit, wait)


@pytest.mark.postgres
def test_a_rebuild_that_could_not_keep_others_still_switches_nothing(fresh_postgres_world: FoldWorld) -> None:
    """Where the old generation may have gone on meanwhile, it stays the live one."""
    world = fresh_postgres_world
    world.append(stream(7, 100))
    world.fold()
    with pytest.raises(Unavailable):
        rebuild(world.stores, _source(world)._replace(log=_CutMeanwhile(world)))
    assert _generations(world) == [(1, LIVE)]
    assert _areas(world) == {"model_1"}


def test_what_was_folded_before_a_switch_is_folded_after_it(fold_world: FoldWorld) -> None:
    """The new generation is never behind the old one: whoever had waited for a position finds it there."""
    fold_world.append(stream(7, 100))
    fold_world.fold()
    old = fold_world.stores.model()
    rebuild(fold_world.stores, _source(fold_world)._replace(log=_FoldedMeanwhile(fold_world)))
    assert contents(fold_world.stores.model()) == contents(old)
    assert len(contents(old)["acts"]) > 90


def test_a_partition_that_goes_on_during_a_rebuild_is_folded_on_too(fold_world: FoldWorld) -> None:
    """What was halted when the rebuild began, and is not any more at the switch, is where the old model has it."""
    fold_world.append([NewRecord("customer-1", b"{")] * 55 + stream(3, 50))
    fold_world.fold()
    old = fold_world.stores.model()

    def go_on(progress: Progress) -> None:
        resume(fold_world.stores)
        fold_world.fold()

    rebuild(fold_world.stores, _source(fold_world), go_on)
    assert contents(fold_world.stores.model()) == contents(old)
    assert sum(offset for _, offset in contents(old)["positions"]) == 105


def test_a_log_that_lost_its_end_is_rebuilt_without_it(fold_world: FoldWorld) -> None:
    """It is what a rebuild is for then; who waits for what is lost is not told that it is there."""
    last = fold_world.append(stream(7, 100))[-1]
    fold_world.fold()
    positions = Positions(fold_world.stores.model)
    assert positions.wait_until({last.partition: last.offset}, 0)
    fold_world.lose_from(last)
    rebuild(fold_world.stores, _source(fold_world))
    assert not positions.wait_until({last.partition: last.offset}, 0)
    assert verify(fold_world.stores, _source(fold_world)).equal


class _SweptMeanwhile(Stores):
    """Stores beside which another process starts, and sweeps, whenever an engine is asked for."""

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.swept: list[int] = []

    def engine(self, generation: int) -> Engine:
        other = Stores(self.url)
        self.swept += other.sweep()
        other.close()
        return super().engine(generation)


@pytest.mark.postgres
def test_a_start_elsewhere_sweeps_nothing_that_a_rebuild_still_reads(fresh_postgres_world: FoldWorld) -> None:
    """The old generation is there until the rebuild has told whose scores moved."""
    fresh_postgres_world.append(stream(7, 100))
    fresh_postgres_world.fold()
    with closing(_SweptMeanwhile(fresh_postgres_world.stores.url)) as stores:
        assert rebuild(stores, _source(fresh_postgres_world)).moved == 0
        assert stores.swept == []
        stores.engine(stores.live())
        assert stores.swept == [1]


def test_a_plan_says_what_a_rebuild_would_do(fold_world: FoldWorld) -> None:
    """Before anything is done: records, policies, and the time by the rate of the last rebuild."""
    fold_world.append(stream(7, 40))
    fold_world.fold()
    first = plan(fold_world.stores, _source(fold_world))
    assert (first.records, first.policy_before, first.catalogue_changed) == (
        40,
        fold_world.rules.policy.identity,
        False,
    )
    rebuild(fold_world.stores, _source(fold_world))
    assert plan(fold_world.stores, _source(fold_world)).seconds != first.seconds


def test_another_policy_comes_by_a_rebuild_that_tells_whose_scores_moved(fold_world: FoldWorld) -> None:
    """A model of another policy is refused, rebuilt under it, and the report names who is judged otherwise."""
    meeting: dict[str, Any] = {"asked_minutes": 30, "actual_minutes": 40, "channel": "call", "purpose": "explore"}
    fold_world.append([record("customer-1", "m-1", "meeting.held", START, rep="rep-1", **meeting)])
    fold_world.fold()
    patient = Policy(name="patient", respect_time=RespectTime(overrun_minutes=15))
    fold_world.rules = fold_world.rules._replace(policy=patient)
    with pytest.raises(Misconfigured, match="exemplar rebuild"):
        fold_world.projector().take()
    done = rebuild(fold_world.stores, _source(fold_world))
    assert done.moves == [Move("rep-1", Principle.RESPECT_TIME, Counts(0, 1), Counts(1, 0))]
    fold_world.fold()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_rebuild_that_fails_leaves_the_live_model_as_it_was(
    fold_world: FoldWorld, error: type[BaseException]
) -> None:
    """A failed or cancelled rebuild removes what it built; the live model is the same."""
    fold_world.append(stream(7, 100))
    fold_world.fold()
    before = contents(fold_world.stores.model())

    def cancel(progress: Progress) -> NoReturn:
        raise error

    with pytest.raises(error):
        rebuild(fold_world.stores, _source(fold_world), cancel)
    assert contents(fold_world.stores.model()) == before
    assert _generations(fold_world) == [(1, "live")]
    assert _areas(fold_world) == {"model_1"}


def test_a_rebuild_from_another_log_is_refused(fold_world: FoldWorld) -> None:
    """A log that was lost and begun anew does not replace what was folded from the one before."""
    fold_world.append(stream(7, 100))
    fold_world.fold()
    before = contents(fold_world.stores.model())
    source = _source(fold_world)
    other = source._replace(built=source.built._replace(log_id="another"))
    for refused in (plan, rebuild):
        with pytest.raises(Corrupt, match="put that log back"):
            refused(fold_world.stores, other)
    assert contents(fold_world.stores.model()) == before


def test_a_log_that_has_lost_its_beginning_rebuilds_nothing(fold_world: FoldWorld) -> None:
    """Neither is the live model replaced by one with less in it, nor is it said to be wrong."""
    fold_world.append(stream(7, 100))
    fold_world.fold()
    fold_world.lose_before(fold_world.append(stream(8, 1))[0])
    fold_world.fold()
    before = contents(fold_world.stores.model())
    for refused in (plan, rebuild, verify):
        with pytest.raises(Corrupt, match=r"begins at \d+, and is to be read from 0"):
            refused(fold_world.stores, _source(fold_world))
    assert contents(fold_world.stores.model()) == before
    assert _areas(fold_world) == {"model_1"}


def test_a_model_that_was_removed_is_folded_anew(fold_world: FoldWorld) -> None:
    """Removing the area of the live model is the way to have it made anew; nothing else is lost."""
    fold_world.append(stream(7, 100))
    fold_world.fold()
    before = contents(fold_world.stores.model())
    fold_world.stores.close()
    drop_area(fold_world.stores.url, area_of(1))
    fold_world.stores.migrate(fold_world.built, 0)
    fold_world.fold()
    assert contents(fold_world.stores.model()) == before


def test_leftovers_of_a_killed_rebuild_are_removed_at_the_next_start(fold_world: FoldWorld) -> None:
    """A generation that was being built when its process died is dropped by the next sweep."""
    fold_world.stores.begin(fold_world.built, 0)
    assert _areas(fold_world) == {"model_1", "model_2"}
    assert fold_world.stores.sweep() == [2]
    assert _areas(fold_world) == {"model_1"}
    assert _generations(fold_world) == [(1, LIVE)]


@pytest.mark.postgres
def test_two_rebuilds_at_once_are_refused(fresh_postgres_world: FoldWorld) -> None:
    """The second rebuild of a PostgreSQL model is refused while the first runs, and sweeps nothing away."""
    other = fresh_postgres_world.stores.begin(fresh_postgres_world.built, 0)
    with fresh_postgres_world.stores.rebuilding(), pytest.raises(Conflict, match="running already"):
        rebuild(fresh_postgres_world.stores, _source(fresh_postgres_world))
    assert (other, "building") in _generations(fresh_postgres_world)


@pytest.mark.postgres
def test_who_rebuilds_may_lose_the_connection_of_the_lock(fresh_postgres_world: FoldWorld) -> None:
    """The lock is gone with its connection: that is no failure of what was done under it."""
    stores = fresh_postgres_world.stores
    others = select(func.pg_terminate_backend(column("pid"))).select_from(text("pg_stat_activity"))
    with stores.rebuilding(), reading(stores.model()) as connection:
        connection.execute(others.where(text("datname = current_database() AND pid <> pg_backend_pid()")))
    with stores.rebuilding():
        pass


def test_a_rebuild_keeps_a_halt(fold_world: FoldWorld) -> None:
    """A partition that is halted stays so, and what lies behind stays unread, until somebody deals with it."""
    fold_world.append([NewRecord("customer-1", b"{")] * 55 + stream(3, 50))
    halted = fold_world.fold().status
    assert halted.halted
    rebuild(fold_world.stores, _source(fold_world))
    again = fold_world.fold().status
    assert (again.halted, again.positions) == (halted.halted, halted.positions)


def test_verify_finds_what_is_not_as_the_log_says(fold_world: FoldWorld) -> None:
    """A row changed, missing or made up is named; nothing stays of the model that was folded aside."""
    fold_world.append(stream(7, 200))
    fold_world.fold(Sizes(13, 13))
    good = verify(fold_world.stores, _source(fold_world))
    assert good.equal
    assert good.rows > 200
    with writing(fold_world.stores.model()) as connection:
        first = connection.scalar(select(signals.c.id).order_by(signals.c.id))
        connection.execute(signals.delete().where(signals.c.id == first))
        place = connection.execute(select(acts.c.partition, acts.c.log_offset).limit(1)).one()
        this = (acts.c.partition == place.partition) & (acts.c.log_offset == place.log_offset)
        connection.execute(acts.update().where(this).values(rep="somebody else"))
    bad = verify(fold_world.stores, _source(fold_world))
    assert (bad.equal, bad.different) == (False, 2)
    assert [(one.table, one.key) for one in bad.differences] == [("acts", tuple(place)), ("signals", (first,))]
    assert bad.differences[1].found is None
    assert _areas(fold_world) == {"model_1"}


def test_verify_looks_no_further_than_the_model(fold_world: FoldWorld) -> None:
    """What the log took in since then is no difference."""
    fold_world.append(stream(7, 60))
    fold_world.fold()
    fold_world.append(stream(8, 60))
    assert verify(fold_world.stores, _source(fold_world)).equal

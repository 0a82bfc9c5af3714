"""The projector: every batch in one transaction, each act once, the unreadable aside."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import event, func, select
from structlog.testing import capture_logs

from services.events.catalog.acts import ACTS
from services.events.catalog.envelope import Catalogue
from services.events.log.partitioning import partition_for
from services.events.log.protocol import NewRecord
from services.kit.database import reading
from services.kit.errors import Corrupt, Misconfigured, Unavailable
from services.projections.applying import Rules
from services.projections.dead_letters import trace as trace_of
from services.projections.leadership.policy import DEFAULT_POLICY, FollowThrough, Policy
from services.projections.positions import Positions
from services.projections.projector import Commit, Fenced, Sizes
from services.projections.rebuild import Source
from services.projections.stores import built_on
from services.projections.tables import acts, dead_letters, names, partitions, signals
from services.projections.verify import verify
from tests.projections.fold_world import PARTITIONS, FoldWorld, contents, drain
from tests.projections.made_up import START, record, stream
from tests.waiting import wait_until

MINUTE = 60_000_000


@pytest.fixture
def world(fold_world: FoldWorld) -> FoldWorld:
    """The world of each dialect."""
    return fold_world


def _urgency(number: int, customer: str = "customer-1") -> NewRecord:
    return record(customer, f"u-{number}", "urgency.pressed", START + number * MINUTE, rep="rep-1", tactic="guilt")


def _count(world: FoldWorld, table: object) -> int:
    with reading(world.stores.model()) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]  # any table


def test_acts_become_signals_with_evidence(world: FoldWorld) -> None:
    """A folded act is stored as the log has it, and its signal leads back to it by its offset."""
    places = world.append([_urgency(1)])
    world.fold()
    with reading(world.stores.model()) as connection:
        act = connection.execute(select(acts)).one()
        signal = connection.execute(select(signals)).one()
    assert (act.partition, act.log_offset, act.recorded_us) == tuple(places[0])
    assert act.record == _urgency(1).value
    assert (signal.person, signal.customer, signal.reason, signal.verdict) == ("rep-1", "customer-1", "pressed", 0)
    assert (signal.partition, signal.evidence) == (places[0].partition, f"[{places[0].offset}]")


@pytest.mark.parametrize(("batch", "catch_up", "read"), [(4, 4, 4), (7, 100, 20), (300, 300, 300)])
def test_the_cut_into_batches_changes_nothing(world: FoldWorld, batch: int, catch_up: int, read: int) -> None:
    """Folding in any cuts, far behind or not, gives the rows that folding all at once gives."""
    world.append(stream(5, 300))
    world.fold(Sizes(batch, catch_up, read=read))
    cut = contents(world.stores.model())
    at_once = world.stores.begin(world.built, world.clock())
    world.stores.switch(at_once, 0)
    world.fold()
    assert contents(world.stores.model()) == cut
    assert cut["signals"]
    assert cut["memberships"]
    assert cut["standards"]
    assert cut["dead_letters"]


def test_copies_count_once_and_contradictions_are_kept_aside(world: FoldWorld) -> None:
    """A copy is dropped; the same key with other content is a dead letter with both places, in or across batches."""
    other = record("customer-1", "u-1", "urgency.pressed", START + 9 * MINUTE, rep="rep-1", tactic="guilt")
    places = world.append([_urgency(1), _urgency(1), other])
    projector = world.fold()
    places += world.append([_urgency(1), other])
    drain(projector)
    assert _count(world, acts) == 1
    assert (projector.status.acts, projector.status.duplicates, projector.status.conflicts) == (1, 2, 2)
    with reading(world.stores.model()) as connection:
        letters = connection.execute(select(dead_letters).order_by(dead_letters.c.log_offset)).all()
    assert [(row.kind, row.log_offset, row.first_offset) for row in letters] == [
        ("conflict", places[2].offset, places[0].offset),
        ("conflict", places[4].offset, places[0].offset),
    ]


def test_a_retraction_takes_its_signals_away(world: FoldWorld) -> None:
    """A retraction that comes later removes the signals and marks the act; the act stays."""
    world.append([_urgency(1), _urgency(2)])
    projector = world.fold()
    slip = {"retracts_source": "crm", "retracts_id": "u-1", "reason": "a slip", "by": "rep-1"}
    world.append([record("customer-1", "r-1", "act.retracted", START, **slip)])
    drain(projector)
    assert _count(world, signals) == 1
    with reading(world.stores.model()) as connection:
        marked = connection.scalars(select(acts.c.act_id).where(acts.c.retracted)).all()
    assert marked == ["u-1"]


def test_the_unreadable_goes_to_the_dead_letters(world: FoldWorld) -> None:
    """What nobody can read is kept with place, bytes and reason, and with whose it is where that shows."""
    strange = record("customer-1", "x\u0000", "contact.imagined", START, source="crm", rep="rep-1")
    world.append([NewRecord("customer-1", b"{"), strange, _urgency(1)])
    world.fold()
    with reading(world.stores.model()) as connection:
        broken, unknown = connection.execute(select(dead_letters).order_by(dead_letters.c.log_offset)).all()
    assert (broken.kind, broken.record, broken.source) == ("unreadable", b"{", None)
    assert (unknown.source, unknown.subject, unknown.record) == ("crm", "customer-1", strange.value)
    assert _count(world, acts) == 1


def test_dead_letters_are_told_with_their_trace(world: FoldWorld) -> None:
    """Each is told by its place and the trace of its post, the first twenty of a batch; what is no trace is not."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    other = record("customer-1", "u-1", "urgency.pressed", START, rep="rep-9", tactic="guilt")
    unreadable, places = NewRecord("customer-1", b"{", [("traceparent", b"made up\n")]), []
    places += world.append([_urgency(1), other._replace(headers=[("x", b"y"), ("traceparent", trace.encode())])])
    places += world.append([unreadable] * 25)
    with capture_logs() as told:
        world.fold()
    each = [(e["partition"], e["offset"], e["trace"]) for e in told if e["event"] == "a record is a dead letter"]
    expected = [trace, *[None] * 19]
    assert each == [(p.partition, p.offset, said) for p, said in zip(places[1:21], expected, strict=True)]
    assert [e["records"] for e in told if "more records" in e["event"]] == [6]
    where = (places[1].partition, places[1].offset)
    assert trace_of(world.log.reader(), *where) == trace
    assert trace_of(world.log.reader(), where[0], 99) is None


def test_more_than_fifty_unreadable_in_a_row_halt_their_partition(world: FoldWorld) -> None:
    """The 51st halts the partition, also over batches and restarts; conflicts do not count; the others go on."""
    world.append([NewRecord("customer-1", b"{")] * 30)
    projector = world.fold(Sizes(batch=20, catch_up=20))
    world.append([NewRecord("customer-1", b"{")] * 21 + [_urgency(1)])
    drain(projector)
    assert next(iter((projector.status.halted or {}).values())).startswith("51 unreadable records in a row")
    taken = partition_for("customer-1", PARTITIONS)
    other = next(c for c in map("customer-{}".format, range(99)) if partition_for(c, PARTITIONS) != taken)
    world.append([_urgency(3, other)])
    again = world.fold()
    assert again.status.halted
    assert again.status.waiting == 1
    assert (_count(world, acts), _count(world, dead_letters)) == (1, 51)


def test_a_readable_record_ends_the_row(world: FoldWorld) -> None:
    """Fifty unreadable records, one that can be read, and fifty more do not halt."""
    bad = [NewRecord("customer-1", b"{")] * 50
    world.append([*bad, _urgency(1), *bad])
    assert not world.fold().status.halted


def test_who_was_replaced_commits_nothing(world: FoldWorld) -> None:
    """A second projector takes the partitions; the first one's next commit is refused and leaves no trace."""
    first = world.fold()
    second = world.fold()
    world.append([_urgency(1)])
    with pytest.raises(Fenced):
        first.step()
    assert _count(world, acts) == 0
    drain(second)
    assert _count(world, acts) == 1


def test_projectors_share_the_partitions(world: FoldWorld) -> None:
    """Two projectors fold their own partitions at the same time, and together give what one alone gives."""
    stop = Event()
    both = [world.projector(Sizes(20, 20)), world.projector(Sizes(20, 20))]
    both[0].take([0])
    both[1].take(range(1, PARTITIONS))
    threads = [Thread(target=projector.run, args=(stop,)) for projector in both]
    for thread in threads:
        thread.start()
    positions = Positions(world.stores.model)
    world.append(stream(17, 600))
    highest = {p: end - 1 for p, end in world.log.reader().ends().items()}
    assert positions.wait_until(highest, 60)
    stop.set()
    for thread in threads:
        thread.join()
    assert [projector.status.failure for projector in both] == [None, None]
    source = Source(world.log.reader(), world.vault, world.rules, world.built, world.clock)
    assert verify(world.stores, source).equal


def test_a_batch_under_way_is_rolled_back_at_a_stop(world: FoldWorld) -> None:
    """A stop in the middle of a batch ends the fold at once and leaves the batch for the next start."""
    stop = Event()
    projector = world.projector(at_step=lambda step: stop.set() if step == "begun" else None)
    world.append(stream(5, 30))
    projector.run(stop)
    assert _count(world, acts) == 0
    assert world.fold().status.acts > 0


def test_the_unavailable_is_tried_again(world: FoldWorld) -> None:
    """While the vault is away nothing is committed or dead-lettered; once it is back the same batch is folded."""
    projector = world.projector()
    projector.take()
    world.append([record("gone-1", "e-1", "person.erased", START, by="leader-1", reason="asked")])
    world.vault.away = True
    with pytest.raises(Unavailable):
        projector.step()
    assert (_count(world, acts), _count(world, dead_letters)) == (0, 0)
    world.vault.away = False
    drain(projector)
    assert (_count(world, acts), world.vault.destroyed) == (1, {"gone-1"})


def test_a_running_fold_goes_on_when_the_unavailable_is_back(world: FoldWorld) -> None:
    """The loop waits for a vault that is away, says so, and folds what waited once it is back, with nobody's help."""
    stop = Event()
    world.vault.away = True
    projector = world.projector()
    place = world.append([record("gone-1", "e-1", "person.erased", START, by="leader-1", reason="asked")])[0]
    thread = Thread(target=projector.run, args=(stop,))
    thread.start()
    try:
        assert world.vault.refused.wait(60)
        wait_until(lambda: projector.status.unavailable is not None)
        world.vault.away = False
        assert Positions(world.stores.model).wait_until({place.partition: place.offset}, 60)
        wait_until(lambda: projector.status.unavailable is None)
    finally:
        stop.set()
        thread.join()
    assert projector.status.failure is None


def test_erasures_are_repeated_at_each_start(world: FoldWorld) -> None:
    """A vault that came back from a backup loses the keys of the erased again."""
    world.append([record("gone-1", "e-1", "person.erased", START, by="leader-1", reason="asked")])
    world.fold()
    world.vault.destroyed.clear()
    world.projector().take()
    assert world.vault.destroyed == {"gone-1"}


def test_statements_do_not_grow_with_the_batch(world: FoldWorld) -> None:
    """A batch of 600 acts of 60 customers takes as many statements as one of 60 acts of 6."""
    counts = []
    for customers, count in ((6, 60), (60, 600)):
        world.append([_urgency(n, f"customer-{customers}-{n % customers}") for n in range(count)])
        projector = world.projector()
        projector.take()
        counts.append(_statements_of(world, projector.step))
    assert counts[0] == counts[1] < 25


def _statements_of(world: FoldWorld, action: Callable[[], object]) -> int:
    seen: list[str] = []

    def listener(*args: Any) -> None:
        seen.append(args[2])

    event.listen(world.stores.model(), "before_cursor_execute", listener)
    action()
    event.remove(world.stores.model(), "before_cursor_execute", listener)
    return len(seen)


def test_another_log_or_policy_is_refused(world: FoldWorld) -> None:
    """A model built on another log halts as corrupt; under another policy it asks for a rebuild."""
    with pytest.raises(Corrupt, match="not the one"):
        world.stores.migrate(world.built._replace(log_id="another"), 0)
    with pytest.raises(Corrupt, match="partitions"):
        world.stores.migrate(world.built._replace(partitions=4), 0)
    strict = Policy(name="strict", follow_through=FollowThrough(touches_at_least=6))
    with pytest.raises(Misconfigured, match=r"EXEMPLAR_POLICY_FILE.*exemplar rebuild"):
        world.stores.migrate(built_on(world.log.identity, strict.identity, Catalogue()), 0)


def test_a_truncated_log_halts_the_fold(world: FoldWorld) -> None:
    """A log that ends before what was folded is never read from its start again."""
    world.append([_urgency(1)])
    world.fold()
    with world.stores.model().begin() as connection:
        connection.execute(partitions.update().values(next_offset=99))
    with pytest.raises(Corrupt, match="records are missing"):
        world.projector().take()


def test_a_log_that_has_lost_its_beginning_is_not_begun_behind_it(world: FoldWorld) -> None:
    """What was to be read next and is gone halts the fold; who is past it goes on, and hears that it matters."""
    last = world.append([_urgency(n) for n in range(5)])[-1]
    world.fold()
    folded = contents(world.stores.model())
    world.lose_before(last)
    with capture_logs() as told:
        world.fold()
    assert [each["beginnings"] for each in told if "lost its beginning" in each["event"]] == [{last.partition: 4}]
    assert contents(world.stores.model()) == folded
    world.stores.switch(world.stores.begin(world.built, world.clock()), world.clock())
    with pytest.raises(Corrupt, match="begins at 4, and is to be read from 0"):
        world.projector().take()


def test_waiting_for_a_position(world: FoldWorld) -> None:
    """Who waits for a position is woken once it is folded, here or by another process, or when the time is over."""
    commits: list[Commit] = []
    here, elsewhere = Positions(world.stores.model), Positions(world.stores.model)

    def committed(commit: Commit) -> None:
        commits.append(commit)
        here.committed(commit)

    projector = world.projector(on_commit=committed)
    stop = Event()
    place = world.append([_urgency(1)])[0]
    assert not here.wait_until({place.partition: place.offset}, 0.0)
    thread = Thread(target=projector.run, args=(stop,))
    thread.start()
    try:
        assert here.wait_until({place.partition: place.offset}, 60)
        assert elsewhere.wait_until({place.partition: place.offset}, 60)
        assert not elsewhere.wait_until({place.partition: place.offset + 1}, 0.01)
    finally:
        stop.set()
        thread.join()
    assert commits[0].change.persons == {"rep-1"}


def test_lag_is_nothing_when_nothing_waits(world: FoldWorld) -> None:
    """The lag counts from when the log took the last folded act in, and is 0 at the end of the log."""
    world.append([_urgency(n) for n in range(3)])
    world.clock.advance(5_000_000)
    projector = world.projector(Sizes(batch=1, catch_up=1))
    projector.take()
    projector.step()
    assert (projector.status.lag_seconds, projector.status.waiting) == (5.0, 2)
    drain(projector)
    assert (projector.status.lag_seconds, projector.status.waiting) == (0.0, 0)


def test_a_name_that_goes_away_leaves_the_earlier_one(world: FoldWorld) -> None:
    """The place of the latest act that names a customer is kept, and falls back when that act is retracted."""
    world.append([record("customer-1", f"k-{n}", "customer.known", START + n, name="c2VhbGVk") for n in (1, 2)])
    projector = world.fold()
    slip = {"retracts_source": "crm", "retracts_id": "k-2", "reason": "a slip", "by": "rep-1"}
    with reading(world.stores.model()) as connection:
        assert connection.scalars(select(names.c.time_us)).all() == [START + 2]
    world.append([record("customer-1", "r-1", "act.retracted", START, **slip)])
    drain(projector)
    with reading(world.stores.model()) as connection:
        assert connection.scalars(select(names.c.time_us)).all() == [START + 1]


def test_a_smaller_catalogue_dead_letters_what_it_does_not_know(world: FoldWorld) -> None:
    """An act of a type that this version does not know yet is kept aside with its identity."""
    small = Rules(Catalogue([model for model in ACTS if model.__name__ != "UrgencyPressed"]), DEFAULT_POLICY)
    world.append([_urgency(1)])
    projector = world.projector(rules=small)
    projector.take()
    drain(projector)
    with reading(world.stores.model()) as connection:
        letter = connection.execute(select(dead_letters)).one()
    assert (letter.kind, letter.source, letter.act_id, letter.subject) == ("unreadable", "crm", "u-1", "customer-1")

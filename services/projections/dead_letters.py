"""The records that could not be folded: looking at them, trying them again, and letting a halted partition go on.

A dead letter is unreadable (by the catalogue of the version that met it) or a conflict (another act of its key came
first in the log and counts). Nothing is ever thrown away: a rebuild finds each of them again.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, Engine, and_, bindparam, delete, func, or_, select, update

from services.events.catalog.envelope import Act
from services.events.leaves import Leaf, add_leaves
from services.events.log.protocol import LogReader, Place, Record
from services.events.trace import trace_of_record
from services.events.vault.protocol import Vault
from services.kit.database import end_if_hung, reading, writing
from services.kit.errors import Conflict, Invalid, NotFound
from services.projections.applying import (
    CONFLICT,
    ERASED,
    UNREADABLE,
    Arrival,
    Rules,
    destroy_keys,
    enter,
    keep,
    refold,
    stored_act,
)
from services.projections.changes import announce, changed
from services.projections.leadership.folding import named
from services.projections.stores import Stores
from services.projections.tables import acts, dead_letters, entities, partitions

ALONE_SECONDS = 300.0  # who hangs while all projectors wait is given up after so long
_ROWS_AT_ONCE = 1_000


class DeadLetter(NamedTuple):
    """A dead letter. `recorded_at` in microseconds; `first_offset`: of a conflict, where the act that counts is."""

    partition: int
    offset: int
    recorded_at: int
    kind: str
    key: str | None
    record: bytes
    reason: str
    source: str | None
    act_id: str | None
    subject: str | None
    first_offset: int | None


class Counts(NamedTuple):
    """How many dead letters there are of each kind."""

    unreadable: int
    conflicts: int


class Retried(NamedTuple):
    """How many of the unreadable were folded, were copies, are conflicts now, or still cannot be read.

    Copies and conflicts include acts that had counted until an earlier one of their key could be read.
    """

    folded: int
    duplicates: int
    conflicts: int
    unreadable: int


def count(engine: Engine) -> Counts:
    """How many there are."""
    with reading(engine) as connection:
        query = select(dead_letters.c.kind, func.count()).group_by(dead_letters.c.kind)
        found: dict[str, int] = {row.kind: row[1] for row in connection.execute(query)}
    return Counts(found.get(UNREADABLE, 0), found.get(CONFLICT, 0))


def page(engine: Engine, first: int, after: tuple[int, int] | None = None) -> Sequence[DeadLetter]:
    """At most `first` dead letters in the order of the log, those behind `after` (partition, offset)."""
    query = select(dead_letters).order_by(dead_letters.c.partition, dead_letters.c.log_offset).limit(first)
    if after is not None:
        behind = dead_letters.c.log_offset > after[1]
        query = query.where(
            or_(dead_letters.c.partition > after[0], and_(dead_letters.c.partition == after[0], behind))
        )
    with reading(engine) as connection:
        return [DeadLetter(*row) for row in connection.execute(query)]


def show(engine: Engine, partition: int, offset: int) -> DeadLetter:
    """The dead letter at a place of the log. Raises NotFound."""
    here = (dead_letters.c.partition == partition) & (dead_letters.c.log_offset == offset)
    with reading(engine) as connection:
        row = connection.execute(select(dead_letters).where(here)).first()
    if row is None:
        raise NotFound(f"there is no dead letter at partition {partition}, offset {offset}")
    return DeadLetter(*row)


def trace(log: LogReader, partition: int, offset: int) -> str | None:
    """Of which trace the post was a part that the record at a place of the log came by. Raises Unavailable."""
    records = log.read({partition: offset}, 1, 0.0)
    return trace_of_record(records[0].headers) if records and records[0].place.offset == offset else None


def readable(engine: Engine, rules: Rules) -> int:
    """How many of the unreadable a retry would read now."""
    with reading(engine) as connection:
        return len(_readable(connection, rules))


def retry(stores: Stores, log: LogReader, vault: Vault, rules: Rules, now: int) -> Retried:
    """Read the unreadable again by the current catalogue, and fold those that can be read, in one transaction.

    Safe beside running projectors, which are kept from committing meanwhile. A halted partition that has no unreadable
    dead letter left goes on. The audit tree is told of it, as of `now` (microseconds). Raises Conflict where a rebuild
    has just switched to another model.
    """
    with _alone(stores) as connection:
        arrivals = _readable(connection, rules)
        _remove(connection, [arrival.place for arrival in arrivals])
        replaced = _make_room(connection, arrivals, log, rules)
        kept = keep(connection, [*arrivals, *replaced.arrivals], rules)
        enter(connection, kept.named)
        _forget_entities(connection, replaced.acts, rules)
        touched = refold(connection, {arrival.act.subject for arrival in kept.new}, rules)
        erased = {arrival.act.subject for arrival in kept.new if arrival.act.name == ERASED}
        announce(connection, changed(touched.persons | erased, touched.teams))
        destroy_keys(vault, erased)
        _release(connection)
        left = select(func.count()).select_from(dead_letters).where(dead_letters.c.kind == UNREADABLE)
        still = connection.scalar(left) or 0
        done = Retried(len(kept.new), kept.duplicates, len(kept.conflicts), still)
        with writing(stores.control) as control:  # before the commit: no retry is without its leaf
            add_leaves(control, [Leaf("dead-letters.retried", now, None, [], done._asdict())])
    return done


def resume(stores: Stores, which: Collection[int] | None = None) -> list[int]:
    """Let halted partitions, all by default, go on behind what halted them; says which did. Raises as `retry` does."""
    halted = partitions.c.halted_because.is_not(None)
    with _alone(stores) as connection:
        found = list(connection.scalars(select(partitions.c.partition).where(halted)))
        going_on = sorted(p for p in found if which is None or p in which)
        if going_on:
            _let_go_on(connection, going_on)
    return going_on


@contextmanager
def _alone(stores: Stores) -> Iterator[Connection]:
    """A transaction on the live model, to which no projector commits meanwhile, in whatever partition.

    All of them, since an entity that no act names any more may be named by one of another partition.
    """
    engine = stores.model()
    with writing(engine) as connection:
        end_if_hung(connection, ALONE_SECONDS)
        connection.execute(select(partitions.c.partition).order_by(partitions.c.partition).with_for_update()).all()
        stores.look_again()
        if stores.model() is not engine:
            raise Conflict("a rebuild has just made another model the live one: do it again")
        yield connection


# ---- retrying ----


class _Replaced(NamedTuple):
    """Acts that no longer count since an earlier one can be read now, and what the log has of their keys since then."""

    acts: list[Act]
    arrivals: list[Arrival]


def _readable(connection: Connection, rules: Rules) -> list[Arrival]:
    """The unreadable that the catalogue can read now, in the order of the log."""
    columns = (dead_letters.c.partition, dead_letters.c.log_offset, dead_letters.c.recorded_us, dead_letters.c.record)
    query = select(*columns).where(dead_letters.c.kind == UNREADABLE).order_by(*dead_letters.primary_key)
    found = []
    for partition, offset, recorded_at, record in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)):
        try:
            act = rules.catalogue.decode_record(record)
        except Invalid:
            continue
        found.append(Arrival(Place(partition, offset, recorded_at), record, act))
    return found


def _make_room(connection: Connection, arrivals: Sequence[Arrival], log: LogReader, rules: Rules) -> _Replaced:
    """Take away the acts, and the conflicts with them, that stand behind an arrival of their key in the log.

    The first in the log counts, also when it is read last. What the log holds of such a key is taken anew, since copies
    of an act that no longer counts were dropped and may be conflicts now.
    """
    first: dict[tuple[str, str, str], Arrival] = {}
    for arrival in arrivals:
        first.setdefault(arrival.act.key, arrival)
    replaced = _Replaced([], [])
    for key, arrival in first.items():
        subject, source, act_id = key
        this = (acts.c.subject == subject) & (acts.c.source == source) & (acts.c.act_id == act_id)
        later = connection.execute(select(acts).where(this, acts.c.log_offset > arrival.place.offset)).first()
        if later is None:
            continue
        replaced.acts.append(stored_act(later.record, rules.catalogue))
        connection.execute(delete(acts).where(this))
        letters = dead_letters.c
        same = (letters.subject == subject) & (letters.source == source) & (letters.act_id == act_id)
        connection.execute(delete(dead_letters).where(same, letters.kind == CONFLICT))
        end = _next_offset(connection, arrival.place.partition)
        taken = {other.place for other in arrivals}
        found = (one for one in _of_key(log, arrival, end, rules) if one.place not in taken)
        replaced.arrivals.extend(found)
    return replaced


def _of_key(log: LogReader, arrival: Arrival, end: int, rules: Rules) -> list[Arrival]:
    """Every readable record of the arrival's key behind it, before the offset `end`."""
    partition, offset = arrival.place.partition, arrival.place.offset + 1
    found: list[Arrival] = []
    while offset < end and (records := log.read({partition: offset}, _ROWS_AT_ONCE, 0.0)):
        found.extend(one for record in records if record.place.offset < end and (one := _arrival(record, rules)))
        offset = records[-1].place.offset + 1
    return [one for one in found if one.act.key == arrival.act.key]


def _arrival(record: Record, rules: Rules) -> Arrival | None:
    try:
        return Arrival(record.place, record.value, rules.catalogue.decode_record(record.value))
    except Invalid:
        return None


def _forget_entities(connection: Connection, replaced: Sequence[Act], rules: Rules) -> None:
    """Drop the entities that only acts named which no longer count. It is rare, so it may read all acts."""
    doubtful = {entity for act in replaced for entity in named(act)}
    if not doubtful:
        return
    every = select(acts.c.record).execution_options(yield_per=_ROWS_AT_ONCE)
    for record in connection.scalars(every):
        doubtful.difference_update(named(stored_act(record, rules.catalogue)))
    gone = (entities.c.kind == bindparam("k")) & (entities.c.key == bindparam("v"))
    if doubtful:
        connection.execute(delete(entities).where(gone), [{"k": kind, "v": key} for kind, key in sorted(doubtful)])


def _remove(connection: Connection, places: Sequence[Place]) -> None:
    this = (dead_letters.c.partition == bindparam("p")) & (dead_letters.c.log_offset == bindparam("o"))
    if places:
        connection.execute(
            delete(dead_letters).where(this), [{"p": place.partition, "o": place.offset} for place in places]
        )


def _next_offset(connection: Connection, partition: int) -> int:
    found = connection.scalar(select(partitions.c.next_offset).where(partitions.c.partition == partition))
    return int(found or 0)


def _release(connection: Connection) -> None:
    """Let partitions go on that were halted and have no unreadable dead letter any more."""
    unreadable = select(dead_letters.c.partition).where(dead_letters.c.kind == UNREADABLE)
    query = select(partitions.c.partition).where(
        partitions.c.halted_because.is_not(None), partitions.c.partition.not_in(unreadable)
    )
    if free := list(connection.scalars(query)):
        _let_go_on(connection, free)


def _let_go_on(connection: Connection, which: Collection[int]) -> None:
    row = partitions.c.partition.in_(which)
    connection.execute(update(partitions).where(row).values(halted_because=None, unreadable_in_row=0))

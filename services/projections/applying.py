"""Taking acts into the model, within a transaction that the caller holds: keep the acts, then fold their subjects anew.

The projector does both for each batch; a rebuild keeps all acts first and then folds each subject once. Statements are
bulk ones: their number does not grow with the number of acts.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, func, insert, select, update

from services.events.catalog.acts import PUBLIC, UNATTRIBUTED, ActDisputed, ActRetracted
from services.events.catalog.envelope import ID_LENGTH, SOURCE_LENGTH, Act, Catalogue, same_content
from services.events.log.protocol import Place, Record
from services.events.vault.protocol import Vault
from services.kit.database import among, delete_rows, insert_missing, insert_rows
from services.kit.errors import Corrupt, Invalid
from services.projections.leadership import folding
from services.projections.leadership.dealings import Dealing, Decided
from services.projections.leadership.folding import Fold
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Signal
from services.projections.tables import (
    acts,
    dead_letters,
    dealings,
    decided,
    entities,
    memberships,
    names,
    signals,
    standards,
    teams,
)

# Acts of several subjects held in memory while these are folded, and bytes of their records; one subject may have more.
ACTS_AT_ONCE, BYTES_AT_ONCE = 5_000, 32 * 2**20
ERASED = "person.erased"
UNREADABLE, CONFLICT = "unreadable", "conflict"
_KEYS_AT_ONCE = 500

# What folding a subject writes, and the column of each table that holds the subject.
_DERIVED = (
    (signals, signals.c.subject),
    (memberships, memberships.c.team),
    (teams, teams.c.team),
    (standards, standards.c.leader),
    (names, names.c.subject),
    (dealings, dealings.c.subject),
    (decided, decided.c.subject),
)
# Columns that say whom a row is about.
_PERSONS = frozenset({"person", "leader", "rep", "first_rep"})
_TEAMS = frozenset({"team", "parent"})
_Row = tuple[Any, ...]
_Rows = dict[Table, set[_Row]]
_Flags = dict[bool, list[tuple[int, int]]]  # by what `retracted` should be, the acts of which it is not


class Rules(NamedTuple):
    """What turns records into figures: how to read them, and how to fold them under which policy."""

    catalogue: Catalogue
    policy: Policy
    fold: Callable[[str, Sequence[Act], Policy], Fold] = folding.fold


class Arrival(NamedTuple):
    """A record of the log that could be read."""

    place: Place
    value: bytes
    act: Act


class Kept(NamedTuple):
    """What became of arrivals: acts that were new, copies that were dropped, where acts contradict an earlier one.

    `named`: the entities that the new acts name, as (kind, key), still to be entered.
    """

    new: list[Arrival]
    duplicates: int
    conflicts: list[Place]
    named: set[tuple[str, str]]


class Touched(NamedTuple):
    """Whose figures may have changed."""

    persons: set[str]
    teams: set[str]


class Drawn(NamedTuple):
    """What a first fold gives: the rows of each table, by its name, and the places of the acts that are retracted."""

    rows: Mapping[str, Sequence[_Row]]
    retracted: Sequence[tuple[int, int]]


class _Folded(NamedTuple):
    """What subjects should have, signals without their ids, and the acts whose flag must change."""

    rows: _Rows
    flags: _Flags


class _Stored(NamedTuple):
    """An act of the model, as it is stored."""

    partition: int
    offset: int
    retracted: bool
    act: Act


# ---- keeping acts ----


def keep(connection: Connection, arrivals: Sequence[Arrival], rules: Rules) -> Kept:
    """Store the acts that are new. Of copies the first in the log counts; what contradicts it is a dead letter.

    Arrivals must lie behind every stored act of their key in the log.
    """
    if not arrivals:
        return Kept([], 0, [], set())
    first = _known(connection, {arrival.act.key for arrival in arrivals}, rules.catalogue)
    new: list[Arrival] = []
    conflicts: list[tuple[Arrival, int]] = []
    for arrival in sorted(arrivals, key=lambda arrival: arrival.place):
        offset, counting = first.setdefault(arrival.act.key, (arrival.place.offset, arrival.act))
        if counting is arrival.act:
            new.append(arrival)
        elif not same_content(counting, arrival.act, rules.catalogue.personal[counting.name]):
            conflicts.append((arrival, offset))
    if new:
        insert_rows(connection, acts, [_act_row(arrival) for arrival in new])
    if conflicts:
        connection.execute(insert(dead_letters), [_conflict(arrival, offset) for arrival, offset in conflicts])
    named = {entity for arrival in new for entity in folding.named(arrival.act)}
    duplicates = len(arrivals) - len(new) - len(conflicts)
    return Kept(new, duplicates, [arrival.place for arrival, _ in conflicts], named)


def enter(connection: Connection, named: Collection[tuple[str, str]]) -> None:
    """Have a row for each of these entities.

    Once a transaction and near its end: whoever enters the same ones waits for it, and sorted, none waits in a circle.
    """
    insert_missing(connection, entities, sorted(named))


def _known(
    connection: Connection, keys: Collection[tuple[str, str, str]], catalogue: Catalogue
) -> dict[tuple[str, str, str], tuple[int, Act]]:
    """Offset and act of those of the keys that are stored."""
    query = select(acts.c.log_offset, acts.c.record).where(
        among(connection, [acts.c.subject, acts.c.source, acts.c.act_id], keys)
    )
    found = ((offset, stored_act(record, catalogue)) for offset, record in connection.execute(query))
    return {act.key: (offset, act) for offset, act in found}


def pointed_at(act: Act) -> tuple[str, str, str] | None:
    """The subject, source and id of the act that this one disputes or retracts."""
    match act.data:
        case ActDisputed(disputes_source=source, disputes_id=act_id):
            return act.subject, source, act_id
        case ActRetracted(retracts_source=source, retracts_id=act_id):
            return act.subject, source, act_id
    return None


def reps_of(connection: Connection, wanted: Collection[tuple[str, str, str]]) -> set[str]:
    """Whose acts these are, by subject, source and id: their reps, and the subjects of those that have none."""
    if not wanted:
        return set()
    these = among(connection, [acts.c.subject, acts.c.source, acts.c.act_id], wanted)
    return {rep or subject for subject, rep in connection.execute(select(acts.c.subject, acts.c.rep).where(these))}


def stored_act(record: bytes, catalogue: Catalogue) -> Act:
    """An act that was readable when it was stored. Raises Corrupt if it no longer is."""
    try:
        return catalogue.decode_record(record)
    except Invalid as error:
        raise Corrupt(
            f"an act of the read model cannot be read any more ({error}): "
            "run the version of Exemplar that folded it, or `exemplar rebuild`"
        ) from error


def _act_row(arrival: Arrival) -> _Row:
    """The row of a new act, not known to be retracted; values in the order of the table's columns."""
    (partition, offset, recorded_at), value, act = arrival
    rep = getattr(act.data, "rep", None)
    return (partition, offset, act.subject, act.source, act.id, act.name, act.time, recorded_at, rep, False, value)


# ---- dead letters ----


def bury(connection: Connection, unreadable: Sequence[tuple[Record, str]]) -> None:
    """Keep records that cannot be read, each with the reason, as dead letters."""
    if unreadable:
        connection.execute(insert(dead_letters), [_unreadable(record, reason) for record, reason in unreadable])


def _unreadable(record: Record, reason: str) -> dict[str, Any]:
    return {
        "partition": record.place.partition,
        "log_offset": record.place.offset,
        "recorded_us": record.place.recorded_at,
        "kind": UNREADABLE,
        "key": None if record.key is None else _storable(record.key),
        "record": record.value,
        "reason": _storable(reason),
        "first_offset": None,
        **_identity(record.value),
    }


def _identity(value: bytes) -> dict[str, str | None]:
    """Source, id and subject of an event as far as they can be read."""
    try:
        event = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        event = None
    found: dict[str, str | None] = {}
    for column, attribute, most in (
        ("source", "source", SOURCE_LENGTH),
        ("act_id", "id", ID_LENGTH),
        ("subject", "subject", ID_LENGTH),
    ):
        text = event.get(attribute) if isinstance(event, dict) else None
        found[column] = _storable(text) if isinstance(text, str) and len(text) <= most else None
    return found


def _conflict(arrival: Arrival, first_offset: int) -> dict[str, Any]:
    act = arrival.act
    return {
        "partition": arrival.place.partition,
        "log_offset": arrival.place.offset,
        "recorded_us": arrival.place.recorded_at,
        "kind": CONFLICT,
        "key": act.subject,
        "record": arrival.value,
        "reason": f"it differs from the act of the same subject, source and id at offset {first_offset}, which counts",
        "source": act.source,
        "act_id": act.id,
        "subject": act.subject,
        "first_offset": first_offset,
    }


def _storable(text: str) -> str:
    """Text without what PostgreSQL cannot store: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


# ---- erasure ----


def destroy_keys(vault: Vault, persons: Collection[str]) -> None:
    """Destroy the keys of those who were erased; doing it again changes nothing. `public` is nobody and stays."""
    own = sorted(set(persons) - {PUBLIC, UNATTRIBUTED})
    for first in range(0, len(own), _KEYS_AT_ONCE):
        vault.destroy(own[first : first + _KEYS_AT_ONCE])


# ---- folding ----


def refold(
    connection: Connection,
    subjects: Collection[str],
    rules: Rules,
    decoded: Mapping[tuple[int, int], Act] | None = None,
    between: Callable[[], None] = lambda: None,
) -> Touched:
    """Fold these subjects anew from all their acts, and write what changed.

    `decoded` holds acts by (partition, offset) that need not be read again; `between` is called between some subjects
    and the next ones, and may raise.
    """
    touched = Touched(set(), set())
    for chunk in _chunks(connection, subjects):
        between()
        its_acts = among(connection, [acts.c.subject], [(subject,) for subject in chunk])
        folded = _fold(_load_acts(connection, its_acts, rules.catalogue, decoded or {}), rules)
        _write_flags(connection, folded.flags)
        _write_changes(connection, _load_derived(connection, chunk), folded.rows, touched)
    return touched


def first_fold(connection: Connection, first: str, last: str, rules: Rules) -> Drawn:
    """Fold the subjects from the first to the last one, of which nothing was folded yet. Writes nothing."""
    these = (acts.c.subject >= first) & (acts.c.subject <= last)
    folded = _fold(_load_acts(connection, these, rules.catalogue, {}), rules)
    return Drawn({table.name: _with_ids(table, rows) for table, rows in folded.rows.items()}, folded.flags[True])


def write_first(connection: Connection, drawn: Drawn) -> None:
    """Write what a first fold has drawn."""
    _write_flags(connection, {True: drawn.retracted})
    for table, _ in _DERIVED:
        insert_rows(connection, table, drawn.rows[table.name])


def _chunks(connection: Connection, subjects: Collection[str]) -> Iterator[list[str]]:
    """The subjects, as many at a time as `together` says."""
    its_acts = among(connection, [acts.c.subject], [(subject,) for subject in subjects])
    counts = connection.execute(sizes_of_subjects().where(its_acts)).all()
    for some in together((subject, count, size) for subject, count, size in counts):
        yield [subject for subject, _ in some]


def sizes_of_subjects() -> Select[str, int, int]:
    """Subjects with the number of their acts, and the bytes of their records."""
    size = func.sum(func.length(acts.c.record))
    return select(acts.c.subject, func.count(), size).group_by(acts.c.subject)


def together(sizes: Iterable[tuple[str, int, int]]) -> Iterator[list[tuple[str, int]]]:
    """Subjects and the number of their acts, some at a time: no more acts or bytes than may be in memory at once."""
    some: list[tuple[str, int]] = []
    acts_together = bytes_together = 0
    for subject, count, size in sizes:
        if some and (acts_together + count > ACTS_AT_ONCE or bytes_together + size > BYTES_AT_ONCE):
            yield some
            some, acts_together, bytes_together = [], 0, 0
        some.append((subject, count))
        acts_together += count
        bytes_together += size
    if some:
        yield some


def _load_acts(
    connection: Connection,
    which: ColumnElement[bool],
    catalogue: Catalogue,
    decoded: Mapping[tuple[int, int], Act],
) -> dict[str, list[_Stored]]:
    """Acts by subject."""
    query = select(acts.c.subject, acts.c.partition, acts.c.log_offset, acts.c.retracted, acts.c.record).where(which)
    found: dict[str, list[_Stored]] = {}
    for subject, partition, offset, retracted, record in connection.execute(query).all():
        act = decoded.get((partition, offset)) or stored_act(record, catalogue)
        found.setdefault(subject, []).append(_Stored(partition, offset, retracted, act))
    return found


def _fold(stored: Mapping[str, Sequence[_Stored]], rules: Rules) -> _Folded:
    """Fold each subject from its acts."""
    folded = _Folded({table: set() for table, _ in _DERIVED}, {True: [], False: []})
    for subject, its_acts in stored.items():
        _fold_subject(subject, its_acts, rules, folded)
    return folded


def _fold_subject(subject: str, stored: Sequence[_Stored], rules: Rules, into: _Folded) -> None:
    """Fold one subject: its rows, and its acts of which the flag `retracted` is wrong."""
    wanted = into.rows
    folded = rules.fold(subject, [one.act for one in stored], rules.policy)
    partition = stored[0].partition
    offsets = {(one.act.source, one.act.id): one.offset for one in stored}
    for one in stored:
        retracted = (one.act.source, one.act.id) in folded.retracted
        if retracted != one.retracted:
            into.flags[retracted].append((one.partition, one.offset))
    wanted[signals].update(_signal_row(subject, partition, signal, offsets) for signal in folded.signals)
    wanted[memberships].update((stay.team, stay.person, stay.from_, stay.role, stay.to) for stay in folded.stays)
    if folded.team is not None:
        wanted[teams].add((subject, _storable(folded.team.name), folded.team.parent))
    wanted[standards].update((said.leader, said.team, int(said.principle), said.stated) for said in folded.standards)
    for kind, key, act in folded.names:
        wanted[names].add((kind, subject, key, act.time, partition, offsets[act.source, act.id]))
    wanted[dealings].update(_dealing_row(subject, dealing, offsets) for dealing in folded.dealings)
    wanted[decided].update(_decided_row(subject, attempt, offsets) for attempt in folded.decided)


def _signal_row(subject: str, partition: int, signal: Signal, offsets: Mapping[tuple[str, str], int]) -> _Row:
    """The row of a signal without its id, which is worked out for those alone that are written."""
    evidence = ",".join([str(offsets[act.source, act.id]) for act in signal.evidence])
    return (
        subject,
        partition,
        signal.person,
        signal.customer,
        int(signal.principle),
        int(signal.verdict),
        signal.reason,
        signal.at,
        signal.belongs,
        f"[{evidence}]",
    )


def _dealing_row(subject: str, dealing: Dealing, offsets: Mapping[tuple[str, str], int]) -> _Row:
    act, rep, what, decision, accepted = dealing
    row = (subject, offsets[act.source, act.id], rep, act.time, what)
    end = (None, None) if decision is None else (offsets[decision.source, decision.id], decision.time)
    return *row, *end, accepted


def _decided_row(subject: str, attempt: Decided, offsets: Mapping[tuple[str, str], int]) -> _Row:
    decision, rep, accepted, first, *more = attempt
    offset = offsets[decision.source, decision.id]
    return subject, offset, rep, decision.time, accepted, *(first or (None, None)), *more


def signal_id(row: Sequence[Any]) -> bytes:
    """16 bytes that name a signal by all it says: its row without the id. The same in every model of the same log."""
    return blake2b(msgspec.json.encode(row), digest_size=16).digest()


def _load_derived(connection: Connection, subjects: Iterable[str]) -> _Rows:
    """What is stored about subjects, signals without their ids."""
    given = [(subject,) for subject in subjects]
    rows: _Rows = {}
    for table, column in _DERIVED:
        columns = [one for one in table.columns if one is not signals.c.id]
        found = connection.execute(select(*columns).where(among(connection, [column], given))).all()
        rows[table] = set(map(tuple, found))
    return rows


def _write_flags(connection: Connection, flags: Mapping[bool, Sequence[tuple[int, int]]]) -> None:
    for retracted, places in flags.items():
        if places:
            these = among(connection, [acts.c.partition, acts.c.log_offset], places)
            connection.execute(update(acts).where(these).values(retracted=retracted))


def _write_changes(connection: Connection, stored: _Rows, wanted: _Rows, touched: Touched) -> None:
    """Delete and insert the rows that differ, and note whom they are about."""
    for table, rows in wanted.items():
        before = stored.get(table, set())
        gone, new = _with_ids(table, before - rows), _with_ids(table, rows - before)
        key_length = len(table.primary_key)
        delete_rows(connection, table, [row[:key_length] for row in gone])
        insert_rows(connection, table, new)
        _note(table, (*gone, *new), touched)


def _note(table: Table, rows: Sequence[_Row], touched: Touched) -> None:
    if table is names:
        touched.persons.update(key for kind, _, key, *_ in rows if kind == "person")
    for place, column in enumerate(table.columns):
        if column.name in _PERSONS:
            touched.persons.update(row[place] for row in rows if row[place] is not None)
        elif column.name in _TEAMS:
            touched.teams.update(row[place] for row in rows if row[place] is not None)


def _with_ids(table: Table, rows: Iterable[_Row]) -> list[_Row]:
    """Rows as the table has them, in an order that is the same whenever the rows are."""
    if table is signals:
        return sorted((signal_id(row), *row) for row in rows)
    return sorted(rows, key=lambda row: row[: len(table.primary_key)])

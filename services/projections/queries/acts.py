"""Acts: lists of them, single ones, what disputes them, and what became of one (domain.md §§1–2)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, literal_column, or_, select, true, tuple_

from services.projections.queries.listing import INTEGER, TEXT, keys, listed
from services.projections.queries.paging import Page, decode_cursor, encode_cursor, page
from services.projections.queries.rows import (
    ABOUT_CUSTOMERS,
    ABOUT_LEADERS,
    ABOUT_TEAMS,
    ACT_COLUMNS,
    ACT_ORDER,
    CUSTOMER_FACING,
    ActRow,
    act_row,
)
from services.projections.tables import acts, dead_letters

ActKey = tuple[str, str, str]
"""What identifies an act: subject, source, id."""
ActOrder = tuple[int, int, str, str, str]
"""The place of an act in the order of domain.md §2, as in ActRow.order."""


class ActFilter(NamedTuple):
    """Which acts: of this subject, of this rep, of these names, at or after `from_` and before `to`."""

    subject: str | None = None
    rep: str | None = None
    names: Collection[str] | None = None
    from_: int | None = None
    to: int | None = None


class RefusedRow(NamedTuple):
    """A dead letter that names an act: where it is, and where the act is that counts instead (a conflict's)."""

    kind: str
    partition: int
    offset: int
    reason: str
    subject: str | None
    first_offset: int | None


def act_cursor(act: ActRow) -> str:
    """The cursor of an act in a list of acts."""
    return encode_cursor("act", act.order)


def read_act_cursor(cursor: str | None) -> ActOrder | None:
    """The place in the list that a cursor stands for. Raises Invalid."""
    if cursor is None:
        return None
    time, row, source, act_id, subject = decode_cursor(cursor, "act", (int, int, str, str, str))
    return int(time), int(row), str(source), str(act_id), str(subject)


def list_acts(
    connection: Connection, wanted: ActFilter, persons: Collection[str] | None, first: int, after: ActOrder | None
) -> Page[ActRow]:
    """Acts that match, the newest first; only those of these persons and their relationships, unless it is None."""
    query = select(*ACT_COLUMNS).where(_matches(wanted), _allowed(connection, persons), _after(after))
    rows = connection.execute(_newest_first(query).limit(first + 1))
    return page([act_row(row) for row in rows], first, after)


def list_acts_of_relationships(
    connection: Connection, customers: Iterable[str], first: int, after: ActOrder | None
) -> Mapping[str, Page[ActRow]]:
    """A page of all acts that concern each customer, the newest first."""
    wanted = list(customers)
    key = keys(connection, wanted)
    newest = [column.desc() for column in ACT_ORDER]
    place = func.row_number().over(partition_by=acts.c.subject, order_by=newest).label("place")
    query = (
        select(place, *ACT_COLUMNS)
        .join(key, acts.c.subject == key.c.key)
        .where(acts.c.name.not_in((*ABOUT_LEADERS, *ABOUT_TEAMS)), _after(after))
        .subquery()
    )
    rows = connection.execute(select(query).where(query.c.place <= first + 1).order_by(query.c.place))
    found: dict[str, list[ActRow]] = {customer: [] for customer in wanted}
    for row in rows:
        found[row.subject].append(act_row(row))
    return {customer: page(shown, first, after) for customer, shown in found.items()}


def find_places(connection: Connection, places: Iterable[tuple[int, int]]) -> Mapping[tuple[int, int], ActRow]:
    """The acts at these places (partition, offset)."""
    place = listed(connection, {"partition": INTEGER, "log_offset": INTEGER}, places)
    at = and_(acts.c.partition == place.c.partition, acts.c.log_offset == place.c.log_offset)
    found = [act_row(row) for row in connection.execute(select(*ACT_COLUMNS).select_from(place.join(acts, at)))]
    return {act.place: act for act in found}


def refused_places(connection: Connection, most: int) -> Sequence[tuple[int, int]]:
    """Where the records are (partition, offset) that the log took in last of those that count for nothing."""
    query = select(dead_letters.c.partition, dead_letters.c.log_offset).order_by(dead_letters.c.recorded_us.desc())
    return [(row.partition, row.log_offset) for row in connection.execute(query.limit(most))]


def refused_at(connection: Connection, places: Iterable[tuple[int, int]]) -> Mapping[tuple[int, int], str]:
    """Why the records at these places (partition, offset) count for nothing; of those that are dead letters."""
    place = listed(connection, {"partition": INTEGER, "log_offset": INTEGER}, places)
    at = and_(dead_letters.c.partition == place.c.partition, dead_letters.c.log_offset == place.c.log_offset)
    columns = (dead_letters.c.partition, dead_letters.c.log_offset, dead_letters.c.reason)
    found = connection.execute(select(*columns).select_from(place.join(dead_letters, at)))
    return {(row.partition, row.log_offset): row.reason for row in found}


def find_acts(
    connection: Connection, wanted: Iterable[ActKey], persons: Collection[str] | None = None
) -> Mapping[ActKey, ActRow]:
    """The acts with these keys (subject, source, id); those that one of `persons` may see, unless it is None."""
    key = listed(connection, {"subject": TEXT, "source": TEXT, "act_id": TEXT}, wanted)
    same = and_(acts.c.subject == key.c.subject, acts.c.source == key.c.source, acts.c.act_id == key.c.act_id)
    query = select(*ACT_COLUMNS).select_from(key.join(acts, same)).where(_allowed(connection, persons))
    return {act.key: act for act in map(act_row, connection.execute(query))}


def disputes(connection: Connection, subjects: Iterable[str]) -> Mapping[str, Sequence[ActRow]]:
    """The disputes of each subject's acts that were not retracted, the oldest first."""
    key = keys(connection, subjects)
    query = select(*ACT_COLUMNS).join(key, acts.c.subject == key.c.key)
    query = query.where(acts.c.name == literal_column("'act.disputed'"), acts.c.retracted.is_(False)).order_by(
        *ACT_ORDER
    )
    found: dict[str, list[ActRow]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.subject].append(act_row(row))
    return found


def retractions(connection: Connection, subject: str) -> Sequence[ActRow]:
    """The retractions among a subject's acts, the oldest first."""
    query = select(*ACT_COLUMNS).where(acts.c.subject == subject, acts.c.name == "act.retracted")
    return [act_row(row) for row in connection.execute(query.order_by(*ACT_ORDER))]


def find_pair(
    connection: Connection, source: str, act_id: str, subject: str | None, persons: Collection[str] | None
) -> Sequence[ActRow]:
    """The acts that have this source and id, of the subject if it is given, the one that the log took first leading.

    Those that one of `persons` may see, unless it is None.
    """
    query = select(*ACT_COLUMNS).where(acts.c.source == source, acts.c.act_id == act_id, _allowed(connection, persons))
    if subject is not None:
        query = query.where(acts.c.subject == subject)
    rows = connection.execute(query.order_by(acts.c.recorded_us, acts.c.partition, acts.c.log_offset))
    return [act_row(row) for row in rows]


def find_refused(connection: Connection, source: str, act_id: str, subject: str | None) -> Sequence[RefusedRow]:
    """The dead letters that name this source and id, of the subject if it is given; the latest last."""
    query = select(
        dead_letters.c.kind,
        dead_letters.c.partition,
        dead_letters.c.log_offset,
        dead_letters.c.reason,
        dead_letters.c.subject,
        dead_letters.c.first_offset,
    ).where(dead_letters.c.source == source, dead_letters.c.act_id == act_id)
    if subject is not None:
        query = query.where(dead_letters.c.subject == subject)
    rows = connection.execute(
        query.order_by(dead_letters.c.recorded_us, dead_letters.c.partition, dead_letters.c.log_offset)
    )
    return [RefusedRow(*row) for row in rows]


def _allowed(connection: Connection, persons: Collection[str] | None) -> ColumnElement[bool]:
    return true() if persons is None else visible_to(connection, persons)


def visible_to(connection: Connection, persons: Collection[str]) -> ColumnElement[bool]:
    """Whether an act is one of a person's among these, or of a relationship in which one of them has acts."""
    if not persons:
        return false()
    person = select(keys(connection, persons).c.key)
    of_person = acts.c.rep.in_(person)
    of_leader = and_(acts.c.name.not_in((*ABOUT_CUSTOMERS, *ABOUT_TEAMS)), acts.c.subject.in_(person))
    of_relationship = and_(
        acts.c.name.not_in((*ABOUT_LEADERS, *ABOUT_TEAMS)), acts.c.subject.in_(_customers_of(person))
    )
    return or_(of_person, of_leader, of_relationship)


def relationships_visible_to(
    connection: Connection, customers: Iterable[str], persons: Collection[str]
) -> Collection[str]:
    """Those of these customers with whom one of these persons has customer-facing acts."""
    theirs = acts.alias("theirs")
    key, person = keys(connection, customers), keys(connection, persons)
    query = select(key.c.key).where(
        select(theirs.c.subject)
        .where(theirs.c.subject == key.c.key, theirs.c.rep.in_(select(person.c.key)))
        .where(theirs.c.name.in_(CUSTOMER_FACING))
        .exists()
    )
    return {row.key for row in connection.execute(query)}


def _customers_of(persons: Select[tuple[str]]) -> Select[tuple[str]]:
    theirs = acts.alias("theirs")
    return select(theirs.c.subject).where(theirs.c.rep.in_(persons), theirs.c.name.in_(CUSTOMER_FACING))


def _matches(wanted: ActFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.subject is not None:
        conditions.append(acts.c.subject == wanted.subject)
    if wanted.rep is not None:
        conditions.append(acts.c.rep == wanted.rep)
    if wanted.names is not None:
        conditions.append(acts.c.name.in_(sorted(wanted.names)))
    if wanted.from_ is not None:
        conditions.append(acts.c.time_us >= wanted.from_)
    if wanted.to is not None:
        conditions.append(acts.c.time_us < wanted.to)
    return and_(true(), *conditions)


def _newest_first(query: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    return query.order_by(*(column.desc() for column in ACT_ORDER))


def _after(after: ActOrder | None) -> ColumnElement[bool]:
    if after is None:
        return true()
    return and_(acts.c.time_us <= after[0], tuple_(*ACT_ORDER) < tuple_(*after))

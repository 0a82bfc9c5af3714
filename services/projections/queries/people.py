"""Persons and customers: which exist, where their names are given, and who has acts with whom."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, literal_column, select

from services.events.catalog.acts import UNATTRIBUTED
from services.projections.queries.listing import TEXT, as_json, keys, parameter_table
from services.projections.queries.paging import Page, page
from services.projections.queries.rows import ACT_COLUMNS, ACT_ORDER, CUSTOMER_FACING, ActRow, act_row
from services.projections.tables import acts, entities, names

PERSON = "person"
CUSTOMER = "customer"
RELATIONSHIP = "relationship"


def which_exist(connection: Connection, kind: str, wanted: Iterable[str]) -> Collection[str]:
    """Those of the keys that an act names as a person, or as a relationship."""
    key = keys(connection, wanted)
    known = and_(entities.c.kind == kind, entities.c.key == key.c.key)
    return {row.key for row in connection.execute(select(entities.c.key).select_from(key.join(entities, known)))}


def naming_acts(connection: Connection, kind: str, wanted: Iterable[str]) -> Mapping[str, ActRow]:
    """The latest act that gives each of these persons or customers a name."""
    asked = {"kind": kind, "wanted": as_json([key] for key in wanted)}
    return {row[0]: ActRow(*row[1:]) for row in connection.execute(_naming(connection.dialect.name), asked)}


@cache
def _naming(dialect: str) -> Select[Any]:
    """Kept, as it is asked with every name: to build and compile it took longer than to run it."""
    key = parameter_table(dialect, {"key": TEXT}, "wanted")
    named = and_(names.c.kind == bindparam("kind", type_=TEXT), names.c.key == key.c.key)
    place = and_(acts.c.partition == names.c.partition, acts.c.log_offset == names.c.log_offset)
    return select(names.c.key, *ACT_COLUMNS).select_from(key.join(names, named).join(acts, place)).order_by(*ACT_ORDER)


def knowing_acts(connection: Connection, customers: Iterable[str]) -> Mapping[str, Sequence[ActRow]]:
    """The acts `customer.known` of each customer that were not retracted, the latest first."""
    key = keys(connection, customers)
    query = select(*ACT_COLUMNS).join(key, acts.c.subject == key.c.key)
    query = query.where(acts.c.name == literal_column("'customer.known'"), acts.c.retracted.is_(False))
    found: dict[str, list[ActRow]] = defaultdict(list)
    for row in connection.execute(query.order_by(*(column.desc() for column in ACT_ORDER))):
        found[row.subject].append(act_row(row))
    return found


def reps_of(connection: Connection, customers: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """The reps who have customer-facing acts with each customer, by key."""
    key = keys(connection, customers)
    query = select(acts.c.subject, acts.c.rep).distinct().join(key, acts.c.subject == key.c.key)
    query = query.where(acts.c.name.in_(CUSTOMER_FACING), acts.c.rep != UNATTRIBUTED)
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query.order_by(acts.c.rep)):
        found[row.subject].append(row.rep)
    return found


def list_customers_of(
    connection: Connection, persons: Iterable[str], first: int, after: str | None
) -> Mapping[str, Page[str]]:
    """A page of the customers with whom each person has customer-facing acts, by key."""
    wanted = list(persons)
    key = keys(connection, wanted)
    query = select(acts.c.rep, acts.c.subject).distinct().join(key, acts.c.rep == key.c.key)
    query = query.where(acts.c.name.in_(CUSTOMER_FACING))
    if after is not None:
        query = query.where(acts.c.subject > after)
    pairs = query.subquery()
    place = func.row_number().over(partition_by=pairs.c.rep, order_by=pairs.c.subject).label("place")
    ranked = select(pairs, place).subquery()
    rows = connection.execute(select(ranked).where(ranked.c.place <= first + 1).order_by(ranked.c.rep, ranked.c.place))
    found: dict[str, list[str]] = {person: [] for person in wanted}
    for row in rows:
        found[row.rep].append(row.subject)
    return {person: page(customers, first, after) for person, customers in found.items()}

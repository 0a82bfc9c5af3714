"""What is in the model and how far it is, for operators."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Select, Table, func, select

from services.projections.queries.position import next_offsets
from services.projections.tables import acts, dead_letters, entities, facts, partitions, signals


class ModelStatus(NamedTuple):
    """Next offsets, who took which partitions last, why some are halted, the policy's identity, counts of rows."""

    following: Mapping[int, int]
    owners: Mapping[str, Sequence[int]]
    halted: Mapping[int, str]
    policy: str
    counts: Mapping[str, int]


def model_status(connection: Connection) -> ModelStatus:
    """How the model stands."""
    is_halted = partitions.c.halted_because.is_not(None)
    rows = connection.execute(select(partitions.c.partition, partitions.c.halted_because).where(is_halted))
    taken = connection.execute(
        select(partitions.c.owner, partitions.c.partition).order_by(partitions.c.partition)
    ).all()
    policy = connection.scalar(select(facts.c.value).where(facts.c.name == "policy"))
    return ModelStatus(
        next_offsets(connection),
        {
            owner: [row.partition for row in taken if row.owner == owner]
            for owner in sorted({row.owner for row in taken})
        },
        {row.partition: row.halted_because for row in rows},
        policy or "",
        {name: connection.scalar(query) or 0 for name, query in _COUNTS.items()},
    )


def last_applied(connection: Connection) -> Mapping[int, tuple[int, int]]:
    """By partition the next offset, and when the log took in the last record applied (microseconds; 0: none yet)."""
    rows = connection.execute(select(partitions.c.partition, partitions.c.next_offset, partitions.c.applied_us))
    return {row.partition: (row.next_offset, row.applied_us) for row in rows}


def _count(table: Table, kind: str = "") -> Select[int]:
    query = select(func.count()).select_from(table)
    return query.where(table.c.kind == kind) if kind else query


_COUNTS = {
    "acts": _count(acts),
    "signals": _count(signals),
    "persons": _count(entities, "person"),
    "teams": _count(entities, "team"),
    "relationships": _count(entities, "relationship"),
    "unreadable": _count(dead_letters, "unreadable"),
    "conflicts": _count(dead_letters, "conflict"),
}

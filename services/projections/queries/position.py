"""How far the fold is, in the words of the interfaces: `3:1042,7:9`, the highest offset applied in each partition."""

import re
from collections.abc import Mapping

from sqlalchemy import Connection, select

from services.kit.errors import Invalid
from services.projections.tables import partitions

_ENTRY = re.compile(r"(0|[1-9][0-9]{0,5}):(0|[1-9][0-9]{0,17})", re.ASCII)
_ENTRIES_AT_MOST = 1024


def next_offsets(connection: Connection) -> Mapping[int, int]:
    """The offset of the next record that the fold will apply, for each partition it has met."""
    rows = connection.execute(select(partitions.c.partition, partitions.c.next_offset).order_by(partitions.c.partition))
    return {row.partition: row.next_offset for row in rows}


def format_position(following: Mapping[int, int]) -> str:
    """The position that stands for these next offsets; partitions without a record are left out."""
    return ",".join(f"{partition}:{offset - 1}" for partition, offset in sorted(following.items()) if offset > 0)


def parse_position(text: str) -> Mapping[int, int]:
    """The offset of the last record to be applied, by partition. Raises Invalid."""
    entries = [_ENTRY.fullmatch(entry.strip()) for entry in text.split(",")]
    found = {int(entry[1]): int(entry[2]) for entry in entries if entry}
    if len(found) != len(entries) or len(entries) > _ENTRIES_AT_MOST:
        raise Invalid("not a position such as 3:1042,7:9 (partition:offset, each partition once)")
    return found

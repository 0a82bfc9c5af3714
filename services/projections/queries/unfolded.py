"""Looking for an act in the part of the log that is not folded yet: between the fold's position and the log's end."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from services.events.log.partitioning import partition_for
from services.events.log.protocol import LogReader, Record

SEARCHED_AT_MOST = 10_000
_CHUNK = 1000


class Unfolded(NamedTuple):
    """A record of the log that names the act and was not folded yet."""

    partition: int
    offset: int
    subject: str
    rep: str | None


def find_unfolded(
    reader: LogReader, following: Mapping[int, int], source: str, act_id: str, subject: str | None
) -> Unfolded | None:
    """The first such record, after at most SEARCHED_AT_MOST others. `following` are the fold's next offsets.

    Raises Unavailable if the log does not answer.
    """
    count = reader.identity().partitions
    ends = reader.ends()
    wanted = range(count) if subject is None else [partition_for(subject, count)]
    position = {p: following.get(p, 0) for p in wanted if following.get(p, 0) < ends.get(p, 0)}
    searched = 0
    while position and searched < SEARCHED_AT_MOST:
        records = reader.read(position, _CHUNK, 0)
        if not records:
            return None
        for record in records:
            if (found := _named(record, source, act_id)) and subject in (None, found.subject):
                return found
            position[record.place.partition] = record.place.offset + 1
        searched += len(records)
        position = {p: offset for p, offset in position.items() if offset < ends.get(p, 0)}
    return None


def _named(record: Record, source: str, act_id: str) -> Unfolded | None:
    """The record as the act that it names, if it is this one, even if the catalogue would not let it in."""
    try:
        event = msgspec.json.decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(event, dict) or (event.get("source"), event.get("id")) != (source, act_id):
        return None
    data, subject = event.get("data"), event.get("subject")
    rep = data.get("rep") if isinstance(data, dict) else None
    return Unfolded(
        record.place.partition,
        record.place.offset,
        subject if isinstance(subject, str) else "",
        rep if isinstance(rep, str) else None,
    )

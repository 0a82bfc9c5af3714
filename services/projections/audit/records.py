"""The records that entries are about, read from the log again."""

from collections import defaultdict, deque
from collections.abc import Collection, Mapping

from services.events.log.protocol import LogReader, Record

_AT_ONCE = 1_000
_WAIT_SECONDS = 2.0


def values_at(log: LogReader, places: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
    """The values of the records at these places (partition, offset); those that the log lacks are left out."""
    wanted: dict[int, list[int]] = defaultdict(list)
    for partition, offset in sorted(places):
        wanted[partition].append(offset)
    found: dict[tuple[int, int], bytes] = {}
    for partition, offsets in wanted.items():
        left = deque(offsets)
        while left:
            most = min(left[-1] - left[0] + 1, _AT_ONCE)
            records = log.read({partition: left[0]}, most, _WAIT_SECONDS)
            if not records:
                break
            last = records[-1].place.offset
            values = {record.place.offset: record.value for record in records}
            while left and left[0] <= last:
                offset = left.popleft()
                if offset in values:
                    found[partition, offset] = values[offset]
    return found


class Following:
    """The records of a partition one after the other, up to an offset."""

    def __init__(self, log: LogReader, partition: int, end: int) -> None:
        self._log = log
        self._partition = partition
        self._end = end
        self._next = 0
        self._read: deque[Record] = deque()

    def peek(self) -> Record | None:
        """The next record; None at the end."""
        if not self._read and self._next < self._end:
            records = self._log.read({self._partition: self._next}, _AT_ONCE, _WAIT_SECONDS)
            self._next = records[-1].place.offset + 1 if records else self._end
            self._read.extend(record for record in records if record.place.offset < self._end)
        return self._read[0] if self._read else None

    def take(self) -> None:
        """Go on behind the next record."""
        self._read.popleft()

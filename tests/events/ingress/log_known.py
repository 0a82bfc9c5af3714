"""What is known, read straight from the log: as if the fold never lagged."""

from collections.abc import Collection, Sequence

from services.events.catalog.envelope import Catalogue
from services.events.known import KnownAct
from services.events.log.sqlite import SqliteLog


class LogKnown:
    """Known, over all records of a log."""

    def __init__(self, log: SqliteLog, catalogue: Catalogue) -> None:
        self._log = log
        self._catalogue = catalogue
        self.lookups = 0

    def find(self, pairs: Collection[tuple[str, str]]) -> Sequence[KnownAct]:
        """See Known."""
        self.lookups += 1
        reader = self._log.reader()
        start = dict.fromkeys(range(self._log.identity.partitions), 0)
        records = reader.read(start, 1_000_000, 0)
        reader.close()
        acts = [KnownAct(self._catalogue.decode_record(record.value), record.place) for record in records]
        firsts: dict[tuple[str, str, str], KnownAct] = {}
        for known in acts:
            firsts.setdefault(known.act.key, known)
        return [known for known in firsts.values() if (known.act.source, known.act.id) in pairs]

"""What this process has appended lately: known at once, while the fold is still on its way to it."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from threading import Lock

from services.events.catalog.envelope import Act
from services.events.known import Known, KnownAct
from services.events.log.protocol import Place

REMEMBERED_BYTES = 8 * 2**20
_ACT_BYTES = 2_000  # what a decoded act takes in memory beside its record, about


class RecentlyAppended:
    """`Known` that adds to another one the acts appended here lately, as many as fit into 8 MiB.

    What the other one knows of a key comes first: of two acts appended at the same time, only the fold knows which one
    counts.
    """

    def __init__(self, folded: Known, remembered_bytes: int = REMEMBERED_BYTES) -> None:
        self._folded = folded
        self._most = remembered_bytes
        self._size = 0
        self._acts: OrderedDict[tuple[str, str], dict[str, tuple[KnownAct, int]]] = OrderedDict()
        self._lock = Lock()

    def find(self, pairs: Collection[tuple[str, str]]) -> Sequence[KnownAct]:
        """See Known."""
        found = list(self._folded.find(pairs))
        keys = {known.act.key for known in found}
        with self._lock:
            recent = [known for pair in pairs for known, _ in self._acts.get(pair, {}).values()]
        return found + [known for known in recent if known.act.key not in keys]

    def remember(self, appended: Iterable[tuple[Act, Place, int]]) -> None:
        """Keep acts that are durable now, with their places and the sizes of their records in bytes."""
        with self._lock:
            for act, place, size in appended:
                subjects = self._acts.setdefault((act.source, act.id), {})
                self._acts.move_to_end((act.source, act.id))
                if act.subject not in subjects or place < subjects[act.subject][0].place:
                    self._size += size + _ACT_BYTES - subjects.get(act.subject, (None, 0))[1]
                    subjects[act.subject] = KnownAct(act, place), size + _ACT_BYTES
            while self._size > self._most:
                _, oldest = self._acts.popitem(last=False)
                self._size -= sum(size for _, size in oldest.values())

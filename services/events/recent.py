"""What this process has appended lately: known at once, while the fold is still on its way to it."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from threading import Lock

from services.events.catalog.envelope import Act
from services.events.known import Known, KnownAct
from services.events.log.protocol import Place

REMEMBERED_BYTES = 8 * 2**20
_ACT_BYTES = 2_000  # what a decoded act takes in memory beside its record, about


_Appended = tuple[Act, Place, int]
"""An act, where it is, and how large its record is."""


class RecentlyAppended:
    """`Known` that adds to another one the acts appended here lately, as many as fit into 8 MiB.

    What the other one knows of a key comes first: of two acts appended at the same time, only the fold knows which one
    counts.
    """

    def __init__(self, folded: Known, remembered_bytes: int = REMEMBERED_BYTES) -> None:
        self._folded = folded
        self._most = remembered_bytes
        self._size = 0
        self._acts: OrderedDict[tuple[str, str], list[_Appended]] = OrderedDict()
        self._lock = Lock()

    def find(self, pairs: Collection[tuple[str, str]]) -> Sequence[KnownAct]:
        """See Known."""
        found = list(self._folded.find(pairs))
        keys = {known.act.key for known in found}
        with self._lock:
            recent = [KnownAct(act, place) for pair in pairs for act, place, _ in self._acts.get(pair, ())]
        return found + [known for known in recent if known.act.key not in keys]

    def remember(self, appended: Iterable[_Appended]) -> None:
        """Keep acts that are durable now, with their places and the sizes of their records in bytes."""
        with self._lock:
            for each in appended:
                pair = each[0].source, each[0].id
                if pair in self._acts:
                    self._acts[pair] = _first_of_each_key([*self._forget(pair), each])
                else:
                    self._acts[pair] = [each]
                self._size += sum([size + _ACT_BYTES for _, _, size in self._acts[pair]])
            while self._size > self._most:
                self._forget(next(iter(self._acts)))

    def _forget(self, pair: tuple[str, str]) -> list[_Appended]:
        forgotten = self._acts.pop(pair)
        self._size -= sum([size + _ACT_BYTES for _, _, size in forgotten])
        return forgotten


def _first_of_each_key(appended: list[_Appended]) -> list[_Appended]:
    firsts: dict[str, _Appended] = {}
    for act, place, size in sorted(appended, key=lambda each: each[1]):
        firsts.setdefault(act.subject, (act, place, size))
    return list(firsts.values())

"""Which needs are *live* at an act: established before it and not ruled out since (domain.md §2)."""

from collections.abc import Collection, Sequence
from typing import cast

from services.events.catalog.acts import CustomerAct, NeedEstablished, NeedRuledOut
from services.events.catalog.envelope import Act


class Needs:
    """The live needs of a relationship at any position, from one pass over its acts."""

    def __init__(self, acts: Sequence[Act]) -> None:
        self._changes: list[int] = [-1]
        self._live: list[frozenset[str]] = [frozenset()]
        self._where = [0] * len(acts)
        standing: dict[str, set[str | None]] = {}
        for position, act in enumerate(acts):
            self._where[position] = len(self._live) - 1
            if _apply(act, standing):
                self._live.append(frozenset(standing))

    def live_at(self, position: int) -> Collection[str]:
        """The ids of the needs that are live at the act."""
        return self._live[self._where[position]]


def _apply(act: Act, standing: dict[str, set[str | None]]) -> bool:
    """Take one act into `standing`: need → the deals it stands established under. True if a need came or went."""
    data = act.data
    if isinstance(data, NeedEstablished):
        standing.setdefault(data.need, set()).add(data.deal)
        return len(standing[data.need]) == 1
    if not isinstance(data, NeedRuledOut):
        return False
    if data.need is not None:
        return standing.pop(data.need, None) is not None
    for need in list(standing):
        standing[need] -= _concerning(cast(CustomerAct, data).deal, standing[need])
        if not standing[need]:
            del standing[need]
    return True


def _concerning(deal: str | None, deals: set[str | None]) -> set[str | None]:
    return set(deals) if deal is None else deals & {deal, None}

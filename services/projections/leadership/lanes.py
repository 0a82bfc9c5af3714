"""Lanes: the positions of one kind of act, searched for those that *concern* another act (domain.md §2).

Spells are lanes of acts that each say something until an instant.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import merge


class Lane:
    """Positions in rising order, by deal. The argument `deal` is the deal of the act that is to be concerned.

    Two acts concern each other if they carry the same deal, or if one of them carries none.
    """

    __slots__ = ("_by_deal", "positions")

    def __init__(self, positions: list[int], deals: Sequence[str | None]) -> None:
        self.positions = positions
        self._by_deal: dict[str | None, list[int]] = defaultdict(list)
        for position in positions:
            self._by_deal[deals[position]].append(position)

    def first_after(self, position: int, deal: str | None) -> int | None:
        """The first that concerns, after the position."""
        found = None
        for lane in self._concerning(deal):
            index = bisect_right(lane, position)
            if index < len(lane) and (found is None or lane[index] < found):
                found = lane[index]
        return found

    def last_before(self, position: int, deal: str | None) -> int | None:
        """The last that concerns, before the position."""
        found = None
        for lane in self._concerning(deal):
            index = bisect_left(lane, position)
            if index and (found is None or lane[index - 1] > found):
                found = lane[index - 1]
        return found

    def between(self, after: int, before: int, deal: str | None) -> Iterable[int]:
        """Those that concern, after one position and before another, in order."""
        parts = [lane[bisect_right(lane, after) : bisect_left(lane, before)] for lane in self._concerning(deal)]
        return parts[0] if len(parts) == 1 else merge(*parts)

    def _concerning(self, deal: str | None) -> tuple[list[int], ...]:
        if deal is None:
            return (self.positions,)
        return tuple(self._by_deal[key] for key in (deal, None) if key in self._by_deal)


class Spells:
    """Stretches of time that each begin at an act, asked whether one that concerns an attempt lasts beyond an instant.

    `spells` are (position of the act, instant at which it is over), in any order.
    """

    def __init__(self, spells: Iterable[tuple[int, float]], deals: Sequence[str | None]) -> None:
        self._all = _LatestEnd()
        self._by_deal: dict[str | None, _LatestEnd] = defaultdict(_LatestEnd)
        for position, end in sorted(spells):
            self._all.add(position, end)
            self._by_deal[deals[position]].add(position, end)

    def last_beyond(self, time: int, position: int, deal: str | None) -> bool:
        """Whether one that began by the position is not over at the time and concerns acts with this deal."""
        concerning = (self._all,) if deal is None else (self._by_deal[deal], self._by_deal[None])
        return any(spells.by(position) > time for spells in concerning)


class _LatestEnd:
    """The latest end of all spells that begin by a position."""

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._ends = [-math.inf]

    def add(self, position: int, end: float) -> None:
        self._positions.append(position)
        self._ends.append(max(end, self._ends[-1]))

    def by(self, position: int) -> float:
        return self._ends[bisect_right(self._positions, position)]

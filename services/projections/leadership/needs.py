"""Which needs are *live* at an act: established before it and not ruled out since (domain.md §2)."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from services.events.catalog.acts import NeedEstablished, NeedRuledOut
from services.events.catalog.envelope import Act


class Needs:
    """The live needs of a relationship at any position, from one pass over its acts."""

    def __init__(self, acts: Sequence[Act]) -> None:
        # By need, the positions at which it came to life, was ruled out, came to life again, and so on.
        self._turns: dict[str, list[int]] = defaultdict(list)
        self._changes: list[int] = []
        self._numbers = [0]
        for position, need in _turns(acts):
            turns = self._turns[need]
            turns.append(position)
            self._changes.append(position)
            self._numbers.append(self._numbers[-1] + (1 if len(turns) % 2 else -1))

    def any_of(self, needs: Iterable[str], position: int) -> bool:
        """Whether one of these needs is live at the act."""
        known = self._turns.keys() & needs
        return any(bisect_left(self._turns[need], position) % 2 for need in known)

    def any_is_live(self, position: int) -> bool:
        """Whether any need is live at the act."""
        return self._numbers[bisect_left(self._changes, position)] > 0


def _turns(acts: Sequence[Act]) -> Iterator[tuple[int, str]]:
    """Where a need comes to life or is ruled out."""
    standing = _Standing()
    for position, act in enumerate(acts):
        data = act.data
        if isinstance(data, NeedEstablished):
            turned = standing.establish(data.need, data.deal)
        elif isinstance(data, NeedRuledOut):
            turned = standing.rule_out_all(data.deal) if data.need is None else standing.rule_out(data.need)
        else:
            continue
        for need in turned:
            yield position, need


class _Standing:
    """The needs that stand, each once for each deal under which it was established. All answers: needs that turned."""

    def __init__(self) -> None:
        self._deals_of: dict[str, set[str | None]] = {}
        self._needs_of: dict[str | None, set[str]] = {}

    def establish(self, need: str, deal: str | None) -> list[str]:
        turned = [] if need in self._deals_of else [need]
        self._deals_of.setdefault(need, set()).add(deal)
        self._needs_of.setdefault(deal, set()).add(need)
        return turned

    def rule_out(self, need: str) -> list[str]:
        """A named need goes, whatever the deals."""
        turned = [need] if need in self._deals_of else []
        for deal in self._deals_of.pop(need, ()):
            self._needs_of[deal].discard(need)
        return turned

    def rule_out_all(self, deal: str | None) -> list[str]:
        """With no need at all, what was established goes as far as it concerns an act of this deal."""
        turned = []
        for concerned in list(self._needs_of) if deal is None else (deal, None):
            for need in self._needs_of.pop(concerned, ()):
                self._deals_of[need].discard(concerned)
                if not self._deals_of[need]:
                    del self._deals_of[need]
                    turned.append(need)
        return turned

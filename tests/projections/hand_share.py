"""A share whose partitions a test deals out by hand, as a consumer group would."""

from services.events.log.protocol import Position


class HandShare:
    """Share of whatever `deal` says; remembers what was doubted and shown. With `settles` doubts end by themselves."""

    def __init__(self, *partitions: int, settles: bool = False) -> None:
        self._given = frozenset(partitions)
        self._settles = settles
        self.doubted: dict[int, int] = {}
        self.shown: dict[int, int] = {}

    def deal(self, *partitions: int) -> None:
        """From now on these are the share's, without a doubt."""
        self._given = frozenset(partitions)
        self.doubted = {}

    def partitions(self) -> frozenset[int]:
        """See Share."""
        ours = self._given - self.doubted.keys()
        if self._settles:
            self.doubted = {}
        return ours

    def doubt(self, position: Position) -> None:
        """See Share; lasts until the next deal, or the next look."""
        self.doubted |= position

    def show(self, position: Position) -> None:
        """See Share."""
        self.shown |= position

    def close(self) -> None:
        """See Share."""
        self.deal()

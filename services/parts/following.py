"""What follows the log in a process: the fold and the audit tree, each in a thread of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from services.parts import Parts
from services.parts.audit import Sequencing
from services.parts.fold import Fold
from services.projections.dead_letters import count
from services.projections.metrics import FoldMetrics, TreeMetrics


class Following(NamedTuple):
    """Both, and how they stand."""

    parts: Parts
    fold: Fold
    sequencing: Sequencing

    def check_ready(self) -> None:
        """Raises Unavailable while acts are not folded or not entered in the audit tree, or the stores are away."""
        self.fold.check_ready()
        self.sequencing.check_going()

    def register(self, registry: CollectorRegistry) -> None:
        """Have them tell Prometheus how they stand."""
        registry.register(FoldMetrics(lambda: self.fold.status, lambda: count(self.parts.stores.model())))
        registry.register(TreeMetrics(lambda: self.sequencing.status))


@contextmanager
def following(parts: Parts, may_make_key: bool = False) -> Iterator[Following]:
    """Both while they run; `may_make_key` as in `parts.audit.signing`."""
    fold, sequencing = Fold(parts), Sequencing(parts, may_make_key)
    try:
        sequencing.start()
        fold.start()
        yield Following(parts, fold, sequencing)
    finally:
        sequencing.stop()  # beside the fold, which takes as long to stop
        fold.close()
        sequencing.close()

"""The projections as a process of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.kit.serving import make_app, operations
from services.parts import Parts
from services.parts.audit import Sequencing
from services.parts.fold import Fold
from services.projections.dead_letters import count
from services.projections.metrics import FoldMetrics, TreeMetrics


@contextmanager
def projections_app(parts: Parts) -> Iterator[Starlette]:
    """The fold and the audit tree, each in a thread, and how they stand."""
    fold, sequencing, registry = Fold(parts), Sequencing(parts), CollectorRegistry()

    def check_ready() -> None:
        fold.check_ready()
        sequencing.check_going()

    registry.register(FoldMetrics(lambda: fold.status, lambda: count(parts.stores.model())))
    registry.register(TreeMetrics(lambda: sequencing.status))
    app = make_app()
    app.router.routes.extend(operations(check_ready, registry))
    try:
        sequencing.start()
        fold.start()
        yield app
    finally:
        sequencing.stop()
        fold.close()
        sequencing.close()

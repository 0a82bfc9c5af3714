"""The projections as a process of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.kit.serving import make_app, operations
from services.parts import Parts
from services.parts.fold import Fold
from services.projections.dead_letters import count
from services.projections.metrics import FoldMetrics


@contextmanager
def projections_app(parts: Parts) -> Iterator[Starlette]:
    """The fold, in a thread, and how it stands."""
    fold, registry = Fold(parts), CollectorRegistry()
    registry.register(FoldMetrics(lambda: fold.status, lambda: count(parts.stores.model())))
    app = make_app()
    app.router.routes.extend(operations(fold.check_ready, registry))
    try:
        fold.start()
        yield app
    finally:
        fold.close()

"""The projections as a process of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.kit.serving import make_app, operations
from services.parts import Parts
from services.parts.following import following


@contextmanager
def projections_app(parts: Parts) -> Iterator[Starlette]:
    """The fold and the audit tree, and how they stand."""
    app, registry = make_app(), CollectorRegistry()
    with following(parts) as both:
        both.register(registry)
        app.router.routes.extend(operations(both.check_ready, registry))
        yield app

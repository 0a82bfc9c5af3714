"""The production size: the events service, the projections and the gateway as processes of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.embedded import add_pages
from services.events.app import create_app
from services.graphql.app import create_graphql
from services.kit.database import reading
from services.kit.serving import make_app, operations
from services.parts import Fold, Lag, Parts, allowed, backing, keyring, limits, live, recording
from services.projections.dead_letters import count
from services.projections.metrics import FoldMetrics
from services.projections.positions import Positions
from services.projections.stores import check_built


@contextmanager
def events_app(parts: Parts) -> Iterator[Starlette]:
    """The events service: the ingress and its schemas. It appends to the log and asks the read model what is known."""
    with recording(parts) as recording_:
        yield create_app(
            recording_,
            keyring(parts, may_be_open=False),
            parts.catalogue,
            ready=lambda: _check_stores(parts),
            registry=CollectorRegistry(),
            limits=limits(parts.settings),
            append_seconds=parts.settings.append_seconds,
        )


@contextmanager
def projections_app(parts: Parts) -> Iterator[Starlette]:
    """The projections: the fold, in a thread, and how it stands."""
    fold, registry = Fold(parts), CollectorRegistry()
    registry.register(FoldMetrics(lambda: fold.status, lambda: count(parts.stores.model())))
    app = make_app()
    app.router.routes.extend(operations(fold.check_ready, registry))
    try:
        fold.start()
        yield app
    finally:
        fold.close()


@contextmanager
def graphql_app(parts: Parts) -> Iterator[Starlette]:
    """The gateway: GraphQL, GraphiQL and the pages."""
    admitting = keyring(parts, may_be_open=False)
    positions = Positions(parts.stores.model)
    app, registry = make_app(), CollectorRegistry()
    app.router.routes.extend(operations(lambda: _check_stores(parts), registry))
    with Lag(parts) as lag:
        reads = backing(parts, admitting.admit, positions, lag.seconds)
        streams = live(parts, registry)
        app.router.routes.extend(create_graphql(reads, streams, registry, allowed(parts.settings)))
        app.state.on_stop = streams.stop
        add_pages(app)
        yield app


def _check_stores(parts: Parts) -> None:
    """Raises Unavailable while the read model does not answer, Corrupt or Misconfigured where it is another log's."""
    with reading(parts.stores.model()) as connection:
        check_built(connection, parts.built)

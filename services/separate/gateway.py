"""The gateway as a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.embedded import add_pages
from services.graphql.app import create_graphql
from services.graphql.audit import create_audit
from services.kit.serving import make_app, operations
from services.parts import Parts, check_stores, keyring
from services.parts.gateway import Lag, allowed, backing, live
from services.parts.posting import posts_of
from services.projections.positions import Positions


@contextmanager
def graphql_app(parts: Parts) -> Iterator[Starlette]:
    """GraphQL, GraphiQL and the pages."""
    admitting = keyring(parts, may_be_open=False)
    positions = Positions(parts.stores.model)
    app, registry = make_app(), CollectorRegistry()
    app.router.routes.extend(operations(lambda: check_stores(parts), registry))
    with Lag(parts) as lag:
        reads = backing(parts, admitting.admit, positions, lag.seconds)
        streams = live(parts, admitting, registry)
        posts = posts_of(parts.settings)
        app.router.routes.extend(create_graphql(reads, streams, registry, allowed(parts.settings), posts))
        app.state.on_stop = streams.stop
        app.router.routes.extend(create_audit(parts.audit, admitting.admit))
        add_pages(app)
        yield app

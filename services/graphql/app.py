"""The gateway as routes to put into an application; the composition root says what it stands on."""

from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from services.graphql.answering import Backing, Gateway
from services.graphql.documents import OWN, load_documents
from services.graphql.export import Export
from services.graphql.live import Live
from services.graphql.metrics import QueryMetrics
from services.graphql.schema import create_schema
from services.graphql.sockets import Sockets
from services.graphql.transport import Transport

STATIC = Path(__file__).parent / "static"


class Allowed(NamedTuple):
    """What is shown of the schema, and what is answered: `documents` is a folder of further trusted ones."""

    introspection: bool = True
    suggestions: bool = True
    documents: Path | None = None
    only_documents: bool = False


EVERYTHING = Allowed()


def create_graphql(
    backing: Backing, live: Live, registry: CollectorRegistry, allowed: Allowed = EVERYTHING
) -> list[BaseRoute]:
    """`/graphql`, the export, and the files of GraphiQL below `/static`. `registry` gets its metrics.

    `live` must be told of what the fold changes, and before the server stops. Raises Misconfigured if a trusted
    document is none.
    """
    schema = create_schema(allowed.introspection)
    folders = [OWN] if allowed.documents is None else [OWN, allowed.documents]
    documents = load_documents(schema, folders, only=allowed.only_documents)
    gateway = Gateway(schema, backing, documents, suggestions=allowed.suggestions)
    transport = Transport(gateway, live, QueryMetrics(registry))
    return [
        Route("/graphql", transport.get, methods=["GET"]),
        Route("/graphql", transport.post, methods=["POST"]),
        WebSocketRoute("/graphql", Sockets(live, gateway).serve),
        Route("/export/scorecards.csv", Export(gateway, documents).scorecards, methods=["GET"]),
        Mount("/static/graphiql", StaticFiles(directory=STATIC / "graphiql"), name="graphiql"),
    ]

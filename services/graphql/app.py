"""The gateway as routes to put into an application; the composition root says what it stands on."""

from pathlib import Path

from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from services.graphql.answering import Backing, Gateway
from services.graphql.export import Export
from services.graphql.metrics import QueryMetrics
from services.graphql.schema import create_schema
from services.graphql.transport import Transport

STATIC = Path(__file__).parent / "static"


def create_graphql(backing: Backing, registry: CollectorRegistry, *, introspection: bool = True) -> list[BaseRoute]:
    """`/graphql`, the export, and the files of GraphiQL below `/static`. `registry` gets its metrics."""
    gateway = Gateway(create_schema(introspection), backing)
    transport = Transport(gateway, QueryMetrics(registry))
    return [
        Route("/graphql", transport.get, methods=["GET"]),
        Route("/graphql", transport.post, methods=["POST"]),
        Route("/export/scorecards.csv", Export(gateway).scorecards, methods=["GET"]),
        Mount("/static/graphiql", StaticFiles(directory=STATIC / "graphiql"), name="graphiql"),
    ]

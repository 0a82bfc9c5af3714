"""The gateway as routes to put into an application; the composition root says what it stands on."""

from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from services.graphql.answering import Backing, Gateway
from services.graphql.dashboard.app import create_dashboard
from services.graphql.dashboard.posting import Posts
from services.graphql.documents import DASHBOARD, OWN, load_documents
from services.graphql.export import Export
from services.graphql.live import Live
from services.graphql.metrics import QueryMetrics
from services.graphql.schema import create_schema
from services.graphql.sign_in import SignIn
from services.graphql.sockets import Sockets
from services.graphql.transport import Transport

STATIC = Path(__file__).parent / "static"


class Allowed(NamedTuple):
    """What is shown of the schema, and what is answered: `documents` is a folder of further trusted ones.

    `proxy_token_header` is the header in which a proxy hands on the token of who is at the browser; "" for none.
    """

    introspection: bool = True
    suggestions: bool = True
    documents: Path | None = None
    only_documents: bool = False
    proxy_token_header: str = ""


EVERYTHING = Allowed()


def create_graphql(
    backing: Backing,
    live: Live,
    registry: CollectorRegistry,
    allowed: Allowed = EVERYTHING,
    posts: Posts | None = None,
) -> list[BaseRoute]:
    """`/graphql`, the dashboard, the export, and the files of GraphiQL below `/static`. `registry` gets its metrics.

    `live` must be told of what the fold changes, and before the server stops. Raises Misconfigured if a trusted
    document is none. `posts` is where the dashboard's disputes go; without it there are none.
    """
    schema = create_schema(allowed.introspection)
    folders = [OWN, DASHBOARD] if allowed.documents is None else [OWN, DASHBOARD, allowed.documents]
    documents = load_documents(schema, folders, only=allowed.only_documents)
    gateway = Gateway(schema, backing, documents, suggestions=allowed.suggestions)
    sign_in = SignIn(allowed.proxy_token_header)
    metrics = QueryMetrics(registry)
    transport = Transport(gateway, live, metrics, sign_in)
    return [
        Route("/graphql", transport.get, methods=["GET"]),
        Route("/graphql", transport.post, methods=["POST"]),
        WebSocketRoute("/graphql", Sockets(live, gateway, sign_in).serve),
        Route("/export/scorecards.csv", Export(gateway, documents, metrics).scorecards, methods=["GET"]),
        *create_dashboard(gateway, documents, sign_in, backing.clock, backing.sources.policy, posts),
        Mount("/static/graphiql", StaticFiles(directory=STATIC / "graphiql"), name="graphiql"),
    ]

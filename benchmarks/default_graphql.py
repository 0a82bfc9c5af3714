"""The peer of the gateway: the same schema with the settings that Strawberry comes with, over the same data."""

import sys
from pathlib import Path

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.schema.config import StrawberryConfig

from benchmarks.acts import settings_of
from benchmarks.bare import listening
from services.events.credentials import OPEN
from services.graphql.loaders import Asked
from services.graphql.permissions import Access
from services.graphql.scalars import SCALARS
from services.graphql.schema import Act, Person, Query, Relationship, Team
from services.kit import instants
from services.parts import Parts, opened
from services.parts.gateway import backing
from services.projections.positions import Positions
from services.projections.queries.reach import NOBODY


class Peer(GraphQL[Asked, None]):
    """Strawberry's own ASGI app."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            strawberry.Schema(
                query=Query,
                types=[Team, Person, Relationship, Act],
                config=StrawberryConfig(scalar_map=SCALARS),
            )
        )
        self._reads = backing(parts, lambda _: OPEN, Positions(parts.stores.model), lambda: 0.0)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Asked:
        """What a request reads with: the gateway's loaders."""
        del request, response
        reads = self._reads
        return Asked(
            Access(OPEN, NOBODY), reads.model(), instants.now(), reads.sources, reads.cost_ceiling, reads.find_unfolded
        )


def main() -> None:
    """Serve the Exemplar in the folder that is given, on a free port of the loopback."""
    with opened(settings_of(Path(sys.argv[1]))) as parts, listening() as bound:
        app = Starlette(routes=[Route("/graphql", Peer(parts), methods=["POST"])])
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[bound])


if __name__ == "__main__":
    main()

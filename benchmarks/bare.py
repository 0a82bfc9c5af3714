"""The least that uvicorn and Starlette can do with a request: read its body and answer 202."""

import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def _accept(request: Request) -> Response:
    await request.body()
    return Response(b"{}", 202, media_type="application/json")


def main() -> None:
    """Serve on a free port of the loopback until the process is ended."""
    app = Starlette(routes=[Route("/v1/events", _accept, methods=["POST"])])
    with socket.create_server(("127.0.0.1", 0), backlog=2_048) as listening:
        print(f"ready on http://127.0.0.1:{listening.getsockname()[1]}", file=sys.stderr, flush=True)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main()

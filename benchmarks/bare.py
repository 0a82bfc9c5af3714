"""The least that uvicorn and Starlette can do with a request: read its body and answer 202."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def _accept(request: Request) -> Response:
    await request.body()
    return Response(b"{}", 202, media_type="application/json")


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A free port of the loopback; says which, as `exemplar serve` does."""
    with socket.create_server(("127.0.0.1", 0), backlog=2_048) as bound:
        print(f"ready on http://127.0.0.1:{bound.getsockname()[1]}", file=sys.stderr, flush=True)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield bound


def main() -> None:
    """Serve until the process is ended."""
    app = Starlette(routes=[Route("/v1/events", _accept, methods=["POST"])])
    with listening() as bound:
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[bound])


if __name__ == "__main__":
    main()

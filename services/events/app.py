"""The events service as an ASGI app, put together from parts that the caller has built."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.types import ASGIApp

from services.events.api import Ingress, Limits, PostsFirst, ingress_routes
from services.events.catalog.envelope import Catalogue
from services.events.catalog.schemas import documents
from services.events.credentials import Keyring
from services.events.intake import Intake
from services.events.recording import Recording
from services.kit.errors import Unavailable
from services.kit.serving import LoopbackOnly, make_app, operations


def create_app(
    recording: Recording,
    keyring: Keyring,
    catalogue: Catalogue,
    *,
    ready: Callable[[], None],
    registry: CollectorRegistry,
    limits: Limits,
    append_seconds: float,
) -> Starlette:
    """The ingress, its schemas, `/livez`, `/readyz` and `/metrics`.

    `ready` raises one of our errors while the service cannot work. `append_seconds` is how long a request waits for the
    log before it gets 503. The caller closes the log after the app's lifespan has ended. Serve it with
    `kit.serving.bounded_protocol`, without which slow headers are not bounded.
    """
    intake = Intake(recording, append_seconds)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await intake.close()

    ingress = Ingress(intake, keyring, limits, registry)
    routes = [*ingress_routes(ingress, documents(catalogue)), *operations(ready, registry)]
    app = make_app(routes, lifespan)
    posts: ASGIApp = ingress
    if not keyring.closed:
        guarded = partial(LoopbackOnly, is_open=_openness(keyring, limits.admitting_seconds))
        app.add_middleware(guarded)
        posts = guarded(ingress)
    app.middleware_stack = PostsFirst(app.build_middleware_stack(), posts)
    return app


def _openness(keyring: Keyring, within: float) -> Callable[[], Awaitable[bool]]:
    """Whether the keyring is open: then the app answers only what is asked of localhost by no foreign page.

    While the database does not say so, or not within these seconds, the app is as careful.
    """

    async def is_open() -> bool:
        if keyring.closed:
            return False
        try:
            return keyring.remembered(None) is not None or await asyncio.wait_for(
                asyncio.to_thread(keyring.is_open), within
            )
        except (Unavailable, TimeoutError):
            return True

    return is_open

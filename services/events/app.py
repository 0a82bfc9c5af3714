"""The events service as an ASGI app, put together from parts that the caller has built."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.events.api import Ingress, Limits, ingress_routes
from services.events.catalog.envelope import Catalogue
from services.events.catalog.schemas import documents
from services.events.credentials import Keyring
from services.events.intake import Intake
from services.events.recording import Recording
from services.kit import problems
from services.kit.serving import LoopbackOnly, operations


def create_app(
    recording: Recording,
    keyring: Keyring,
    catalogue: Catalogue,
    *,
    ready: Callable[[], None],
    registry: CollectorRegistry,
    limits: Limits,
    append_seconds: float,
) -> FastAPI:
    """The ingress, its schemas, `/livez`, `/readyz` and `/metrics`.

    `ready` raises one of our errors while the service cannot work. `append_seconds` is how long a request waits for the
    log before it gets 503. The caller closes the log after the app's lifespan has ended. Serve it with
    `kit.serving.bounded_protocol`, without which slow headers are not bounded.
    """
    intake = Intake(recording, append_seconds)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await intake.close()

    # FastAPI's own documentation pages load from a CDN; what it would say of plain routes, the catalogue says.
    app = FastAPI(title="Exemplar", openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.router.routes.extend(ingress_routes(Ingress(intake, keyring, limits, registry), documents(catalogue)))
    app.router.routes.extend(operations(ready, registry))
    problems.install(app)
    guard_loopback(app, keyring)
    return app


def guard_loopback(app: FastAPI, keyring: Keyring) -> None:
    """While the keyring is open, let the app answer only what is asked of localhost by no foreign page."""

    async def is_open() -> bool:
        return keyring.remembered(None) is not None or await asyncio.to_thread(keyring.is_open)

    app.add_middleware(LoopbackOnly, is_open=is_open)

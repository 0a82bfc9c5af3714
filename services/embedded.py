"""The embedded size: log, vault, read model, fold and servers in one process, on the files of one folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.staticfiles import StaticFiles

import services.graphql
from services.events.app import create_app
from services.events.recording import Recording
from services.graphql.app import create_graphql
from services.graphql.audit import create_audit
from services.graphql.pages import pages
from services.kit.running import is_loopback
from services.parts import Parts, keyring
from services.parts.fold import Fold
from services.parts.following import Following, following
from services.parts.gateway import allowed, backing, live
from services.parts.ingress import limits, recording
from services.parts.posting import Inside

_DOCS = Path(__file__).parents[1] / "docs"
_STATIC = Path(services.graphql.__file__).parent / "static"
_log = structlog.get_logger(__name__)


class Node(NamedTuple):
    """A process that takes acts in, folds them and enters them in the audit tree."""

    parts: Parts
    recording: Recording
    following: Following

    @property
    def fold(self) -> Fold:
        """What folds them."""
        return self.following.fold


@contextmanager
def running(parts: Parts) -> Iterator[Node]:
    """A node that folds meanwhile; on its first start it makes the key that signs the audit tree."""
    with following(parts, may_make_key=True) as both, recording(parts) as recording_:
        yield Node(parts, recording_, both)


def create_server_app(node: Node) -> Starlette:
    """All interfaces on one port: the ingress, the gateway and the pages."""
    settings, fold, registry = node.parts.settings, node.fold, CollectorRegistry()
    admitting = keyring(node.parts, may_be_open=is_loopback(settings.host))
    if admitting.is_open():
        _log.warning("open: no key was created yet, and anyone on this machine may post and read everything")
    node.following.register(registry)
    app = create_app(
        node.recording,
        admitting,
        node.parts.catalogue,
        ready=node.following.check_ready,
        registry=registry,
        limits=limits(settings),
        append_seconds=settings.append_seconds,
    )
    reads = backing(node.parts, admitting.admit, fold.positions, lambda: fold.status.lag_seconds)
    streams = live(node.parts, admitting, registry)
    app.router.routes.extend(create_graphql(reads, streams, registry, allowed(settings), Inside(app)))
    app.state.on_stop = streams.stop
    app.router.routes.extend(create_audit(node.parts.audit, admitting.admit))
    add_pages(app)
    return app


def add_pages(app: Starlette) -> None:
    """The front page, the documentation, and the files that they and GraphiQL load."""
    app.router.routes.extend(pages(_DOCS))
    app.mount("/static", StaticFiles(directory=_STATIC))

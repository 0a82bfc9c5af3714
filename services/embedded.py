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
from services.parts.audit import Sequencing
from services.parts.fold import Fold
from services.parts.gateway import allowed, backing, live
from services.parts.ingress import limits, recording
from services.parts.posting import Inside
from services.projections.dead_letters import count
from services.projections.metrics import FoldMetrics, TreeMetrics

_DOCS = Path(__file__).parents[1] / "docs"
_STATIC = Path(services.graphql.__file__).parent / "static"
_log = structlog.get_logger(__name__)


class Node(NamedTuple):
    """A process that takes acts in, folds them and enters them in the audit tree."""

    parts: Parts
    recording: Recording
    fold: Fold
    sequencing: Sequencing

    def check_ready(self) -> None:
        """Raises Unavailable while acts are not folded or not entered in the audit tree, or the stores are away."""
        self.fold.check_ready()
        self.sequencing.check_going()


@contextmanager
def running(parts: Parts) -> Iterator[Node]:
    """A node that folds meanwhile; on its first start it makes the key that signs the audit tree."""
    fold, sequencing = Fold(parts), Sequencing(parts, may_make_key=True)
    try:
        sequencing.start()
        fold.start()
        with recording(parts) as recording_:
            yield Node(parts, recording_, fold, sequencing)
    finally:
        sequencing.stop()
        fold.close()
        sequencing.close()


def create_server_app(node: Node) -> Starlette:
    """All interfaces on one port: the ingress, the gateway and the pages."""
    settings, fold, registry = node.parts.settings, node.fold, CollectorRegistry()
    admitting = keyring(node.parts, may_be_open=is_loopback(settings.host))
    if admitting.is_open():
        _log.warning("open: no key was created yet, and anyone on this machine may post and read everything")
    registry.register(FoldMetrics(lambda: fold.status, lambda: count(node.parts.stores.model())))
    registry.register(TreeMetrics(lambda: node.sequencing.status))
    app = create_app(
        node.recording,
        admitting,
        node.parts.catalogue,
        ready=node.check_ready,
        registry=registry,
        limits=limits(settings),
        append_seconds=settings.append_seconds,
    )
    reads = backing(node.parts, admitting.admit, fold.positions, lambda: fold.status.lag_seconds)
    streams = live(node.parts, registry)
    app.router.routes.extend(create_graphql(reads, streams, registry, allowed(settings), Inside(app)))
    app.state.on_stop = streams.stop
    app.router.routes.extend(create_audit(node.parts.audit, admitting.admit))
    add_pages(app)
    return app


def add_pages(app: Starlette) -> None:
    """The front page, the documentation, and the files that they and GraphiQL load."""
    app.router.routes.extend(pages(_DOCS))
    app.mount("/static", StaticFiles(directory=_STATIC))

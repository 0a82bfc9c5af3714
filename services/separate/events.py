"""The events service as a process of its own."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.events.app import create_app
from services.events.log.watching import LogWatch
from services.parts import Parts, check_stores, keyring
from services.parts.ingress import limits, recording


@contextmanager
def events_app(parts: Parts) -> Iterator[Starlette]:
    """The ingress and its schemas. It appends to the log and asks the read model what is known."""
    with recording(parts) as recording_, closing(LogWatch(parts.log.reader())) as log:

        def check_ready() -> None:
            check_stores(parts)
            log.check()

        yield create_app(
            recording_,
            keyring(parts, may_be_open=False),
            parts.catalogue,
            ready=check_ready,
            registry=CollectorRegistry(),
            limits=limits(parts.settings),
            append_seconds=parts.settings.append_seconds,
        )

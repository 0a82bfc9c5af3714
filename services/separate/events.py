"""The events service as a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.events.app import create_app
from services.parts import Parts, check_stores, keyring
from services.parts.ingress import limits, recording


@contextmanager
def events_app(parts: Parts) -> Iterator[Starlette]:
    """The ingress and its schemas. It appends to the log and asks the read model what is known."""
    with recording(parts) as recording_:
        yield create_app(
            recording_,
            keyring(parts, may_be_open=False),
            parts.catalogue,
            ready=lambda: check_stores(parts),
            registry=CollectorRegistry(),
            limits=limits(parts.settings),
            append_seconds=parts.settings.append_seconds,
        )

"""What takes acts in: the recording function and the limits of the ingress."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.events.api import Limits
from services.events.recording import Recording
from services.kit import instants
from services.kit.database import reading
from services.kit.settings import Settings
from services.parts import Parts
from services.projections.known import KnownActs
from services.projections.stores import check_log


@contextmanager
def recording(parts: Parts) -> Iterator[Recording]:
    """Recording into the log, beside whichever process folds it. Raises Corrupt if the log is not the model's."""
    with reading(parts.stores.model()) as connection:
        check_log(connection, parts.built)
    writer = parts.log.writer()
    try:
        known = KnownActs(parts.stores.model, parts.catalogue)
        yield Recording(writer, parts.vault, known, parts.catalogue, instants.now)
    finally:
        writer.close()


def limits(settings: Settings) -> Limits:
    """What a request at the ingress may take."""
    return Limits(
        settings.max_event_bytes,
        settings.max_request_bytes,
        settings.max_batch_events,
        settings.max_requests,
    )

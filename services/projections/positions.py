"""How far the model has come, and waiting until it has come to a position: read your own writes."""

import time
from collections.abc import Mapping
from threading import Condition

from sqlalchemy import Engine, select

from services.kit.database import reading
from services.projections.projector import Commit
from services.projections.stores import ModelSource
from services.projections.tables import partitions

POLL_SECONDS = 0.1  # for what another process has folded


class Positions:
    """The next offsets of the model. Safe to use from any thread.

    Give `committed` to the projector of this process as its `on_commit`, so that those who wait wake at once.
    """

    def __init__(self, model: ModelSource) -> None:
        self._model = model
        self._known: Mapping[int, int] = {}
        self._known_of: Engine | None = None
        self._changed = Condition()

    def committed(self, commit: Commit) -> None:
        """Wake those who wait for what was just committed."""
        with self._changed:
            self._known = {**self._known, **commit.positions}
            self._changed.notify_all()

    def current(self) -> Mapping[int, int]:
        """The next offset of each partition, as the database has it. Raises Unavailable."""
        model = self._model()
        with reading(model) as connection:
            rows = connection.execute(select(partitions.c.partition, partitions.c.next_offset)).all()
        with self._changed:
            self._known_of = model
            self._known = {row.partition: row.next_offset for row in rows}
            return self._known

    def wait_until(self, highest: Mapping[int, int], timeout: float) -> bool:
        """Wait until the record at `highest[p]` of each partition p is folded; False if `timeout` seconds were too few.

        The numbers are those of receipts and `position` at the ingress: offsets of records, not of those after them.
        """
        deadline = time.monotonic() + timeout

        def reached() -> bool:
            return all(self._known.get(p, 0) > offset for p, offset in highest.items())

        while True:
            if self._model() is not self._known_of:
                self.current()  # what is known is of another generation
            with self._changed:
                left = deadline - time.monotonic()
                if self._changed.wait_for(reached, max(0.0, min(left, POLL_SECONDS))):
                    return True
            self.current()
            if reached():
                return True
            if time.monotonic() >= deadline:
                return False

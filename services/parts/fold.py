"""What folds the log: the projector in a thread, what a model is rebuilt from, and how both stand."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import structlog

from services.events.catalog.envelope import Catalogue
from services.events.log.opening import open_reader
from services.events.log.protocol import COPYING, Position
from services.kit import instants
from services.kit.database import reading
from services.kit.errors import Corrupt, Misconfigured, Unavailable
from services.kit.running import STOP_SECONDS
from services.parts import Parts, access, check_stores
from services.projections.applying import Rules
from services.projections.changes import announce
from services.projections.leadership.policy import Policy
from services.projections.positions import Positions
from services.projections.projector import Commit, FoldStatus, Projector, Sizes
from services.projections.queries.position import format_position
from services.projections.queries.status import model_status
from services.projections.rebuild import Help, Source
from services.projections.stores import check_beginnings, check_ends

_log = structlog.get_logger(__name__)


class Fold:
    """A projector in a thread of its own, from `start` to `close`."""

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        parts.stores.sweep()
        self.positions = Positions(parts.stores.model)
        self._changes = parts.changes
        self._reader = parts.log.reader()
        self._share = parts.log.share()
        self._projector = Projector(
            parts.stores.model,
            self._reader,
            parts.vault,
            parts.rules,
            parts.built,
            instants.now,
            owner=f"{socket.gethostname()}:{os.getpid()}",
            share=self._share,
            sizes=Sizes(settings.batch_acts, settings.catch_up_acts, settings.halt_after_unreadable),
            announce=announce,
            on_commit=self._committed,
        )
        self._stop = threading.Event()
        self._folding = threading.Thread(target=self._fold, name="fold")

    @property
    def status(self) -> FoldStatus:
        """How the fold stands."""
        return self._projector.status

    def start(self) -> None:
        """Begin to fold the share of this process. Raises Corrupt or Misconfigured where the log is not the model's."""
        self._projector.take()
        self._folding.start()

    def close(self) -> None:
        """Stop, and leave the share to others. A batch that is under way is done again."""
        self._stop.set()
        if self._folding.is_alive():
            self._folding.join(STOP_SECONDS)
        self._share.close()
        self._reader.close()

    def check_ready(self) -> None:
        """Raises Unavailable while acts are not folded, or the stores do not answer."""
        self.check_going()
        if unavailable := self.status.unavailable:
            raise Unavailable(f"the fold waits: {unavailable}")
        self.positions.current()

    def check_going(self) -> None:
        """Raises Unavailable where acts are not folded before an operator has seen to it."""
        if failure := self.status.failure:
            raise Unavailable(f"the fold has stopped: {failure}")
        if halted := self.status.halted:
            raise Unavailable(f"partitions {sorted(halted)} are halted: see `exemplar dead-letters`")

    def _committed(self, commit: Commit) -> None:
        self.positions.committed(commit)
        self._changes.committed(commit.change)

    def _fold(self) -> None:
        try:
            self._projector.run(self._stop)
        except Exception:  # noqa: BLE001  # the status has it, `/readyz` and the log tell it; the servers go on
            _log.exception("the fold has stopped")
        finally:
            self._share.close()


@contextmanager
def source(parts: Parts) -> Iterator[Source]:
    """What a model is rebuilt from."""
    settings = parts.settings
    open_log_again = partial(open_reader, settings.log, settings.partitions, access(settings))
    processes = settings.rebuild_processes or (os.cpu_count() or 1)
    help_ = Help(processes, open_log_again, partial(_rules, parts.rules.policy))
    with closing(parts.log.reader()) as reader:
        yield Source(reader, parts.vault, parts.rules, parts.built, instants.now, help_)


def _rules(policy: Policy) -> Rules:
    return Rules(Catalogue(), policy)


def status(parts: Parts) -> dict[str, Any]:
    """How log, fold and model stand, as plain values.

    `problem`: why no fold goes on under these settings; `warning`: what cannot be done any more though it does.
    """
    with reading(parts.stores.model()) as connection:
        model = model_status(connection)
    with closing(parts.log.reader()) as reader:  # after the model, which may go on meanwhile
        beginnings, ends = reader.beginnings(), reader.ends()
    return {
        "log": parts.settings.log,
        "partitions": len(ends),
        "end": format_position(ends),
        "position": format_position(model.following),
        "waiting": sum(max(end - model.following.get(partition, 0), 0) for partition, end in ends.items()),
        "folded_by": model.owners,
        "halted": {str(partition): reason for partition, reason in model.halted.items()},
        "problem": _problem(parts, model.following, beginnings, ends),
        "warning": _warning(beginnings),
        "generation": parts.stores.live(),
        "policy": model.policy,
        **model.counts,
    }


def _problem(parts: Parts, following: Position, beginnings: Position, ends: Position) -> str | None:
    """What a projector that starts now would refuse: a log or a policy that is not the model's, records missing."""
    try:
        check_stores(parts)
        check_beginnings(following, beginnings)
        check_ends(following, ends)
    except (Corrupt, Misconfigured) as error:
        return str(error)
    return None


def _warning(beginnings: Position) -> str | None:
    """What does not stop the fold: that the log has lost records which were folded."""
    lost = [f"partition {partition} begins at {offset}" for partition, offset in sorted(beginnings.items()) if offset]
    if not lost:
        return None
    return (
        f"the log has lost its beginning ({', '.join(lost)}): what was folded stays, but `exemplar rebuild` and "
        "`exemplar verify` refuse. Keep the log for ever, before it loses more, and bring the records back from a "
        f"copy ({COPYING}); else keep the database, for it alone still has them"
    )

"""What the gateway reads from, and what it may show."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from functools import partial
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from services.events.credentials import CLI, Credential, Keyring
from services.graphql.answering import Backing, Gateway, Question
from services.graphql.app import Allowed
from services.graphql.live import Live, LiveLimits
from services.graphql.loaders import Sources
from services.graphql.metrics import LiveMetrics
from services.graphql.rates import Rates
from services.graphql.schema import create_schema
from services.kit import instants
from services.kit.database import answers, reading
from services.kit.errors import Unavailable
from services.kit.settings import Settings
from services.parts import Parts
from services.projections.positions import Positions
from services.projections.queries.status import last_applied
from services.projections.queries.unfolded import Unfolded, find_unfolded
from services.projections.reads import record_reads

LOOK_SECONDS = 0.5  # the longest that who asks waits to learn how far the fold is behind
_EXPLAIN = """query ($source: String!, $actId: String!, $subject: String) {
  explainAct(source: $source, actId: $actId, subject: $subject) {
    fate reason partition offset
    act { source actId type subject rep time recordedAt partition offset retracted }
    signals { person { key } principle verdict reason at }
  }
}"""
_log = structlog.get_logger(__name__)


class Lag:
    """How far a fold that runs elsewhere is behind the log; looked up at most once a second, when somebody asks.

    Whoever asks then waits for it, but not for long: the log may be away, and what is folded can be read all the same.
    """

    def __init__(self, parts: Parts, clock: Callable[[], int] = instants.now) -> None:
        self._model = parts.stores.model
        self._reader = parts.log.reader()
        self._clock = clock
        self._worker = ThreadPoolExecutor(1, "lag")
        self._looking = threading.Lock()
        self._looked = 0
        self._found = 0.0

    def __enter__(self) -> "Lag":
        return self

    def __exit__(self, *_error: object) -> None:
        self._worker.shutdown()
        self._reader.close()

    def seconds(self) -> float:
        """0 when nothing waits; else since when, at most, the oldest record that does. As last known, if log or model
        do not answer in time.
        """
        if self._clock() - self._looked > instants.SECOND and self._looking.acquire(blocking=False):
            wait([self._worker.submit(self._look)], LOOK_SECONDS)
        return self._found

    def _look(self) -> None:
        try:
            self._found = self._behind(self._clock())
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not stop who reads
            _log.warning("how far the fold is behind the log is not known now", reason=str(error))
        finally:
            self._looked = self._clock()
            self._looking.release()

    def _behind(self, now: int) -> float:
        ends = self._reader.ends()
        with reading(self._model()) as connection:
            folded = last_applied(connection)
        waiting = [applied for p, (following, applied) in folded.items() if ends.get(p, 0) > following]
        return max((now - applied for applied in waiting if applied), default=0) / instants.SECOND


def backing(
    parts: Parts,
    authenticate: Callable[[str | None], Credential],
    positions: Positions,
    lag_seconds: Callable[[], float],
) -> Backing:
    """What the gateway stands on."""

    def find(position: Mapping[int, int], source: str, act_id: str, subject: str | None) -> Unfolded | None:
        with closing(parts.log.reader()) as reader:
            return find_unfolded(reader, position, source, act_id, subject)

    settings = parts.settings
    return Backing(
        parts.stores.model,
        Sources(parts.vault, parts.catalogue, parts.rules.policy, parts.audit),
        instants.now,
        authenticate,
        positions.wait_until,
        lag_seconds,
        find,
        partial(record_reads, parts.stores.control),
        settings.wait_for_seconds,
        settings.query_cost,
        settings.query_seconds,
        partial(answers, parts.stores.control),
        Rates(settings.queries_per_second, settings.queries_burst),
    )


def allowed(settings: Settings) -> Allowed:
    """What the gateway shows of its schema, and answers."""
    return Allowed(
        settings.introspection,
        settings.suggestions,
        settings.trusted_documents_dir,
        settings.only_trusted_documents,
        settings.proxy_token_header,
    )


def live(parts: Parts, keys: Keyring, registry: CollectorRegistry) -> Live:
    """The live connections of a server, which are told of what any fold into this database changes."""
    settings = parts.settings
    made = Live(
        parts.stores.model,
        keys.ended,
        LiveMetrics(registry),
        LiveLimits(
            settings.live_connections,
            settings.live_connections_each,
            settings.live_subscriptions,
            settings.live_init_seconds,
            settings.live_keep_alive_seconds,
        ),
    )
    parts.changes.add(made.told)
    return made


async def explain(parts: Parts, source: str, act_id: str, subject: str | None) -> dict[str, Any]:
    """What became of an act, as the gateway tells an admin."""
    positions = Positions(parts.stores.model)
    gateway = Gateway(create_schema(), backing(parts, lambda _: CLI, positions, lambda: 0.0))
    variables = {"source": source, "actId": act_id, "subject": subject}
    answer = await gateway.answer(Question(_EXPLAIN, variables))
    if "data" not in answer.body or answer.body["data"] is None:
        raise Unavailable(answer.body["errors"][0]["message"])
    found: dict[str, Any] = answer.body["data"]["explainAct"]
    return found

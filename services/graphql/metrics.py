"""How long questions take, for Prometheus. Labels come from a closed set: a client's names never get into them."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.graphql import errors

ANSWERED = "answered"
EVENT_STREAM, WEBSOCKET = "sse", "websocket"
LIMIT, SLOW = "limit", "slow"
REFUSED = "refused"  # what is not GraphQL over HTTP, or not a query


class QueryMetrics:
    """The times of all requests at `/graphql` but those for its page and live ones, and of the export."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "exemplar_query_seconds",
            "Time to answer a GraphQL request or an export, waiting for the fold included, by outcome",
            ["outcome"],
            registry=registry,
        )

    def observe(self, outcome: str, seconds: float) -> None:
        """Count a request that ended like this after so many seconds."""
        self._seconds.labels(outcome).observe(seconds)


def outcome_of(body: Mapping[str, Any]) -> str:
    """What an answer counts as: `answered`, `internal` if anything went wrong here, else its first error code."""
    codes = [error["extensions"]["code"] for error in body.get("errors", ())]
    if not codes:
        return ANSWERED
    code: str = errors.INTERNAL if errors.INTERNAL in codes else codes[0]
    return code.lower()


class LiveMetrics:
    """Live connections and the subscriptions on them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._connections = Gauge(
            "exemplar_live_connections", "Open live connections, by transport", ["transport"], registry=registry
        )
        self._subscriptions = Gauge("exemplar_live_subscriptions", "Operations on live connections", registry=registry)
        self._answers = Counter("exemplar_live_answers", "Answers sent on live connections", registry=registry)
        self._dropped = Counter(
            "exemplar_live_dropped",
            "Subscriptions and connections ended or refused, by reason",
            ["reason"],
            registry=registry,
        )
        for transport in (EVENT_STREAM, WEBSOCKET):
            self._connections.labels(transport)
        for reason in (LIMIT, SLOW):
            self._dropped.labels(reason)

    def connections(self, transport: str, more: int) -> None:
        """There is one more connection of this transport, or one less."""
        self._connections.labels(transport).inc(more)

    def subscriptions(self, more: int) -> None:
        """There is one more operation under way, or one less."""
        self._subscriptions.inc(more)

    def sent(self) -> None:
        """One more answer."""
        self._answers.inc()

    def dropped(self, reason: str) -> None:
        """A connection was refused or a stream ended: `limit`, `slow`, or the code of an error in lower case."""
        self._dropped.labels(reason).inc()

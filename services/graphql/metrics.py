"""How long questions take, for Prometheus. Labels come from a closed set: a client's names never get into them."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Histogram

from services.graphql import errors

ANSWERED = "answered"
REFUSED = "refused"  # what is not GraphQL over HTTP, or not a query


class QueryMetrics:
    """The times of all requests at `/graphql` but those for its page."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "exemplar_query_seconds",
            "Time to answer a GraphQL request, waiting for the fold included, by outcome",
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

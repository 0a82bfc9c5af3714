"""The routes that every service has: alive, ready, and metrics that say so."""

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.testclient import TestClient

from services.kit.errors import Unavailable
from services.kit.serving import operations


class Part:
    """Something that a service needs, which may be away."""

    away = False

    def check(self) -> None:
        """Raise Unavailable while it is away."""
        if self.away:
            raise Unavailable("the part is away")


def test_readiness_is_told_in_both_ways() -> None:
    """While a part is away `/readyz` is 503 and says why, and the metric is 0; the process stays alive all the time."""
    part = Part()
    client = TestClient(Starlette(routes=operations(part.check, CollectorRegistry())))
    for away, status, told in ((False, 200, "1.0"), (True, 503, "0.0"), (False, 200, "1.0")):
        part.away = away
        answer = client.get("/readyz")
        assert answer.status_code == status
        assert ("the part is away" in answer.text) is away
        assert f"exemplar_ready {told}\n" in client.get("/metrics").text
        assert client.get("/livez").status_code == 200


def test_a_process_tells_what_it_takes() -> None:
    """Memory, processor time and open files are among the metrics."""
    page = TestClient(Starlette(routes=operations(Part().check, CollectorRegistry()))).get("/metrics").text
    for name in ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"):
        assert f"\n{name} " in page

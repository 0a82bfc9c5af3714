"""What is read from a server that is measured: scorecards, and how far its fold is."""

import http.client
import json
import re
import time
from datetime import timedelta

from benchmarks.acts import UNTIL
from benchmarks.client import post
from benchmarks.servers import Server
from services.events.log.protocol import Position

LONGEST_WAIT = 300.0
_OFFSET = re.compile(r'^exemplar_fold_next_offset\{partition="(\d+)"\} (\S+)$', re.MULTILINE)
SCORECARD = """query Card($team: String!, $from: Date!, $to: Date!) {
  team(key: $team) {
    key name
    scorecard(period: {from: $from, to: $to}) {
      policy asOf
      scores {
        principle { id title }
        kept breached n notRecorded rate interval { low high } evidenceLevel
        previous { n rate }
        change { value interval { low high } }
        reasons { reason count }
      }
      guideIndex { value trust partnership capability inquiry }
    }
  }
}"""


def scorecard_request(team: str, days: int = 90, headers: str = "") -> bytes:
    """A request for a team's card of its last 90 days in the made-up year. `headers` end with a line break."""
    period = {"from": str(UNTIL - timedelta(days=days)), "to": str(UNTIL)}
    body = json.dumps({"query": SCORECARD, "variables": {"team": team, **period}})
    return post("/graphql", "application/json", body.encode(), f"accept: application/json\r\n{headers}")


def check_scorecard(body: bytes) -> None:
    """Raises AssertionError if this is not a card with 15 scores, of which some have figures."""
    answer = json.loads(body)
    assert "errors" not in answer, answer
    scores = answer["data"]["team"]["scorecard"]["scores"]
    assert len(scores) == 15, answer
    assert any(score["n"] for score in scores), answer


def wait_for(server: Server, ends: Position) -> None:
    """Wait until the fold has taken in the log up to these ends, as `/metrics` tells."""
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        metrics = _metrics(server)
        if "exemplar_fold_stopped 1.0" in metrics:
            raise RuntimeError("the fold has stopped")
        folded = {int(partition): float(offset) for partition, offset in _OFFSET.findall(metrics)}
        if all(folded.get(partition, 0) >= end for partition, end in ends.items()):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the fold has not come to the end of the log in {LONGEST_WAIT:.0f} s")


def _metrics(server: Server) -> str:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()

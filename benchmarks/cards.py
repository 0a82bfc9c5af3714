"""A heat map: the cards of a team's 20 reps with intervals and trend, against the library as it comes."""

import json
from datetime import timedelta
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.acts import UNTIL, ends_of, events, fill, records, settings_of
from benchmarks.client import drive, post
from benchmarks.measuring import Sizes, Table, apart, figure, quantile
from benchmarks.reading import wait_for
from benchmarks.servers import Server, default_graphql, exemplar
from services.parts import opened

YEAR = 9_600  # acts: nearly all of one year
TEAM = "t-heat-map"
REPS = 20
DAYS = (90, 365)
CONNECTIONS = 16
WARMING = 20
HEAT_MAP = """query HeatMap($team: String!, $from: Date!, $to: Date!) {
  team(key: $team) {
    members {
      person {
        key name
        scorecard(period: {from: $from, to: $to}) {
          scores {
            principle { id title }
            kept breached n notRecorded rate interval { low high } evidenceLevel
            trend(by: WEEK) { start kept breached }
          }
        }
      }
    }
  }
}"""


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """Both over the same files, one after the other."""
    apart(_fill, folder / "year")
    with exemplar(folder / "year") as server:
        wait_for(server, ends_of(folder / "year"))
        ours = _reads(server, sizes)
    with default_graphql(folder / "year") as server:
        theirs = _reads(server, sizes)
    rows = []
    for days in DAYS:
        for name, found in (("gateway", ours[days]), ("Strawberry as it comes", theirs[days])):
            rows.append((f"{days} days: {name}", *map(figure, found), figure(found[2] / theirs[days][2])))
    columns = ("", "p50 ms", "p99 ms", "answers/s", "CPU ms an answer", "×")
    return [Table(f"Cards of a team of {REPS} with intervals and trend, {CONNECTIONS} connections", columns, rows)]


def _fill(folder: Path) -> None:
    """A year of acts, and a team of 20 of its reps."""
    fill(folder, YEAR)
    joined = [event["data"] for event in map(msgspec.json.decode, events(YEAR)) if "team.joined" in event["type"]]
    leaders = {data["person"] for data in joined if data["role"] == "leader"}
    reps = sorted({data["person"] for data in joined} - leaders)[:REPS]
    with opened(settings_of(folder)) as parts:
        writer = parts.log.writer()
        writer.append(records(parts, [_joined(rep) for rep in reps])).result()
        writer.close()


def _joined(rep: str) -> bytes:
    attributes = {"specversion": "1.0", "id": rep, "source": "heat-map", "type": "exemplar.team.joined.v1"}
    when = {"subject": TEAM, "time": "2024-01-01T00:00:00Z"}
    return msgspec.json.encode({**attributes, **when, "data": {"person": rep, "role": "rep"}})


def _reads(server: Server, sizes: Sizes) -> dict[int, list[float]]:
    """p50, p99, answers a second and CPU an answer, by the days of the period."""
    return {days: _median(server, _request(days), sizes) for days in DAYS}


def _median(server: Server, request: bytes, sizes: Sizes) -> list[float]:
    _read(server, request, WARMING)
    rounds = [_read(server, request, sizes.reads) for _ in range(sizes.rounds)]
    return [median(column) for column in zip(*rounds, strict=True)]


def _request(days: int) -> bytes:
    period = {"from": str(UNTIL - timedelta(days=days)), "to": str(UNTIL)}
    body = json.dumps({"query": HEAT_MAP, "variables": {"team": TEAM, **period}})
    return post("/graphql", "application/json", body.encode(), "accept: application/json\r\n")


def _read(server: Server, request: bytes, number: int) -> tuple[float, float, float, float]:
    before = server.cpu()
    driven = drive(server.host, server.port, [request] * number, CONNECTIONS)
    members = json.loads(driven.last)["data"]["team"]["members"]
    if driven.statuses != {200} or len(members) != REPS:
        raise RuntimeError(f"reads were answered {sorted(driven.statuses)}: {driven.last.decode()[:500]}")
    p50, p99 = (1000 * quantile(driven.latencies, share) for share in (0.5, 0.99))
    return p50, p99, number / driven.wall, 1000 * (server.cpu() - before) / number

"""A leader's whole example over a year: a team of 20 whose reps have 50,000 signals, on SQLite and on PostgreSQL.

The made-up years of eight companies and more are told as of one team of 20 reps, its leader, and two other leaders.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec
from sqlalchemy import func, select

from benchmarks.acts import UNTIL, events, records, together
from benchmarks.client import drive, post
from benchmarks.engines import postgres
from benchmarks.measuring import Sizes, Table, apart, figure, quantile
from benchmarks.reading import wait_for
from benchmarks.servers import Server, service
from services.kit.database import reading
from services.kit.settings import Settings, load_settings
from services.parts import Parts, opened
from services.parts.audit import signing
from services.projections.tables import signals

YEARS = 84_000  # acts: a little more than eight years of companies
REPS = 20
TEAM, LEADER, REP = "t-one", "lead", "rep-"
TOGETHER = 1_000
_PERSON = re.compile(rb'"y\d+-p-(\d{3})"')
_TEAM = re.compile(rb'"y\d+-(t-[a-z]+)"')
_LEADERS = {1: b'"director"', 2: b'"other-1"', 3: b'"lead"', 4: b'"other-2"'}
EXAMPLE = """
fragment O on OddsRatio { value interval { low high } strata n undefinedBecause }
fragment Q on RateRatio { value interval { low high } before after beforeDays afterDays undefinedBecause }
fragment R on Rate { kept n rate }
fragment D on Difference { value interval { low high } }
fragment S on Score { kept breached n notRecorded rate interval { low high } evidenceLevel }
fragment P on RateComparison { with { ...R } without { ...R } difference { ...D } }
fragment C on Correlation { value n }
query Example($leader: String!, $team: String!, $from: Date!, $to: Date!) {
  person(key: $leader) { example(team: $team, period: {from: $from, to: $to}) {
    leader { key } team { name } policy remark
    comparisons {
      principle { id title } leader { ...S } team { ...S } difference { ...D }
      mirroring { ...O } chanceBaseline { ...O } imprint { ...O }
    }
    standards { principle { id } since gap score { ...S } }
    goading { ...Q } monthEndPressure { ...Q }
    coaching { principle { id } count } recognition { principle { id } count } behaviourRecognitionShare
    guidesWin { acceptance { ...C } repeatCustomers { ...C } referrals { ...C } }
    pushing { acceptance { ...P } repeat { ...P } }
    afterCoaching { principle { id } after { ...R } before { ...R } difference { ...D } }
  } }
}"""
EQUITY = """query Equity($team: String!) { team(key: $team) { equity {
  policy activeCustomers repeatShare referralsPerCustomerYear lostCustomers touchesToYesMedian shareAtFiveToSeven
  touchShareUnfit touchShareCustomers } } }"""


def measure(sizes: Sizes, folder: Path) -> list[Table]:
    """The example, and the customer equity of the team, over one connection on each database."""
    rows = _measured("SQLite", load_settings(data_dir=folder / "sqlite"), sizes)
    with postgres() as url:
        rows += _measured("PostgreSQL", load_settings(data_dir=folder / "postgres", database_url=url), sizes)
    return [
        Table("A leader's whole example over a year", ("", "signals", "p50 ms", "p99 ms", "CPU ms an answer"), rows)
    ]


def _measured(database: str, settings: Settings, sizes: Sizes) -> list[tuple[str, ...]]:
    acts = YEARS if sizes.rebuilt >= YEARS else sizes.rebuilt
    ends = apart(fill, settings, acts)
    with service("serve", settings) as server:
        wait_for(server, ends)
        number = f"{apart(_signals, settings):,}"
        named = {"example": _request(EXAMPLE), "equity": _request(EQUITY)}
        return [(f"{database}: {name}", number, *_read(server, request, sizes)) for name, request in named.items()]


def fill(settings: Settings, number: int) -> dict[int, int]:
    """Write the acts into a new log; where it ends. Nothing is folded."""
    with opened(settings) as parts:
        signing(parts, may_make=True)  # as `exemplar migrate` does
        writer = parts.log.writer(waiting_records=2 * number + 100, waiting_bytes=2**30)
        told = [*_structure(), *(_renamed(event) for event in events(number) if _is_told(event))]
        waiting = [writer.append(records(parts, some)) for some in together(told, TOGETHER)]
        for future in waiting:
            future.result()
        writer.close()
        reader = parts.log.reader()
        ends = dict(reader.ends())
        reader.close()
    return ends


def _is_told(event: bytes) -> bool:
    return b'"type":"exemplar.team.' not in event and b"person.erased" not in event


def _renamed(event: bytes) -> bytes:
    """The act as one of the team's, or of the two other leaders'."""
    return _PERSON.sub(_person, _TEAM.sub(b'"' + TEAM.encode() + b'"', event))


def _person(found: re.Match[bytes]) -> bytes:
    number = int(found[1])
    return _LEADERS.get(number) or b'"%s%d"' % (REP.encode(), number % REPS)


def _structure() -> Iterator[bytes]:
    """Who is in which team since two years before."""
    for number in range(REPS):
        yield _joined(TEAM, f"{REP}{number}", "rep")
    yield _joined(TEAM, LEADER, "leader")
    for number in (1, 2):
        yield _joined(f"t-other-{number}", f"other-{number}", "leader")


def _joined(team: str, person: str, role: str) -> bytes:
    attributes = {"specversion": "1.0", "id": person, "source": "people", "type": "exemplar.team.joined.v1"}
    when = {"subject": team, "time": f"{UNTIL.year - 2}-01-01T00:00:00Z"}
    return msgspec.json.encode({**attributes, **when, "data": {"person": person, "role": role}})


def _signals(settings: Settings) -> int:
    """How many signals the team's reps have in the year."""
    with opened(settings) as parts:
        return _count(parts)


def _count(parts: Parts) -> int:
    with reading(parts.stores.model()) as connection:
        return connection.scalar(select(func.count()).where(signals.c.person.startswith(REP))) or 0


def _request(query: str) -> bytes:
    variables = {"leader": LEADER, "team": TEAM, "from": str(UNTIL.replace(year=UNTIL.year - 1)), "to": str(UNTIL)}
    body = json.dumps({"query": query, "variables": variables})
    return post("/graphql", "application/json", body.encode(), "accept: application/json\r\n")


def _read(server: Server, request: bytes, sizes: Sizes) -> tuple[str, str, str]:
    reads = max(sizes.reads // 10, 1)
    drive(server.host, server.port, [request] * 3, 1)
    before = server.cpu()
    driven = [drive(server.host, server.port, [request] * reads, 1) for _ in range(sizes.rounds)]
    cpu = 1000 * (server.cpu() - before) / (reads * sizes.rounds)
    if any(one.statuses != {200} or b'"errors"' in one.last for one in driven):
        raise RuntimeError(f"reads were answered {driven[0].last.decode()[:500]}")
    p50, p99 = (median(1000 * quantile(one.latencies, share) for one in driven) for share in (0.5, 0.99))
    return figure(p50), figure(p99), figure(cpu)

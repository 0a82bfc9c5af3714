"""One fault under load: break something, heal it, see how soon all works again, drain, and check everything."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import Any

import psycopg
from kafka.errors import KafkaError

from services.events.catalog.envelope import Catalogue
from services.events.vault.cipher import open_acts
from services.events.vault.sql import SqlVault
from services.events.vault.wrapping import load_wrapping_key
from services.kit.database import open_engine, parse_url
from tests.faults.checking import ANSWER_SECONDS, ActRow, Evidence, Sample, check
from tests.faults.cluster import Site, eventually
from tests.faults.ledger import Event, Ledger
from tests.faults.load import Client, load
from tests.serving import run

WARM_SECONDS = 2.0
AFTERWARDS_SECONDS = 2.0  # the load goes on for so long after the recovery
RECOVERY_SECONDS = 10.0
PROBE_SECONDS = 0.25  # between two fresh acts that look for the recovery
PROBES = 20  # that are on their way at the same time
LONGEST_SECONDS = 60.0  # what has not recovered or drained by then, never will
SAMPLE_SECONDS = 0.3
_SEEN = "query ($it: String!) { relationship(customer: $it) { acts(first: 1) { edges { node { actId } } } } }"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong. `happen` returns at the moment of healing: the stores answer, the network carries.

    `kills_events`: clients may get no answer at all.
    """

    name: str
    happen: Callable[[Site, Random, Ledger], None]
    kills_events: bool = False


@dataclass
class Outcome:
    """What a trial came to; `findings` by the promise that was broken, empty if all were kept.

    `again` and `recovery`: seconds from healing until a fresh act was acknowledged, and until one was shown besides.
    """

    fault: str
    sent: int = 0
    acknowledged: int = 0
    unanswered: int = 0
    records: int = 0
    again: float | None = None
    recovery: float | None = None
    drained: float = 0.0
    seconds: float = 0.0
    findings: dict[str, list[str]] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Acts that were lost, on the way into the log or out of it."""
        return len(self.findings.get("lost", ()))


def try_fault(
    site: Site, fault: Fault, seed: int, ledger: Ledger, recovery_seconds: float = RECOVERY_SECONDS
) -> Outcome:
    """Let a fault happen under load and check everything; `ledger` is that of the site, from its first act on."""
    outcome, began, before = Outcome(fault.name), time.monotonic(), len(ledger.attempts)
    with sampling(site) as samples:
        with load([site.services["events"].port], site.key, ledger, seed):
            time.sleep(WARM_SECONDS)
            recovery(site, ledger, time.monotonic(), f"{seed}-before")  # all is at work before something breaks
            fault.happen(site, Random(seed), ledger)
            outcome.again, outcome.recovery = recovery(site, ledger, time.monotonic(), f"{seed}")
            time.sleep(AFTERWARDS_SECONDS)
        outcome.drained = drain(site)
    seconds = max(ANSWER_SECONDS, recovery_seconds)
    evidence = replace(
        gather(site, ledger, samples), since=before, may_be_silent=fault.kills_events, answer_seconds=seconds
    )
    outcome.findings = judge(site, evidence, outcome.recovery, recovery_seconds)
    count(outcome, ledger, before)
    outcome.records = len(evidence.log)
    outcome.seconds = time.monotonic() - began
    return outcome


def judge(site: Site, evidence: Evidence, recovered: float | None, recovery_seconds: float) -> dict[str, list[str]]:
    """All that must hold, of the evidence, of the recovery, and of the state: it is what a clean rebuild gives."""
    findings = check(evidence)
    if recovered is None or recovered > recovery_seconds:
        took = "never" if recovered is None else f"after {recovered:.1f} s"
        findings["recovery"] = [f"a fresh act was acknowledged and folded {took}"]
    verified = run(site.folder, ["verify", "--json"], **site.direct)
    if verified.returncode:
        findings["state"] = [f"not what a clean rebuild gives: {verified.stdout}{verified.stderr}"]
    return findings


def recovery(site: Site, ledger: Ledger, healed: float, name: str) -> tuple[float | None, float | None]:
    """Seconds from healing until a fresh act was acknowledged, and until the gateway shows one; None if never."""
    done = threading.Event()
    taken: list[float] = []
    shown: list[float] = []

    def probe(number: int) -> None:
        event = _probe(f"probe-{name}-{number}")
        with closing(Client(site.services["events"].port, site.key, ledger)) as client:
            attempt = client.post([event])
        if attempt.status == 202:
            taken.append(attempt.answered)
            if _shown(site, event["subject"], attempt.receipts[0], done):
                shown.append(time.monotonic())
                done.set()

    probes: list[threading.Thread] = []
    while not done.is_set() and time.monotonic() < healed + LONGEST_SECONDS:
        if sum(thread.is_alive() for thread in probes) < PROBES:
            probes.append(threading.Thread(target=probe, args=(len(probes),), daemon=True))
            probes[-1].start()
        done.wait(PROBE_SECONDS)
    done.set()
    for thread in probes:
        thread.join()  # or what it posted late would come into the log after its end was looked up
    return _since(healed, taken), _since(healed, shown)


def _since(moment: float, moments: Sequence[float]) -> float | None:
    return min(moments) - moment if moments else None


def _probe(name: str) -> Event:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "probes",
        "type": "exemplar.contact.made.v1",
        "subject": name,
        "time": "2026-01-05T09:00:00Z",
        "data": {"rep": "prober", "channel": "call", "purpose": "introduce"},
    }


def _shown(site: Site, customer: str, receipt: Mapping[str, Any], given_up: threading.Event) -> bool:
    """Wait until the gateway shows the act of a customer."""
    headers = {
        "authorization": f"Bearer {site.key}",
        "content-type": "application/json",
        "exemplar-wait-for": f"{receipt['partition']}:{receipt['offset']}",
    }
    body = json.dumps({"query": _SEEN, "variables": {"it": customer}})
    while not given_up.is_set():
        with suppress(OSError, HTTPException, ValueError, KeyError, TypeError):
            with closing(HTTPConnection("127.0.0.1", site.services["graphql"].port, timeout=10)) as connection:
                connection.request("POST", "/graphql", body, headers)
                answer = json.loads(connection.getresponse().read())
            if len(answer["data"]["relationship"]["acts"]["edges"]) == 1:
                return True
        time.sleep(0.1)
    return False


def drain(site: Site) -> float:
    """Wait until the fold has come to the log's end; how long that took. Where it never comes, the check says so."""
    began = time.monotonic()
    ends = site.broker.ends(site.name)
    with suppress(AssertionError):
        eventually("all is folded", lambda: site.positions() == ends, LONGEST_SECONDS)
    return time.monotonic() - began


@contextmanager
def sampling(site: Site) -> Iterator[list[Sample]]:
    """Look at the fold's positions and then at the log's ends again and again, as far as these answer."""
    samples: list[Sample] = []
    stop = threading.Event()

    def look() -> None:
        admin: Any = None
        while not stop.wait(SAMPLE_SECONDS):
            try:
                admin = admin or site.broker.admin()
                positions = site.positions()
                samples.append(Sample(positions, site.broker.ends(site.name, admin)))
            except (psycopg.Error, KafkaError, OSError, IndexError):
                if admin is not None:
                    admin.close()
                admin = None
        if admin is not None:
            admin.close()

    thread = threading.Thread(target=look, name="sampling", daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join(LONGEST_SECONDS)


def gather(site: Site, ledger: Ledger, samples: Sequence[Sample]) -> Evidence:
    """Read the topic by a plain client, and the model by plain SQL."""
    log, ends, model = site.broker.records(site.name), site.broker.ends(site.name), site.model()
    columns = "partition, log_offset, subject, source, act_id, record"
    acts = [ActRow(*row) for row in site.database.ask(f'SELECT {columns} FROM "{model}".acts', site.name)]
    letters = site.database.ask(f'SELECT partition, log_offset, kind FROM "{model}".dead_letters', site.name)
    dead = {(partition, offset): kind for partition, offset, kind in letters}
    last = Sample(site.positions(), ends)
    return Evidence(ledger, log, acts, dead, [*samples, last], ends, _revealing(site))


def _revealing(site: Site) -> Callable[[Sequence[bytes]], Sequence[Mapping[str, str | None]]]:
    """The vault opens what the log has sealed."""
    catalogue = Catalogue()

    def reveal(values: Sequence[bytes]) -> Sequence[Mapping[str, str | None]]:
        engine = open_engine(parse_url(site.direct["database_url"], "database"), "vault")
        try:
            vault = SqlVault(engine, load_wrapping_key(site.folder / "vault.key", create=False))
            return open_acts([catalogue.decode_record(value) for value in values], catalogue, vault)
        finally:
            engine.dispose()

    return reveal


def count(outcome: Outcome, ledger: Ledger, before: int) -> None:
    """Add up what was sent from an attempt on, and what came of it."""
    for attempt in ledger.attempts[before:]:
        outcome.sent += len(attempt.events)
        if attempt.status == 202:
            outcome.acknowledged += len(attempt.events)
        elif attempt.status != 409:
            outcome.unanswered += len(attempt.events)

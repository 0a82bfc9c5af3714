"""The topic deleted and made anew under the services: they halt and say what to do, and doing that brings all back."""

import time
from contextlib import closing
from dataclasses import replace

from kafka.errors import KafkaError

from tests.faults.cluster import PARTITIONS, SERVICES, Site, eventually
from tests.faults.ledger import Event, Ledger
from tests.faults.load import Client, load
from tests.faults.trial import Fault, Outcome, drain, gather, judge, recovery, sampling

NOTICED_SECONDS = 5.0  # the services have noticed by then: from then on nothing may be acknowledged
_STILL_SECONDS = 4.0


def try_recreated_topic(site: Site, fault: Fault, seed: int, ledger: Ledger) -> Outcome:
    """Make the topic anew under load; look that all stand still; do as the services say; send all again; check all."""
    began = time.monotonic()
    with load([site.services["events"].port], site.key, ledger, seed):
        time.sleep(4)
        before = site.positions()
        _make_anew(site)
        time.sleep(NOTICED_SECONDS)
        halted = time.monotonic()
        time.sleep(_STILL_SECONDS)
    standing = _standing_still(site, ledger, halted, before)
    afterwards = Ledger()
    _follow_the_instructions(site)
    healed = time.monotonic()
    with sampling(site) as samples:
        _send_again(site, ledger, afterwards)
        recovered = recovery(site, afterwards, healed, f"{seed}")
        drained = drain(site)
    evidence = replace(gather(site, afterwards, samples), since=0)
    evidence.ledger.attempts += [replace(attempt, receipts=()) for attempt in ledger.attempts if attempt.status != 202]
    findings = judge(site, evidence, recovered, float("inf"))
    if standing:
        findings["halted"] = standing
    sent = [*ledger.attempts, *afterwards.attempts]
    return Outcome(
        fault.name,
        sum(len(attempt.events) for attempt in sent),
        sum(len(attempt.receipts) for attempt in sent),
        sum(len(attempt.events) for attempt in sent if attempt.status not in (202, 409)),
        len(evidence.log),
        recovered,
        drained,
        time.monotonic() - began,
        findings,
    )


def _make_anew(site: Site) -> None:
    """Delete the topic, and make another one of its name as soon as that can be."""
    with closing(site.broker.admin()) as admin:
        admin.delete_topics([site.name])

        def made() -> bool:
            try:
                admin.create_topics({site.name: {"num_partitions": PARTITIONS, "replication_factor": 1}})
            except KafkaError:
                return False
            return True

        eventually("the topic is made anew", made)


def _standing_still(site: Site, ledger: Ledger, halted: float, before: dict[int, int]) -> list[str]:
    """What is wrong with services that should have halted, and have said what to do."""
    taken = [attempt for attempt in ledger.attempts if attempt.sent > halted and attempt.status == 202]
    findings = [f"acknowledged into another log: {attempt.events[0]['id']}" for attempt in taken]
    if any(position < before[partition] for partition, position in site.positions().items()):
        findings.append("the fold went back in another log")
    if site.services["projections"].status("/readyz") != 503:
        findings.append("the projections say that they are ready")
    silent = [
        command
        for command in ("events", "projections")
        if "made anew: stop everything that uses it" not in site.services[command].messages.read_text()
    ]
    return findings + [f"{command} did not say what to do" for command in silent]


def _follow_the_instructions(site: Site) -> None:
    """Stop everything; the new topic is the right one, so the model of the old one goes; migrate, and start again."""
    ports = {command: site.services[command].port for command in SERVICES}
    for command in SERVICES:
        site.services[command].stop()
    site.database.ask(f'DROP SCHEMA "{site.model()}" CASCADE', site.name)
    site.run("migrate")
    for command in SERVICES:
        site.services[command] = site.start(command, ports[command])
    for command in SERVICES:
        site.services[command].wait()


def _send_again(site: Site, ledger: Ledger, afterwards: Ledger) -> None:
    """The sources send all that they ever had acknowledged once more, in the order of the first time."""
    events: list[Event] = [each.event for each in ledger.acknowledged() if not each.duplicate]
    with closing(Client(site.services["events"].port, site.key, afterwards)) as client:
        for start in range(0, len(events), 50):
            batch = events[start : start + 50]
            while client.post(batch).status != 202:
                time.sleep(0.2)

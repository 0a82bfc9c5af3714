"""The topic deleted and made anew under the services: they halt and say what to do, and doing that brings all back."""

import time
from collections.abc import Sequence
from contextlib import closing

from kafka.errors import KafkaError

from tests.faults.cluster import PARTITIONS, SERVICES, Site, eventually
from tests.faults.ledger import Event, Ledger
from tests.faults.load import AGAIN, Client, load
from tests.faults.trial import LONGEST_SECONDS, Fault, Outcome, count, drain, gather, judge, recovery, sampling

LOAD_SECONDS = 4.0
NOTICED_SECONDS = 1.5  # the writer looks whether the topic is the same once a second (docs/design/log.md)
_TOGETHER = 50  # acts in a request, when all are sent again


def try_recreated_topic(site: Site, fault: Fault, seed: int, ledger: Ledger) -> Outcome:
    """Make the topic anew; look that all stand still under load; do as the services say; send all again; check all."""
    began = time.monotonic()
    with load([site.services["events"].port], site.key, ledger, seed):
        time.sleep(LOAD_SECONDS)
    drain(site)
    acknowledged, before = list(ledger.acknowledged()), site.positions()
    _make_anew(site)
    time.sleep(NOTICED_SECONDS)
    refused = Ledger()
    with load([site.services["events"].port], site.key, refused, seed + 1):
        time.sleep(LOAD_SECONDS)
    standing = _standing_still(site, refused, before)
    _follow_the_instructions(site)
    healed, afterwards = time.monotonic(), Ledger()
    with sampling(site) as samples:
        _send_again(site, [each.event for each in acknowledged if not each.duplicate], afterwards)
        again, recovered = recovery(site, afterwards, healed, f"{seed}")
        drained = drain(site)
    evidence = gather(site, afterwards, samples)
    outcome = Outcome(fault.name, again=again, recovery=recovered, drained=drained, records=len(evidence.log))
    outcome.findings = judge(site, evidence, recovered, LONGEST_SECONDS) | ({"halted": standing} if standing else {})
    for each in (ledger, refused, afterwards):
        count(outcome, each, 0)
    outcome.seconds = time.monotonic() - began
    return outcome


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


def _standing_still(site: Site, refused: Ledger, before: dict[int, int]) -> list[str]:
    """What is wrong with services that should have halted, and have said what to do."""
    findings = [f"acknowledged into another log: {each.event['id']}" for each in refused.acknowledged()]
    if site.positions() != before or any(site.broker.ends(site.name).values()):
        findings.append("something was appended to another log, or folded from it")
    if site.services["projections"].status("/readyz") != 503:
        findings.append("the projections say that they are ready")
    silent = [
        command
        for command in ("events", "projections")
        if "stop everything that uses it" not in site.services[command].messages.read_text()
    ]
    return findings + [f"{command} did not say what to do" for command in silent]


def _follow_the_instructions(site: Site) -> None:
    """Stop everything; the new topic is the right one: model and audit tree of the old one go; migrate, start again."""
    ports = {command: site.services[command].port for command in SERVICES}
    for command in SERVICES:
        site.services[command].stop()
    site.database.ask(f'DROP SCHEMA "{site.model()}", exemplar_audit CASCADE', site.name)
    site.run("migrate")
    for command in SERVICES:
        site.services[command] = site.start(command, ports[command])
    for command in SERVICES:
        site.services[command].wait()


def _send_again(site: Site, events: Sequence[Event], ledger: Ledger) -> None:
    """The sources send all that they ever had acknowledged once more, in the order of the first time."""
    with closing(Client(site.services["events"].port, site.key, ledger)) as client:
        for start in range(0, len(events), _TOGETHER):
            while client.post(events[start : start + _TOGETHER]).status != 202:
                time.sleep(AGAIN)

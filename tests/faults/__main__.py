"""`python -m tests.faults [NAME …] [--seed N]`: every fault on real processes and stores; a table in Markdown.

Progress goes to stderr, the table to stdout. Exit code 0 only if every promise was kept. Names are those of the
rounds; a round is a site of its own, on which its faults come one after the other.
"""

import argparse
import os
import platform
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from tests.faults.cluster import Broker, Database, Site, site, stores
from tests.faults.faults import ROUNDS, TOPIC
from tests.faults.ledger import Ledger
from tests.faults.topic import try_recreated_topic
from tests.faults.trial import Fault, Outcome, try_fault

SEED_VARIABLE = "FAULTS_SEED"
_SHOWN = 5  # findings of each promise
_LAST_WORDS = 1500  # characters
_HEAD = (
    "| fault | acts sent | acknowledged | no receipt | lost | acknowledging (s) | recovered (s) | promises |\n"
    "|---|---:|---:|---:|---:|---:|---:|---|"
)


def main(arguments: list[str] | None = None) -> int:
    """Run the rounds named, all by default; 1 if a promise was broken."""
    parser = argparse.ArgumentParser("python -m tests.faults", description="Exemplar under fire; docs/reliability.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ROUNDS)}; default: all")
    parser.add_argument("--seed", type=int, default=os.environ.get(SEED_VARIABLE), help=f"default: {SEED_VARIABLE}")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in ROUNDS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(ROUNDS)}")
    seed = secrets.randbelow(10**6) if given.seed is None else int(given.seed)
    began = time.monotonic()
    say(f"seed {seed}")
    outcomes: list[Outcome] = []
    try:
        with stores() as (broker, database):
            for name in given.names or ROUNDS:
                for outcome in run_round(broker, database, name, seed):
                    tell(outcome)
                    outcomes.append(outcome)
    finally:
        click.echo(report(outcomes, seed, time.monotonic() - began))
    return int(not outcomes or any(outcome.findings for outcome in outcomes))


def run_round(broker: Broker, database: Database, name: str, seed: int) -> Iterator[Outcome]:
    """Let the faults of a round happen, one after the other; after one that broke a promise, on a fresh site."""
    faults = list(ROUNDS[name])
    while faults:
        try:
            yield from _on_a_site(broker, database, name, faults, seed)
        except AssertionError as error:  # no site came about
            yield Outcome(faults.pop(0).name, findings={"tried": [str(error)]})


def _on_a_site(broker: Broker, database: Database, name: str, faults: list[Fault], seed: int) -> Iterator[Outcome]:
    """Let faults happen on one site, taken from the list, up to the first that breaks a promise."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="exemplar-faults-")))
        made = stack.enter_context(site(broker, database, folder, small_disk=name == "disk"))
        ledger = Ledger()
        while faults:
            outcome = _try(made, faults.pop(0), seed + len(ledger.attempts), ledger)
            yield outcome
            if outcome.findings:
                _tell_last_words(folder)
                return


def _try(made: Site, fault: Fault, seed: int, ledger: Ledger) -> Outcome:
    """The outcome of a fault; one that could not be tried has that as its finding."""
    try:
        return (try_recreated_topic if fault in TOPIC else try_fault)(made, fault, seed, ledger)
    except Exception as error:  # noqa: BLE001  # whatever it is, the other faults are tried, and this one is red
        return Outcome(fault.name, findings={"tried": [f"{type(error).__name__}: {error}"]})


def tell(outcome: Outcome) -> None:
    """Say what came of a fault, and what was wrong, if anything."""
    say(line(outcome))
    for promise, findings in outcome.findings.items():
        for finding in findings[:_SHOWN]:
            say(f"  {promise}: {finding}")
        say(f"  {promise}: {len(findings)} in all")


def _tell_last_words(folder: Path) -> None:
    """Say the last that the services of a site said."""
    for messages in sorted(folder.glob("*.log")):
        say(f"  --- {messages.name}\n{messages.read_text()[-_LAST_WORDS:]}")


def report(outcomes: Sequence[Outcome], seed: int, seconds: float) -> str:
    """What came of it, in Markdown."""
    acknowledged, sent = sum(o.acknowledged for o in outcomes), sum(o.sent for o in outcomes)
    lost = sum(o.lost for o in outcomes)
    kept = sum(not outcome.findings for outcome in outcomes)
    longest = max((outcome.recovery or 0.0 for outcome in outcomes), default=0.0)
    summary = (
        f"{machine()}, seed {seed}: {len(outcomes)} faults in {seconds / 60:.0f} minutes, {sent:,} acts sent, "
        f"{acknowledged:,} acknowledged, {lost} lost; all promises kept in {kept} of {len(outcomes)}; "
        f"longest recovery {longest:.1f} s."
    )
    return "\n".join([summary, "", _HEAD, *map(line, outcomes)])


def line(outcome: Outcome) -> str:
    """A row of the table."""
    kept = "kept" if not outcome.findings else f"**broken: {', '.join(outcome.findings)}**"
    figures = f"{outcome.sent:,} | {outcome.acknowledged:,} | {outcome.unanswered:,} | {outcome.lost}"
    again, recovered = ("never" if took is None else f"{took:.1f}" for took in (outcome.again, outcome.recovery))
    return f"| {outcome.fault} | {figures} | {again} | {recovered} | {kept} |"


def machine() -> str:
    """What it ran on, in a few words."""
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    return f"{day}, {os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}"


def say(text: str) -> None:
    """Tell those who watch."""
    click.echo(text, err=True)


if __name__ == "__main__":
    sys.exit(main())

"""The faults: each breaks one thing, and returns at the moment of healing, when that thing itself is back."""

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from random import Random
from typing import Any

import psycopg

from tests.faults.cluster import PARTITIONS, SMALL_DISK, Service, Site, eventually
from tests.faults.ledger import Ledger
from tests.faults.load import RATE, load
from tests.faults.proxy import Verdict, Watch
from tests.faults.trial import Fault


def nothing(_site: Site, _random: Random, _ledger: Ledger) -> None:
    """All is well: what the others are compared with."""
    time.sleep(3)


SESSION_SECONDS = 6.0  # after which the group puts a silent projector out


# ---- the broker ------------------------------------------------------------------------------------------------------


def broker_killed(site: Site, _random: Random, _ledger: Ledger) -> None:
    """SIGKILL, 2 s of nobody there, and a start."""
    site.broker.kill()
    time.sleep(2)
    site.broker.start_again()


def broker_restarted(site: Site, _random: Random, _ledger: Ledger) -> None:
    """Told to stop, and started."""
    site.broker.restart()


def broker_stopped(seconds: float) -> Fault:
    """Stands still for so long, as by SIGSTOP: connections stay, nothing answers."""

    def happen(site: Site, _random: Random, _ledger: Ledger) -> None:
        site.broker.pause()
        time.sleep(seconds)
        site.broker.unpause()

    return Fault(f"broker stopped for {seconds:.0f} s (SIGSTOP)", happen)


# ---- the network to the broker ---------------------------------------------------------------------------------------


def answers_lost(site: Site, random: Random, _ledger: Ledger) -> None:
    """For 8 s, the answer to every fourth produce is lost; the connection stays."""

    def watch(name: str) -> Verdict:
        return Verdict.LOSE if name == "produced" and random.random() < 0.25 else Verdict.PASS

    site.broker.proxy.watch = watch
    time.sleep(8)
    site.broker.proxy.heal()


def answers_reset(site: Site, random: Random, _ledger: Ledger) -> None:
    """For 8 s, one produce in ten is answered by a reset: half of them before it is in, half after."""

    def watch(name: str) -> Verdict:
        return Verdict.RESET if name in ("produce", "produced") and random.random() < 0.05 else Verdict.PASS

    site.broker.proxy.watch = watch
    time.sleep(8)
    site.broker.proxy.heal()


def connections_reset(site: Site, random: Random, _ledger: Ledger) -> None:
    """All connections to the broker are reset, again and again at random moments for 8 s."""
    end = time.monotonic() + 8
    while time.monotonic() < end:
        site.broker.proxy.reset()
        time.sleep(random.uniform(0.1, 1.5))


def broker_far(site: Site, random: Random, _ledger: Ledger) -> None:
    """For 15 s, everything takes 2 to 8 s on its way."""
    site.broker.proxy.latency = lambda: random.uniform(2, 8)
    time.sleep(15)
    site.broker.proxy.heal()


def broker_cut(site: Site, _random: Random, _ledger: Ledger) -> None:
    """For 8 s, no connection to the broker holds or comes about."""
    site.broker.proxy.cut()
    time.sleep(8)
    site.broker.proxy.heal()


def broker_half_open(site: Site, _random: Random, _ledger: Ledger) -> None:
    """For 8 s, connections to the broker hold and carry nothing; those of that time carry nothing ever after."""
    site.broker.proxy.silence()
    time.sleep(8)
    site.broker.proxy.heal()


ANSWERS_RESET = Fault("produce reset before or after it is in", answers_reset)
BROKER = (
    Fault("none", nothing),
    Fault("answer to a produce lost", answers_lost),
    ANSWERS_RESET,
    Fault("connections to the broker reset", connections_reset),
    Fault("broker 2–8 s away", broker_far),
    Fault("broker cut off for 8 s", broker_cut),
    Fault("connections to the broker half-open for 8 s", broker_half_open),
    Fault("broker killed (SIGKILL) and started", broker_killed),
    Fault("broker restarted", broker_restarted),
    broker_stopped(5),
    broker_stopped(15),
    broker_stopped(30),
)


# ---- the events service ----------------------------------------------------------------------------------------------


def events_killed_between(site: Site, random: Random, _ledger: Ledger) -> None:
    """Five times SIGKILL at the moment when the broker has taken acts in, before the service hears of it."""
    for _ in range(5):
        killed = threading.Event()

        def watch(name: str, killed: threading.Event = killed) -> Verdict:
            if name != "produced" or killed.is_set():
                return Verdict.PASS
            site.services["events"].kill()
            killed.set()
            return Verdict.LOSE

        site.broker.proxy.watch = watch
        assert killed.wait(30), "nothing was produced"
        site.broker.proxy.heal()
        site.services["events"].wait()
        time.sleep(random.uniform(0.5, 1.5))


def events_killed_anywhere(site: Site, random: Random, _ledger: Ledger) -> None:
    """Five times SIGKILL at random moments."""
    for _ in range(5):
        time.sleep(random.uniform(0.2, 2.0))
        site.services["events"].kill()
        site.services["events"].wait()


EVENTS_KILLED_BETWEEN = Fault(
    "events service killed between append and answer, 5 times", events_killed_between, kills_events=True
)
EVENTS = (
    EVENTS_KILLED_BETWEEN,
    Fault("events service killed at random, 5 times", events_killed_anywhere, kills_events=True),
)


# ---- the fold --------------------------------------------------------------------------------------------------------


def projector_killed(site: Site, random: Random, _ledger: Ledger) -> None:
    """SIGKILL at each step of a batch, twice: acts read, begun, at work, all written, committed and not yet told."""
    for step in ("begin", "first", "later", "commit", "committed") * 2:
        killed = threading.Event()
        site.database.fold.watch = _killing(site, step, random.randrange(2, 8), killed)
        assert killed.wait(30), f"the fold never came to: {step}"
        site.database.fold.heal()
        site.services["projections"].wait()
        time.sleep(random.uniform(0.2, 1.0))


def _killing(site: Site, step: str, later: int, killed: threading.Event) -> Watch:
    """Kill the projections at a message of a transaction that writes; that message does not arrive."""
    count = [0]

    def watch(name: str) -> Verdict:
        if killed.is_set():
            return Verdict.PASS
        if name == "begin":
            count[0] = 0
        elif name == "":
            count[0] += 1
        reached = {"first": count[0] == 1, "later": count[0] == later}.get(step, name == step)
        if not reached:
            return Verdict.PASS
        site.services["projections"].kill()
        killed.set()
        return Verdict.RESET

    return watch


PROJECTOR = (Fault("projections killed at each step of a batch, 10 times", projector_killed),)


# ---- the database ----------------------------------------------------------------------------------------------------


def cut_in_commit(site: Site, random: Random, _ledger: Ledger) -> None:
    """For 8 s, every third COMMIT of the fold is cut: half of them before they arrive, half after they are done."""

    def watch(name: str) -> Verdict:
        return Verdict.RESET if name in ("commit", "committed") and random.random() < 0.17 else Verdict.PASS

    site.database.fold.watch = watch
    time.sleep(8)
    site.database.fold.heal()


def database_restarted(site: Site, _random: Random, _ledger: Ledger) -> None:
    """Told to stop, and started."""
    site.database.restart()


def database_killed(site: Site, _random: Random, _ledger: Ledger) -> None:
    """SIGKILL, 3 s of nobody there, and a start."""
    site.database.kill()
    time.sleep(3)
    site.database.start_again()


def database_stopped(site: Site, _random: Random, _ledger: Ledger) -> None:
    """Stands still for 8 s, as by SIGSTOP."""
    site.database.pause()
    time.sleep(8)
    site.database.unpause()


def database_cut(site: Site, _random: Random, _ledger: Ledger) -> None:
    """For 8 s, no connection of any service to the database holds or comes about."""
    for proxy in (site.database.fold, site.database.others):
        proxy.cut()
    time.sleep(8)
    for proxy in (site.database.fold, site.database.others):
        proxy.heal()


def out_of_connections(site: Site, _random: Random, _ledger: Ledger) -> None:
    """For 8 s, the connections of the services are ended again and again, and others take all that there are."""
    end = time.monotonic() + 8
    ending = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{site.name}'"
    with ExitStack() as taken:
        keeper = taken.enter_context(site.database.connect())
        while time.monotonic() < end:
            keeper.execute(ending.encode())
            with suppress(psycopg.OperationalError):  # there is none left
                while True:
                    taken.enter_context(site.database.connect())


def disk_full(site: Site, _random: Random, _ledger: Ledger) -> None:
    """For 8 s, no byte is left where the model's tables are."""
    site.database.run("sh", "-c", f"cat /dev/zero > {SMALL_DISK}/filler; sync")
    time.sleep(8)
    site.database.run("rm", f"{SMALL_DISK}/filler")


CUT_IN_COMMIT = Fault("database cut off at COMMIT", cut_in_commit)
DATABASE = (
    CUT_IN_COMMIT,
    Fault("database restarted", database_restarted),
    Fault("database killed (SIGKILL) and started", database_killed),
    Fault("database stopped for 8 s (SIGSTOP)", database_stopped),
    Fault("database cut off for 8 s", database_cut),
    Fault("database out of connections for 8 s", out_of_connections),
)
DISK = (Fault("disk of the model full for 8 s", disk_full),)


# ---- acts and records as they should not be --------------------------------------------------------------------------


def poison_single(site: Site, random: Random, ledger: Ledger) -> None:
    """One record of each kind that nobody can read, here and there."""
    for value in _unreadable("single"):
        _poison(site, ledger, [value], random.randrange(PARTITIONS))
        time.sleep(0.5)


def poison_in_a_row(site: Site, random: Random, ledger: Ledger) -> None:
    """60 unreadable records in a row halt their partition; after 3 s an operator resumes it."""
    halted = random.randrange(PARTITIONS)
    _poison(site, ledger, [b"\0 in a row %d" % number for number in range(60)], halted)
    rows = f'SELECT partition FROM "{site.model()}".partitions WHERE halted_because IS NOT NULL'
    eventually("the partition is halted", lambda: site.database.ask(rows, site.name) == [(halted,)])
    eventually("the projections say so", lambda: site.services["projections"].status("/readyz") == 503)
    time.sleep(3)
    site.run("dead-letters", "retry", "--yes")
    site.run("dead-letters", "resume")


def poison_mixed(site: Site, random: Random, ledger: Ledger) -> None:
    """For 10 s, about 2 % of what comes into the log cannot be read."""
    kinds = [*_unreadable("mixed")]
    for number in range(10 * RATE // 50):
        _poison(site, ledger, [random.choice(kinds) + b" " * number], random.randrange(PARTITIONS))
        time.sleep(50 / RATE)


def copies_everywhere(site: Site, random: Random, ledger: Ledger) -> None:
    """For 10 s, a second events service and as many acts again, most of them told twice: to both, at once, changed."""
    second = site.start("events")
    second.wait()
    ports = [site.services["events"].port, second.port]
    with load(ports, site.key, ledger, random.randrange(10**6), copies=0.9):
        time.sleep(10)
    second.stop()


def _unreadable(name: str) -> Iterator[bytes]:
    """One record of each kind: no JSON, no event, no type, a type that is none, an act against the catalogue."""
    event = {
        "specversion": "1.0",
        "id": f"poison-{name}",
        "source": "poison",
        "type": "exemplar.contact.made.v1",
        "subject": "poison",
        "time": "2026-01-05T09:00:00Z",
        "data": {"rep": "r-1", "channel": "smoke", "purpose": "introduce"},
    }
    yield b"\0 nobody can read this: " + name.encode()
    yield json.dumps([name]).encode()
    changes: list[dict[str, Any]] = [{"type": "exemplar.contact.mode.v1"}, {"time": "yesterday"}, {"data": {}}]
    for change in ({}, *changes):
        yield json.dumps({**event, **change}).encode()


def _poison(site: Site, ledger: Ledger, values: Sequence[bytes], partition: int) -> None:
    """Put records into the log beside the ingress, in one piece, so that nothing comes between them."""
    for value in values:
        ledger.spoil(value)
    with site.broker.producer(linger_ms=100, batch_size=2**20) as producer:
        for value in values:
            producer.send(site.name, value, key=b"poison", partition=partition)
        producer.flush(30)


CONTENT = (
    Fault("unreadable records, one by one", poison_single),
    Fault("60 unreadable records in a row: halted, resumed", poison_in_a_row),
    Fault("2 % unreadable records", poison_mixed),
    Fault("copies in every form, to two events services", copies_everywhere),
)


# ---- several projectors ----------------------------------------------------------------------------------------------


def zombie(site: Site, _random: Random, _ledger: Ledger) -> None:
    """Of two projectors one stands still until the other has its partitions, and then goes on where it was."""
    other = site.start("projections")
    other.wait()
    time.sleep(3)
    site.services["projections"].send(signal.SIGSTOP)
    time.sleep(SESSION_SECONDS + 6)
    site.services["projections"].send(signal.SIGCONT)
    time.sleep(3)
    other.stop()


def churn(site: Site, random: Random, _ledger: Ledger) -> None:
    """For a minute, a projector comes or goes every 2 s, by SIGTERM or SIGKILL; there are one to four."""
    others: list[Service] = []
    end = time.monotonic() + 60
    while time.monotonic() < end:
        began = time.monotonic()
        if others and (len(others) == 3 or random.random() < 0.5):
            others.pop(random.randrange(len(others))).stop(random.choice((signal.SIGTERM, signal.SIGKILL)))
        else:
            others.append(site.start("projections"))
        time.sleep(max(0.0, began + 2 - time.monotonic()))
    for other in others:
        other.stop(signal.SIGKILL)


PROJECTORS = (
    Fault("a projector of two stopped (SIGSTOP) past its session, then going on", zombie),
    Fault("a projector added or removed every 2 s for a minute", churn),
)


# ---- clients that hold on --------------------------------------------------------------------------------------------


def idle_and_slow(site: Site, _random: Random, _ledger: Ledger) -> None:
    """For 8 s, 1,000 idle connections at the events service and 200 at the gateway that ask and do not read."""
    with ExitStack() as stack:
        for number in range(1200):
            service = site.services["graphql" if number % 6 == 0 else "events"]
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            if service.command == "graphql":
                connection.sendall(b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n" * 20)
        time.sleep(8)


CLIENTS_HOLDING_ON = (Fault("1,000 idle connections, 200 slow readers", idle_and_slow),)

TOPIC = (Fault("topic deleted and made anew: halted, begun again", nothing),)

ROUNDS = {
    "broker": BROKER,
    "events": (*EVENTS, *CLIENTS_HOLDING_ON, *CONTENT),
    "projector": (*PROJECTOR, *PROJECTORS),
    "database": DATABASE,
    "disk": DISK,
    "topic": TOPIC,
}
"""The faults of one site each, by the names that `python -m tests.faults` takes."""

"""The embedded size: log, vault, read model, fold and servers in one process, on the files of one folder.

A composition root: it builds the adapters from the settings and hands them on as plain arguments.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.staticfiles import StaticFiles

import services.graphql
from services.events.api import Limits
from services.events.app import create_app
from services.events.catalog.envelope import Catalogue
from services.events.credentials import OPEN, Credential, Keyring
from services.events.log.access import KafkaAccess
from services.events.log.opening import create_log, open_log
from services.events.log.protocol import Log, LogWriter
from services.events.recording import Recording
from services.events.vault.sql import SqlVault, holds_keys
from services.events.vault.wrapping import load_wrapping_key
from services.graphql.answering import Backing, Gateway, Question
from services.graphql.app import create_graphql
from services.graphql.loaders import Sources
from services.graphql.pages import pages
from services.graphql.schema import create_schema
from services.kit import instants
from services.kit.database import create_area, open_engine, parse_url, reading
from services.kit.errors import Misconfigured, Unavailable
from services.kit.serving import bounded_protocol
from services.kit.settings import Settings
from services.projections.applying import Rules
from services.projections.known import KnownActs
from services.projections.leadership.policy import load_policy
from services.projections.metrics import FoldMetrics
from services.projections.migrations import migrate_area
from services.projections.positions import Positions
from services.projections.projector import Projector, Sizes
from services.projections.queries.position import format_position
from services.projections.queries.status import model_status
from services.projections.queries.unfolded import Unfolded, find_unfolded
from services.projections.rebuild import Source
from services.projections.stores import Built, Stores, built_on, check_log

VAULT = "vault"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
STOP_SECONDS = 8
GIVE_UP_SECONDS = 9.5
_DOCS = Path(__file__).parents[1] / "docs"
_STATIC = Path(services.graphql.__file__).parent / "static"
_EXPLAIN = """query ($source: String!, $actId: String!, $subject: String) {
  explainAct(source: $source, actId: $actId, subject: $subject) {
    fate reason partition offset
    act { source actId type subject rep time recordedAt partition offset retracted }
    signals { person { key } principle verdict reason at }
  }
}"""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Parts:
    """What the commands work with. `built` is what a model would be built on under these settings."""

    settings: Settings
    catalogue: Catalogue
    rules: Rules
    log: Log
    vault: SqlVault
    stores: Stores
    built: Built


def make_log(settings: Settings) -> None:
    """Make the log where it does not come to be by being opened: a topic. Raises Misconfigured or Unavailable."""
    create_log(settings.log, settings.partitions, _access(settings))


@contextmanager
def opened(settings: Settings) -> Iterator[Parts]:
    """Open log, vault and stores, made where they are missing. Raises Misconfigured, Corrupt or Unavailable."""
    catalogue = Catalogue()
    policy = load_policy(settings.policy_file)
    with suppress(OSError):  # where it is needed and cannot be made, what is kept in it says so
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        log = open_log(settings.log, settings.partitions, _access(settings))
        engine = open_engine(parse_url(settings.vault, "EXEMPLAR_VAULT_URL"), VAULT)
        stack.callback(engine.dispose)
        create_area(engine, VAULT)
        migrate_area(engine, "vault")
        vault = SqlVault(engine, load_wrapping_key(settings.vault_key, create=not holds_keys(engine)))
        vault.check_wrapping_key()
        stores = Stores(parse_url(settings.database, "EXEMPLAR_DATABASE_URL"))
        stack.callback(stores.close)
        built = built_on(log.identity, policy.identity, catalogue)
        stores.update_tables(built, instants.now())
        yield Parts(settings, catalogue, Rules(catalogue, policy), log, vault, stores, built)


@contextmanager
def recording(parts: Parts) -> Iterator[Recording]:
    """Recording into the log, beside whichever process folds it. Raises Corrupt if the log is not the model's."""
    with reading(parts.stores.model()) as connection:
        check_log(connection, parts.built)
    writer = parts.log.writer()
    try:
        known = KnownActs(parts.stores.model, parts.catalogue)
        yield Recording(writer, parts.vault, known, parts.catalogue, instants.now)
    finally:
        writer.close()


def backing(
    parts: Parts,
    authenticate: Callable[[str | None], Credential],
    positions: Positions,
    lag_seconds: Callable[[], float],
) -> Backing:
    """What the gateway stands on."""

    def find(position: Mapping[int, int], source: str, act_id: str, subject: str | None) -> Unfolded | None:
        with closing(parts.log.reader()) as reader:
            return find_unfolded(reader, position, source, act_id, subject)

    settings = parts.settings
    return Backing(
        parts.stores.model,
        Sources(parts.vault, parts.catalogue, parts.rules.policy),
        instants.now,
        authenticate,
        positions.wait_until,
        lag_seconds,
        find,
        settings.wait_for_seconds,
        settings.query_cost,
    )


@contextmanager
def source(parts: Parts) -> Iterator[Source]:
    """What a model is rebuilt from."""
    with closing(parts.log.reader()) as reader:
        yield Source(reader, parts.vault, parts.rules, parts.built, instants.now)


class Node:
    """Everything of one process that takes acts in and folds them: the writer of the log, recording, and the fold.

    The fold runs in a thread of its own from `start` to `close`.
    """

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        parts.stores.sweep()
        model = parts.stores.model
        self.parts = parts
        self.positions = Positions(model)
        self.writer: LogWriter = parts.log.writer()
        self.recording = Recording(
            self.writer, parts.vault, KnownActs(model, parts.catalogue), parts.catalogue, instants.now
        )
        self._reader = parts.log.reader()
        self.projector = Projector(
            model,
            self._reader,
            parts.vault,
            parts.rules,
            parts.built,
            instants.now,
            owner=f"{socket.gethostname()}:{os.getpid()}",
            sizes=Sizes(settings.batch_acts, settings.catch_up_acts, settings.halt_after_unreadable),
            on_commit=self.positions.committed,
        )
        self._stop = threading.Event()
        self._folding = threading.Thread(target=self._fold, name="fold")

    def start(self) -> None:
        """Take the partitions and begin to fold. Raises Corrupt or Misconfigured where the log is not the model's."""
        self.projector.take()
        self._folding.start()

    def close(self) -> None:
        """Finish what was taken, commit, and let go."""
        self.writer.close()
        self._stop.set()
        if self._folding.is_alive():
            self._folding.join(STOP_SECONDS)
        self._reader.close()

    def check_ready(self) -> None:
        """Raises Unavailable while acts are not folded, or the stores do not answer."""
        if failure := self.projector.status.failure:
            raise Unavailable(f"the fold has stopped: {failure}")
        if halted := self.projector.status.halted:
            raise Unavailable(f"partitions {sorted(halted)} are halted: see `exemplar dead-letters`")
        self.positions.current()

    def _fold(self) -> None:
        try:
            self.projector.run(self._stop)
        except Exception:  # noqa: BLE001  # the status has it, `/readyz` and the log tell it; the servers go on
            _log.exception("the fold has stopped")


@contextmanager
def running(parts: Parts) -> Iterator[Node]:
    """A node that folds meanwhile."""
    node = Node(parts)
    try:
        node.start()
        yield node
    finally:
        node.close()


def status(parts: Parts) -> dict[str, Any]:
    """How log, fold and model stand, as plain values."""
    with closing(parts.log.reader()) as reader:
        ends = reader.ends()
    with reading(parts.stores.model()) as connection:
        model = model_status(connection)
    return {
        "log": parts.settings.log,
        "partitions": len(ends),
        "end": format_position(ends),
        "position": format_position(model.following),
        "waiting": sum(max(end - model.following.get(partition, 0), 0) for partition, end in ends.items()),
        "halted": {str(partition): reason for partition, reason in model.halted.items()},
        "generation": parts.stores.live(),
        "policy": model.policy,
        **model.counts,
    }


async def explain(parts: Parts, source: str, act_id: str, subject: str | None) -> dict[str, Any]:
    """What became of an act, as the gateway tells an admin."""
    positions = Positions(parts.stores.model)
    gateway = Gateway(create_schema(), backing(parts, lambda _: OPEN, positions, lambda: 0.0))
    variables = {"source": source, "actId": act_id, "subject": subject}
    answer = await gateway.answer(Question(_EXPLAIN, variables))
    if "data" not in answer.body or answer.body["data"] is None:
        raise Unavailable(answer.body["errors"][0]["message"])
    found: dict[str, Any] = answer.body["data"]["explainAct"]
    return found


def create_server_app(node: Node, keyring: Keyring) -> FastAPI:
    """All interfaces on one port: the ingress, the gateway and the pages."""
    settings, registry = node.parts.settings, CollectorRegistry()
    registry.register(FoldMetrics(lambda: node.projector.status))
    app = create_app(
        node.recording,
        keyring,
        node.parts.catalogue,
        ready=node.check_ready,
        registry=registry,
        limits=Limits(
            settings.max_event_bytes,
            settings.max_request_bytes,
            settings.max_batch_events,
            settings.max_requests,
            settings.request_seconds,
        ),
        append_seconds=settings.append_seconds,
    )
    reads = backing(node.parts, keyring.admit, node.positions, lambda: node.projector.status.lag_seconds)
    app.router.routes.extend(create_graphql(reads, introspection=settings.introspection))
    app.router.routes.extend(pages(_DOCS))
    app.mount("/static", StaticFiles(directory=_STATIC))
    return app


def serve(node: Node, listening: socket.socket, url: str) -> None:
    """Answer requests until SIGTERM or SIGINT; then finish what was taken and return."""
    settings = node.parts.settings
    keyring = Keyring(node.parts.stores.control, may_be_open=is_loopback(settings.host))
    if keyring.is_open():
        _log.warning("open: no key was created yet, and anyone on this machine may post and read everything")
    config = uvicorn.Config(
        create_server_app(node, keyring),
        http=bounded_protocol(settings.request_seconds),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    gc.freeze()  # the apps stay: the collector need not pass over them
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_Server(config, url).run(listening))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on the host."""
    return host in LOOPBACK


def listen(settings: Settings) -> tuple[socket.socket, str]:
    """A socket on the host and port of the settings, and its URL. Raises Misconfigured if the port is taken."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
        # What is accepted inherits it. Without it each answer waits 40 ms for the acknowledgement of its headers.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except socket.gaierror as error:
        raise Misconfigured(f"EXEMPLAR_HOST: {settings.host} is not an address of this machine") from error
    except OSError as error:
        taken = f"EXEMPLAR_PORT: {settings.host}:{settings.port} cannot be listened on ({error.strerror})"
        raise Misconfigured(f"{taken}: choose another port, or 0 for any free one") from error
    host = f"[{settings.host}]" if family == socket.AF_INET6 else settings.host
    return listening, f"http://{host}:{listening.getsockname()[1]}"


def _access(settings: Settings) -> KafkaAccess:
    password = settings.kafka_sasl_password
    return KafkaAccess(
        settings.kafka_security_protocol,
        settings.kafka_sasl_mechanism,
        settings.kafka_sasl_username,
        password.get_secret_value() if password else "",
        settings.kafka_ssl_cafile,
        settings.kafka_ssl_certfile,
        settings.kafka_ssl_keyfile,
    )


class _Server(uvicorn.Server):
    """A server that says when it is ready, and ends with exit code 0 when it is told to stop."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def run(self, listening: socket.socket) -> None:  # type: ignore[override]  # uvicorn's own starts a loop
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        await self._serve([listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"ready on {self._url}", file=sys.stderr, flush=True)  # noqa: T201  # a promise of the CLI

    def _stop(self) -> None:
        if not self.should_exit:
            giving_up = threading.Timer(GIVE_UP_SECONDS, _give_up)
            giving_up.daemon = True
            giving_up.start()
        self.should_exit = True


def _give_up() -> None:
    """End at once: what is still under way was never acknowledged, and is done again at the next start."""
    _log.warning("stopped before everything was let go: a database did not answer in time")
    os._exit(0)

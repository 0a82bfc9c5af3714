"""The parts of which every size of Exemplar is made, built from the settings and handed on as plain arguments."""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from services.events.api import Limits
from services.events.catalog.envelope import Catalogue
from services.events.credentials import CLI, Credential, Keyring
from services.events.log.access import KafkaAccess
from services.events.log.opening import create_log, open_log, open_reader
from services.events.log.protocol import Log
from services.events.recording import Recording
from services.events.tokens import open_tokens
from services.events.vault.sql import SqlVault, holds_keys
from services.events.vault.wrapping import load_wrapping_key
from services.graphql.answering import Backing, Gateway, Question
from services.graphql.app import Allowed
from services.graphql.live import Live, LiveLimits
from services.graphql.loaders import Sources
from services.graphql.metrics import LiveMetrics
from services.graphql.rates import Rates
from services.graphql.schema import create_schema
from services.kit import instants
from services.kit.database import create_area, open_engine, parse_url, reading
from services.kit.errors import Unavailable
from services.kit.running import STOP_SECONDS
from services.kit.settings import Settings
from services.projections.applying import Rules
from services.projections.changes import Changes, announce
from services.projections.known import KnownActs
from services.projections.leadership.policy import Policy, load_policy
from services.projections.migrations import migrate_area
from services.projections.positions import Positions
from services.projections.projector import Commit, FoldStatus, Projector, Sizes
from services.projections.queries.position import format_position
from services.projections.queries.status import last_applied, model_status
from services.projections.queries.unfolded import Unfolded, find_unfolded
from services.projections.reads import record_reads
from services.projections.rebuild import Help, Source
from services.projections.stores import Built, Stores, built_on, check_log

VAULT = "vault"
LOOK_SECONDS = 0.5  # the longest that who asks waits to learn how far the fold is behind
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
    changes: Changes
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
        changes = Changes(stores.url, stores.look_again)
        stack.callback(changes.close)
        yield Parts(settings, catalogue, Rules(catalogue, policy), log, vault, stores, changes, built)


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


def keyring(parts: Parts, may_be_open: bool) -> Keyring:
    """Who may ask: by API keys and, where the settings name an issuer, by its tokens. Raises Misconfigured."""
    settings = parts.settings
    tokens = open_tokens(settings.jwt_issuer, settings.jwt_audience, settings.jwt_jwks_url, instants.now)
    return Keyring(parts.stores.control, may_be_open, read_token=tokens.read if tokens else None)


def limits(settings: Settings) -> Limits:
    """What a request at the ingress may take."""
    return Limits(
        settings.max_event_bytes,
        settings.max_request_bytes,
        settings.max_batch_events,
        settings.max_requests,
    )


class Fold:
    """A projector in a thread of its own, from `start` to `close`."""

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        parts.stores.sweep()
        self.positions = Positions(parts.stores.model)
        self._changes = parts.changes
        self._reader = parts.log.reader()
        self._share = parts.log.share()
        self._projector = Projector(
            parts.stores.model,
            self._reader,
            parts.vault,
            parts.rules,
            parts.built,
            instants.now,
            owner=f"{socket.gethostname()}:{os.getpid()}",
            share=self._share,
            sizes=Sizes(settings.batch_acts, settings.catch_up_acts, settings.halt_after_unreadable),
            announce=announce,
            on_commit=self._committed,
        )
        self._stop = threading.Event()
        self._folding = threading.Thread(target=self._fold, name="fold")

    @property
    def status(self) -> FoldStatus:
        """How the fold stands."""
        return self._projector.status

    def start(self) -> None:
        """Begin to fold the share of this process. Raises Corrupt or Misconfigured where the log is not the model's."""
        self._projector.take()
        self._folding.start()

    def close(self) -> None:
        """Stop, and leave the share to others. A batch that is under way is done again."""
        self._stop.set()
        if self._folding.is_alive():
            self._folding.join(STOP_SECONDS)
        self._share.close()
        self._reader.close()

    def check_ready(self) -> None:
        """Raises Unavailable while acts are not folded, or the stores do not answer."""
        self.check_going()
        if unavailable := self.status.unavailable:
            raise Unavailable(f"the fold waits: {unavailable}")
        self.positions.current()

    def check_going(self) -> None:
        """Raises Unavailable where acts are not folded before an operator has seen to it."""
        if failure := self.status.failure:
            raise Unavailable(f"the fold has stopped: {failure}")
        if halted := self.status.halted:
            raise Unavailable(f"partitions {sorted(halted)} are halted: see `exemplar dead-letters`")

    def _committed(self, commit: Commit) -> None:
        self.positions.committed(commit)
        self._changes.committed(commit.change)

    def _fold(self) -> None:
        try:
            self._projector.run(self._stop)
        except Exception:  # noqa: BLE001  # the status has it, `/readyz` and the log tell it; the servers go on
            _log.exception("the fold has stopped")
        finally:
            self._share.close()


class Lag:
    """How far a fold that runs elsewhere is behind the log; looked up at most once a second, when somebody asks.

    Whoever asks then waits for it, but not for long: the log may be away, and what is folded can be read all the same.
    """

    def __init__(self, parts: Parts, clock: Callable[[], int] = instants.now) -> None:
        self._model = parts.stores.model
        self._reader = parts.log.reader()
        self._clock = clock
        self._worker = ThreadPoolExecutor(1, "lag")
        self._looking = threading.Lock()
        self._looked = 0
        self._found = 0.0

    def __enter__(self) -> "Lag":
        return self

    def __exit__(self, *_error: object) -> None:
        self._worker.shutdown()
        self._reader.close()

    def seconds(self) -> float:
        """0 when nothing waits; else since when, at most, the oldest record that does. As last known, if log or model
        do not answer in time.
        """
        if self._clock() - self._looked > instants.SECOND and self._looking.acquire(blocking=False):
            wait([self._worker.submit(self._look)], LOOK_SECONDS)
        return self._found

    def _look(self) -> None:
        try:
            self._found = self._behind(self._clock())
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not stop who reads
            _log.warning("how far the fold is behind the log is not known now", reason=str(error))
        finally:
            self._looked = self._clock()
            self._looking.release()

    def _behind(self, now: int) -> float:
        ends = self._reader.ends()
        with reading(self._model()) as connection:
            folded = last_applied(connection)
        waiting = [applied for p, (following, applied) in folded.items() if ends.get(p, 0) > following]
        return max((now - applied for applied in waiting if applied), default=0) / instants.SECOND


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
        partial(record_reads, parts.stores.control),
        settings.wait_for_seconds,
        settings.query_cost,
        settings.query_seconds,
        Rates(settings.queries_per_second, settings.queries_burst),
    )


def allowed(settings: Settings) -> Allowed:
    """What the gateway shows of its schema, and answers."""
    return Allowed(
        settings.introspection,
        settings.suggestions,
        settings.trusted_documents_dir,
        settings.only_trusted_documents,
    )


def live(parts: Parts, registry: CollectorRegistry) -> Live:
    """The live connections of a server, which are told of what any fold into this database changes."""
    settings = parts.settings
    made = Live(
        parts.stores.model,
        LiveMetrics(registry),
        LiveLimits(
            settings.live_connections,
            settings.live_connections_each,
            settings.live_subscriptions,
            settings.live_init_seconds,
            settings.live_keep_alive_seconds,
        ),
    )
    parts.changes.add(made.told)
    return made


@contextmanager
def source(parts: Parts) -> Iterator[Source]:
    """What a model is rebuilt from."""
    settings = parts.settings
    open_log_again = partial(open_reader, settings.log, settings.partitions, _access(settings))
    processes = settings.rebuild_processes or (os.cpu_count() or 1)
    help_ = Help(processes, open_log_again, partial(_rules, parts.rules.policy))
    with closing(parts.log.reader()) as reader:
        yield Source(reader, parts.vault, parts.rules, parts.built, instants.now, help_)


def _rules(policy: Policy) -> Rules:
    return Rules(Catalogue(), policy)


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
        "folded_by": model.owners,
        "halted": {str(partition): reason for partition, reason in model.halted.items()},
        "generation": parts.stores.live(),
        "policy": model.policy,
        **model.counts,
    }


async def explain(parts: Parts, source: str, act_id: str, subject: str | None) -> dict[str, Any]:
    """What became of an act, as the gateway tells an admin."""
    positions = Positions(parts.stores.model)
    gateway = Gateway(create_schema(), backing(parts, lambda _: CLI, positions, lambda: 0.0))
    variables = {"source": source, "actId": act_id, "subject": subject}
    answer = await gateway.answer(Question(_EXPLAIN, variables))
    if "data" not in answer.body or answer.body["data"] is None:
        raise Unavailable(answer.body["errors"][0]["message"])
    found: dict[str, Any] = answer.body["data"]["explainAct"]
    return found


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
        settings.kafka_group,
    )

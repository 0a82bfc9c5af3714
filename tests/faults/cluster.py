"""The production size for real, with a proxy before every store: a broker and a database in containers, and the three
services as processes, started again when they die, as an orchestrator does.
"""

import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from signal import Signals
from typing import Any, NamedTuple

import psycopg
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from kafka.protocol.consumer.offsets import OffsetSpec
from kafka.structs import TopicPartition
from testcontainers.core.container import DockerContainer

from tests.faults.proxy import KafkaFraming, PostgresFraming, Proxy
from tests.serving import environment, free_port, run

PARTITIONS = 4
CONNECTIONS = 40  # that the database allows: few, so that they can be used up
SMALL_DISK = "/small"  # where a database may be that is to run out of space
_SMALL_BYTES = 96 * 2**20
_RESTART_SECONDS = 0.5  # between the end of a process and its next start
_USER = _PASSWORD = "exemplar"
SERVICES = ("events", "projections", "graphql")


class Record(NamedTuple):
    """A record of the topic, read by a plain client."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes


def eventually(what: str, is_so: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait until something is so; errors on the way mean that it is not yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(KafkaError, psycopg.Error, OSError, AssertionError, IndexError):
            if is_so():
                return
        time.sleep(0.1)
    raise AssertionError(f"within {seconds:.0f} s not so: {what}")


class Contained:
    """A server in a container, and what can be done to it."""

    _container: DockerContainer
    _stop_seconds: int  # a restart tells it to stop, and kills it if it has not by then

    def start(self) -> None:
        """Start it; it answers."""
        self._container.start()
        self.wait()

    def kill(self) -> None:
        """SIGKILL."""
        self._docker().kill("KILL")

    def start_again(self) -> None:
        """Start it after its end; it answers."""
        self._docker().start()
        self.wait()

    def restart(self) -> None:
        """Tell it to stop, and start it again; it answers."""
        self._docker().restart(timeout=self._stop_seconds)
        self.wait()

    def pause(self) -> None:
        """Its processes stand still, as by SIGSTOP."""
        self._docker().pause()

    def unpause(self) -> None:
        """Its processes go on."""
        self._docker().unpause()

    def wait(self) -> None:
        """Wait until it answers."""
        raise NotImplementedError

    def _docker(self) -> Any:
        return self._container.get_wrapped_container()


class Broker(Contained):
    """Kafka in a container, with two listeners: one that sends its clients through `proxy`, one directly."""

    _stop_seconds = 20

    def __init__(self) -> None:
        self.proxy = Proxy(KafkaFraming)
        self.proxy.target, self.direct = free_port(), free_port()
        self._container = DockerContainer("apache/kafka:4.3.0")
        for name, value in self._settings().items():
            self._container.with_env(f"KAFKA_{name}", value)
        for port in (self.proxy.target, self.direct):
            self._container.with_bind_ports(port, port)

    def wait(self) -> None:
        """Wait until every partition of every topic can be read and written again."""
        eventually("the broker answers", self._answers)

    def stop(self) -> None:
        """Remove it."""
        self._container.stop()
        self.proxy.close()

    def admin(self) -> Any:
        """A client for administration, past the proxy; to be closed."""
        return KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{self.direct}", bootstrap_timeout_ms=1000)

    def ends(self, topic: str, admin: Any = None) -> dict[int, int]:
        """The end of each partition."""
        wanted = {TopicPartition(topic, number): OffsetSpec.LATEST for number in range(PARTITIONS)}
        if admin is not None:
            return {at.partition: end.offset for at, end in admin.list_partition_offsets(wanted).items()}
        with closing(self.admin()) as own:
            return self.ends(topic, own)

    def records(self, topic: str) -> list[Record]:
        """All records of a topic, in the order of their offsets in each partition."""
        ends = {at: end for at, end in self.ends(topic).items() if end}
        settings = {"group_id": None, "auto_offset_reset": "earliest", "enable_auto_commit": False}
        found: list[Record] = []
        with closing(KafkaConsumer(bootstrap_servers=f"127.0.0.1:{self.direct}", **settings)) as consumer:
            consumer.assign([TopicPartition(topic, number) for number in ends])
            while any(consumer.position(TopicPartition(topic, number)) < end for number, end in ends.items()):
                for at, messages in consumer.poll(timeout_ms=500).items():
                    found += [Record(at.partition, each.offset, each.key, each.value) for each in messages]
        found.sort(key=lambda record: record[:2])
        return [record for record in found if record.offset < ends[record.partition]]

    @contextmanager
    def producer(self, **settings: Any) -> Iterator[Any]:
        """A plain producer, past the proxy and past all checks."""
        with closing(KafkaProducer(bootstrap_servers=f"127.0.0.1:{self.direct}", acks="all", **settings)) as producer:
            yield producer

    def _answers(self) -> bool:
        with closing(self.admin()) as admin:
            topics = [name for name in admin.list_topics() if not name.startswith("__")]
            described = admin.describe_topics(topics) if topics else []
            wanted = {
                TopicPartition(topic["name"], number): OffsetSpec.LATEST
                for topic in described
                for number in range(len(topic["partitions"]))
            }
            if wanted:
                admin.list_partition_offsets(wanted)
        return True

    def _settings(self) -> dict[str, str]:
        through, direct = self.proxy.target, self.direct
        return {
            "NODE_ID": "1",
            "PROCESS_ROLES": "broker,controller",
            "LISTENERS": f"SERVED://:{through},DIRECT://:{direct},CONTROLLER://:9093",
            "ADVERTISED_LISTENERS": f"SERVED://127.0.0.1:{self.proxy.port},DIRECT://127.0.0.1:{direct}",
            "LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,SERVED:PLAINTEXT,DIRECT:PLAINTEXT",
            "INTER_BROKER_LISTENER_NAME": "DIRECT",
            "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "AUTO_CREATE_TOPICS_ENABLE": "false",
            "BROKER_SESSION_TIMEOUT_MS": "3000",  # after a SIGKILL it is let in again only when this is over
            "BROKER_HEARTBEAT_INTERVAL_MS": "500",
            "LOG_DIRS": "/var/lib/kafka/data",
            "HEAP_OPTS": "-Xmx512m",
        }


class Database(Contained):
    """PostgreSQL in a container, with a proxy for the fold and one for the other services, and a small disk besides."""

    _stop_seconds = 10

    def __init__(self) -> None:
        self.fold, self.others = Proxy(PostgresFraming), Proxy(PostgresFraming)
        self.direct = self.fold.target = self.others.target = free_port()
        self._container = (
            DockerContainer("postgres:17")
            .with_tmpfs_mount(SMALL_DISK, f"size={_SMALL_BYTES},mode=1777")
            .with_bind_ports(5432, self.direct)
            .with_env("POSTGRES_USER", _USER)
            .with_env("POSTGRES_PASSWORD", _PASSWORD)
            .with_command(f"postgres -c max_connections={CONNECTIONS} -c superuser_reserved_connections=3")
        )

    def wait(self) -> None:
        """Wait until it takes writes again."""
        eventually("the database answers", lambda: self.ask("SELECT pg_is_in_recovery()") == [(False,)])

    def run(self, *command: str) -> int:
        """Run a command in the container; its exit code."""
        code: int = self._docker().exec_run(list(command)).exit_code
        return code

    def stop(self) -> None:
        """Remove it."""
        self._container.stop()
        self.fold.close()
        self.others.close()

    def url(self, name: str, port: int) -> str:
        """The URL of a database in it, by a port."""
        return f"postgresql://{_USER}:{_PASSWORD}@127.0.0.1:{port}/{name}"

    def connect(self, name: str = _USER) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection past the proxies, in which each statement is a transaction."""
        return psycopg.connect(self.url(name, self.direct), autocommit=True, connect_timeout=3)

    def ask(self, query: str, name: str = _USER) -> list[tuple[Any, ...]]:
        """The rows of a query, none where it gives none, past the proxies."""
        with self.connect(name) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


class Service:
    """A service as a process on a port of its own, started again whenever it ends by itself."""

    def __init__(self, command: str, folder: Path, settings: dict[str, str], port: int = 0) -> None:
        self.command = command
        self.port = port or free_port()
        self.starts = 0
        self._folder = folder
        self._settings = settings
        self._keep = True
        self._process = self._start()
        self._keeping = threading.Thread(target=self._restart, name=f"keeping-{command}", daemon=True)
        self._keeping.start()

    @property
    def messages(self) -> Path:
        """The file of what it says."""
        return self._folder / f"{self.command}-{self.port}.log"

    def wait(self) -> None:
        """Wait until it is ready."""
        try:
            eventually(f"{self.command} is ready", lambda: self.status("/readyz") == 200)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said: {self.messages.read_text()[-2000:]}") from error

    def status(self, path: str) -> int:
        """The status of a GET of it."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=10)) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            return int(connection.recv(15).split()[1])

    def kill(self) -> None:
        """SIGKILL; it is started again."""
        self.send(Signals.SIGKILL)

    def send(self, number: Signals) -> None:
        """Send a signal to the process that there is now."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def stop(self, by: Signals = Signals.SIGTERM) -> int:
        """Stop it for good, by default as an operator does; its exit code."""
        self._keep = False
        self.send(Signals.SIGCONT)
        self.send(by)
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(20)
        finally:
            self._keeping.join(20)
            self._process.kill()  # one that was started again just then
            self._process.wait(20)

    def _start(self) -> "subprocess.Popen[bytes]":
        self.starts += 1
        program = [sys.executable, "-m", "services", self.command, "--port", str(self.port)]
        with self.messages.open("ab") as messages:
            return subprocess.Popen(
                program, env=environment(self._folder, **self._settings), stderr=messages, stdout=messages
            )

    def _restart(self) -> None:
        while self._keep:
            self._process.wait()
            time.sleep(_RESTART_SECONDS)
            if self._keep:
                self._process = self._start()


class Site:
    """A topic, a database and the three services on them, reached through the proxies."""

    def __init__(self, broker: Broker, database: Database, folder: Path, small_disk: bool = False) -> None:
        self.broker = broker
        self.database = database
        self.folder = folder
        self.name = f"site_{uuid.uuid4().hex[:12]}"
        self.key = ""
        self.services: dict[str, Service] = {}
        self._small_disk = small_disk
        self._stack = ExitStack()
        self._others = self._settings(database.others)
        self._fold = self._settings(database.fold)

    def begin(self) -> None:
        """Make the topic, the database and a key, and start the services; they are ready."""
        self._make_database(self._small_disk)
        self.run("migrate")
        self.key = self.run("keys", "create", "--name", "load", "--scope", "admin").strip()
        for command in SERVICES:
            self.services[command] = self.start(command)
        for service in self.services.values():
            service.wait()

    @property
    def direct(self) -> dict[str, str]:
        """The settings of a command that goes past the proxies."""
        return {
            **self._others,
            "log_url": f"kafka://127.0.0.1:{self.broker.direct}/{self.name}",
            "database_url": self.database.url(self.name, self.database.direct),
        }

    def start(self, command: str, port: int = 0) -> Service:
        """Start a service, on a port if need be; another one of its kind, if there is one."""
        service = Service(command, self.folder, self._fold if command == "projections" else self._others, port)
        self._stack.callback(service.stop)
        return service

    def run(self, *arguments: str) -> str:
        """A command that must succeed, past the proxies; its stdout."""
        done = run(self.folder, arguments, **self.direct)
        assert done.returncode == 0, f"exemplar {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def model(self) -> str:
        """The schema of the live model."""
        live = "SELECT generation FROM exemplar_control.generations WHERE state = 'live'"
        return f"exemplar_model_{self.database.ask(live, self.name)[0][0]}"

    def positions(self) -> dict[int, int]:
        """The next offset of each partition in the live model."""
        rows = self.database.ask(f'SELECT partition, next_offset FROM "{self.model()}".partitions', self.name)
        return dict(rows)

    def close(self) -> None:
        """Stop the services."""
        self._stack.close()

    def _settings(self, database: Proxy) -> dict[str, str]:
        return {
            "log_url": f"kafka://127.0.0.1:{self.broker.proxy.port}/{self.name}",
            "database_url": self.database.url(self.name, database.port),
            "vault_key_file": str(self.folder / "vault.key"),
            "partitions": str(PARTITIONS),
            "kafka_group": self.name,
        }

    def _make_database(self, small_disk: bool) -> None:
        where = ""
        if small_disk:
            where = f" TABLESPACE {self.name}"
            place = f"{SMALL_DISK}/{self.name}"
            self.database.run("install", "-d", "-o", "postgres", "-g", "postgres", place)
            self.database.ask(f"CREATE TABLESPACE {self.name} LOCATION '{place}'")
        self.database.ask(f"CREATE DATABASE {self.name}{where}")


@contextmanager
def stores() -> Iterator[tuple[Broker, Database]]:
    """A broker and a database that answer."""
    broker, database = Broker(), Database()
    with ExitStack() as stack:
        for store in (broker, database):
            stack.callback(store.stop)
            store.start()
        yield broker, database


@contextmanager
def site(broker: Broker, database: Database, folder: Path, small_disk: bool = False) -> Iterator[Site]:
    """A site whose services are ready."""
    with closing(Site(broker, database, folder, small_disk)) as made:
        made.begin()
        yield made

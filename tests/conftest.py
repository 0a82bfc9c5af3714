"""What any test may ask for: the real data, a real PostgreSQL, a real Kafka, a clock that stands still.

Where one of these is missing, a test skips and says why; under CI it fails instead, so that a run which proved nothing
cannot pass.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from services.kit import collector
from tests.fixed_clock import FixedClock

CI = bool(os.environ.get("CI"))

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if CI else "dev"))


def pytest_report_header() -> str:
    """How the random examples of this run were chosen, so that a failure can be had again."""
    if settings.get_current_profile_name() == "ci":
        return "examples: derandomised, the seed of each test is its own source"
    return "examples: random; a failure is kept in .hypothesis and comes first in the next run"


def pytest_collection_finish() -> None:
    """Spare the collector of garbage, as every process of Exemplar does: the tests are many objects that stay."""
    collector.spare()


def _missing(reason: str) -> NoReturn:
    if CI:
        pytest.fail(reason)
    pytest.skip(reason)


def _need_docker(engine: str) -> None:
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode:
        _missing(f"no Docker engine answers, to run {engine} in")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of the real data sets, one folder each (`bpi2012`, `crm_sales`)."""
    folder = os.environ.get("EXEMPLAR_TEST_DATA")
    if not folder:
        _missing("EXEMPLAR_TEST_DATA, the folder of the real data sets, is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """A Docker engine that answers, with its command `docker`, for tests that start containers themselves."""
    _need_docker("containers")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL 17, one a run: a test makes a database or schema of its own in it.

    It waits for no disk, as no test takes the power away.
    """
    _need_docker("PostgreSQL")
    with PostgresContainer("postgres:17", driver="psycopg").with_command("postgres -c fsync=off") as container:
        yield container.get_connection_url()


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[KafkaContainer]:
    """A Kafka broker, one a run, which makes no topic by itself: a test makes one of its own in it."""
    _need_docker("Kafka")
    container = KafkaContainer("confluentinc/cp-kafka:8.3.0").with_kraft()
    container.with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
    container.with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
    container.with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
    container.with_env("KAFKA_HEAP_OPTS", "-Xmx512m")
    container.start(timeout=120)
    try:
        yield container
    finally:
        container.stop()


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka_broker: KafkaContainer) -> str:
    """HOST:PORT of the broker."""
    address: str = kafka_broker.get_bootstrap_server()
    return address


@pytest.fixture
def clock() -> FixedClock:
    """A clock to inject, standing at 2026-03-02 09:00 UTC, a Monday."""
    return FixedClock()

"""A real Kafka broker and a real PostgreSQL in containers, empty, for as long as a benchmark runs."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from services.kit.settings import Settings, load_settings


@contextmanager
def kafka() -> Iterator[str]:
    """HOST:PORT of a broker that makes no topic by itself."""
    container = KafkaContainer("confluentinc/cp-kafka:8.3.0").with_kraft()
    container.with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false").with_env("KAFKA_HEAP_OPTS", "-Xmx512m")
    container.start(timeout=120)
    try:
        yield str(container.get_bootstrap_server())
    finally:
        container.stop()


@contextmanager
def postgres() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database."""
    with PostgresContainer("postgres:17", driver="psycopg") as container:
        yield str(container.get_connection_url())


def site(folder: Path, broker: str, postgres_url: str) -> Settings:
    """Settings of an Exemplar with a topic that is not there yet and an empty database of its own."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    url = make_url(postgres_url)
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    database = url.set(database=name).render_as_string(hide_password=False)
    return load_settings(data_dir=folder, log_url=f"kafka://{broker}/{name}", database_url=database)

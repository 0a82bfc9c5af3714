"""A database of its own for each test, of both dialects."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from services.kit.database import parse_url
from tests.projections.fold_world import FoldWorld


@pytest.fixture
def sqlite_url(tmp_path: Path) -> URL:
    """An SQLite database that does not exist yet."""
    return make_url(f"sqlite:///{tmp_path / 'exemplar.sqlite'}")


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[URL]:
    """An empty PostgreSQL database, dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    server = create_engine(parse_url(postgres_url, "EXEMPLAR_DATABASE_URL"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield server.url.set(database=name)
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> URL:
    """An empty database of each dialect in turn."""
    fixture = "sqlite_url" if request.param == "sqlite" else "fresh_postgres"
    url: URL = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def fold_world(database_url: URL, tmp_path: Path) -> Iterator[FoldWorld]:
    """A log, a model and a vault, empty, on each dialect in turn."""
    made = FoldWorld(database_url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def fresh_postgres_world(fresh_postgres: URL, tmp_path: Path) -> Iterator[FoldWorld]:
    """A log, a PostgreSQL model and a vault, empty."""
    made = FoldWorld(fresh_postgres, tmp_path)
    yield made
    made.close()

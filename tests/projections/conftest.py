"""A database of its own for each test, of both dialects."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from services.kit.database import parse_url
from tests.projections.audit.trees import Tree
from tests.projections.fold_world import FoldWorld

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


def _of_dialect(request: pytest.FixtureRequest, sqlite: str, postgres: str) -> Any:
    """What the fixture for the dialect of this round gives."""
    return request.getfixturevalue(sqlite if request.param == "sqlite" else postgres)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> URL:
    """An SQLite database that does not exist yet."""
    return make_url(f"sqlite:///{tmp_path / 'exemplar.sqlite'}")


@contextmanager
def database_like(postgres_url: str, other: str = "template1") -> Iterator[URL]:
    """A PostgreSQL database that is a copy of another one, to which nobody is connected; dropped in the end."""
    name = f"test_{uuid.uuid4().hex}"
    server = create_engine(parse_url(postgres_url, "EXEMPLAR_DATABASE_URL"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{other}"'))
    yield server.url.set(database=name)
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[URL]:
    """An empty PostgreSQL database, dropped after the test."""
    with database_like(postgres_url) as url:
        yield url


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest) -> URL:
    """An empty database of each dialect in turn."""
    url: URL = _of_dialect(request, "sqlite_url", "fresh_postgres")
    return url


@pytest.fixture(scope="session")
def postgres_model(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a PostgreSQL database with the empty model of a `FoldWorld`, for others to be made like it."""
    with database_like(postgres_url) as url:
        FoldWorld(url, tmp_path_factory.mktemp("model")).close()
        yield url.database or ""


@pytest.fixture
def fresh_postgres_world(postgres_url: str, postgres_model: str, tmp_path: Path) -> Iterator[FoldWorld]:
    """A log, a PostgreSQL model and a vault, empty."""
    with database_like(postgres_url, postgres_model) as url:
        made = FoldWorld(url, tmp_path)
        yield made
        made.close()


@pytest.fixture
def fresh_sqlite_world(sqlite_url: URL, tmp_path: Path) -> Iterator[FoldWorld]:
    """A log, an SQLite model and a vault, empty."""
    made = FoldWorld(sqlite_url, tmp_path)
    yield made
    made.close()


@pytest.fixture(params=DIALECTS)
def fold_world(request: pytest.FixtureRequest) -> FoldWorld:
    """A log, a model and a vault, empty, on each dialect in turn."""
    world: FoldWorld = _of_dialect(request, "fresh_sqlite_world", "fresh_postgres_world")
    return world


@pytest.fixture(scope="session")
def postgres_tree(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a PostgreSQL database with the empty areas of a `Tree`, for others to be made like it."""
    with database_like(postgres_url) as url:
        Tree(tmp_path_factory.mktemp("tree"), url).close()
        yield url.database or ""


@pytest.fixture
def fresh_postgres_tree(postgres_url: str, postgres_tree: str) -> Iterator[URL]:
    """A PostgreSQL database with the empty areas of a `Tree`."""
    with database_like(postgres_url, postgres_tree) as url:
        yield url


@pytest.fixture(params=DIALECTS)
def tree_url(request: pytest.FixtureRequest) -> URL:
    """A database for a `Tree`, of each dialect in turn."""
    url: URL = _of_dialect(request, "sqlite_url", "fresh_postgres_tree")
    return url

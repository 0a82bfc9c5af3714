"""A vault in an SQLite file, its tables made by the migrations."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.events.vault.sql import AREA, SqlVault
from services.events.vault.wrapping import WrappingKey
from services.kit.database import open_engine, parse_url
from services.projections.migrations import migrate_area
from tests.fixed_clock import FixedClock

WRAPPING_KEY = WrappingKey(bytes(range(32)))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The engine on an empty vault; its file is vault.vault.sqlite."""
    made = open_engine(parse_url(f"sqlite:///{tmp_path / 'vault.sqlite'}", "EXEMPLAR_VAULT_URL"), AREA)
    migrate_area(made, "vault")
    yield made
    made.dispose()


@pytest.fixture
def vault(engine: Engine, clock: FixedClock) -> SqlVault:
    """An empty vault."""
    return SqlVault(engine, WRAPPING_KEY, clock)

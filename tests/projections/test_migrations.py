"""The migrations make the tables that the code names, on both dialects."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, MetaData, text

from services.events import credentials, leaves
from services.events.vault import sql as vault
from services.kit.database import area_file, create_area, open_engine, writing
from services.kit.errors import Corrupt
from services.projections import tables
from services.projections.audit import tables as audit_tables
from services.projections.migrations import Kind, migrate_area, newest

KINDS: list[tuple[Kind, list[MetaData]]] = [
    ("model", [tables.model]),
    ("control", [tables.control, credentials.metadata, leaves.metadata]),
    ("vault", [vault.metadata]),
    ("audit", [audit_tables.audit]),
]


def _mine(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    return not (kind == "table" and name == "alembic_version")


@pytest.mark.parametrize(("kind", "metadata"), KINDS, ids=[kind for kind, _ in KINDS])
def test_tables_and_migrations_agree(database_url: URL, kind: Kind, metadata: list[MetaData]) -> None:
    """An area that was migrated holds exactly the tables, columns and indexes that the code declares."""
    engine = open_engine(database_url, kind)
    create_area(engine, kind)
    migrate_area(engine, kind)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": _mine})
        assert compare_metadata(context, metadata) == []  # type: ignore[arg-type]  # takes a list too
    engine.dispose()


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_the_newest_revision_is_known_without_alembic(sqlite_url: URL, kind: Kind) -> None:
    """What files are called says which revision an area has that Alembic has brought up to the newest."""
    engine = open_engine(sqlite_url, kind)
    migrate_area(engine, kind)
    with engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == newest(kind)
    engine.dispose()


def test_migrating_again_changes_nothing(database_url: URL) -> None:
    """An area that is up to date is left as it is."""
    engine = open_engine(database_url, "control")
    create_area(engine, "control")
    migrate_area(engine, "control")
    with writing(engine) as connection:
        connection.execute(tables.generations.insert().values(generation=1, state="live", started_us=0))
    migrate_area(engine, "control")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM generations")).scalar() == 1
    engine.dispose()


def test_migrating_what_is_new_enough_waits_for_nobody(sqlite_url: URL) -> None:
    """A command beside a fold looks at the tables without waiting for a batch that is being written."""
    engine = open_engine(sqlite_url, "control")
    migrate_area(engine, "control")
    with writing(engine), closing(sqlite3.connect(area_file(sqlite_url, "control"), timeout=0)) as probe:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            probe.execute("BEGIN IMMEDIATE")
        migrate_area(engine, "control")
    engine.dispose()


def test_tables_of_a_newer_version_are_refused(database_url: URL) -> None:
    """Tables made by a revision that this version does not know are not touched."""
    engine = open_engine(database_url, "control")
    create_area(engine, "control")
    migrate_area(engine, "control")
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'control_9999'"))
    with pytest.raises(Corrupt, match="newer"):
        migrate_area(engine, "control")
    engine.dispose()

"""The Alembic environment: a chain of revisions for each kind of area (model, control, vault, audit), run area by area.

Each chain is a labelled branch; an area has its own version table. The same chain runs on SQLite and PostgreSQL.
"""

from functools import cache
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, inspect, text

from services.kit.database import end_if_hung, reading, wait_for_turn, writing

Kind = Literal["model", "control", "vault", "audit"]

HUNG_SECONDS = 60.0  # who hangs in a migration, for which others wait, is given up after so long


def migrate_area(engine: Engine, kind: Kind) -> None:
    """Bring an area to the newest tables of its kind, in one transaction; doing it again changes nothing.

    The area must be able to hold tables (`kit.database.create_area`). Raises Corrupt if a newer version of Exemplar
    made the tables, Unavailable if the database does not answer.
    """
    with reading(engine) as connection:
        if _revision(connection) == newest(kind):
            return  # without a write transaction, which would wait for a long batch of the fold
    from services.projections.migrations.upgrading import upgrade  # 7 MB that few starts need

    with writing(engine) as connection:
        end_if_hung(connection, HUNG_SECONDS)
        wait_for_turn(connection)  # of several that start at once, one makes the tables, and the others find them
        upgrade(connection, kind)


@cache
def newest(kind: Kind) -> str:
    """The newest revision of a kind: they are numbered, and their files are called like them."""
    return max(path.stem for path in (Path(__file__).parent / "versions").glob(f"{kind}_*.py"))


def _revision(connection: Connection) -> str | None:
    """The revision that the tables of an area are at; None if there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found

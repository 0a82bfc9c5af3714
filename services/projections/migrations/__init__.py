"""The Alembic environment: one chain of revisions for each kind of area (model, control, vault), run area by area.

Each chain is a labelled branch; an area has its own version table. The same chain runs on SQLite and PostgreSQL.
"""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from services.kit.database import reading, writing
from services.kit.errors import Corrupt

Kind = Literal["model", "control", "vault"]


def migrate_area(engine: Engine, kind: Kind) -> None:
    """Bring an area to the newest tables of its kind, in one transaction; doing it again changes nothing.

    The area must be able to hold tables (`kit.database.create_area`). Raises Corrupt if a newer version of Exemplar
    made the tables, Unavailable if the database does not answer.
    """
    config = _config()
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    newest = script.get_revision(f"{kind}@head").revision
    with reading(engine) as connection:
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return  # without a write transaction, which would wait for a long batch of the fold
    with writing(engine) as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision is not None and revision not in known:
            raise Corrupt(
                f"the {kind} tables are at revision {revision}, which this version does not know: use a newer one"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, f"{kind}@head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config

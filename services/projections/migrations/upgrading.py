"""Alembic at work on one area; imported where its tables are not the newest ones."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from services.kit.errors import Corrupt


def upgrade(connection: Connection, kind: str) -> None:
    """Bring the tables of an area up to the newest revision. Raises Corrupt if they are at one that is not known."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and revision not in known:
        raise Corrupt(
            f"the {kind} tables are at revision {revision}, which this version does not know: use a newer one"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, f"{kind}@head")

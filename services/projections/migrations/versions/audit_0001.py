"""Audit: the tree over every record of the log and over what else is done."""

import sqlalchemy as sa
from alembic import op

revision = "audit_0001"
down_revision = None
branch_labels = ("audit",)
depends_on = None

Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "tree",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("origin", Text, nullable=False),
        sa.Column("log_id", Text, nullable=False),
        sa.Column("introduced", sa.Boolean, nullable=False),
        sa.Column("checkpoint", Text, nullable=False),
    )
    op.create_table(
        "positions",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    )
    _create_entries()
    op.create_table(
        "concerned",
        sa.Column("subject", Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "documents",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "tiles",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tile", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )


def _create_entries() -> None:
    op.create_table(
        "entries",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("type", Text),
        sa.Column("actor", Text),
        sa.Column("subject", Text),
        sa.Column("partition", sa.Integer),
        sa.Column("log_offset", sa.BigInteger),
    )
    op.create_index("entries_place", "entries", ["partition", "log_offset"], unique=True)
    for column in ("subject", "actor", "type"):
        op.create_index(f"entries_by_{column}", "entries", [column, "number"])
    op.create_index("entries_by_time", "entries", ["at_us"])

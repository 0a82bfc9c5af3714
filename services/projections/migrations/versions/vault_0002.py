"""The vault: under which wrapping key a data key is, and which of these count."""

import sqlalchemy as sa
from alembic import op

revision = "vault_0002"
down_revision = "vault_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wrapping_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("since_us", sa.BigInteger, nullable=False),
    )
    # In place, in both databases: a copy of the table would leave copies of the keys, which no erasure finds.
    op.execute("ALTER TABLE data_keys ADD COLUMN wrapping TEXT REFERENCES wrapping_keys (id)")

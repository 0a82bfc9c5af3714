"""The vault: a wrapped data key a person, and who was erased."""

import sqlalchemy as sa
from alembic import op

revision = "vault_0001"
down_revision = None
branch_labels = ("vault",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_keys",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("wrapped", sa.LargeBinary),
        sa.Column("made_us", sa.BigInteger, nullable=False),
        sa.Column("erased_us", sa.BigInteger),
    )

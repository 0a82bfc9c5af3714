"""What the leader's example counts besides signals: dealings with customers, and attempts that were decided."""

import sqlalchemy as sa
from alembic import op

revision = "model_0002"
down_revision = "model_0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    # Empty at first: a model of before has another policy's figures too, and is rebuilt.
    op.create_table(
        "dealings",
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("log_offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("rep", TEXT, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("what", sa.SmallInteger, nullable=False),
        sa.Column("decision_offset", sa.BigInteger),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("accepted", sa.Boolean),
    )
    covering = ["rep", "time_us", "what", "subject", "decision_offset", "ended_us", "accepted"]
    op.create_index("dealings_by_rep", "dealings", covering)
    op.create_table(
        "decided",
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("log_offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("rep", TEXT, nullable=False),
        sa.Column("ended_us", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("first_rep", TEXT),
        sa.Column("first_us", sa.BigInteger),
        sa.Column("pressed", sa.Boolean, nullable=False),
        sa.Column("touches", sa.Integer, nullable=False),
        sa.Column("next_order_us", sa.BigInteger),
    )
    op.create_index("decided_by_rep", "decided", ["rep", "ended_us"])
    op.create_index("decided_by_first", "decided", ["first_rep", "first_us"])

"""The read model: acts, what they amount to, dead letters, and how far the fold is."""

import sqlalchemy as sa
from alembic import op

revision = "model_0001"
down_revision = None
branch_labels = ("model",)
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "partitions",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("applied_us", sa.BigInteger, nullable=False),
        sa.Column("unreadable_in_row", sa.Integer, nullable=False),
        sa.Column("halted_because", TEXT),
    )
    op.create_table(
        "acts",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("log_offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("act_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("rep", TEXT),
        sa.Column("retracted", sa.Boolean, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
    )
    op.create_index("acts_key", "acts", ["subject", "source", "act_id"], unique=True)
    op.create_index("acts_pair", "acts", ["source", "act_id"])
    op.create_index("acts_newest", "acts", ["time_us", "partition", "log_offset"])
    op.create_index("acts_by_subject", "acts", ["subject", "time_us", "partition", "log_offset"])
    op.create_index("acts_by_rep", "acts", ["rep", "time_us", "partition", "log_offset"])
    op.create_index("acts_rep_subject", "acts", ["rep", "subject", "name"])
    for index, name in (("acts_disputes", "act.disputed"), ("acts_knowing", "customer.known")):
        only = sa.text(f"name = '{name}'")
        op.create_index(index, "acts", ["subject"], sqlite_where=only, postgresql_where=only)
    op.create_index(
        "acts_erasures",
        "acts",
        ["subject"],
        sqlite_where=sa.text("name = 'person.erased'"),
        postgresql_where=sa.text("name = 'person.erased'"),
    )
    op.create_table(
        "signals",
        sa.Column("id", sa.LargeBinary(16), primary_key=True),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("customer", TEXT),
        sa.Column("principle", sa.SmallInteger, nullable=False),
        sa.Column("verdict", sa.SmallInteger, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("belongs_us", sa.BigInteger, nullable=False),
        sa.Column("evidence", TEXT, nullable=False),
    )
    op.create_index(
        "signals_by_person",
        "signals",
        ["person", "at_us", "principle", "verdict", "belongs_us", "customer", "reason", "id"],
    )
    op.create_index("signals_by_subject", "signals", ["subject", "at_us", "id"])
    op.create_table(
        "memberships",
        sa.Column("team", TEXT, primary_key=True),
        sa.Column("person", TEXT, primary_key=True),
        sa.Column("from_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("to_us", sa.BigInteger),
    )
    op.create_index("memberships_by_person", "memberships", ["person", "from_us"])
    op.create_table(
        "teams",
        sa.Column("team", TEXT, primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("parent", TEXT),
    )
    op.create_index("teams_by_parent", "teams", ["parent"])
    op.create_table(
        "standards",
        sa.Column("leader", TEXT, primary_key=True),
        sa.Column("team", TEXT, primary_key=True),
        sa.Column("principle", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("stated_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "names",
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("log_offset", sa.BigInteger, nullable=False),
    )
    op.create_index("names_by_key", "names", ["kind", "key", "time_us"])
    op.create_table(
        "entities",
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("key", TEXT, primary_key=True),
    )
    op.create_table(
        "dead_letters",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("log_offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key", TEXT),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("source", TEXT),
        sa.Column("act_id", TEXT),
        sa.Column("subject", TEXT),
        sa.Column("first_offset", sa.BigInteger),
    )
    op.create_index("dead_letters_pair", "dead_letters", ["source", "act_id"])
    op.create_table(
        "facts",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("value", TEXT, nullable=False),
    )

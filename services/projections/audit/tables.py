"""The tables of the area `audit`: the tree, how far it has come, and by what its entries are found.

Nothing that rebuilds or verifies the read model touches them, and no row of an entry or of a full tile changes.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table
from sqlalchemy import Text as SqlText

AREA = "audit"

Text = SqlText().with_variant(SqlText(collation="C"), "postgresql")

audit = MetaData()

tree = Table(
    "tree",
    audit,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1: there is one tree
    Column("origin", Text, nullable=False),
    Column("log_id", Text, nullable=False),  # the log of which it has the records
    Column("introduced", Boolean, nullable=False),  # what was in the log when the tree was begun is in the tree
    Column("checkpoint", Text, nullable=False),  # the latest, signed
)

positions = Table(
    "positions",
    audit,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),  # every record before it is in the tree
)

entries = Table(
    "entries",
    audit,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 0, without a gap
    Column("entry", LargeBinary, nullable=False),  # to the byte as it is hashed
    Column("kind", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("type", Text),  # the record's CloudEvents type, as far as it can be read; of what is no record, the kind
    Column("actor", Text),  # the name of the credential that did it
    Column("subject", Text),  # whom it concerns, where that is one
    Column("partition", Integer),
    Column("log_offset", BigInteger),
)
Index("entries_place", entries.c.partition, entries.c.log_offset, unique=True)
Index("entries_by_subject", entries.c.subject, entries.c.number)
Index("entries_by_actor", entries.c.actor, entries.c.number)
Index("entries_by_type", entries.c.type, entries.c.number)
Index("entries_by_time", entries.c.at_us)

# Whom an entry concerns, where these are several.
concerned = Table(
    "concerned",
    audit,
    Column("subject", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
)

documents = Table(
    "documents",
    audit,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, nullable=False, unique=True),  # a leaf that was numbered is not numbered again
    Column("document", LargeBinary, nullable=False),
)

tiles = Table(
    "tiles",
    audit,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("tile", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),  # one after the other, 256 of them in a full tile
)

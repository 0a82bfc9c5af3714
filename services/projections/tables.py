"""The tables of the read model (one area a generation, rebuilt from the log) and of the control area (never rebuilt).

Instants are microseconds (BIGINT). A place in the log is (`partition`, `log_offset`). All acts of a subject are in one
partition, so evidence is kept as offsets. Nothing here is written an act at a time. Text is compared and sorted as
UTF-8 bytes, in SQLite by its nature and in PostgreSQL by the collation "C", as domain.md §2 compares ids.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    literal_column,
)
from sqlalchemy import Text as SqlText

Text = SqlText().with_variant(SqlText(collation="C"), "postgresql")

model = MetaData()
control = MetaData()

# ---- the model: a function of the log and the policy ----------------------------------------------------------------

partitions = Table(
    "partitions",
    model,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),  # the fold has applied everything before it
    Column("epoch", BigInteger, nullable=False),  # raised by whoever takes the partition: fences zombies out
    Column("owner", Text, nullable=False),
    Column("applied_us", BigInteger, nullable=False),  # recorded_at of the last record applied: for the lag
    Column("unreadable_in_row", Integer, nullable=False),
    Column("halted_because", Text),
)

acts = Table(
    "acts",
    model,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("log_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("act_id", Text, nullable=False),
    Column("name", Text, nullable=False),  # contact.made
    Column("time_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("rep", Text),  # data.rep of any act
    Column("retracted", Boolean, nullable=False),
    Column("record", LargeBinary, nullable=False),  # the record's value as the log keeps it, † encrypted
)
Index("acts_key", acts.c.subject, acts.c.source, acts.c.act_id, unique=True)
Index("acts_pair", acts.c.source, acts.c.act_id)
Index("acts_newest", acts.c.time_us, acts.c.partition, acts.c.log_offset)
Index("acts_by_subject", acts.c.subject, acts.c.time_us, acts.c.partition, acts.c.log_offset)
Index("acts_by_rep", acts.c.rep, acts.c.time_us, acts.c.partition, acts.c.log_offset)
Index("acts_rep_subject", acts.c.rep, acts.c.subject, acts.c.name)
# Disputes, and what is known of customers: shown with every act and every relationship.
_dispute, _knowing = (acts.c.name == literal_column(f"'{name}'") for name in ("act.disputed", "customer.known"))
Index("acts_disputes", acts.c.subject, sqlite_where=_dispute, postgresql_where=_dispute)
Index("acts_knowing", acts.c.subject, sqlite_where=_knowing, postgresql_where=_knowing)
# The few erasures, whose keys are destroyed again at each start: a vault may have been restored from a backup.
_erasures = acts.c.name == literal_column("'person.erased'")
Index("acts_erasures", acts.c.subject, sqlite_where=_erasures, postgresql_where=_erasures)

signals = Table(
    "signals",
    model,
    Column("id", LargeBinary(16), primary_key=True),  # a digest of the other columns
    Column("subject", Text, nullable=False),  # the unit of the fold: a customer, or a leader for what has no customer
    Column("partition", Integer, nullable=False),
    Column("person", Text, nullable=False),
    Column("customer", Text),
    Column("principle", SmallInteger, nullable=False),  # place in domain.md §3, from 0
    Column("verdict", SmallInteger, nullable=False),  # 0 breached, 1 kept, 2 not recorded
    Column("reason", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("belongs_us", BigInteger, nullable=False),  # the instant that decides to which stay it belongs (§4)
    Column("evidence", Text, nullable=False),  # offsets in `partition`, in order, as a JSON array
)
Index(
    "signals_by_person",
    signals.c.person,
    signals.c.at_us,
    signals.c.principle,
    signals.c.verdict,
    signals.c.belongs_us,
    signals.c.customer,
    signals.c.reason,
    signals.c.id,
)
Index("signals_by_subject", signals.c.subject, signals.c.at_us, signals.c.id)

memberships = Table(
    "memberships",
    model,
    Column("team", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("from_us", BigInteger, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),  # rep, leader
    Column("to_us", BigInteger),  # null: still open
)
Index("memberships_by_person", memberships.c.person, memberships.c.from_us)

teams = Table(
    "teams",
    model,
    Column("team", Text, primary_key=True),
    Column("name", Text, nullable=False),  # its key, where no team.formed counts
    Column("parent", Text),
)
Index("teams_by_parent", teams.c.parent)

standards = Table(
    "standards",
    model,
    Column("leader", Text, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("principle", SmallInteger, primary_key=True, autoincrement=False),
    Column("stated_us", BigInteger, nullable=False),  # the earliest that counts
)

# What domain.md §5 counts besides signals: touches, selling acts, orders and referrals, and what attempts came to.
dealings = Table(
    "dealings",
    model,
    Column("subject", Text, primary_key=True),
    Column("log_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("rep", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("what", SmallInteger, nullable=False),  # bits: `leadership.dealings.What`
    Column("decision_offset", BigInteger),  # the yes or no that ended its attempt, as below
    Column("ended_us", BigInteger),
    Column("accepted", Boolean),
)
Index(
    "dealings_by_rep",
    dealings.c.rep,
    dealings.c.time_us,
    dealings.c.what,
    dealings.c.subject,
    dealings.c.decision_offset,
    dealings.c.ended_us,
    dealings.c.accepted,
)

decided = Table(
    "decided",
    model,
    Column("subject", Text, primary_key=True),
    Column("log_offset", BigInteger, primary_key=True, autoincrement=False),  # of the decision that ended the attempt
    Column("rep", Text, nullable=False),
    Column("ended_us", BigInteger, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("first_rep", Text),  # of the attempt's first selling act
    Column("first_us", BigInteger),
    Column("pressed", Boolean, nullable=False),
    Column("touches", Integer, nullable=False),
    Column("next_order_us", BigInteger),
)
Index("decided_by_rep", decided.c.rep, decided.c.ended_us)
Index("decided_by_first", decided.c.first_rep, decided.c.first_us)

# Names of persons and customers are personal: the place of the latest act that gives one, read through the vault.
names = Table(
    "names",
    model,
    Column("kind", Text, primary_key=True),  # person, customer
    Column("subject", Text, primary_key=True),  # where the name is given: the team, or the customer
    Column("key", Text, primary_key=True),  # whose name it is
    Column("time_us", BigInteger, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("log_offset", BigInteger, nullable=False),
)
Index("names_by_key", names.c.kind, names.c.key, names.c.time_us)

# Every person, team and relationship that any act names, retracted ones too.
entities = Table(
    "entities",
    model,
    Column("kind", Text, primary_key=True),  # person, team, relationship
    Column("key", Text, primary_key=True),
)

dead_letters = Table(
    "dead_letters",
    model,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("log_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # unreadable, conflict
    Column("key", Text),
    Column("record", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", Text),  # as far as they can be read
    Column("act_id", Text),
    Column("subject", Text),
    Column("first_offset", BigInteger),  # conflict: the offset, in this partition, of the act that counts
)
Index("dead_letters_pair", dead_letters.c.source, dead_letters.c.act_id)

facts = Table(
    "facts",
    model,
    Column("name", Text, primary_key=True),  # log_id, partitions, policy, …: what the model was built on
    Column("value", Text, nullable=False),
)

# ---- the control area: what a rebuild does not touch -----------------------------------------------------------------

generations = Table(
    "generations",
    control,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),  # live, building, retired: exactly one is live once there is a model
    Column("started_us", BigInteger, nullable=False),
)

reads = Table(
    "reads",
    control,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),  # the name of the credential, as acts have it in `recordedby`
    Column("person", Text),  # whose the credential is
    Column("persons", Text, nullable=False),  # a JSON array of keys, sorted
    Column("what", Text, nullable=False),  # a JSON array, sorted
)

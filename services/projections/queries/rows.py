"""The rows that queries return, and how acts are ordered."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, case

from services.events.catalog.acts import ACTS, act_name
from services.projections.leadership.signals import Principle, Verdict
from services.projections.tables import acts

NAMES = tuple(act_name(model) for model in ACTS)
CUSTOMER_FACING = NAMES[: NAMES.index("service.given") + 1]
ABOUT_CUSTOMERS = (*CUSTOMER_FACING, "customer.known", "customer.assigned")
ABOUT_LEADERS = ("standard.stated", "push.directed", "coaching.given", "recognition.given")
ABOUT_TEAMS = ("team.formed", "team.left", "team.joined")

CATALOGUE_ROW: ColumnElement[int] = case(
    {name: row for row, name in enumerate(NAMES)}, value=acts.c.name, else_=len(NAMES)
)
ACT_ORDER = (acts.c.time_us, CATALOGUE_ROW, acts.c.source, acts.c.act_id, acts.c.subject)
"""The order of domain.md §2; the subject tells apart what the text need not."""
ACT_COLUMNS = (
    acts.c.partition,
    acts.c.log_offset,
    acts.c.subject,
    acts.c.source,
    acts.c.act_id,
    acts.c.name,
    acts.c.time_us,
    acts.c.recorded_us,
    acts.c.rep,
    acts.c.retracted,
    acts.c.record,
)


class ActRow(NamedTuple):
    """An act of the read model. `record` is the record's value as the log keeps it, personal fields encrypted."""

    partition: int
    offset: int
    subject: str
    source: str
    act_id: str
    name: str
    time: int
    recorded: int
    rep: str | None
    retracted: bool
    record: bytes

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the act: subject, source, id."""
        return self.subject, self.source, self.act_id

    @property
    def place(self) -> tuple[int, int]:
        """Partition and offset."""
        return self.partition, self.offset

    @property
    def order(self) -> tuple[int, int, str, str, str]:
        """Its sort key, the one of its cursor."""
        return self.time, NAMES.index(self.name), self.source, self.act_id, self.subject


class SignalRow(NamedTuple):
    """A signal. `evidence` are places of acts, in the order in which they are shown."""

    id: bytes
    person: str
    customer: str | None
    principle: Principle
    verdict: Verdict
    reason: str
    at: int
    evidence: tuple[tuple[int, int], ...]


class TeamRow(NamedTuple):
    """A team; its name is its key where no act gave it one."""

    key: str
    name: str
    parent: str | None


class StayRow(NamedTuple):
    """A person's stay in a team, [from_, to); `to` is None while it is open."""

    team: str
    person: str
    role: str
    from_: int
    to: int | None


def act_row(row: Row[*tuple[Any, ...]]) -> ActRow:
    """A row of ACT_COLUMNS, whatever stands before them."""
    return ActRow(*row[-len(ACT_COLUMNS) :])

"""The schema: the contract's types, each a thin view of rows that loaders read.

What may not be seen answers null with the code FORBIDDEN; the rules are in `permissions`. Keys are those of acts, ids
are Relay's: opaque, and the same for ever.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Mapping
from enum import Enum
from functools import cache, partial
from inspect import getdoc
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, Optional, TypeVar, cast

import msgspec
import strawberry
from graphql import GraphQLError
from strawberry import ID, UNSET, Private
from strawberry.extensions import DisableIntrospection, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import get_object_definition
from strawberry.types.enum import StrawberryEnumDefinition

from services.events.catalog.acts import ActDisputed, ActRetracted, CustomerKnown
from services.graphql import limits
from services.graphql.errors import LimitExceeded
from services.graphql.execution import DirectExecutor
from services.graphql.loaders import Asked, CardKey, Paged, PersonCard, SignalsKey, SignalsPage
from services.graphql.permissions import forbidden
from services.graphql.reads import What
from services.graphql.scalars import JSON, SCALARS, Date, DateTime
from services.kit.errors import Invalid
from services.projections.leadership import scorecards, statistics
from services.projections.leadership.periods import NO_DAYS, Bucket, Days, Period, trend
from services.projections.leadership.policy import Policy
from services.projections.leadership.principles import PRINCIPLES
from services.projections.leadership.scorecards import EMPTY, Card, EvidenceLevel, Tally
from services.projections.leadership.signals import Principle as PrincipleId
from services.projections.leadership.signals import Verdict as StoredVerdict
from services.projections.queries import acts, figures, people
from services.projections.queries.acts import RefusedRow, act_cursor, read_act_cursor
from services.projections.queries.figures import read_signal_cursor, signal_cursor
from services.projections.queries.paging import Page, decode_cursor, encode_cursor
from services.projections.queries.rows import NAMES, ActRow, SignalRow, StayRow, TeamRow
from services.projections.queries.teams import TeamCard, list_teams

if TYPE_CHECKING:  # they show the types of this module, and are shown by them
    from services.graphql.audit_log import AuditEntry
    from services.graphql.examples import CustomerEquity, LeaderExample

Item = TypeVar("Item")
Row = TypeVar("Row")
Info = strawberry.Info[Asked, None]

EARLIEST_YEAR = 10  # periods before a period, and the weeks they touch, must be dates too
ALL_TEAMS = 1_000_000
MOST_DIGITS = 18  # of the index of an entry, which databases keep in 64 bits


def _enum(kind: type[Enum], name: str, description: str, values: Mapping[str, str]) -> None:
    """Make an enum one of the schema, each value with what it means."""
    strawberry.enum(kind, name=name, description=description)
    for value in cast(StrawberryEnumDefinition, cast(Any, kind).__strawberry_definition__).values:
        value.description = values[value.name]


_enum(
    PrincipleId,
    "PrincipleId",
    "The principles, in the order of the model",
    {principle.name: described.title for principle, described in PRINCIPLES.items()},
)
_enum(
    EvidenceLevel,
    "EvidenceLevel",
    "How much a score rests on: distinct customers, each signal without one counting as one",
    {
        "NONE": "No customer",
        "THIN": "Fewer than 5 customers: nothing to compare anybody by",
        "FAIR": "Fewer than 20 customers",
        "SOLID": "20 customers or more",
    },
)
_enum(
    Bucket,
    "Bucket",
    "What a trend is cut into",
    {"DAY": "A day, UTC", "WEEK": "A week from Monday", "MONTH": "A calendar month"},
)


class Verdict(Enum):
    """Whether a principle was kept or breached."""

    KEPT = "KEPT"
    BREACHED = "BREACHED"


_enum(
    Verdict,
    "Verdict",
    "Whether a principle was kept or breached",
    {
        "KEPT": "The principle was followed",
        "BREACHED": "It was not",
    },
)


class Role(Enum):
    """What a person is in a team."""

    REP = "REP"
    LEADER = "LEADER"


_enum(
    Role,
    "Role",
    "What a person is in a team",
    {
        "REP": "Sells: the team's figures are of its reps",
        "LEADER": "Leads: sees the team and those below",
    },
)


class ActFate(Enum):
    """What became of an act."""

    UNKNOWN = "UNKNOWN"
    FOLDED = "FOLDED"
    RETRACTED = "RETRACTED"
    CONFLICT = "CONFLICT"
    DEAD_LETTER = "DEAD_LETTER"
    NOT_YET_FOLDED = "NOT_YET_FOLDED"


_enum(
    ActFate,
    "ActFate",
    "What became of an act",
    {
        "UNKNOWN": "No such act is known, or it may not be seen",
        "FOLDED": "It counts",
        "RETRACTED": "It was taken back",
        "CONFLICT": "Another one of the same subject, source and id counts",
        "DEAD_LETTER": "It could not be read, and waits for an operator",
        "NOT_YET_FOLDED": "The log has it, and the fold has not come to it yet",
    },
)


# ---- what is asked ---------------------------------------------------------------------------------------------------


@strawberry.input(description="The days [from, to), UTC, as of an instant: now by default")
class PeriodInput:
    """See Period."""

    from_: Date = strawberry.field(name="from", description="The first day, UTC")
    to: Date = strawberry.field(description="The day after the last, UTC")
    as_of: DateTime | None = strawberry.field(
        default=UNSET, description="The instant to see it at, which hides what is later; the present by default"
    )


@strawberry.input(description="Acts of this subject, of this rep, of these types, at or after `from` and before `to`")
class ActFilter:
    """See acts.ActFilter."""

    subject: str | None = strawberry.field(default=UNSET, description="Whom the acts are about")
    rep: str | None = strawberry.field(default=UNSET, description="Who did them")
    types: list[str] | None = strawberry.field(
        default=UNSET, description="Their types, such as exemplar.contact.made.v1"
    )
    from_: DateTime | None = strawberry.field(name="from", default=UNSET, description="Since when they were done")
    to: DateTime | None = strawberry.field(default=UNSET, description="Before when they were done")


@strawberry.input(
    description="Entries that concern this subject, by this actor, of these types, at or after `from` and before `to`"
)
class AuditFilter:
    """See audit.AuditFilter."""

    subject: str | None = strawberry.field(default=UNSET, description="Whom the entries concern")
    actor: str | None = strawberry.field(default=UNSET, description="The credential by which it was done")
    types: list[str] | None = strawberry.field(
        default=UNSET, description="Types of acts, such as exemplar.contact.made.v1, and kinds of what is no act"
    )
    from_: DateTime | None = strawberry.field(name="from", default=UNSET, description="Since when it was recorded")
    to: DateTime | None = strawberry.field(default=UNSET, description="Before when it was recorded")
    refused: bool | None = strawberry.field(
        default=UNSET, description="If true: only the dead letters, of which the newest 1,000 are searched"
    )


def given(value: Any) -> Any:
    """An argument that may be left out: None if it was."""
    return None if value is UNSET else value


def first_of(first: int | None) -> int:
    """How many a list is asked for. Raises Invalid."""
    count = limits.FIRST if given(first) is None else int(first or 0)
    if not 1 <= count <= limits.FIRST_AT_MOST:
        raise Invalid(f"`first` is 1 to {limits.FIRST_AT_MOST}")
    return count


def key_of(text: str) -> str:
    """A key of an act; PostgreSQL cannot even compare what holds U+0000."""
    if "\x00" in text:
        raise Invalid("a key has no control characters")
    return text


def _period(info: Info, asked: PeriodInput) -> Period:
    period = Period(asked.from_, asked.to, _as_of(info, asked.as_of))
    if period.from_ >= period.to:
        raise Invalid("a period's `from` is before its `to`")
    if period.days > limits.PERIOD_DAYS:
        raise LimitExceeded(f"a period has at most {limits.PERIOD_DAYS} days, this one has {period.days}")
    if period.from_.year < EARLIEST_YEAR:
        raise Invalid(f"a period begins in the year {EARLIEST_YEAR} or later")
    return period


def _as_of(info: Info, as_of: int | None) -> int:
    instant: int | None = given(as_of)
    return info.context.now if instant is None else instant


def global_id(kind: str, *key: str) -> ID:
    """The id of what has this kind and key."""
    return ID(base64.urlsafe_b64encode(msgspec.json.encode([kind, *key])).decode().rstrip("="))


def _read_global_id(id_: str) -> tuple[str, ...]:
    """The kind and the key in an id. Raises Invalid."""
    try:
        raw = id_.encode("ascii")
        text = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=tuple[str, ...])
    except (binascii.Error, UnicodeError, msgspec.MsgspecError, RecursionError) as error:
        raise Invalid("the id is none that was given out") from error


# ---- lists -----------------------------------------------------------------------------------------------------------


@strawberry.interface
class Node:
    """What has an id of its own."""

    @strawberry.field
    def id(self) -> ID:
        """The id, opaque and the same for ever."""
        raise NotImplementedError


@strawberry.type
class PageInfo:
    """Where a page stands in its list (Relay)."""

    has_next_page: bool = strawberry.field(description="Whether the list goes on after this page")
    has_previous_page: bool = strawberry.field(description="Whether this page began after a cursor")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge; null on an empty page")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last edge, to be given as `after`; null on an empty page"
    )


@strawberry.type(description="An element of a page, and the cursor to go on after it")
class Edge(Generic[Item]):
    """An element of a page, and the cursor to go on after it."""

    cursor: str = strawberry.field(description="Its place in the order, to be given as `after`")
    node: Item = strawberry.field(description="The element")


@strawberry.type(description="A page of a list (Relay)")
class Connection(Generic[Item]):
    """A page of a list (Relay)."""

    edges: list[Edge[Item]] = strawberry.field(description="The elements, in order")
    page_info: PageInfo = strawberry.field(description="Where the page stands")


def connection_of(page: Page[Row], node: Callable[[Row], Item], cursor: Callable[[Row], str]) -> Connection[Item]:
    """A page of rows as it is shown."""
    edges = [Edge(cursor=cursor(row), node=node(row)) for row in page.rows]
    start, end = (edges[0].cursor, edges[-1].cursor) if edges else (None, None)
    return Connection(
        edges=edges,
        page_info=PageInfo(has_next_page=page.more, has_previous_page=page.after, start_cursor=start, end_cursor=end),
    )


def _after_key(kind: str, after: str | None) -> str | None:
    cursor: str | None = given(after)
    return None if cursor is None else str(decode_cursor(cursor, kind, (str,))[0])


# ---- figures ---------------------------------------------------------------------------------------------------------


@strawberry.type(name="Principle")
class PrincipleNode:
    """A behaviour that the articles ask for."""

    id: PrincipleId = strawberry.field(description="The principle")
    title: str = strawberry.field(description="What it asks, in a few words")
    description: str = strawberry.field(description="What it asks and how it is judged")
    sources: list[str] = strawberry.field(description="The articles it comes from, S0 to S4")

    @strawberry.field
    def judgement(self, info: Info) -> list[str]:
        """How it is judged: a sentence for each rule, with the policy's figures."""
        return PRINCIPLES[self.id].judged(info.context.sources.policy)


@cache
def principle_node(principle: PrincipleId) -> PrincipleNode:
    """A principle as it is shown."""
    described = PRINCIPLES[principle]
    return PrincipleNode(
        id=principle, title=described.title, description=described.description, sources=list(described.sources)
    )


@strawberry.type(name="Policy")
class PolicyNode:
    """The figures that the rules and the measures are made with; to change them is to rebuild."""

    identity: str = strawberry.field(description="Its name and a digest of all it says")
    figures: JSON = strawberry.field(
        description="Each figure by its table and its name in the policy file; in `not_recorded`, by source, the acts "
        "that this source does not record"
    )


@strawberry.type
class Interval:
    """A 95 % interval; an end that is not known is null."""

    low: float | None = strawberry.field(description="The lower end; null if not known")
    high: float | None = strawberry.field(description="The upper end; null if not known")


def interval_of(interval: statistics.Interval | None) -> Interval | None:
    """An interval as it is shown."""
    return None if interval is None else Interval(low=interval.low, high=interval.high)


@strawberry.type
class Difference:
    """A difference of two rates with its interval, both null where a side has no signals."""

    value: float | None = strawberry.field(
        description="The first rate less the second, -1 to 1; null where one of them has no signals"
    )
    interval: Interval | None = strawberry.field(description="Its 95 % interval; no clear change if it holds 0")


def difference_of(difference: statistics.Difference) -> Difference:
    """A difference as it is shown."""
    return Difference(value=difference.value, interval=interval_of(difference.interval))


@strawberry.type
class TrendPoint:
    """What was kept and breached in a bucket of the period; `start` is the bucket's own first day."""

    start: Date = strawberry.field(description="The bucket's own first day, maybe before the period's")
    kept: int = strawberry.field(description="How many signals in it say kept")
    breached: int = strawberry.field(description="How many signals in it say breached")


@strawberry.type
class ReasonCount:
    """How many signals have this reason."""

    reason: str = strawberry.field(description="A reason of the model, such as answered or pushed_after_no")
    count: int = strawberry.field(description="How many signals have it")


class Figures(NamedTuple):
    """What the scores of a card are read from. Reasons and `before`, the period before it, are there if asked for."""

    card: CardKey
    period: Period
    tallies: Card
    policy: Policy
    days: Mapping[PrincipleId, Days]
    before: Optional["Figures"]


async def read_figures(info: Info, card: CardKey, period: Period) -> Figures:
    """What the document asks for of a card, at once for all its scores."""
    return await _read_figures(info.context, card, period, before=bool({"previous", "change"} & info.context.fields))


async def _read_figures(asked: Asked, card: CardKey, period: Period, *, before: bool) -> Figures:
    if not before:
        found = await asked.load.card.load((period, card))
        return Figures(card, period, found.card, asked.sources.policy, found.days, None)
    found, earlier = await asyncio.gather(
        asked.load.card.load((period, card)), _read_figures(asked, card, period.previous, before=False)
    )
    return Figures(card, period, found.card, asked.sources.policy, found.days, earlier)


@strawberry.type
class Score:
    """One principle's figures in a scorecard. What was not recorded is no signal, and not in `n`."""

    figures: Private[Figures]
    about: Private[PrincipleId]
    tally: Private[Tally]
    kept: int = strawberry.field(description="How many signals say that it was kept")
    breached: int = strawberry.field(description="How many signals say that it was breached")
    n: int = strawberry.field(description="kept + breached")
    not_recorded: int = strawberry.field(
        description="Occasions not judged, since their source does not record the act whose absence would tell"
    )
    rate: float | None = strawberry.field(description="kept / n, 0 to 1; null when n = 0")

    @strawberry.field
    def principle(self) -> PrincipleNode:
        """What is scored."""
        return principle_node(self.about)

    @strawberry.field
    def interval(self) -> Interval | None:
        """The 95 % Jeffreys interval of the rate, as if signals were independent."""
        return interval_of(self.tally.interval)

    @strawberry.field
    def evidence_level(self) -> EvidenceLevel:
        """How many distinct customers it rests on."""
        return scorecards.evidence_level(self.tally.customers, self.figures.policy.evidence)

    @strawberry.field
    def previous(self) -> Optional["Score"]:
        """The same over the period of equal length before this one; it has no previous of its own."""
        return None if self.figures.before is None else score_of(self.figures.before, self.about)

    @strawberry.field
    def change(self) -> Difference | None:
        """The rate less that of the previous period. No clear change if the interval holds 0."""
        if self.figures.before is None:
            return None
        return difference_of(self.tally.since(self.figures.before.tallies.get(self.about, EMPTY)))

    @strawberry.field
    def trend(self, by: Bucket = Bucket.WEEK) -> list[TrendPoint]:
        """A point for each bucket that touches the period, empty ones too."""
        # Not copied into TrendPoints: there are thousands, and what is read of them is the same.
        return cast(list[TrendPoint], trend(self.figures.period, by, self.figures.days.get(self.about, NO_DAYS)))

    @strawberry.field
    def reasons(self) -> list[ReasonCount]:
        """The reasons, the most frequent first, then by name."""
        return [ReasonCount(reason=reason.reason, count=reason.number) for reason in self.tally.reasons]

    @strawberry.field
    async def signals(
        self, info: Info, verdict: Verdict | None = UNSET, first: int | None = UNSET, after: str | None = UNSET
    ) -> Connection["Signal"]:
        """The signals themselves, the newest first."""
        wanted: Verdict | None = given(verdict)
        stored = None if wanted is None else StoredVerdict[wanted.name]
        page = SignalsPage(self.figures.period, stored, first_of(first), read_signal_cursor(given(after)))
        found = await info.context.load.signals.load(SignalsKey(self.figures.card, self.about, page))
        return connection_of(found, partial(_signal, info), signal_cursor)


def score_of(figures: Figures, about: PrincipleId) -> Score:
    """The score on one principle."""
    tally = figures.tallies.get(about, EMPTY)
    return Score(
        figures=figures,
        about=about,
        tally=tally,
        kept=tally.kept,
        breached=tally.breached,
        n=tally.n,
        not_recorded=tally.not_recorded,
        rate=tally.rate,
    )


@strawberry.type
class GuideIndex:
    """Guiding against getting, 0 to 1; null where there are too few signals or dimensions."""

    value: float | None = strawberry.field(description="The mean of the dimensions, 0 to 1; null with fewer than three")
    trust: float | None = strawberry.field(description="Mean rate of accept-decisions and follow-through, 0 to 1")
    partnership: float | None = strawberry.field(
        description="Mean rate of own-goals, aim-to-serve and right-solution, 0 to 1"
    )
    capability: float | None = strawberry.field(description="Mean rate of two-way and respect-time, 0 to 1")
    inquiry: float | None = strawberry.field(
        description="Mean rate of ask-first, welcome-hesitation and no-pressure, 0 to 1"
    )


@strawberry.type
class Scorecard:
    """The figures of a person or a team over a period."""

    figures: Private[Figures]
    from_: Date = strawberry.field(name="from", description="The first day, UTC")
    to: Date = strawberry.field(description="The day after the last, UTC")
    as_of: DateTime = strawberry.field(description="The instant it is seen at: what is later is hidden")

    @strawberry.field
    def policy(self) -> str:
        """The policy that made it."""
        return self.figures.policy.identity

    @strawberry.field
    def scores(self) -> list[Score]:
        """A score for each principle, in their order."""
        return [score_of(self.figures, principle) for principle in PrincipleId]

    @strawberry.field
    def score(self, principle: PrincipleId) -> Score:
        """The score of one principle."""
        return score_of(self.figures, principle)

    @strawberry.field
    def guide_index(self) -> GuideIndex:
        """The guide index and its dimensions."""
        return GuideIndex(**scorecards.guide_index(self.figures.tallies, self.figures.policy)._asdict())


async def _scorecard(info: Info, card: CardKey, asked: PeriodInput) -> Scorecard:
    period = _period(info, asked)
    return Scorecard(
        figures=await read_figures(info, card, period),
        from_=Date(period.from_),
        to=Date(period.to),
        as_of=DateTime(period.as_of),
    )


# ---- acts and signals ------------------------------------------------------------------------------------------------


@strawberry.type
class Act(Node):
    """One event of the log."""

    row: Private[ActRow]
    source: str = strawberry.field(description="The system that sent it")
    act_id: str = strawberry.field(description="Its id in its source")
    subject: str = strawberry.field(description="The key of whom it is about: a customer, a person or a team")
    rep: str | None = strawberry.field(description="The key of who did it; null where the type has no rep")
    time: DateTime = strawberry.field(description="When it was done")
    recorded_at: DateTime = strawberry.field(description="When the log took it in")
    partition: int = strawberry.field(description="The partition of the log that holds it")
    offset: int = strawberry.field(description="Its offset in the partition")
    retracted: bool = strawberry.field(description="Whether it was taken back: then it counts for nothing")

    @strawberry.field
    def id(self) -> ID:
        """The id."""
        return global_id("Act", *self.row.key)

    @strawberry.field
    def type(self, info: Info) -> str:
        """The CloudEvents type, such as exemplar.contact.made.v1."""
        return info.context.sources.catalogue.type_of(self.row.name)

    @strawberry.field
    async def data(self, info: Info) -> JSON:
        """The act's own fields; personal ones in clear for those who may read them, else null."""
        readable = info.context.access.reads_personal(self.row.rep)
        opened = await info.context.load.opened.load((self.row, readable))
        return JSON({**msgspec.to_builtins(opened.act.data), **opened.personal})

    @strawberry.field
    async def personal_fields(self, info: Info) -> list[str]:
        """The names of the personal fields that it was recorded with, whoever may read what is in them."""
        opened = await info.context.load.opened.load((self.row, False))
        names = info.context.sources.catalogue.personal[opened.act.name]
        return [name for name in names if getattr(opened.act.data, name) is not msgspec.UNSET]

    @strawberry.field
    async def disputes(self, info: Info) -> list["Act"]:
        """The disputes of this act, the oldest first."""
        load = info.context.load
        of_subject = await load.disputes.load(self.row.subject)
        opened = await load.opened.load_many((row, False) for row in of_subject)
        return [
            act_node(info, row)
            for row, dispute in zip(of_subject, opened, strict=True)
            if isinstance(dispute.act.data, ActDisputed)
            and (dispute.act.data.disputes_source, dispute.act.data.disputes_id) == (self.row.source, self.row.act_id)
        ]


def act_node(info: Info, row: ActRow, shown_as: What = What.ACTS) -> Act:
    """The act, which from here on counts as read."""
    info.context.noted.note_act(shown_as, row)
    return Act(
        row=row,
        source=row.source,
        act_id=row.act_id,
        subject=row.subject,
        rep=row.rep,
        time=DateTime(row.time),
        recorded_at=DateTime(row.recorded),
        partition=row.partition,
        offset=row.offset,
        retracted=bool(row.retracted),
    )


@strawberry.type
class Signal:
    """One judgement: a person kept or breached a principle, for a reason, as these acts show."""

    row: Private[SignalRow]
    customer_key: str | None = strawberry.field(description="The key of the customer; null where it is about none")
    principle: PrincipleId = strawberry.field(description="What was kept or breached")
    verdict: Verdict = strawberry.field(description="Which of the two")
    reason: str = strawberry.field(description="Why, a reason of the model such as answered or pushed_after_no")
    at: DateTime = strawberry.field(
        description="When: the time of the last act in its evidence, or the end of a silence"
    )

    @strawberry.field
    def person(self) -> "Person":
        """Whose it is."""
        return Person(key=self.row.person)

    @strawberry.field
    async def evidence(self, info: Info) -> list[Act]:
        """The acts that show it, in their order."""
        found = await info.context.load.act_at.load_many(self.row.evidence)
        return [act_node(info, row, What.EVIDENCE) for row in found if row is not None]


def _signal(info: Info, row: SignalRow) -> Signal:
    """The signal, which from here on counts as read."""
    info.context.noted.note(What.SIGNALS, [row.person])
    return Signal(
        row=row,
        customer_key=row.customer,
        principle=row.principle,
        verdict=Verdict[row.verdict.name],
        reason=row.reason,
        at=DateTime(row.at),
    )


@strawberry.type
class ActExplanation:
    """What became of an act, why, and where in the log the record is that was asked about."""

    fate: ActFate = strawberry.field(description="What became of it")
    act: Act | None = strawberry.field(
        default=None, description="The act that counts; null where there is none or it may not be seen"
    )
    reason: str | None = strawberry.field(default=None, description="What is to be known besides, in plain words")
    partition: int | None = strawberry.field(default=None, description="The partition of the log that holds it")
    offset: int | None = strawberry.field(default=None, description="Its offset in the partition")
    signals: list[Signal] = strawberry.field(default_factory=list, description="The signals that rest on it")


# ---- teams, persons, relationships -----------------------------------------------------------------------------------


@strawberry.type
class Membership:
    """A person's stay in a team, [from, to)."""

    stay: Private[StayRow]
    role: Role = strawberry.field(description="As what")
    from_: DateTime = strawberry.field(name="from", description="Since when")
    to: DateTime | None = strawberry.field(description="Until when; null while it lasts")

    @strawberry.field
    def person(self) -> "Person":
        """Who."""
        return Person(key=self.stay.person)

    @strawberry.field
    async def team(self, info: Info) -> "Team":
        """Where."""
        found = await info.context.load.team.load(self.stay.team)
        return team_node(found or TeamRow(self.stay.team, self.stay.team, None))


def _membership(stay: StayRow) -> Membership:
    to = None if stay.to is None else DateTime(stay.to)
    return Membership(stay=stay, role=Role[stay.role.upper()], from_=DateTime(stay.from_), to=to)


ShownExample = Annotated["LeaderExample", strawberry.lazy("services.graphql.examples")]
ShownEntry = Annotated["AuditEntry", strawberry.lazy("services.graphql.audit_log")]
ShownEquity = Annotated["CustomerEquity", strawberry.lazy("services.graphql.examples")]


@strawberry.type
class Team(Node):
    """A team; its name is its key where no act gave it one."""

    row: Private[TeamRow]
    key: str = strawberry.field(description="The key that acts use")
    name: str = strawberry.field(description="Its name; its key until an act gives one")

    @strawberry.field
    def id(self) -> ID:
        """The id."""
        return global_id("Team", self.key)

    @strawberry.field
    async def parent(self, info: Info) -> Optional["Team"]:
        """The team above."""
        if self.row.parent is None:
            return None
        if not info.context.access.sees_team(self.row.parent):
            raise forbidden()
        found = await info.context.load.team.load(self.row.parent)
        return None if found is None else team_node(found)

    @strawberry.field
    async def children(self, info: Info) -> list["Team"]:
        """The teams below, one level, by key; those that may be seen."""
        found = await info.context.load.children.load(self.key)
        return [team_node(row) for row in found if info.context.access.sees_team(row.key)]

    @strawberry.field
    async def members(self, info: Info, as_of: DateTime | None = UNSET) -> list[Membership] | None:
        """Who was in the team at that instant, by key."""
        return [_membership(stay) for stay in await self._stays(info, as_of)]

    @strawberry.field
    async def leaders(self, info: Info, as_of: DateTime | None = UNSET) -> list["Person"] | None:
        """Who led the team at that instant, by key."""
        return [Person(key=stay.person) for stay in await self._stays(info, as_of) if stay.role == "leader"]

    @strawberry.field
    async def scorecard(
        self, info: Info, period: PeriodInput, include_subteams: bool | None = False
    ) -> Scorecard | None:
        """The signals of the team's reps, pooled; with those of all teams below, if asked."""
        if not info.context.access.leads_team(self.key):
            raise forbidden()
        return await _scorecard(info, TeamCard(self.key, bool(include_subteams)), period)

    @strawberry.field
    async def examples(self, info: Info, period: PeriodInput) -> list[ShownExample] | None:
        """What each leader of the team models to it, by the first time they led it; those who did in the period."""
        from services.graphql.examples import of_team  # it uses the types of this module

        return await of_team(info, self.key, _period(info, period))

    @strawberry.field
    async def equity(self, info: Info, as_of: DateTime | None = UNSET) -> ShownEquity | None:
        """What the team's customer base is worth, over the year up to an instant."""
        from services.graphql.examples import equity_of  # as above

        return await equity_of(info, self.key, _as_of(info, as_of))

    async def _stays(self, info: Info, as_of: int | None) -> "list[StayRow]":
        if not info.context.access.leads_team(self.key):
            raise forbidden()
        return list(await info.context.load.members.load((_as_of(info, as_of), self.key)))


def team_node(row: TeamRow) -> Team:
    """A team as it is shown."""
    return Team(row=row, key=row.key, name=row.name)


@strawberry.type
class Person(Node):
    """A person: a rep, a leader, or both."""

    key: str = strawberry.field(description="The key that acts use")

    @strawberry.field
    def id(self) -> ID:
        """The id."""
        return global_id("Person", self.key)

    @strawberry.field
    async def name(self, info: Info) -> str | None:
        """The name that the latest `team.joined` gave; null if there is none, or the person was erased."""
        return await _name(info, people.PERSON, self.key, lambda _row: True)

    @strawberry.field
    async def memberships(self, info: Info) -> list[Membership] | None:
        """All stays that have begun, the oldest first."""
        self._check(info)
        return [_membership(stay) for stay in await info.context.load.stays.load(self.key)]

    @strawberry.field
    async def scorecard(self, info: Info, period: PeriodInput) -> Scorecard | None:
        """The person's own signals."""
        self._check(info)
        return await _scorecard(info, PersonCard(self.key), period)

    @strawberry.field
    async def example(self, info: Info, team: str, period: PeriodInput) -> ShownExample | None:
        """What the person models to a team they led in the period; null if they did not."""
        from services.graphql.examples import of_person  # as above

        self._check(info)
        return await of_person(info, self.key, key_of(team), _period(info, period))

    @strawberry.field
    async def relationships(
        self, info: Info, first: int | None = UNSET, after: str | None = UNSET
    ) -> Connection["Relationship"] | None:
        """The customers with whom the person has acts, by key."""
        self._check(info)
        wanted = Paged(self.key, first_of(first), _after_key("customer", after))
        found = await info.context.load.customers.load(wanted)
        return connection_of(found, lambda key: Relationship(customer_key=key), partial(_key_cursor, "customer"))

    def _check(self, info: Info) -> None:
        if not info.context.access.sees_person(self.key):
            raise forbidden()


def _key_cursor(kind: str, key: str) -> str:
    return encode_cursor(kind, (key,))


async def _name(info: Info, kind: str, key: str, readable: Callable[[ActRow], bool]) -> str | None:
    row = await info.context.load.naming.load((kind, key))
    if row is None or not readable(row):
        return None
    opened = await info.context.load.opened.load((row, True))
    return opened.personal.get("name")


@strawberry.type
class Relationship(Node):
    """All that happened with one customer, whichever reps it was with."""

    customer_key: str = strawberry.field(description="The key that acts use")

    @strawberry.field
    def id(self) -> ID:
        """The id."""
        return global_id("Relationship", self.customer_key)

    @strawberry.field
    async def customer_name(self, info: Info) -> str | None:
        """The name that the latest `customer.known` gave, for those who may read that act's personal fields."""
        return await _name(
            info, people.CUSTOMER, self.customer_key, lambda row: info.context.access.reads_personal(row.rep)
        )

    @strawberry.field
    async def segment(self, info: Info) -> str | None:
        """The segment that the latest `customer.known` gave."""
        rows = await info.context.load.knowing.load(self.customer_key)
        known = [opened.act.data for opened in await info.context.load.opened.load_many((row, False) for row in rows)]
        segments = [data.segment for data in known if isinstance(data, CustomerKnown)]
        return next((segment for segment in segments if segment is not None), None)

    @strawberry.field
    async def reps(self, info: Info) -> list[Person]:
        """Those who have acts with the customer, by key."""
        return [Person(key=rep) for rep in await info.context.load.reps.load(self.customer_key)]

    @strawberry.field
    async def acts(self, info: Info, first: int | None = UNSET, after: str | None = UNSET) -> Connection[Act]:
        """All acts that concern the customer, the newest first."""
        wanted = Paged(self.customer_key, first_of(first), read_act_cursor(given(after)))
        found = await info.context.load.relationship_acts.load(wanted)
        return connection_of(found, partial(act_node, info), act_cursor)

    @strawberry.field
    async def signals(
        self, info: Info, as_of: DateTime | None = UNSET, first: int | None = UNSET, after: str | None = UNSET
    ) -> Connection[Signal]:
        """The relationship's signals, the newest first, without walk-the-talk; of persons whose card may be seen."""
        wanted = Paged(self.customer_key, first_of(first), read_signal_cursor(given(after)), _as_of(info, as_of))
        found = await info.context.load.relationship_signals.load(wanted)
        return connection_of(found, partial(_signal, info), signal_cursor)


# ---- what became of an act -------------------------------------------------------------------------------------------


class _Sought(NamedTuple):
    """The act that is asked about."""

    source: str
    act_id: str
    subject: str | None


async def _explain(info: Info, sought: _Sought) -> ActExplanation:
    """Acts first, then what the fold refused, then what it has not reached."""
    within = info.context.access.within
    visible = await info.context.read(lambda connection: acts.find_pair(connection, *sought, within))
    if visible:
        return await _explain_act(info, visible[0], [row.subject for row in visible[1:]])
    if info.context.access.all:
        refused = await info.context.read(lambda connection: acts.find_refused(connection, *sought))
        if refused:
            return _explain_refused(refused[-1])
    return await _explain_unfolded(info, sought)


async def _explain_act(info: Info, row: ActRow, others: list[str]) -> ActExplanation:
    asked = info.context
    refused = await asked.read(lambda connection: acts.find_refused(connection, row.source, row.act_id, row.subject))
    conflict = next((letter for letter in refused if letter.kind == "conflict"), None)
    signals = await asked.read(
        lambda connection: figures.signals_resting_on(connection, row.subject, row.offset, asked.now)
    )
    fate, reason = ActFate.FOLDED, await _missing_target(info, row)
    if conflict is not None:
        fate, reason = ActFate.CONFLICT, conflict.reason
    elif row.retracted:
        fate, reason = ActFate.RETRACTED, await _retraction(info, row)
    if others:
        also = f"the same source and id are also under: {', '.join(others)}"
        reason = f"{reason}; {also}" if reason else also
    place = (conflict.partition, conflict.offset) if conflict else row.place
    shown = [_signal(info, signal) for signal in signals if asked.access.sees_person(signal.person)]
    act = act_node(info, row)
    return ActExplanation(fate=fate, act=act, reason=reason, partition=place[0], offset=place[1], signals=shown)


async def _missing_target(info: Info, row: ActRow) -> str | None:
    """What to say of a retraction or dispute that names an act which is not there."""
    data = (await info.context.load.opened.load((row, False))).act.data
    if isinstance(data, ActRetracted):
        named = (row.subject, data.retracts_source, data.retracts_id)
    elif isinstance(data, ActDisputed):
        named = (row.subject, data.disputes_source, data.disputes_id)
    else:
        return None
    return None if await info.context.load.act.load(named) else "no such act of this subject is known yet"


async def _retraction(info: Info, row: ActRow) -> str | None:
    rows = await info.context.read(lambda connection: acts.retractions(connection, row.subject))
    for opened in await info.context.load.opened.load_many((retraction, False) for retraction in rows):
        data = opened.act.data
        if isinstance(data, ActRetracted) and (data.retracts_source, data.retracts_id) == (row.source, row.act_id):
            return f"retracted by {data.by}: {data.reason}"
    return None


def _explain_refused(letter: RefusedRow) -> ActExplanation:
    fate = ActFate.CONFLICT if letter.kind == "conflict" else ActFate.DEAD_LETTER
    return ActExplanation(fate=fate, reason=letter.reason, partition=letter.partition, offset=letter.offset)


async def _explain_unfolded(info: Info, sought: _Sought) -> ActExplanation:
    access, load = info.context.access, info.context.load
    if not access.all and not access.persons:
        return ActExplanation(fate=ActFate.UNKNOWN)
    waiting = await info.context.find_unfolded(*sought)
    if waiting is None or not (
        access.all or waiting.rep in access.persons or await load.sees_relationship.load(waiting.subject)
    ):
        return ActExplanation(fate=ActFate.UNKNOWN)
    return ActExplanation(
        fate=ActFate.NOT_YET_FOLDED,
        reason="the log has it, the fold has not reached it yet",
        partition=waiting.partition,
        offset=waiting.offset,
    )


# ---- the root --------------------------------------------------------------------------------------------------------


@strawberry.type
class Viewer:
    """Who is asking. `key` is null for a machine, and where no credential is needed."""

    key: str | None = strawberry.field(
        description="The key of the person; null for a machine and where no credential is needed"
    )
    scopes: list[str] = strawberry.field(description="The scopes of the credential, sorted")

    @strawberry.field
    async def teams(self, info: Info) -> list[Team]:
        """The teams that the viewer may look at, by key."""
        access = info.context.access
        among = None if access.all else access.teams
        found = await info.context.read(lambda connection: list_teams(connection, among, ALL_TEAMS, None))
        return [team_node(row) for row in found.rows]


@strawberry.type
class Query:
    """What may be asked."""

    @strawberry.field
    def viewer(self, info: Info) -> Viewer:
        """Who is asking, and what they may."""
        return Viewer(key=info.context.access.key, scopes=info.context.access.scopes)

    @strawberry.field
    async def node(self, info: Info, id: ID) -> Node | None:
        """Anything that has an id."""
        kind, *key = _read_global_id(id) or ("",)
        if kind == "Act" and len(key) == 3:
            return await _find_act(info, key[0], key[1], key[2])
        find = {
            "Team": _find_team,
            "Person": _find_person,
            "Relationship": _find_relationship,
            "AuditEntry": _find_entry,
        }.get(kind)
        if find is None or len(key) != 1:
            raise Invalid("the id is none that was given out")
        return await find(info, key[0])

    @strawberry.field
    def policy(self, info: Info) -> PolicyNode:
        """The policy that every answer is made by."""
        policy = info.context.sources.policy
        return PolicyNode(identity=policy.identity, figures=JSON(policy.figures))

    @strawberry.field
    def principles(self) -> list[PrincipleNode]:
        """The principles, in their order."""
        return [principle_node(principle) for principle in PrincipleId]

    @strawberry.field
    async def team(self, info: Info, key: str) -> Team | None:
        """The team with this key."""
        return await _find_team(info, key)

    @strawberry.field
    async def teams(self, info: Info, first: int | None = UNSET, after: str | None = UNSET) -> Connection[Team]:
        """The teams that may be looked at, by key."""
        access, count, key = info.context.access, first_of(first), _after_key("team", after)
        among = None if access.all else access.teams
        found = await info.context.read(lambda connection: list_teams(connection, among, count, key))
        return connection_of(found, team_node, lambda row: _key_cursor("team", row.key))

    @strawberry.field
    async def person(self, info: Info, key: str) -> Person | None:
        """The person with this key."""
        return await _find_person(info, key)

    @strawberry.field
    async def relationship(self, info: Info, customer: str) -> Relationship | None:
        """The relationship with this customer."""
        return await _find_relationship(info, customer)

    @strawberry.field
    async def acts(
        self, info: Info, filter: ActFilter | None = UNSET, first: int | None = UNSET, after: str | None = UNSET
    ) -> Connection[Act] | None:
        """Acts, the newest first: retracted and retracting ones too."""
        persons, count = info.context.access.among(), first_of(first)
        wanted, key = _filter(info, given(filter)), read_act_cursor(given(after))
        found = await info.context.read(lambda connection: acts.list_acts(connection, wanted, persons, count, key))
        return connection_of(found, partial(act_node, info), act_cursor)

    @strawberry.field
    async def audit_log(
        self, info: Info, filter: AuditFilter | None = UNSET, first: int | None = UNSET, after: str | None = UNSET
    ) -> Connection[ShownEntry] | None:
        """All that was recorded and done, as the audit tree has it, the newest first."""
        from services.graphql.audit_log import list_log  # it uses the types of this module

        return await list_log(info, given(filter), first_of(first), given(after))

    @strawberry.field
    async def audit_entry(self, info: Info, index: int) -> ShownEntry | None:
        """The entry of the audit tree with this index."""
        from services.graphql.audit_log import find_entry  # as above

        return await find_entry(info, index)

    @strawberry.field
    async def explain_act(self, info: Info, source: str, act_id: str, subject: str | None = UNSET) -> ActExplanation:
        """Why is it not on the board? What became of the act with this source and id."""
        of = given(subject)
        return await _explain(info, _Sought(key_of(source), key_of(act_id), None if of is None else key_of(of)))


@strawberry.type
class Subscription:
    """What may be watched."""

    @strawberry.subscription
    async def scorecard_changed(self, info: Info, team: str) -> AsyncIterator[Team]:
        """The team as it is now, and again whenever the fold commits what may change its figures or those below it.

        Who is in the team without leading it is told of what may change their own card.
        """
        access = info.context.access
        info.context.watch(team, access.key, access.leads_team(team))
        row = await info.context.load.team.load(key_of(team)) if access.watches_team(team) else None
        if row is None:
            raise forbidden()
        yield team_node(row)


def _filter(info: Info, asked: ActFilter | None) -> acts.ActFilter:
    if asked is None:
        return acts.ActFilter()
    from_, to, types = given(asked.from_), given(asked.to), given(asked.types)
    if from_ is not None and to is not None and from_ >= to:
        raise Invalid("`from` is before `to`")
    catalogue = info.context.sources.catalogue
    by_type = {catalogue.type_of(name): name for name in NAMES}
    if unknown := [type_ for type_ in types or () if type_ not in by_type]:
        raise Invalid(f"there is no act of the type {unknown[0]}")
    names = None if types is None else {by_type[type_] for type_ in types}
    subject, rep = given(asked.subject), given(asked.rep)
    return acts.ActFilter(
        None if subject is None else key_of(subject), None if rep is None else key_of(rep), names, from_, to
    )


async def _find_team(info: Info, key: str) -> Team | None:
    row = await info.context.load.team.load(key_of(key)) if info.context.access.sees_team(key) else None
    return or_forbidden(info, None if row is None else team_node(row))


async def _find_person(info: Info, key: str) -> Person | None:
    seen = info.context.access.sees_person(key) and await info.context.load.exists.load((people.PERSON, key_of(key)))
    return or_forbidden(info, Person(key=key) if seen else None)


async def _find_relationship(info: Info, customer: str) -> Relationship | None:
    seen = await info.context.load.sees_relationship.load(key_of(customer))
    return or_forbidden(info, Relationship(customer_key=customer) if seen else None)


async def _find_entry(info: Info, index: str) -> Optional["AuditEntry"]:
    from services.graphql.audit_log import find_entry  # it uses the types of this module

    if not index.isascii() or not index.isdecimal() or len(index) > MOST_DIGITS:
        raise Invalid("the id is none that was given out")
    return await find_entry(info, int(index))


async def _find_act(info: Info, subject: str, source: str, act_id: str) -> Act | None:
    row = await info.context.load.visible_act.load((key_of(subject), key_of(source), key_of(act_id)))
    return or_forbidden(info, None if row is None else act_node(info, row))


def or_forbidden(info: Info, found: Item | None) -> Item | None:
    """What was found. Nothing is null for who may see everything, and for others the same as what is forbidden."""
    if found is None and not info.context.access.all:
        raise forbidden()
    return found


def describe(*types: type) -> None:
    """Let the docstrings of types and resolvers be the descriptions that clients read."""
    for type_ in types:
        definition = get_object_definition(type_, strict=True)
        definition.description = definition.description or getdoc(type_)
        for field in definition.fields:
            if field.base_resolver is not None:
                field.description = field.description or getdoc(field.base_resolver.wrapped_func)


describe(
    *(Act, ActExplanation, Connection, Difference, Edge, GuideIndex, Interval, Membership, Node, PageInfo, Person),
    *(PrincipleNode, Query, ReasonCount, Relationship, Score, Scorecard, Signal, Subscription, Team, TrendPoint),
    *(PolicyNode, Viewer),
)


class _Schema(strawberry.Schema):
    """The schema, without strawberry's own log: it would quote queries, and with them people."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Nothing: `errors.formatted` logs what was not raised on purpose."""


def create_schema(introspection: bool = True) -> strawberry.Schema:
    """The schema with its limits."""
    remembering = partial(limits.SchemaAnswers, {})
    extensions: list[Any] = [limits.Limits, partial(ValidationCache, maxsize=limits.REMEMBERED), remembering]
    if not introspection:
        extensions.append(DisableIntrospection)
    return _Schema(
        query=Query,
        subscription=Subscription,
        types=[Team, Person, Relationship, Act],
        extensions=extensions,
        execution_context_class=DirectExecutor,
        config=StrawberryConfig(scalar_map=SCALARS),
    )

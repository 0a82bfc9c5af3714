"""What the documents of the dashboard answer, as types: the shapes of schema.graphql, read from the gateway's JSON.

Every field has a default, since a document asks for what its page shows and no more; a default is never shown. What
the schema lets be null is None. Read an answer with `msgspec.convert(data["team"], Team)`.
"""

from datetime import UTC, date, datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Struct

from services.projections.leadership import policy

Item = TypeVar("Item")

Verdict = Literal["KEPT", "BREACHED"]
EvidenceLevel = Literal["NONE", "THIN", "FAIR", "SOLID"]
Role = Literal["REP", "LEADER"]

NO_DAY = date.min
NO_TIME = datetime.min.replace(tzinfo=UTC)


class Answer(Struct, frozen=True, kw_only=True, rename="camel"):
    """A piece of an answer."""


class PageInfo(Answer, frozen=True, kw_only=True):
    """Where a page stands in its list (Relay)."""

    has_next_page: bool = False
    has_previous_page: bool = False
    start_cursor: str | None = None
    end_cursor: str | None = None

    @property
    def further(self) -> str | None:
        """Where the list goes on; None where it ends here."""
        return self.end_cursor if self.has_next_page else None


class Edge(Answer, Generic[Item], frozen=True, kw_only=True):
    """An element of a page, and the cursor to go on after it."""

    node: Item
    cursor: str = ""


class Connection(Answer, Generic[Item], frozen=True, kw_only=True):
    """A page of a list (Relay)."""

    edges: tuple[Edge[Item], ...] = ()
    page_info: PageInfo = PageInfo()

    @property
    def nodes(self) -> tuple[Item, ...]:
        """The elements, in order."""
        return tuple(edge.node for edge in self.edges)


# ---- figures ---------------------------------------------------------------------------------------------------------


class Interval(Answer, frozen=True, kw_only=True):
    """A 95 % interval; an end that is not known is None."""

    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Whether the value lies in it; an end that is not known excludes nothing."""
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two have a value in common."""
        return _at_or_below(self.low, other.high) and _at_or_below(other.low, self.high)


def _at_or_below(low: float | None, high: float | None) -> bool:
    return low is None or high is None or low <= high


class Difference(Answer, frozen=True, kw_only=True):
    """A difference of two rates, -1 to 1; both None where a side has no signals."""

    value: float | None = None
    interval: Interval | None = None


class Rate(Answer, frozen=True, kw_only=True):
    """How many of `n` did so; `rate` and `interval` None when n = 0."""

    kept: int = 0
    n: int = 0
    rate: float | None = None
    interval: Interval | None = None


class RateComparison(Answer, frozen=True, kw_only=True, rename={"with_": "with"}):
    """Those with a getting act, and those without; `difference` is with less without."""

    with_: Rate = Rate()
    without: Rate = Rate()
    difference: Difference = Difference()


class OddsRatio(Answer, frozen=True, kw_only=True):
    """A pooled odds ratio; of `value` None, `undefined_because` says why."""

    value: float | None = None
    interval: Interval | None = None
    strata: int = 0
    n: int = 0
    undefined_because: str | None = None


class RateRatio(Answer, frozen=True, kw_only=True):
    """A rate after by a rate before; with nothing before, only the interval's low end is known."""

    value: float | None = None
    interval: Interval | None = None
    before: int = 0
    after: int = 0
    before_days: float = 0.0
    after_days: float = 0.0
    undefined_because: str | None = None


class Correlation(Answer, frozen=True, kw_only=True):
    """A rank correlation over `n` people, -1 to 1; None with too few, or if all are alike."""

    value: float | None = None
    n: int = 0


class TrendPoint(Answer, frozen=True, kw_only=True):
    """What was kept and breached in a bucket that begins on `start`."""

    start: date = NO_DAY
    kept: int = 0
    breached: int = 0

    @property
    def n(self) -> int:
        """The signals in it."""
        return self.kept + self.breached


class ReasonCount(Answer, frozen=True, kw_only=True):
    """How many signals have this reason."""

    reason: str = ""
    count: int = 0


class Principle(Answer, frozen=True, kw_only=True):
    """A behaviour that the articles ask for; `id` such as OWN_GOALS."""

    id: str = ""
    title: str = ""
    description: str = ""
    sources: tuple[str, ...] = ()
    judgement: tuple[str, ...] = ()


class Policy(Answer, frozen=True, kw_only=True):
    """The policy that every answer is made by; `figures` by their tables and names in the policy file."""

    identity: str = ""
    figures: dict[str, Any] = {}

    @property
    def read(self) -> policy.Policy:
        """The figures by name."""
        return msgspec.convert(self.figures, policy.Policy)


class PrincipleCount(Answer, frozen=True, kw_only=True):
    """How often a principle was coached, or recognised."""

    principle: Principle = Principle()
    count: int = 0


class GuideIndex(Answer, frozen=True, kw_only=True):
    """The guide index and its dimensions, 0 to 1; None with too few signals or dimensions."""

    value: float | None = None
    trust: float | None = None
    partnership: float | None = None
    capability: float | None = None
    inquiry: float | None = None


class CustomerEquity(Answer, frozen=True, kw_only=True):
    """What a team's customer base is worth over a year; shares 0 to 1, None with nothing to divide by."""

    policy: str = ""
    active_customers: int = 0
    repeat_share: float | None = None
    referrals_per_customer_year: float | None = None
    lost_customers: int = 0
    touches_to_yes_median: float | None = None
    share_at_five_to_seven: float | None = None
    touch_share_unfit: float | None = None
    touch_share_customers: float | None = None


# ---- acts and signals ------------------------------------------------------------------------------------------------


class Act(Answer, frozen=True, kw_only=True):
    """One event of the log; `type` such as exemplar.contact.made.v1, `data` its own fields."""

    id: str = ""
    source: str = ""
    act_id: str = ""
    type: str = ""
    subject: str = ""
    rep: str | None = None
    time: datetime = NO_TIME
    recorded_at: datetime = NO_TIME
    partition: int = -1
    offset: int = -1
    data: dict[str, Any] = {}
    personal_fields: tuple[str, ...] = ()
    retracted: bool = False
    disputes: "tuple[Act, ...]" = ()

    @property
    def name(self) -> str:
        """The act's name in the catalogue, such as contact.made."""
        return self.type.removeprefix("exemplar.").rpartition(".v")[0]


class Signal(Answer, frozen=True, kw_only=True):
    """One judgement: a person kept or breached a principle, for a reason, as these acts show."""

    person: "Person | None" = None
    customer_key: str | None = None
    principle: str = ""
    verdict: Verdict = "KEPT"
    reason: str = ""
    at: datetime = NO_TIME
    evidence: tuple[Act, ...] = ()


class AuditProof(Answer, frozen=True, kw_only=True):
    """That an entry is in the tree: hashes in base64, the signed checkpoint, and all of it as a file."""

    hashes: tuple[str, ...] = ()
    checkpoint: str = ""
    file: str = ""


class AuditEntry(Answer, frozen=True, kw_only=True):
    """An entry of the audit tree: a record of the log, or something else that was done."""

    index: int = -1
    leaf_hash: str = ""
    kind: str = ""
    type: str | None = None
    at: datetime = NO_TIME
    subjects: tuple[str, ...] = ()
    actor: str | None = None
    partition: int | None = None
    offset: int | None = None
    entry: str = ""
    document: str | None = None
    record: str | None = None
    refused: str | None = None
    act: Act | None = None
    proof: AuditProof = AuditProof()


class ActExplanation(Answer, frozen=True, kw_only=True):
    """What became of an act, and why."""

    fate: str = "UNKNOWN"
    act: Act | None = None
    reason: str | None = None
    partition: int | None = None
    offset: int | None = None
    signals: tuple[Signal, ...] = ()


# ---- scorecards ------------------------------------------------------------------------------------------------------


class Score(Answer, frozen=True, kw_only=True):
    """One principle's figures in a scorecard."""

    principle: Principle = Principle()
    kept: int = 0
    breached: int = 0
    n: int = 0
    not_recorded: int = 0
    rate: float | None = None
    interval: Interval | None = None
    evidence_level: EvidenceLevel = "NONE"
    previous: "Score | None" = None
    change: Difference | None = None
    trend: tuple[TrendPoint, ...] = ()
    reasons: tuple[ReasonCount, ...] = ()
    signals: Connection[Signal] = Connection()


class Scorecard(
    Answer, frozen=True, kw_only=True, rename={"from_": "from", "as_of": "asOf", "guide_index": "guideIndex"}
):
    """The figures of a person or a team over the days [from, to)."""

    from_: date = NO_DAY
    to: date = NO_DAY
    as_of: datetime = NO_TIME
    policy: str = ""
    scores: tuple[Score, ...] = ()
    score: Score | None = None
    guide_index: GuideIndex = GuideIndex()


# ---- who is who ------------------------------------------------------------------------------------------------------


class Person(Answer, frozen=True, kw_only=True):
    """A rep, a leader, or both."""

    id: str = ""
    key: str = ""
    name: str | None = None
    memberships: "tuple[Membership, ...] | None" = None
    scorecard: Scorecard | None = None
    example: "LeaderExample | None" = None
    relationships: "Connection[Relationship] | None" = None

    @property
    def called(self) -> str:
        """The name, or the key where there is none."""
        return self.name or self.key


class Team(Answer, frozen=True, kw_only=True):
    """A team; its name is its key where no act gave it one."""

    id: str = ""
    key: str = ""
    name: str = ""
    parent: "Team | None" = None
    children: "tuple[Team, ...]" = ()
    members: "tuple[Membership, ...] | None" = None
    leaders: tuple[Person, ...] | None = None
    scorecard: Scorecard | None = None
    examples: "tuple[LeaderExample, ...] | None" = None
    equity: CustomerEquity | None = None


class Membership(Answer, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A person's stay in a team, [from, to); `to` None while it lasts."""

    person: Person = Person()
    team: Team = Team()
    role: Role = "REP"
    from_: datetime = NO_TIME
    to: datetime | None = None


class Relationship(Answer, frozen=True, kw_only=True):
    """All that happened with one customer, whichever reps it was with."""

    id: str = ""
    customer_key: str = ""
    customer_name: str | None = None
    segment: str | None = None
    reps: tuple[Person, ...] = ()
    acts: Connection[Act] = Connection()
    signals: Connection[Signal] = Connection()


class Viewer(Answer, frozen=True, kw_only=True):
    """Who is asking; `key` None for a machine, and where no credential is needed."""

    key: str | None = None
    scopes: tuple[str, ...] = ()
    teams: tuple[Team, ...] = ()

    @property
    def audits(self) -> bool:
        """Whether they may read the audit log."""
        return not {"admin", "audit:read"}.isdisjoint(self.scopes)


# ---- the leader's example --------------------------------------------------------------------------------------------


class ExampleComparison(Answer, frozen=True, kw_only=True):
    """The leader beside the team on one principle; `difference` is leader less team."""

    principle: Principle = Principle()
    leader: Score = Score()
    team: Score = Score()
    difference: Difference = Difference()
    mirroring: OddsRatio = OddsRatio()
    chance_baseline: OddsRatio = OddsRatio()
    imprint: OddsRatio = OddsRatio()


class StatedStandard(Answer, frozen=True, kw_only=True):
    """A principle that the leader stated, and the leader's own conduct since; `gap` is 1 less the rate."""

    principle: Principle = Principle()
    since: datetime = NO_TIME
    score: Score = Score()
    gap: float | None = None


class CoachingEffect(Answer, frozen=True, kw_only=True):
    """How the coached kept a principle after coaching and before; `difference` is after less before."""

    principle: Principle = Principle()
    after: Rate = Rate()
    before: Rate = Rate()
    difference: Difference = Difference()


class GuidesWin(Answer, frozen=True, kw_only=True):
    """The guide index of each rep against three results of theirs."""

    acceptance: Correlation = Correlation()
    repeat_customers: Correlation = Correlation()
    referrals: Correlation = Correlation()


class Pushing(Answer, frozen=True, kw_only=True):
    """What came of attempts with a getting act, and of those without."""

    acceptance: RateComparison = RateComparison()
    repeat: RateComparison = RateComparison()


class LeaderExample(Answer, frozen=True, kw_only=True):
    """What a leader models to a team over a period."""

    leader: Person = Person()
    team: Team = Team()
    policy: str = ""
    remark: str | None = None
    comparisons: tuple[ExampleComparison, ...] = ()
    standards: tuple[StatedStandard, ...] = ()
    goading: RateRatio = RateRatio()
    month_end_pressure: RateRatio = RateRatio()
    coaching: tuple[PrincipleCount, ...] = ()
    recognition: tuple[PrincipleCount, ...] = ()
    behaviour_recognition_share: float | None = None
    guides_win: GuidesWin = GuidesWin()
    pushing: Pushing = Pushing()
    after_coaching: tuple[CoachingEffect, ...] = ()

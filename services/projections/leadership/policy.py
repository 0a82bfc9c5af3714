"""The policy: every figure of domain.md §§3–5 under a name of its own, and the acts that a source does not record.

A policy file is TOML; what it leaves out keeps its default. To change the policy, rebuild: the log is never edited.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from services.events.catalog.acts import ACTS, act_name
from services.kit.errors import Misconfigured
from services.kit.instants import DAY

Days = Annotated[int, Meta(ge=1, le=3650)]
Hours = Annotated[int, Meta(ge=1, le=8760)]
Minutes = Annotated[int, Meta(ge=0, le=1440)]
Count = Annotated[int, Meta(ge=1, le=1000)]


class Figures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the policy file."""


class Touches(Figures, frozen=True, kw_only=True):
    """Counting sales touches (§2)."""

    redial_minutes: Annotated[int, Meta(ge=0, le=1440)] = 60


class WalkIn(Figures, frozen=True, kw_only=True):
    """What makes an attempt a walk-in (§2)."""

    offer_hours: Hours = 24
    decision_hours: Hours = 24


class AskFirst(Figures, frozen=True, kw_only=True):
    """For `ask-first`."""

    question_days: Days = 180


class Qualify(Figures, frozen=True, kw_only=True):
    """For `qualify`."""

    chase_days: Days = 180


class RespectTime(Figures, frozen=True, kw_only=True):
    """For `respect-time`."""

    overrun_minutes: Minutes = 5
    overrun_percent: Annotated[int, Meta(ge=0, le=100)] = 10


class TwoWay(Figures, frozen=True, kw_only=True):
    """For `two-way`."""

    answer_hours: Hours = 96
    offered_channel_days: Days = 30


class LongView(Figures, frozen=True, kw_only=True):
    """For `long-view`."""

    repeat_hours: Hours = 24
    stay_days: Days = 90


class FollowThrough(Figures, frozen=True, kw_only=True):
    """For `follow-through`."""

    silence_days: Days = 30
    touches_at_least: Count = 5
    touches_at_most: Count = 7
    pause_days: Days = 30

    def __post_init__(self) -> None:
        """Giving up early and crossing the line must not overlap."""
        if self.touches_at_least > self.touches_at_most:
            raise ValueError("`touches_at_least` is more than `touches_at_most`")


class AcceptDecisions(Figures, frozen=True, kw_only=True):
    """For `accept-decisions`."""

    push_days: Days = 180
    let_go_days: Days = 30


class NoInventedNeed(Figures, frozen=True, kw_only=True):
    """For `no-invented-need`."""

    push_days: Days = 180
    left_alone_days: Days = 30


class AimToServe(Figures, frozen=True, kw_only=True):
    """For `aim-to-serve`."""

    before_days: Days = 30
    after_days: Days = 30


class ServeCustomers(Figures, frozen=True, kw_only=True):
    """For `serve-customers`."""

    help_hours: Hours = 96


class Evidence(Figures, frozen=True, kw_only=True):
    """From how many distinct customers on evidence is fair, and solid (§4)."""

    fair_customers: Count = 5
    solid_customers: Count = 20

    def __post_init__(self) -> None:
        """What is solid is fair too."""
        if self.fair_customers > self.solid_customers:
            raise ValueError("`fair_customers` is more than `solid_customers`")


class GuideIndex(Figures, frozen=True, kw_only=True):
    """What the guide index needs (§4)."""

    signals_at_least: Count = 5
    dimensions_at_least: Annotated[int, Meta(ge=1, le=4)] = 3


class Mirroring(Figures, frozen=True, kw_only=True):
    """How long a leader's signal is an example, for mirroring, its chance baseline and the imprint (§5)."""

    example_days: Days = 28


class Imprint(Figures, frozen=True, kw_only=True):
    """What a rep's first days in a team are (§5)."""

    first_days: Days = 90


class Goading(Figures, frozen=True, kw_only=True):
    """When a rep gets after a push, and before one (§5)."""

    after_days: Days = 14
    before_days: Days = 14


class MonthEnd(Figures, frozen=True, kw_only=True):
    """What the end of a calendar month is, for month-end pressure (§5)."""

    last_days: Annotated[int, Meta(ge=1, le=27)] = 5


class Pushing(Figures, frozen=True, kw_only=True):
    """When an accepted customer ordered again, for whether pushing pays (§5)."""

    repeat_hours: Hours = 24
    repeat_days: Days = 365

    def __post_init__(self) -> None:
        """The window must hold something."""
        if self.repeat_hours >= 24 * self.repeat_days:
            raise ValueError("`repeat_hours` are not less than `repeat_days`")


class Coaching(Figures, frozen=True, kw_only=True):
    """The days after coaching, and those before it that they are compared with (§5)."""

    after_days: Days = 28
    before_days: Days = 28


class GuidesWin(Figures, frozen=True, kw_only=True):
    """What a correlation of the guide index needs, and who came back (§5)."""

    people_at_least: Annotated[int, Meta(ge=3, le=1000)] = 5
    repeat_orders: Annotated[int, Meta(ge=2, le=1000)] = 2


class Equity(Figures, frozen=True, kw_only=True):
    """For customer equity (§5)."""

    year_days: Days = 365
    year_before_days: Days = 365
    repeat_orders: Annotated[int, Meta(ge=2, le=1000)] = 2
    touches_at_least: Count = 5
    touches_at_most: Count = 7

    def __post_init__(self) -> None:
        """The usual number of touches must be possible."""
        if self.touches_at_least > self.touches_at_most:
            raise ValueError("`touches_at_least` is more than `touches_at_most`")


class Policy(Figures, frozen=True, kw_only=True):
    """A policy. `not_recorded` holds, by source, the names of the acts that this source does not record."""

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}(?![\s\S])")] = "default"
    touches: Touches = Touches()
    walk_in: WalkIn = WalkIn()
    ask_first: AskFirst = AskFirst()
    qualify: Qualify = Qualify()
    respect_time: RespectTime = RespectTime()
    two_way: TwoWay = TwoWay()
    long_view: LongView = LongView()
    follow_through: FollowThrough = FollowThrough()
    accept_decisions: AcceptDecisions = AcceptDecisions()
    no_invented_need: NoInventedNeed = NoInventedNeed()
    aim_to_serve: AimToServe = AimToServe()
    serve_customers: ServeCustomers = ServeCustomers()
    evidence: Evidence = Evidence()
    guide_index: GuideIndex = GuideIndex()
    mirroring: Mirroring = Mirroring()
    imprint: Imprint = Imprint()
    goading: Goading = Goading()
    month_end: MonthEnd = MonthEnd()
    pushing: Pushing = Pushing()
    coaching: Coaching = Coaching()
    guides_win: GuidesWin = GuidesWin()
    equity: Equity = Equity()
    not_recorded: Mapping[str, frozenset[str]] = {}

    @property
    def identity(self) -> str:
        """Which policy this is, for answers to name: its name and a digest of all it says."""
        return f"{self.name}-{hashlib.sha256(msgspec.json.encode(self.figures)).hexdigest()[:12]}"

    @property
    def figures(self) -> dict[str, Any]:
        """All it says, as a policy file would, in one order."""
        said: dict[str, Any] = msgspec.to_builtins(self, order="sorted")
        said["not_recorded"] = {source: sorted(acts) for source, acts in sorted(self.not_recorded.items())}
        return said

    def records(self, source: str, act: str) -> bool:
        """Whether the source records acts of this name."""
        missing = self.not_recorded.get(source)
        return missing is None or act not in missing


DEFAULT_POLICY = Policy()


def days(count: int) -> int:
    """A figure in days as microseconds."""
    return count * DAY


def load_policy(path: Path | None) -> Policy:
    """The policy in a TOML file, or the default one. Raises Misconfigured with what is wrong and where."""
    if path is None:
        return DEFAULT_POLICY
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
        policy = msgspec.convert(read, Policy)
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"EXEMPLAR_POLICY_FILE cannot be read: {path}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Misconfigured(f"EXEMPLAR_POLICY_FILE {path}: {error}") from error
    known = {act_name(model) for model in ACTS}
    for source, acts in policy.not_recorded.items():
        if unknown := sorted(acts - known):
            raise Misconfigured(f"EXEMPLAR_POLICY_FILE {path}: not_recorded of {source!r} names no act: {unknown}")
    return policy

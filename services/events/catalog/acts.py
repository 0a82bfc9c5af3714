"""The acts, one frozen model each, in the order of the catalogue (domain.md §1).

A class named `ContactMade` is the act `contact.made`; its docstring says what it means, its fields are the `data` of
the event. The order of the classes is the order in which acts of the same instant are taken (domain.md §2).
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal, get_type_hints

import msgspec
import pycountry
from msgspec import UNSET, Meta, UnsetType, field

from services.kit.errors import Invalid
from services.kit.instants import to_date

# `(?![\s\S])` is the end of the text in Python and in ECMA 262 alike; `$` would let a last line feed pass in Python.
NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*(?![\s\S])"
DECIMAL = r"^[0-9]{1,30}(\.[0-9]{1,4})?(?![\s\S])"
PERSONAL_MARK = "x-exemplar-personal"

Named = Annotated[str, Meta(pattern=NO_CONTROLS)]  # the source of an act that is named
Id = Annotated[str, Meta(min_length=1, max_length=128, pattern=NO_CONTROLS)]
Amount = Annotated[str, Meta(pattern=DECIMAL, description="A decimal number ≥ 0 with at most 4 digits after the point")]
CURRENCIES = frozenset(currency.alpha_3 for currency in pycountry.currencies)
Currency = Annotated[str, Meta(description="An ISO 4217 code", extra_json_schema={"enum": sorted(CURRENCIES)})]
# The largest integer that JSON carries unharmed everywhere (RFC 7493).
Minutes = Annotated[int, Meta(gt=0, le=2**53 - 1)]
# None is a personal field that was given, of a person who has been erased: known to have been there, never compared.
Personal = Annotated[str | UnsetType | None, Meta(extra_json_schema={PERSONAL_MARK: True})]

Channel = Literal["call", "text", "email", "meeting", "video", "social", "calendar", "mail", "in_person", "other"]
Purpose = Literal["introduce", "explore", "follow_up", "propose", "promote", "serve", "thank", "other"]
Topic = Literal[
    "problem", "limitation", "concern", "performance_gap", "challenge", "motivation", "mechanism", "want", "none"
]
Tactic = Literal["deadline", "scarcity", "insistence", "guilt", "other"]
Principle = Literal[
    "own-goals",
    "ask-first",
    "no-pressure",
    "qualify",
    "right-solution",
    "respect-time",
    "two-way",
    "long-view",
    "welcome-hesitation",
    "follow-through",
    "accept-decisions",
    "no-invented-need",
    "aim-to-serve",
    "serve-customers",
]

PUBLIC = "public"
UNATTRIBUTED = "unattributed"


class ActData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The `data` of an act. `version` is its current one; older ones are upcast, later ones unknown.

    `conditions`: JSON Schema of what ties fields to one another, as far as JSON Schema can say what `check` checks.
    """

    version: ClassVar[int] = 1
    conditions: ClassVar[Mapping[str, object]] = {}

    def check(self, time: int) -> None:
        """What ties fields to one another and to the event's own time. Raises Invalid, the pointer below `data`."""


class CustomerAct(ActData, frozen=True, kw_only=True):
    """A customer-facing act: `rep` acted or, for the customer's own acts, is the rep they dealt with."""

    rep: Id
    deal: Id | None = None
    during: Id | None = None


class OfferedItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing offered, and the ids of the needs it is meant to meet (none, if it meets none)."""

    item: str
    needs: tuple[Id, ...]


class ContactMade(CustomerAct, frozen=True, kw_only=True):
    """A rep contacted the customer."""

    channel: Channel
    purpose: Purpose
    text: Personal = UNSET


class ContactReceived(CustomerAct, frozen=True, kw_only=True):
    """The customer contacted a rep: with a question (`asks`), for help, offering another channel to talk on."""

    channel: Channel
    asks: bool
    wants_help: bool
    offered_channel: Channel | None = None
    text: Personal = UNSET


class QuestionAsked(CustomerAct, frozen=True, kw_only=True):
    """A rep asked the customer a question; `none`: a pointless one, nothing to do with the customer's situation."""

    topic: Topic
    text: Personal = UNSET


class QuestionAnswered(CustomerAct, frozen=True, kw_only=True):
    """A rep answered the question of a `contact.received`, named by its id."""

    answers: Id


class NeedEstablished(CustomerAct, frozen=True, kw_only=True):
    """Rep and customer found a need of the customer's."""

    need: Id
    text: Personal = UNSET


class NeedRuledOut(CustomerAct, frozen=True, kw_only=True):
    """A need turned out to be none; without `need`: there is no need at all."""

    need: Id | None = None


class ProspectQualified(CustomerAct, frozen=True, kw_only=True):
    """A rep judged whether the customer fits what is sold."""

    outcome: Literal["fit", "unfit"]
    criteria: tuple[str, ...]


class MeetingHeld(CustomerAct, frozen=True, kw_only=True):
    """A meeting: the minutes asked for and the minutes taken."""

    asked_minutes: Minutes
    actual_minutes: Minutes
    channel: Channel
    purpose: Purpose
    extended_by_customer: bool | None = None


class PathAgreed(CustomerAct, frozen=True, kw_only=True):
    """Rep and customer agreed how the customer will go on to decide."""

    steps: tuple[str, ...]
    next_on: date | None = None


class SolutionRecommended(CustomerAct, frozen=True, kw_only=True):
    """A rep recommended a solution; without items: "nothing of ours fits"."""

    items: tuple[OfferedItem, ...]


class ProposalMade(CustomerAct, frozen=True, kw_only=True):
    """A rep made a proposal."""

    items: Annotated[tuple[OfferedItem, ...], Meta(min_length=1)]


class SpecialPromoted(CustomerAct, frozen=True, kw_only=True):
    """A rep promoted a special; `needs` are those it is meant to meet."""

    campaign: str
    needs: tuple[Id, ...]


class UrgencyPressed(CustomerAct, frozen=True, kw_only=True):
    """A rep pressed the customer to hurry."""

    tactic: Tactic
    text: Personal = UNSET


class GoalAppealed(CustomerAct, frozen=True, kw_only=True):
    """A rep asked the customer to help hit the rep's or the company's goal."""

    goal: str | None = None
    text: Personal = UNSET


class HesitationVoiced(CustomerAct, frozen=True, kw_only=True):
    """The customer hesitated."""

    concern: Personal = UNSET


class HesitationExplored(CustomerAct, frozen=True, kw_only=True):
    """A rep went deeper into a `hesitation.voiced`, named by its id."""

    hesitation: Id


class DecisionMade(CustomerAct, frozen=True, kw_only=True):
    """The customer decided, or put the decision off `until` a date; `no_contact`: "leave me alone"."""

    conditions: ClassVar[Mapping[str, object]] = {
        "if": {"properties": {"outcome": {"const": "deferred"}}},
        "then": {"required": ["until"], "properties": {"until": {"type": "string"}}},
        "else": {"properties": {"until": {"type": "null"}}},
    }

    outcome: Literal["accepted", "declined", "deferred"]
    until: date | None = None
    no_contact: bool | None = None
    reason: Personal = UNSET

    def check(self, time: int) -> None:
        """Only a deferral has an `until`, and one later than the UTC date of the act."""
        if self.outcome != "deferred":
            if self.until is not None:
                raise Invalid("`until` belongs to the outcome deferred only", "/until")
        elif self.until is None:
            raise Invalid("a deferred decision needs `until`, the date it is deferred to", "/until")
        elif self.until <= to_date(time):
            raise Invalid("`until` must be later than the UTC date of the act's time", "/until")


class OrderPlaced(CustomerAct, frozen=True, kw_only=True):
    """The customer ordered."""

    amount: Amount
    currency: Currency
    items: tuple[str, ...]

    def check(self, time: int) -> None:
        """The currency is one of ISO 4217."""
        if self.currency not in CURRENCIES:
            raise Invalid("not an ISO 4217 code", "/currency")


class ProspectReleased(CustomerAct, frozen=True, kw_only=True):
    """A rep let the customer go."""

    reason: Personal = UNSET


class ReferralGiven(CustomerAct, frozen=True, kw_only=True):
    """The customer referred somebody, who is a new customer."""

    referred: Id


class ServiceGiven(CustomerAct, frozen=True, kw_only=True):
    """A rep was of use to the customer."""

    kind: Literal["resource", "connection", "support", "advice"]


class CustomerKnown(ActData, frozen=True, kw_only=True):
    """Who the customer is."""

    name: Personal = UNSET
    segment: str | None = None


class CustomerAssigned(ActData, frozen=True, kw_only=True):
    """The customer is a rep's from now on."""

    rep: Id


class StandardStated(ActData, frozen=True, kw_only=True):
    """A leader stated a principle as the team's standard."""

    principle: Principle
    team: Id
    text: Personal = UNSET


class PushDirected(ActData, frozen=True, kw_only=True):
    """A leader goaded the team to push."""

    team: Id
    campaign: str | None = None
    text: Personal = UNSET


class CoachingGiven(ActData, frozen=True, kw_only=True):
    """A leader coached a rep on a principle."""

    rep: Id
    principle: Principle | Literal["walk-the-talk"]


class RecognitionGiven(ActData, frozen=True, kw_only=True):
    """A leader recognised a rep for behaviour, or for results."""

    rep: Id
    for_: Literal["behaviour", "result"] = field(name="for")
    principle: Principle | Literal["walk-the-talk"] | None = None


class TeamFormed(ActData, frozen=True, kw_only=True):
    """A team got its name and its place under a parent."""

    name: str
    parent: Id | None = None


class TeamLeft(ActData, frozen=True, kw_only=True):
    """A person left the team."""

    person: Id


class TeamJoined(ActData, frozen=True, kw_only=True):
    """A person joined the team in a role."""

    person: Id
    role: Literal["rep", "leader"]
    name: Personal = UNSET


class ActRetracted(ActData, frozen=True, kw_only=True):
    """The act of the same subject that this one names counts as never done."""

    retracts_source: Named
    retracts_id: Id
    reason: str
    by: Id


class ActDisputed(ActData, frozen=True, kw_only=True):
    """Somebody disputes the act of the same subject that this one names; it is shown and changes no figure."""

    disputes_source: Named
    disputes_id: Id
    reason: str
    by: Id


class PersonErased(ActData, frozen=True, kw_only=True):
    """The personal fields about this person or customer can never be read again (domain.md §7)."""

    by: Id
    reason: str


ACTS: tuple[type[ActData], ...] = (
    ContactMade,
    ContactReceived,
    QuestionAsked,
    QuestionAnswered,
    NeedEstablished,
    NeedRuledOut,
    ProspectQualified,
    MeetingHeld,
    PathAgreed,
    SolutionRecommended,
    ProposalMade,
    SpecialPromoted,
    UrgencyPressed,
    GoalAppealed,
    HesitationVoiced,
    HesitationExplored,
    DecisionMade,
    OrderPlaced,
    ProspectReleased,
    ReferralGiven,
    ServiceGiven,
    CustomerKnown,
    CustomerAssigned,
    StandardStated,
    PushDirected,
    CoachingGiven,
    RecognitionGiven,
    TeamFormed,
    TeamLeft,
    TeamJoined,
    ActRetracted,
    ActDisputed,
    PersonErased,
)
ROWS: dict[type[ActData], int] = {model: row for row, model in enumerate(ACTS)}


def act_name(model: type[ActData]) -> str:
    """The name of the act that a model stands for: `ContactMade` is `contact.made`."""
    words = re.findall(r"[A-Z][a-z]+", model.__name__)
    return f"{words[0]}.{'_'.join(words[1:])}".lower()


def personal_fields(model: type[ActData]) -> tuple[str, ...]:
    """The fields of the act that are personal (†), by their names in `data`."""
    hints = get_type_hints(model, include_extras=True)
    return tuple(name for name, hint in hints.items() if PERSONAL_MARK in str(getattr(hint, "__metadata__", "")))


def person_of(subject: str, data: ActData) -> str:
    """Whom the personal fields of an act are about: the `person` of a `team.joined`, else the subject."""
    return data.person if isinstance(data, TeamJoined) else subject

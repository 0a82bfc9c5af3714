"""The kinds of acts that the rules speak of: selling acts, offers, touches, and so on (domain.md §2)."""

from services.events.catalog.acts import (
    ActData,
    ContactMade,
    ContactReceived,
    DecisionMade,
    GoalAppealed,
    HesitationVoiced,
    MeetingHeld,
    NeedEstablished,
    NeedRuledOut,
    OrderPlaced,
    ProposalMade,
    ProspectReleased,
    QuestionAsked,
    ReferralGiven,
    SolutionRecommended,
    SpecialPromoted,
    UrgencyPressed,
)

SALES_PURPOSES = frozenset(("introduce", "explore", "follow_up", "propose", "promote"))
OFFERING = (SolutionRecommended, ProposalMade)
TOUCHES = (ContactMade, MeetingHeld)
PUSHING = (SpecialPromoted, UrgencyPressed, GoalAppealed)
SELLING = (ContactMade, *OFFERING, *PUSHING)
_SELLING = frozenset(SELLING)  # asked of every act: this says no to two of three in a tenth of the time
REOPENING = (ContactReceived, OrderPlaced, NeedEstablished, DecisionMade)
ENDING = (DecisionMade, ProspectReleased)
TAKING_PART = (ContactReceived, MeetingHeld, HesitationVoiced, OrderPlaced, ReferralGiven, DecisionMade)


def is_offer(data: ActData) -> bool:
    """An *offer*: `solution.recommended` with at least one item, or `proposal.made`."""
    return isinstance(data, OFFERING) and bool(data.items)


def is_selling(data: ActData) -> bool:
    """A *selling act*: a contact to sell, an offer, a special, pressing, or an appeal to one's own goal."""
    if type(data) not in _SELLING:
        return False
    if isinstance(data, ContactMade):
        return data.purpose in SALES_PURPOSES
    return isinstance(data, PUSHING) or is_offer(data)


def is_sales_touch(data: ActData) -> bool:
    """A *sales touch*: a contact made or a meeting held to sell."""
    return isinstance(data, TOUCHES) and data.purpose in SALES_PURPOSES


def is_no_need(data: ActData) -> bool:
    """A *no-need*: `need.ruled_out` without a need."""
    return isinstance(data, NeedRuledOut) and data.need is None


def is_deferred(data: ActData) -> bool:
    """A decision put off."""
    return isinstance(data, DecisionMade) and data.outcome == "deferred"


def ends_attempt(data: ActData) -> bool:
    """What ends an attempt: a decision accepted or declined, or a release."""
    return isinstance(data, ProspectReleased) or (isinstance(data, DecisionMade) and data.outcome != "deferred")


def ends_well(data: ActData) -> bool:
    """An end that leaves nothing to follow up: a decision accepted, or a release."""
    return isinstance(data, ProspectReleased) or (isinstance(data, DecisionMade) and data.outcome == "accepted")


def takes_part(data: ActData) -> bool:
    """Whether the customer takes part in the act, for `crossed_the_line`: of decisions, a deferral only."""
    return isinstance(data, TAKING_PART) and (not isinstance(data, DecisionMade) or data.outcome == "deferred")


def is_pressing(data: ActData) -> bool:
    """A *pressing* act, for `welcome-hesitation`."""
    if isinstance(data, ContactMade):
        return data.purpose in ("propose", "promote")
    return isinstance(data, PUSHING) or is_offer(data)


def is_real_question(data: ActData) -> bool:
    """A question that is not pointless."""
    return isinstance(data, QuestionAsked) and data.topic != "none"

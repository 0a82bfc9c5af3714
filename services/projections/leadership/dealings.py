"""What §5 of domain.md counts besides signals: who dealt with a customer when, and what attempts came to.

Both are functions of a relationship's history and are kept beside its signals. *As of* an instant is a cut: what a
dealing says of the past rests on earlier acts alone, and what came later carries its time.
"""

from bisect import bisect_right
from collections.abc import Iterator
from enum import IntFlag
from typing import NamedTuple

from services.events.catalog.acts import (
    DecisionMade,
    GoalAppealed,
    OrderPlaced,
    ProspectQualified,
    ReferralGiven,
    SpecialPromoted,
    UrgencyPressed,
)
from services.events.catalog.envelope import Act
from services.kit.instants import HOUR
from services.projections.leadership.attempts import Attempt
from services.projections.leadership.history import History
from services.projections.leadership.kinds import TOUCHES, is_selling
from services.projections.leadership.policy import Policy
from services.projections.leadership.principles.no_pressure import is_pushed


class What(IntFlag):
    """What an act is to §5. UNFIT and CUSTOMER say of a touch what the customer was then."""

    TOUCH = 1
    SELLING = 2
    ORDER = 4
    REFERRAL = 8
    UNFIT = 16  # the relationship's latest verdict before it said so
    CUSTOMER = 32  # an order came before it


class Dealing(NamedTuple):
    """An act by `rep` that is a touch, a selling act, an order or a referral.

    `decision`: the act that ended its attempt in accepted or declined, if one did; `accepted` says in which.
    """

    act: Act
    rep: str
    what: int
    decision: Act | None
    accepted: bool | None


class Decided(NamedTuple):
    """An attempt that ended in accepted or declined, by the act `decision` of `rep`.

    `first`: rep and time (microseconds) of its first selling act. `pressed`: it has a getting act. `touches`: its sales
    touches, redials not counted. `next_order`: the time of the relationship's first order that comes late enough after.
    """

    decision: Act
    rep: str
    accepted: bool
    first: tuple[str, int] | None
    pressed: bool
    touches: int
    next_order: int | None


def dealings_of(history: History) -> Iterator[Dealing]:
    """The dealings of a relationship, in the order of §2."""
    # As plain integers: to join two flags of an enumeration takes a third of the time here.
    touch, selling, order, referral, unfit_, customer = map(int, What)
    ordered = unfit = 0
    for position, act in enumerate(history.acts):
        data = act.data
        if isinstance(data, ProspectQualified):
            unfit = unfit_ if data.outcome == "unfit" else 0
            continue
        what = touch | ordered | unfit if isinstance(data, TOUCHES) else 0
        if isinstance(data, OrderPlaced):
            what, ordered = order, customer
        elif isinstance(data, ReferralGiven):
            what = referral
        elif is_selling(data):
            what |= selling
        if what:
            decision = _decision(history, history.attempt_at[position])
            accepted = None if decision is None else _accepted(decision)
            yield Dealing(act, history.rep(position), what, decision, accepted)


def decided_in(history: History, policy: Policy) -> Iterator[Decided]:
    """The attempts of a relationship that ended in accepted or declined, in the order of their first acts."""
    pressed = {history.attempt_at[position] for position in _getting(history)}
    orders = [history.times[position] for position in history.orders.positions]
    for attempt in history.attempts:
        decision = _decision(history, attempt)
        if decision is None:
            continue
        following = bisect_right(orders, decision.time + policy.pushing.repeat_hours * HOUR)
        yield Decided(
            decision=decision,
            rep=history.rep(attempt.positions[-1]),
            accepted=_accepted(decision),
            first=(history.rep(attempt.selling[0]), history.times[attempt.selling[0]]) if attempt.selling else None,
            pressed=attempt in pressed,
            touches=len(attempt.counted_touches),
            next_order=orders[following] if following < len(orders) else None,
        )


def _decision(history: History, attempt: Attempt) -> Act | None:
    """The decision that ended the attempt; None while it goes on, and where it ended in a release."""
    end = None if attempt.end is None else history.acts[attempt.end]
    return end if end is not None and isinstance(end.data, DecisionMade) else None


def _accepted(decision: Act) -> bool:
    return isinstance(decision.data, DecisionMade) and decision.data.outcome == "accepted"


def _getting(history: History) -> Iterator[int]:
    """The getting acts: pressing, appeals to the rep's own goal, and specials that breach."""
    for model in (UrgencyPressed, GoalAppealed):
        yield from (position for position, _ in history.each(model))
    yield from (position for position, data in history.each(SpecialPromoted) if is_pushed(history, position, data))

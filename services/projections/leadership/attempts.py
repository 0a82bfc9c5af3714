"""Attempts: a relationship's acts with one deal, and likewise those with none, cut at each decision (domain.md §2)."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.events.catalog.acts import DecisionMade, OrderPlaced
from services.events.catalog.envelope import Act
from services.kit.instants import HOUR, MINUTE
from services.projections.leadership.kinds import (
    ENDING,
    SELLING,
    TOUCHES,
    ends_attempt,
    is_offer,
    is_sales_touch,
    is_selling,
)
from services.projections.leadership.lanes import Lane
from services.projections.leadership.policy import Policy

_MARKING = frozenset((*TOUCHES, *SELLING, *ENDING))  # three of five acts are of other kinds


@dataclass(eq=False, slots=True)
class Attempt:
    """One attempt; all lists hold positions in order. `end` is the act that ends it, which belongs to it."""

    deal: str | None
    positions: list[int] = field(default_factory=list)
    sales_touches: list[int] = field(default_factory=list)
    counted_touches: list[int] = field(default_factory=list)
    selling: list[int] = field(default_factory=list)
    offers: list[int] = field(default_factory=list)
    end: int | None = None
    walk_in: bool = False

    @property
    def first_offer(self) -> int | None:
        """Its first offer, if it has one."""
        return self.offers[0] if self.offers else None

    def has_touch_before(self, position: int) -> bool:
        """Whether it has a sales touch before this position."""
        return bool(self.sales_touches) and self.sales_touches[0] < position

    def counted_between(self, first: int, before: int) -> int:
        """How many of its counted sales touches are from one position on and before another."""
        return bisect_left(self.counted_touches, before) - bisect_left(self.counted_touches, first)


def attempts_of(acts: Sequence[Act], deals: Sequence[str | None], contacts: Lane, policy: Policy) -> list[Attempt]:
    """The attempts of a relationship, in the order of their first acts; `contacts` are the contacts received."""
    redial = policy.touches.redial_minutes * MINUTE
    attempts: list[Attempt] = []
    open_: dict[str | None, Attempt] = {}
    for position, act in enumerate(acts):
        attempt = open_.get(deals[position])
        if attempt is None:
            attempt = open_[deals[position]] = Attempt(deals[position])
            attempts.append(attempt)
        attempt.positions.append(position)
        if type(act.data) not in _MARKING:
            continue
        _mark(attempt, position, acts, redial)
        if ends_attempt(act.data):
            attempt.end = position
            del open_[deals[position]]
    for attempt in attempts:
        attempt.walk_in = _is_walk_in(attempt, acts, contacts, policy)
    return attempts


def _mark(attempt: Attempt, position: int, acts: Sequence[Act], redial: int) -> None:
    """Note what an act is to its attempt besides a part of it."""
    data = acts[position].data
    if is_sales_touch(data):
        attempt.sales_touches.append(position)
        counted = attempt.counted_touches
        if not counted or acts[position].time - acts[counted[-1]].time >= redial:
            counted.append(position)
    if is_selling(data):
        attempt.selling.append(position)
        if is_offer(data):
            attempt.offers.append(position)


def _is_walk_in(attempt: Attempt, acts: Sequence[Act], contacts: Lane, policy: Policy) -> bool:
    """Whether the customer came, was offered something and decided, all within the hours of the policy."""
    offer = attempt.first_offer
    if offer is None or attempt.has_touch_before(offer):
        return False
    contact = contacts.last_before(offer, attempt.deal)
    if contact is None or acts[offer].time > acts[contact].time + policy.walk_in.offer_hours * HOUR:
        return False
    latest = acts[contact].time + policy.walk_in.decision_hours * HOUR
    after = attempt.positions[bisect_right(attempt.positions, contact) :]
    for position in after:
        if acts[position].time > latest:
            return False
        if isinstance(acts[position].data, (DecisionMade, OrderPlaced)):
            return True
    return False

"""The reference model of customer equity: the last figure of domain.md §5, a team's.

Where the text is open, it is read so: a customer counts by the acts whose rep was a rep of the team then; what is asked
about such a customer or attempt (its latest verdict, an earlier order, the touches of an attempt) is asked of the whole
relationship, whoever acted. Touches to a yes are counted without redials (§2), "all touches" are not.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.reference.model import (
    DAY,
    RefAct,
    Relationship,
    before,
    counted_sales_touches,
    is_decision,
    is_touch,
    is_unfit,
    latest,
)
from tests.reference.statistics import median, share
from tests.reference.worlds import Seen, World


@dataclass(frozen=True)
class RefEquity:
    """All figures of `CustomerEquity`."""

    active_customers: int
    repeat_share: float | None
    referrals_per_customer_year: float | None
    lost_customers: int
    touches_to_yes_median: float | None
    share_at_five_to_seven: float | None
    touch_share_unfit: float | None
    touch_share_customers: float | None


def customer_equity(world: World, team: str, as_of: int) -> RefEquity:
    """ "over (as of − 365 days, as of], acts at times when their `rep` was a rep of T, customers by id"."""
    seen = world.seen(as_of)
    year = (as_of - 365 * DAY, as_of)
    year_before = (as_of - 2 * 365 * DAY, as_of - 365 * DAY)
    orders = [(r, len(_there(seen, team, r.all("order.placed"), year))) for r in seen.relationships]
    active = [r for r, number in orders if number >= 1]
    lost = [r for r, number in orders if number == 0 and _there(seen, team, r.all("order.placed"), year_before)]
    referrals = sum(len(_there(seen, team, r.all("referral.given"), year)) for r in active)
    to_yes = _touches_to_yes(seen, team, year)
    touches = [(r, act) for r in seen.relationships for act in _there(seen, team, r.acts, year) if is_touch(act)]
    return RefEquity(
        len(active),
        share(sum(number >= 2 for _, number in orders), len(active)),
        share(referrals, len(active)),
        len(lost),
        median(to_yes),
        share(sum(5 <= number <= 7 for number in to_yes), len(to_yes)),
        share(sum(_is_unfit_at(r, act) for r, act in touches), len(touches)),
        share(sum(_ordered_before(r, act) for r, act in touches), len(touches)),
    )


def _there(seen: Seen, team: str, acts: list[RefAct], window: tuple[int, int]) -> list[RefAct]:
    after, until = window
    return [act for act in acts if after < act.time <= until and seen.in_stay(act.rep, "rep", team, act.time)]


def _touches_to_yes(seen: Seen, team: str, window: tuple[int, int]) -> list[int]:
    """ "touches to a yes = sales touches of the attempt of each accepted decision"."""
    return [
        len(counted_sales_touches(relationship.attempt_of(decision)))
        for relationship in seen.relationships
        for decision in _there(seen, team, relationship.all("decision.made"), window)
        if is_decision(decision, "accepted")
    ]


def _is_unfit_at(relationship: Relationship, touch: RefAct) -> bool:
    """ "customers whose latest verdict then was unfit"."""
    verdict = latest(act for act in relationship.all("prospect.qualified") if before(act, touch))
    return verdict is not None and is_unfit(verdict)


def _ordered_before(relationship: Relationship, touch: RefAct) -> bool:
    """ "customers who had ordered before"."""
    return any(before(order, touch) for order in relationship.all("order.placed"))


__all__ = ["RefEquity", "World", "customer_equity"]

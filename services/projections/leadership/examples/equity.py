"""Customer equity (S3): the customer base is what a team builds, over the year up to an instant."""

from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from services.projections.leadership.examples.rates import share
from services.projections.leadership.policy import Equity as Figures

_YEAR = 365


class Touched(NamedTuple):
    """How many touches there were; with customers whose latest verdict then was unfit; who had ordered before."""

    all: int
    unfit: int
    customers: int


class Dealt(NamedTuple):
    """What a team dealt in the year: orders by customer and who ordered the year before, referrals by customer, the
    sales touches of the attempt of each accepted decision, and all touches.
    """

    orders: Mapping[str, int]
    ordered_before: Collection[str]
    referrals: Mapping[str, int]
    touches_to_yes: Sequence[int]
    touched: Touched


class CustomerEquity(NamedTuple):
    """What the customer base is worth, in figures; shares are 0 to 1, None where there is nothing to divide by."""

    active_customers: int
    repeat_share: float | None
    referrals_per_customer_year: float | None
    lost_customers: int
    touches_to_yes_median: float | None
    share_at_five_to_seven: float | None
    touch_share_unfit: float | None
    touch_share_customers: float | None


def customer_equity(dealt: Dealt, figures: Figures) -> CustomerEquity:
    """The figures of §5."""
    active = len(dealt.orders)
    repeat = sum(orders >= figures.repeat_orders for orders in dealt.orders.values())
    referrals = sum(number for customer, number in dealt.referrals.items() if customer in dealt.orders)
    per_customer = share(referrals, active)
    usual = sum(figures.touches_at_least <= touches <= figures.touches_at_most for touches in dealt.touches_to_yes)
    return CustomerEquity(
        active_customers=active,
        repeat_share=share(repeat, active),
        referrals_per_customer_year=None if per_customer is None else per_customer * _YEAR / figures.year_days,
        lost_customers=sum(customer not in dealt.orders for customer in dealt.ordered_before),
        touches_to_yes_median=float(median(dealt.touches_to_yes)) if dealt.touches_to_yes else None,
        share_at_five_to_seven=share(usual, len(dealt.touches_to_yes)),
        touch_share_unfit=share(dealt.touched.unfit, dealt.touched.all),
        touch_share_customers=share(dealt.touched.customers, dealt.touched.all),
    )

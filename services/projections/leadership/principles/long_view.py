"""Open a relationship (S3): who ordered is not forgotten, orders again, and refers others."""

from collections.abc import Iterator
from itertools import pairwise

from services.events.catalog.acts import ContactMade, MeetingHeld, ReferralGiven, ServiceGiven
from services.kit.instants import HOUR
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.LONG_VIEW
TITLE = "Open a relationship"
SOURCES = ("S3",)
DESCRIPTION = (
    "Do not close a sale, open a relationship: stay in touch after an order, be of service, meet. Repeat orders and "
    "referrals are what comes of it."
)
JUDGED = (
    (
        "An order is kept if somebody is of service, meets, thanks or follows up within "
        "{policy.long_view.stay_days} days, else breached; not judged if the next order comes first."
    ),
    (
        "Kept by each order that comes more than {policy.long_view.repeat_hours} hours after an earlier one, and by "
        "each referral."
    ),
)

STAYING_PURPOSES = frozenset(("serve", "thank", "follow_up"))


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """Repeat orders, referrals, and whether somebody stayed after each order."""
    bench = Bench(history, PRINCIPLE)
    for referral, _ in history.each(ReferralGiven):
        yield bench.kept("referral", referral)
    yield from _repeats(history, bench, policy.long_view.repeat_hours * HOUR)
    yield from _stays(history, bench, days(policy.long_view.stay_days))


def _repeats(history: History, bench: Bench, apart: int) -> Iterator[Signal]:
    orders = history.orders.positions
    earlier = 0
    for order in orders:
        while history.times[orders[earlier]] < history.times[order] - apart:
            earlier += 1
        if earlier:
            yield bench.kept("repeat_order", order, orders[earlier - 1])


def _stays(history: History, bench: Bench, window: int) -> Iterator[Signal]:
    staying = history.lane(ServiceGiven, MeetingHeld, ContactMade, where=_is_staying)
    orders = history.orders.positions
    for order, next_order in pairwise([*orders, history.end]):
        stay = staying.first_after(order, None)
        if history.within(stay, order, window) and stay < next_order:
            yield bench.kept("stayed", stay, order)
        elif next_order == history.end or not history.within(next_order, order, window):
            yield bench.breached_by_silence("moved_on", order, history.times[order] + window, lacking="service.given")


def _is_staying(data: object) -> bool:
    return not isinstance(data, ContactMade) or data.purpose in STAYING_PURPOSES

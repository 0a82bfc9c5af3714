"""Keep your goals your own (S0): a customer is not asked to help with a sales goal."""

from collections.abc import Iterator

from services.events.catalog.acts import ContactMade, GoalAppealed
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.kinds import is_selling
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.OWN_GOALS
TITLE = "Keep your goals your own"
SOURCES = ("S0",)
DESCRIPTION = (
    "Never ask a customer to help you hit a goal of yours or the company's. Kept by each contact to sell in which "
    "nobody did; breached by each appeal to a goal."
)
JUDGED = (
    "Breached each time a customer, or the public, is asked to help hit a goal of the rep's or the company's.",
    "Kept by each contact to introduce, explore, follow up, propose or promote in which nobody asked that.",
)


def judge(history: History, _policy: Policy) -> Iterator[Signal]:
    """Each appeal breaches; each selling contact in which no appeal happened keeps."""
    bench = Bench(history, PRINCIPLE)
    appealed_during: set[int] = set()
    for appeal, data in history.each(GoalAppealed):
        appealed_during.update(history.referred(appeal, data.during))
        yield bench.breached("goal_appeal", appeal)
    for contact, made in history.each(ContactMade):
        if is_selling(made) and contact not in appealed_during:
            yield bench.kept("sold_without_appeal", contact, lacking="goal.appealed")

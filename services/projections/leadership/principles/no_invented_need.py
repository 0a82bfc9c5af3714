"""No problem, no push (S4): who has no need is left alone."""

from collections.abc import Iterator

from services.events.catalog.acts import SpecialPromoted, UrgencyPressed
from services.projections.leadership import kinds
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.NO_INVENTED_NEED
TITLE = "No problem, no push"
SOURCES = ("S4",)
DESCRIPTION = "Once it is plain that the customer has no need, do not offer, promote or press until one turns up."
JUDGED = (
    (
        "After it is plain that there is no need, each offer, special or pressing in the next "
        "{policy.no_invented_need.push_days} days is breached, until a need turns up; none within "
        "{policy.no_invented_need.left_alone_days} days is kept."
    ),
)


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """Each no-need, until the next need or no-need: what was pushed in spite of it, or that nothing was."""
    bench = Bench(history, PRINCIPLE)
    pushes = history.lane(*kinds.OFFERING, SpecialPromoted, UrgencyPressed, where=kinds.is_selling)
    figures = policy.no_invented_need
    for no_need in history.no_needs.positions:
        deal = history.deals[no_need]
        following = _next_word(history, no_need)
        stop = history.end if following is None else following
        for act in pushes.between(no_need, min(stop, history.end_of(no_need, days(figures.push_days))), deal):
            yield bench.breached("invented_need", act, no_need)
        alone = days(figures.left_alone_days)
        first = pushes.first_after(no_need, deal)
        if first is not None and first < stop and history.within(first, no_need, alone):
            continue
        if history.within(following, no_need, alone):
            yield bench.kept("left_alone", no_need, following, lacking="proposal.made")
        else:
            yield bench.kept("left_alone", no_need, at=history.times[no_need] + alone, lacking="proposal.made")


def _next_word(history: History, no_need: int) -> int | None:
    """The next `need.established` or no-need of the relationship."""
    both = (history.needs_established.first_after(no_need, None), history.no_needs.first_after(no_need, None))
    return min((position for position in both if position is not None), default=None)

"""A no is a no (S4): a decline is accepted, a deferral waited for."""

from collections.abc import Iterator

from services.events.catalog.acts import DecisionMade
from services.kit.instants import from_date
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.ACCEPT_DECISIONS
TITLE = "A no is a no"
SOURCES = ("S4",)
DESCRIPTION = (
    "Once the customer declines, stop selling until they come back by themselves. Once they put the decision off to a "
    "date, wait for it."
)
JUDGED = (
    (
        "After a no, each act of selling in the next {policy.accept_decisions.push_days} days is breached, until "
        "the customer comes back by themselves; none within {policy.accept_decisions.let_go_days} days is kept."
    ),
    (
        "After a decision put off to a date, each act of selling before that date is breached, until the customer "
        "comes back by themselves; none is kept."
    ),
)


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """Each decline and each deferral: what was sold in spite of it, or that nothing was."""
    bench = Bench(history, PRINCIPLE)
    figures = policy.accept_decisions
    for decision, data in history.each(DecisionMade):
        if data.outcome == "declined":
            yield from _declined(history, bench, decision, days(figures.push_days), days(figures.let_go_days))
        elif data.until is not None:
            yield from _deferred(history, bench, decision, from_date(data.until))


def _declined(history: History, bench: Bench, decline: int, pushing: int, letting_go: int) -> Iterator[Signal]:
    deal = history.deals[decline]
    reopened = history.reopened(decline)
    end = min(history.end_of(decline, pushing), history.end if reopened is None else reopened)
    for act in history.selling.between(decline, end, deal):
        yield bench.breached("pushed_after_no", act, decline)
    first = history.selling.first_after(decline, deal)
    if history.within(first, decline, letting_go) and (reopened is None or first < reopened):
        return
    if history.within(reopened, decline, letting_go):
        yield bench.kept("let_go", decline, reopened, lacking="contact.made")
    else:
        yield bench.kept("let_go", decline, at=history.times[decline] + letting_go, lacking="contact.made")


def _deferred(history: History, bench: Bench, deferral: int, until: int) -> Iterator[Signal]:
    reopened = history.reopened(deferral)
    if reopened is not None and history.times[reopened] >= until:
        reopened = None
    end = history.first_at(until) if reopened is None else reopened
    pushed = list(history.selling.between(deferral, end, history.deals[deferral]))
    for act in pushed:
        yield bench.breached("pushed_before_date", act, deferral)
    if pushed:
        return
    if reopened is not None:
        yield bench.kept("waited", deferral, reopened, lacking="contact.made")
    else:
        yield bench.kept("waited", deferral, at=until, lacking="contact.made")

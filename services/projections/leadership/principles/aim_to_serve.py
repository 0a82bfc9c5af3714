"""Be of use anyway (S4): a customer with a need who will not buy, or should not, is still helped."""

from collections.abc import Iterator

from services.events.catalog.acts import DecisionMade, ProspectQualified, ServiceGiven
from services.projections.leadership.attempts import Attempt
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.AIM_TO_SERVE
TITLE = "Be of use anyway"
SOURCES = ("S4",)
DESCRIPTION = (
    "When somebody with a real need declines, or does not fit, be of use all the same: a resource, a connection, "
    "support, advice. Not when they asked to be left alone."
)
JUDGED = (
    (
        "After the first no, or the first judgement that somebody does not fit, in an attempt, while a need stands: "
        "being of service in the {policy.aim_to_serve.before_days} days before it or the "
        "{policy.aim_to_serve.after_days} days after is kept, else it is breached."
    ),
    "Not judged: customers who asked to be left alone.",
)


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """The first parting of each attempt, where a need is live: was the customer served before it or after?"""
    bench = Bench(history, PRINCIPLE)
    services = history.lane(ServiceGiven)
    before, after = days(policy.aim_to_serve.before_days), days(policy.aim_to_serve.after_days)
    for attempt in history.attempts:
        parting = _first_parting(history, attempt)
        if parting is None or not history.needs.any_is_live(parting):
            continue
        earlier = history.latest(services.positions, parting, before)
        later = services.first_after(parting, None)
        if earlier is not None:
            yield bench.kept("served_anyway", earlier, parting)
        elif history.within(later, parting, after):
            yield bench.kept("served_anyway", later, parting)
        else:
            deadline = history.times[parting] + after
            yield bench.breached_by_silence("missed_to_serve", parting, deadline, lacking="service.given")


def _first_parting(history: History, attempt: Attempt) -> int | None:
    return next((position for position in attempt.positions if _parts(history.acts[position].data)), None)


def _parts(data: object) -> bool:
    """A decline that leaves the door open, or a verdict that the customer does not fit."""
    if isinstance(data, DecisionMade):
        return data.outcome == "declined" and not data.no_contact
    return isinstance(data, ProspectQualified) and data.outcome == "unfit"

"""Know who not to sell to (S2): qualify before you offer, and release who does not fit."""

from collections.abc import Iterator

from services.events.catalog.acts import ProspectQualified, ProspectReleased
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.lanes import Lane
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.QUALIFY
TITLE = "Know who not to sell to"
SOURCES = ("S2",)
DESCRIPTION = (
    "Before the first offer to somebody who never ordered, find out whether they fit. Whoever does not fit is "
    "released, not chased."
)
JUDGED = (
    (
        "The first offer of an attempt, to somebody who never ordered, is kept if the latest judgement says that "
        "they fit, else breached. Customers who walked in and decided at once are not judged."
    ),
    (
        "Breached by each act of selling, but an attempt's first offer, in the {policy.qualify.chase_days} days "
        "after a judgement that they do not fit, until they come back by themselves or are judged anew."
    ),
    "Kept by letting somebody go who does not fit.",
)


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """First offers against the latest verdict, selling after an unfit one, and releases of the unfit."""
    bench = Bench(history, PRINCIPLE)
    verdicts = history.lane(ProspectQualified)
    yield from _first_offers(history, bench, verdicts)
    yield from _chases(history, bench, verdicts, days(policy.qualify.chase_days))
    yield from _releases(history, bench, verdicts)


def _first_offers(history: History, bench: Bench, verdicts: Lane) -> Iterator[Signal]:
    orders = history.orders.positions
    for attempt in history.attempts:
        offer = attempt.first_offer
        if offer is None or attempt.walk_in or (orders and orders[0] < offer):
            continue
        verdict = verdicts.last_before(offer, attempt.deal)
        if verdict is not None and says(history, verdict, "fit"):
            yield bench.kept("qualified_first", offer, verdict)
        else:
            yield bench.breached("offered_unqualified", offer, lacking="prospect.qualified")


def _chases(history: History, bench: Bench, verdicts: Lane, window: int) -> Iterator[Signal]:
    first_offers = {attempt.first_offer for attempt in history.attempts}
    for unfit, data in history.each(ProspectQualified):
        if data.outcome != "unfit":
            continue
        end = history.before(unfit, window, verdicts, history.contacts_received)
        for act in history.selling.between(unfit, end, data.deal):
            if act not in first_offers:
                yield bench.breached("chased_unfit", act, unfit)


def _releases(history: History, bench: Bench, verdicts: Lane) -> Iterator[Signal]:
    releases = history.lane(ProspectReleased)
    for release, data in history.each(ProspectReleased):
        verdict = verdicts.last_before(release, data.deal)
        if verdict is None or says(history, verdict, "fit"):
            continue
        earlier = releases.last_before(release, data.deal)
        if earlier is None or earlier < verdict:
            yield bench.kept("released_unfit", release, verdict)


def says(history: History, verdict: int, outcome: str) -> bool:
    """Whether the `prospect.qualified` at this position has the outcome."""
    data = history.acts[verdict].data
    return isinstance(data, ProspectQualified) and data.outcome == outcome

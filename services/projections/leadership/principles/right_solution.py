"""The right solution or none (S2, S3): every item offered meets a need that is live."""

from collections.abc import Iterator

from services.events.catalog.acts import ProposalMade, SolutionRecommended
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.RIGHT_SOLUTION
TITLE = "The right solution or none"
SOURCES = ("S2", "S3")
DESCRIPTION = (
    "Offer only what meets a need that was established and still stands, every item of it; if nothing fits, say so."
)
JUDGED = (
    "Kept by each offer whose every item meets an established need that still stands.",
    "Breached if no item of the offer does, or only some do.",
    "Kept by saying that nothing of ours fits.",
)


def judge(history: History, _policy: Policy) -> Iterator[Signal]:
    """Each recommendation and each proposal, item by item."""
    bench = Bench(history, PRINCIPLE)
    for recommendation, data in history.each(SolutionRecommended):
        if data.items:
            yield _offer(history, bench, recommendation, data)
        else:
            yield bench.kept("nothing_fits", recommendation)
    for proposal, proposed in history.each(ProposalMade):
        yield _offer(history, bench, proposal, proposed)


def _offer(history: History, bench: Bench, offer: int, data: SolutionRecommended | ProposalMade) -> Signal:
    fitting = sum(history.needs.any_of(item.needs, offer) for item in data.items)
    if fitting == len(data.items):
        return bench.kept("fits", offer)
    reason = "sold_everything" if fitting else "sold_what_they_could"
    return bench.breached(reason, offer, lacking="need.established")

"""Be curious before you offer (S1, S2): ask about the situation and about what moves the customer."""

from collections.abc import Iterator

from services.events.catalog.acts import QuestionAsked
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.ASK_FIRST
TITLE = "Be curious before you offer"
SOURCES = ("S1", "S2")
DESCRIPTION = (
    "Before the first offer of an attempt, ask about the customer's situation (a problem, limitation, concern, "
    "performance gap or challenge) and about what motivates them. Who walks in and decides at once need not be asked."
)
JUDGED = (
    (
        "Kept if, in the {policy.ask_first.question_days} days before the first offer of an attempt, somebody asked "
        "this customer about a problem, limitation, concern, performance gap or challenge, and about what motivates "
        "them; else breached."
    ),
    (
        "Not judged: customers who came by themselves, got the offer within {policy.walk_in.offer_hours} hours and "
        "decided within {policy.walk_in.decision_hours} hours of coming."
    ),
)

SITUATION = frozenset(("problem", "limitation", "concern", "performance_gap", "challenge"))


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """The first offer of each attempt that is no walk-in: were both questions asked in the days before it?"""
    bench = Bench(history, PRINCIPLE)
    situation = [position for position, asked in history.each(QuestionAsked) if asked.topic in SITUATION]
    motivation = [position for position, asked in history.each(QuestionAsked) if asked.topic == "motivation"]
    window = days(policy.ask_first.question_days)
    for attempt in history.attempts:
        offer = attempt.first_offer
        if offer is None or attempt.walk_in:
            continue
        on_situation = history.latest(situation, offer, window)
        on_motivation = history.latest(motivation, offer, window)
        if on_situation is None or on_motivation is None:
            yield bench.breached("offered_unasked", offer, lacking="question.asked")
        else:
            yield bench.kept("asked_first", offer, on_situation, on_motivation)

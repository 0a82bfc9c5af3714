"""Their time is theirs (S2): meetings end on time, questions have a point, proposals come when they can be used."""

from collections.abc import Iterator

from services.events.catalog.acts import MeetingHeld, PathAgreed, ProposalMade, QuestionAsked
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.RESPECT_TIME
TITLE = "Their time is theirs"
SOURCES = ("S2",)
DESCRIPTION = (
    "End a meeting when you said you would, unless the customer extends it. Ask nothing pointless. Propose only where "
    "there is a need, and once you know how the customer will decide."
)
JUDGED = (
    (
        "A meeting is kept if it runs over by no more than {policy.respect_time.overrun_minutes} minutes or "
        "{policy.respect_time.overrun_percent} % of what was asked for, or if the customer extended it; else "
        "breached."
    ),
    "Breached by each question that has nothing to do with the customer's situation.",
    (
        "A proposal is breached if no need stands, or if nobody asked before how the customer decides nor agreed a "
        "path; else kept. Customers who walked in and decided at once need no path."
    ),
)


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """Meetings, pointless questions and proposals."""
    bench = Bench(history, PRINCIPLE)
    for meeting, held in history.each(MeetingHeld):
        if held.extended_by_customer or _on_time(held, policy):
            yield bench.kept("on_time", meeting)
        else:
            yield bench.breached("overran", meeting)
    for question, asked in history.each(QuestionAsked):
        if asked.topic == "none":
            yield bench.breached("pointless_question", question)
    yield from _proposals(history, bench)


def _on_time(held: MeetingHeld, policy: Policy) -> bool:
    over = held.actual_minutes - held.asked_minutes
    figures = policy.respect_time
    return over <= figures.overrun_minutes or over * 100 <= figures.overrun_percent * held.asked_minutes


def _proposals(history: History, bench: Bench) -> Iterator[Signal]:
    process = sorted(
        [position for position, asked in history.each(QuestionAsked) if asked.topic == "mechanism"]
        + [position for position, _ in history.each(PathAgreed)]
    )
    for proposal, _ in history.each(ProposalMade):
        known = history.latest(process, proposal)
        if not history.needs.any_is_live(proposal):
            yield bench.breached("premature_proposal", proposal, lacking="need.established")
        elif known is not None:
            yield bench.kept("timely_proposal", proposal, known)
        elif not history.attempt_at[proposal].walk_in:
            yield bench.breached("decision_process_unknown", proposal, lacking="question.asked")

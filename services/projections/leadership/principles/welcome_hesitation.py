"""Go deeper when they hesitate (S3): a hesitation is explored, not pushed aside."""

from collections.abc import Iterator

from services.events.catalog.acts import HesitationExplored, HesitationVoiced, QuestionAsked
from services.projections.leadership import kinds
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.WELCOME_HESITATION
TITLE = "Go deeper when they hesitate"
SOURCES = ("S3",)
DESCRIPTION = (
    "When a customer hesitates, explore it or ask, before you offer, promote or press again: what comes first decides."
)
JUDGED = (
    (
        "After a customer hesitates, the first of these decides: exploring it or asking a question that has to do "
        "with them is kept; offering, promoting, pressing or appealing to a goal is breached. Neither is not "
        "judged."
    ),
)


def judge(history: History, _policy: Policy) -> Iterator[Signal]:
    """Each hesitation, until the next one that concerns it: what came first, going deeper or pressing on?"""
    bench = Bench(history, PRINCIPLE)
    voiced = history.lane(HesitationVoiced)
    questions = history.lane(QuestionAsked, where=kinds.is_real_question)
    pressing = history.lane(*kinds.SELLING, where=kinds.is_pressing)
    explorations = _explorations(history)
    for hesitation, data in history.each(HesitationVoiced):
        until = voiced.first_after(hesitation, data.deal) or history.end
        deeper = _earlier(explorations.get(hesitation), questions.first_after(hesitation, data.deal))
        pressed = pressing.first_after(hesitation, data.deal)
        first = _earlier(deeper, pressed)
        if first is None or first >= until:
            continue
        if first == pressed:
            yield bench.breached("pressed_on", first, hesitation)
        else:
            yield bench.kept("explored", first, hesitation)


def _explorations(history: History) -> dict[int, int]:
    """By hesitation, the first `hesitation.explored` after it that names it and concerns it."""
    first: dict[int, int] = {}
    for exploration, data in history.each(HesitationExplored):
        for hesitation in history.referred(exploration, data.hesitation):
            if hesitation < exploration and history.concern(hesitation, exploration):
                first.setdefault(hesitation, exploration)
    return first


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)

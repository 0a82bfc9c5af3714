"""A conversation has two sides (S2): questions are answered, and the customer's own channel is used."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from services.events.catalog.acts import ContactMade, ContactReceived, MeetingHeld, QuestionAnswered
from services.kit.instants import HOUR
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.kinds import TOUCHES, is_selling
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.TWO_WAY
TITLE = "A conversation has two sides"
SOURCES = ("S2",)
DESCRIPTION = (
    "Answer what the customer asks, in good time. When they offer a channel to talk on, use that one rather than the "
    "one that suits you."
)
JUDGED = (
    "A customer's question is kept if it is answered within {policy.two_way.answer_hours} hours, else breached.",
    (
        "For {policy.two_way.offered_channel_days} days after a customer offers a channel, each contact to sell on "
        "another one is breached; using the one they offered is kept."
    ),
)

MET_BY_ANY_MEETING = ("meeting", "calendar")


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """Questions against their first answers, and offered channels against the contacts that follow."""
    bench = Bench(history, PRINCIPLE)
    yield from _answers(history, bench, policy.two_way.answer_hours * HOUR)
    yield from _channels(history, bench, days(policy.two_way.offered_channel_days))


def _answers(history: History, bench: Bench, window: int) -> Iterator[Signal]:
    answers: dict[int, list[int]] = defaultdict(list)
    for answer, data in history.each(QuestionAnswered):
        for contact in history.referred(answer, data.answers):
            answers[contact].append(answer)
    for contact, received in history.each(ContactReceived):
        if not received.asks:
            continue
        first = next((answer for answer in answers[contact] if answer > contact), None)
        if history.within(first, contact, window):
            yield bench.kept("answered", first, contact)
        else:
            deadline = history.times[contact] + window
            yield bench.breached_by_silence("unanswered", contact, deadline, lacking="question.answered")


def _channels(history: History, bench: Bench, window: int) -> Iterator[Signal]:
    offering = [position for position, received in history.each(ContactReceived) if received.offered_channel]
    touches = history.lane(*TOUCHES)
    for offer, next_offer in pairwise([*offering, history.end]):
        channel = _offered(history, offer)
        for touch in touches.between(offer, min(next_offer, history.end_of(offer, window)), None):
            data = history.acts[touch].data
            if _meets(data, channel):
                yield bench.kept("offered_channel", touch, offer)
                break
            if isinstance(data, ContactMade) and is_selling(data):
                yield bench.breached("other_channel", touch, offer)


def _offered(history: History, offer: int) -> str | None:
    data = history.acts[offer].data
    return data.offered_channel if isinstance(data, ContactReceived) else None


def _meets(data: object, channel: str | None) -> bool:
    if isinstance(data, MeetingHeld) and channel in MET_BY_ANY_MEETING:
        return True
    return isinstance(data, TOUCHES) and data.channel == channel

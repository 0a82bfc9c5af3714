"""Guide, don't get (S1): a customer is guided to a decision, not pressed into one."""

from collections.abc import Iterator

from services.events.catalog.acts import DecisionMade, SpecialPromoted, UrgencyPressed
from services.events.catalog.envelope import Act
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Principle, Signal, Verdict

PRINCIPLE = Principle.NO_PRESSURE
TITLE = "Guide, don't get"
SOURCES = ("S1",)
DESCRIPTION = (
    "Do not press: no false urgency, no special that meets no need of this customer, and, as a leader, no goading the "
    "team to push. Kept by decisions that nobody pressed for and by specials that met a need."
)
JUDGED = (
    "Breached each time a customer, or the public, is pressed to hurry: by deadline, scarcity, insistence or guilt.",
    "A special is kept if it is meant for a need of this customer that still stands, else breached.",
    "Kept by each yes or no of a customer in an attempt that nobody pressed, with no special that met no need.",
    "A leader breaches it each time they direct the team to push.",
)


def judge(history: History, _policy: Policy) -> Iterator[Signal]:
    """Pressing breaches, a special keeps or breaches by the needs it meets, a decision reached without either keeps."""
    bench = Bench(history, PRINCIPLE)
    pressed = set()
    for urgency, _ in history.each(UrgencyPressed):
        pressed.add(history.attempt_at[urgency])
        yield bench.breached("pressed", urgency)
    for special, data in history.each(SpecialPromoted):
        signal = _special(history, bench, special, data)
        if signal.verdict is Verdict.BREACHED:
            pressed.add(history.attempt_at[special])
        yield signal
    for decision, decided in history.each(DecisionMade):
        attempt = history.attempt_at[decision]
        if decided.outcome != "deferred" and attempt.selling and attempt not in pressed:
            yield bench.kept("unpressed_decision", decision, lacking="urgency.pressed")


def goaded(push: Act) -> Signal:
    """A leader's `push.directed` breaches, with no customer."""
    return Signal(push.subject, None, PRINCIPLE, Verdict.BREACHED, "goaded", push.time, push.time, (push,))


def is_pushed(history: History, special: int, data: SpecialPromoted) -> bool:
    """Whether a special breaches: it meets no live need, and its source would record needs."""
    return history.records(special, "need.established") and not history.needs.any_of(data.needs, special)


def _special(history: History, bench: Bench, special: int, data: SpecialPromoted) -> Signal:
    if history.needs.any_of(data.needs, special):
        return bench.kept("special_met_need", special)
    return bench.breached("pushed_special", special, lacking="need.established")

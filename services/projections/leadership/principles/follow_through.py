"""Five to seven touches (S4): follow up until there is a decision, but not past the line.

*Silence* is the hard part. It begins at an act of an attempt, or at the date to which the customer put the decision
off, and lasts for the days of the policy without any act of the relationship. Many silences are right; those are
excused. Only the first one of an attempt that is not excused says something about the rep.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from services.events.catalog.acts import ContactMade, DecisionMade, ProspectQualified
from services.kit.instants import from_date
from services.projections.leadership import kinds
from services.projections.leadership.attempts import Attempt
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.lanes import Spells
from services.projections.leadership.policy import Policy, days
from services.projections.leadership.principles.qualify import says
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.FOLLOW_THROUGH
TITLE = "Five to seven touches"
SOURCES = ("S4",)
DESCRIPTION = (
    "Follow up until the customer decides: most decisions take five to seven touches, and most reps stop before. More "
    "than seven without the customer taking part is crossing the line."
)
JUDGED = (
    "Kept by each yes or no of a customer that came after at least one contact or meeting to sell.",
    (
        "The first {policy.follow_through.silence_days} days of silence in an attempt, unless there is a good "
        "reason for it, are breached if there were fewer than {policy.follow_through.touches_at_least} contacts or "
        "meetings to sell so far, else kept."
    ),
    (
        "Breached by each contact to sell that follows {policy.follow_through.touches_at_most} or more without the "
        "customer taking part and without a pause of {policy.follow_through.pause_days} days."
    ),
    "Calling again within {policy.touches.redial_minutes} minutes counts as the same contact.",
)


class Beginning(NamedTuple):
    """Where a silence begins: the instant, and the position of the last act by then."""

    time: int
    position: int


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """Decisions that were followed up, attempts that fell silent, touches that crossed the line."""
    bench = Bench(history, PRINCIPLE)
    for decision, decided in history.each(DecisionMade):
        if decided.outcome != "deferred" and history.attempt_at[decision].has_touch_before(decision):
            yield bench.kept("followed_to_decision", decision)
    silences = Silences(history, days(policy.follow_through.silence_days))
    pauses = history.pauses(days(policy.follow_through.pause_days))
    for attempt in history.attempts:
        if attempt.sales_touches:
            yield from _silence(bench, silences, attempt, policy)
            yield from _crossings(history, bench, attempt, pauses, policy.follow_through.touches_at_most)


def _silence(bench: Bench, silences: "Silences", attempt: Attempt, policy: Policy) -> Iterator[Signal]:
    """The verdict on the first silence of the attempt that is not excused at its beginning."""
    beginning = next((b for b in silences.of(attempt) if not silences.excused(attempt, b)), None)
    if beginning is None:
        return
    after = beginning.position + 1
    last_touch = attempt.sales_touches[bisect_left(attempt.sales_touches, after) - 1]
    at = beginning.time + silences.length
    if attempt.counted_between(0, after) < policy.follow_through.touches_at_least:
        yield bench.breached_by_silence("gave_up_early", last_touch, at, lacking="contact.made")
    else:
        yield bench.kept("persisted", last_touch, at=at)


def _crossings(history: History, bench: Bench, attempt: Attempt, pauses: list[int], at_most: int) -> Iterator[Signal]:
    """Contacts that follow too many counted touches since the attempt began, the last pause, or the customer spoke."""
    for touch in attempt.counted_touches[at_most:]:
        if not isinstance(history.acts[touch].data, ContactMade):
            continue
        latest = (history.latest(pauses, touch), history.latest(history.taking_part.positions, touch))
        since = max(position + 1 for position in (-1, *latest) if position is not None)
        if attempt.counted_between(since, touch) >= at_most:
            yield bench.breached("crossed_the_line", touch)


class Silences:
    """The silences of a relationship that last at least `length`, by attempt, and what excuses them."""

    def __init__(self, history: History, length: int) -> None:
        self.length = length
        self._history = history
        self._pauses = frozenset(history.pauses(length))
        self._excuses = Spells(_excuses(history), history.deals)
        self._verdicts = history.lane(ProspectQualified)
        self._good_ends = history.lane(*kinds.ENDING, where=kinds.ends_well)

    def of(self, attempt: Attempt) -> list[Beginning]:
        """Where the silences of an attempt begin, in order: at acts since its first sales touch, or at an `until`."""
        times = self._history.times
        from_touch = attempt.positions[bisect_left(attempt.positions, attempt.sales_touches[0]) :]
        found = [
            Beginning(times[position], position)
            for position in from_touch
            if position in self._pauses and position != attempt.end
        ]
        found += [
            beginning
            for position in attempt.positions
            if kinds.is_deferred(self._history.acts[position].data)
            and (beginning := self._at_until(attempt, position)) is not None
        ]
        return sorted(found)

    def excused(self, attempt: Attempt, beginning: Beginning) -> bool:
        """Whether the silence that begins there is right: there is nothing to follow up, or not now.

        All acts by the instant of a beginning are by its position too, or an act would follow within the silence.
        """
        history, deal, position = self._history, attempt.deal, beginning.position
        if attempt.first_offer is None or attempt.first_offer > position:
            return True
        if history.orders.positions and history.orders.positions[0] <= position:
            return True
        verdict = self._verdicts.last_before(position + 1, deal)
        if verdict is not None and says(history, verdict, "unfit"):
            return True
        return self._excuses.last_beyond(beginning.time, position, deal) or self._ended_well(attempt, position)

    def _at_until(self, attempt: Attempt, deferral: int) -> Beginning | None:
        """The silence that begins at the `until` of a deferral, unless the attempt ended or was reopened by then."""
        times, until = self._history.times, self._until(deferral)
        position = bisect_right(times, until) - 1
        if not attempt.has_touch_before(position + 1) or (attempt.end is not None and attempt.end <= position):
            return None
        if self._history.time_of(self._history.reopened(deferral)) <= until:
            return None
        if position + 1 < len(times) and times[position + 1] <= until + self.length:
            return None
        return Beginning(until, position)

    def _until(self, deferral: int) -> int:
        data = self._history.acts[deferral].data
        assert isinstance(data, DecisionMade)
        assert data.until is not None
        return from_date(data.until)

    def _ended_well(self, attempt: Attempt, position: int) -> bool:
        """Whether somebody accepted or was released, as far as it concerns the attempt, with no sales touch since."""
        end = self._good_ends.last_before(position + 1, attempt.deal)
        if end is None:
            return False
        touches = attempt.sales_touches
        return bisect_right(touches, end) == bisect_right(touches, position)


def _excuses(history: History) -> Iterator[tuple[int, float]]:
    """What keeps a rep from following up, as the position where it begins and the instant at which it is over.

    A decline until it is reopened, a deferral until its date or until it is reopened, a no-need until the next need.
    """
    for decision, decided in history.each(DecisionMade):
        if decided.outcome == "declined":
            yield decision, history.time_of(history.reopened(decision))
        elif decided.until is not None:
            yield decision, min(history.time_of(history.reopened(decision)), from_date(decided.until))
    for no_need in history.no_needs.positions:
        yield no_need, history.time_of(history.needs_established.first_after(no_need, None))

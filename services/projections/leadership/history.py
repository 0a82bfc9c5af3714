"""The history of one relationship: its acts in order, and what several principles ask of them (domain.md §2).

An act is known by its *position*, its place in the order of §2 from 0: "after" is a larger position. What more than
one principle needs is worked out once a history and then looked up by bisection.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TypeGuard, TypeVar, cast

from services.events.catalog.acts import (
    ActData,
    ContactReceived,
    CustomerAct,
    CustomerAssigned,
    NeedEstablished,
    NeedRuledOut,
    OrderPlaced,
)
from services.events.catalog.envelope import Act
from services.projections.leadership import kinds
from services.projections.leadership.attempts import Attempt, attempts_of
from services.projections.leadership.lanes import Lane
from services.projections.leadership.needs import Needs
from services.projections.leadership.policy import Policy

D = TypeVar("D", bound=ActData)


class History:
    """The customer-facing acts of a relationship that count, in the order of §2, and the assignments of the customer.

    `acts`, `times` (microseconds), `deals` and `reps` are parallel, by position; `end` is the position after the last.
    """

    def __init__(self, customer: str, acts: Sequence[Act], assignments: Sequence[Act], policy: Policy) -> None:
        self.customer = customer
        self.acts = acts
        self.times = [act.time for act in acts]
        self.deals = [cast(CustomerAct, act.data).deal for act in acts]
        self.end = len(acts)
        self._policy = policy
        self._by_model: dict[type[ActData], list[int]] = defaultdict(list)
        for position, act in enumerate(acts):
            self._by_model[type(act.data)].append(position)
        self._assigned_times = [act.time for act in assignments]
        self._assigned_reps = [cast(CustomerAssigned, act.data).rep for act in assignments]

    # ---- acts and lanes ----------------------------------------------------------------------------------------

    def each(self, model: type[D]) -> Iterator[tuple[int, D]]:
        """The acts of one kind in order, as position and data."""
        for position in self._by_model.get(model, ()):
            yield position, cast(D, self.acts[position].data)

    def rep(self, position: int) -> str:
        """The rep of an act."""
        return cast(CustomerAct, self.acts[position].data).rep

    def lane(self, *models: type[ActData], where: Callable[[ActData], bool] | None = None) -> Lane:
        """The acts of these kinds, of them those for which `where` holds."""
        positions = [position for model in models for position in self._by_model.get(model, ())]
        if where is not None:
            positions = [position for position in positions if where(self.acts[position].data)]
        return Lane(sorted(positions) if len(models) > 1 else positions, self.deals)

    def concern(self, one: int, other: int) -> bool:
        """Whether two acts concern each other: they carry the same deal, or one of them carries none."""
        return self.deals[one] == self.deals[other] or None in (self.deals[one], self.deals[other])

    @cached_property
    def selling(self) -> Lane:
        """The selling acts."""
        return self.lane(*kinds.SELLING, where=kinds.is_selling)

    @cached_property
    def reopening(self) -> Lane:
        """The acts that reopen what was declined or deferred, where they concern it."""
        return self.lane(*kinds.REOPENING)

    @cached_property
    def contacts_received(self) -> Lane:
        """The contacts that the customer made."""
        return self.lane(ContactReceived)

    @cached_property
    def orders(self) -> Lane:
        """The orders."""
        return self.lane(OrderPlaced)

    @cached_property
    def no_needs(self) -> Lane:
        """The no-needs."""
        return self.lane(NeedRuledOut, where=kinds.is_no_need)

    @cached_property
    def needs_established(self) -> Lane:
        """The needs established."""
        return self.lane(NeedEstablished)

    @cached_property
    def taking_part(self) -> Lane:
        """The acts in which the customer takes part, as `crossed_the_line` counts it."""
        return self.lane(*kinds.TAKING_PART, where=kinds.takes_part)

    # ---- windows -----------------------------------------------------------------------------------------------

    def within(self, position: int | None, start: int, length: int) -> TypeGuard[int]:
        """Whether there is such an act and it is within `length` of the act at `start`, which it follows."""
        return position is not None and self.times[position] <= self.times[start] + length

    def end_of(self, start: int, length: int) -> int:
        """The first position that is past `length` after the act at `start`."""
        return bisect_right(self.times, self.times[start] + length)

    def time_of(self, position: int | None) -> float:
        """The instant of an act; infinity if there is none."""
        return math.inf if position is None else self.times[position]

    def first_at(self, time: int) -> int:
        """The first position at or after an instant."""
        return bisect_left(self.times, time)

    def before(self, start: int, length: int, *lanes: Lane) -> int:
        """The first position past `length` after an act or, if earlier, of a lane that concerns it."""
        firsts = (lane.first_after(start, self.deals[start]) for lane in lanes)
        return min((self.end_of(start, length), *(position for position in firsts if position is not None)))

    def pauses(self, length: int) -> list[int]:
        """The positions after which no act of the relationship comes within `length`; the last one is such."""
        times = self.times
        return [at for at in range(self.end) if at + 1 == self.end or times[at + 1] > times[at] + length]

    def latest(self, positions: Sequence[int], before: int, length: int | None = None) -> int | None:
        """The latest of the positions before an act and, with a length, at most that much earlier."""
        index = bisect_left(positions, before)
        if not index:
            return None
        found = positions[index - 1]
        if length is not None and self.times[found] < self.times[before] - length:
            return None
        return found

    # ---- attempts, needs, references ---------------------------------------------------------------------------

    @cached_property
    def attempts(self) -> list[Attempt]:
        """The attempts, in the order of their first acts."""
        return attempts_of(self.acts, self.deals, self.contacts_received, self._policy)

    @cached_property
    def attempt_at(self) -> list[Attempt]:
        """By position, the attempt that the act belongs to."""
        found: list[Attempt | None] = [None] * self.end
        for attempt in self.attempts:
            for position in attempt.positions:
                found[position] = attempt
        return cast(list[Attempt], found)

    @cached_property
    def needs(self) -> Needs:
        """Which needs are live where."""
        return Needs(self.acts)

    def reopened(self, position: int) -> int | None:
        """The act that reopens a decline or deferral: the first later one of the reopening kinds that concerns it."""
        return self.reopening.first_after(position, self.deals[position])

    def referred(self, position: int, act_id: str | None) -> Sequence[int]:
        """The acts that the one at `position` names by id: of its own source if there are any, else of whatever one."""
        if act_id is None:
            return ()
        found = self._by_id.get(act_id, ())
        source = self.acts[position].source
        return [other for other in found if self.acts[other].source == source] or found

    @cached_property
    def _by_id(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for position, act in enumerate(self.acts):
            found[act.id].append(position)
        return found

    # ---- persons -----------------------------------------------------------------------------------------------

    def assigned(self, time: int) -> tuple[str, int] | None:
        """To whom the customer was assigned strictly before an instant, and when; None if to nobody yet."""
        index = bisect_left(self._assigned_times, time)
        return (self._assigned_reps[index - 1], self._assigned_times[index - 1]) if index else None

    def records(self, position: int, act_name: str) -> bool:
        """Whether the source of the act at this position records acts of the name."""
        return self._policy.records(self.acts[position].source, act_name)

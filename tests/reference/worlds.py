"""What §5 of domain.md looks at: a whole log as of an instant, and the questions of belonging that all its figures ask.

Plain to a fault, like the rest of this package: every question goes through all acts, stays or signals again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from tests.reference.model import (
    CUSTOMER_FACING,
    DAY,
    Attempt,
    RefAct,
    RefSignal,
    Relationship,
    act_order,
    count_acts,
    instant_of,
    is_decision,
    is_met_special,
    is_selling_act,
    signals,
    walk_the_talk,
)
from tests.reference.scorecards import Stay, stays

GETTING = ("no-pressure", "own-goals")
PUBLIC = "public"


class World:
    """A log and all its signals, walk-the-talk and what is not recorded too, whatever their time."""

    def __init__(self, log: Iterable[RefAct], not_recorded: dict[str, set[str]] | None = None) -> None:
        self.log = list(log)
        self.not_recorded = not_recorded or {}
        self.counting, _, _ = count_acts(self.log)
        stored = signals(self.log, self.not_recorded)
        self.pool = stored + walk_the_talk(stored, self.log)

    def seen(self, as_of: int) -> Seen:
        """This world as of an instant."""
        return Seen(self, as_of)


class Seen:
    """ "*As of* (default now) hides what is later than it: signals, and in §4–5 every act but `team.formed`." """

    def __init__(self, world: World, as_of: int) -> None:
        self.as_of = as_of
        self.acts = sorted((act for act in world.counting if act.time <= as_of), key=act_order)
        self.signals = [signal for signal in world.pool if signal.at <= as_of]
        self.drawn = [signal for signal in self.signals if signal.verdict != "not_recorded"]
        self.stays = stays(world.log, as_of)
        self.not_recorded = world.not_recorded
        self.relationships = self._relationships()

    def _relationships(self) -> list[Relationship]:
        """ "`public` is no customer: … its acts do not [count] in guides win, pushing and equity." """
        facing = [act for act in self.acts if act.name in CUSTOMER_FACING and act.subject != PUBLIC]
        customers = sorted({act.subject for act in facing})
        return [Relationship(key, [act for act in facing if act.subject == key], []) for key in customers]

    def all(self, name: str) -> list[RefAct]:
        """The acts of this name."""
        return [act for act in self.acts if act.name == name]

    def in_stay(self, person: str, role: str, team: str, at: int) -> bool:
        """Whether an instant lies in a stay of the person in the team in the role."""
        return any(
            (stay.person, stay.role, stay.team) == (person, role, team) and holds(stay, at) for stay in self.stays
        )

    def stays_of(self, role: str, team: str) -> list[Stay]:
        """All stays in the team in the role."""
        return [stay for stay in self.stays if (stay.role, stay.team) == (role, team)]

    def persons(self, role: str, team: str) -> list[str]:
        """Who has such a stay, by key."""
        return sorted({stay.person for stay in self.stays_of(role, team)})

    def is_getting_act(self, relationship: Relationship, act: RefAct) -> bool:
        """ "a *getting act* (`urgency.pressed`, `goal.appealed`, breaching `special.promoted`)"; a special whose breach
        is not drawn, because needs are not recorded, is not breaching.
        """
        if act.name in ("urgency.pressed", "goal.appealed"):
            return True
        recorded = "need.established" not in self.not_recorded.get(act.source, set())
        return act.name == "special.promoted" and not is_met_special(relationship, act) and recorded


def holds(stay: Stay, at: int) -> bool:
    """A stay is [from, to)."""
    return stay.from_ <= at and (stay.to is None or at < stay.to)


def decided(attempt: Attempt) -> bool:
    """ "ended in accepted or declined": a released attempt has ended in neither."""
    return attempt.end is not None and is_decision(attempt.end, "accepted", "declined")


def accepted(attempt: Attempt) -> bool:
    """Ended in a yes."""
    return attempt.end is not None and is_decision(attempt.end, "accepted")


def selling_acts(attempt: Attempt) -> list[RefAct]:
    """Its selling acts, in the order of §2."""
    return [act for act in attempt.acts if is_selling_act(act)]


def midnight(day: date) -> int:
    """00:00 UTC of a date."""
    return instant_of(day.isoformat())


def day_of(instant: int) -> date:
    """The UTC date of an instant."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)).date()


def is_month_end(day: date) -> bool:
    """ "the last 5 days (UTC) of calendar months": the month is another one five days on, not before."""
    return (day + timedelta(days=5)).month != day.month


def rep_days(stays_there: Iterable[Stay], start: int, end: int) -> float:
    """The time of the stays in [start, end], in days."""
    total = 0
    for stay in stays_there:
        until = end if stay.to is None else min(stay.to, end)
        total += max(0, until - max(stay.from_, start))
    return total / DAY


__all__ = ["GETTING", "PUBLIC", "RefSignal", "Seen", "World"]

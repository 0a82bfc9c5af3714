"""Pressure on the team: goading (S1: "often goaded by their managers") and the end of the month (S0, S4 wrong motive).

Both compare how often reps *get* instead of guiding, a rep-day, in some stretches of time and in others.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import timedelta

from services.kit.instants import DAY, from_date
from services.projections.leadership.association import RateRatio, rate_ratio
from services.projections.leadership.examples.signals import Times, count
from services.projections.leadership.periods import Period
from services.projections.leadership.policy import Goading, MonthEnd, days
from services.projections.leadership.signals import Principle
from services.projections.leadership.stretches import ALWAYS, Stretch, Stretches, length, merged, overlap, without

GETTING = (Principle.OWN_GOALS, Principle.NO_PRESSURE)
"""A *getting* signal is a breach of one of these."""


def goading(
    pushes: Iterable[int], getting: Times, reps: Sequence[Stretches], as_of: int, figures: Goading
) -> RateRatio:
    """Getting signals a rep-day after a push, in (p, p + 14 days], against those before one and after none.

    `getting` are the signals of the team's reps, `reps` the times of each as a rep of the team, neither cut by the
    period; `as_of` hides what is later.
    """
    after, before = goading_windows(pushes, as_of, figures)
    return _compared(getting, before, after, reps)


def goading_windows(pushes: Iterable[int], as_of: int, figures: Goading) -> tuple[Stretches, Stretches]:
    """The instants after a push, and those before one that are after none."""
    times = sorted(pushes)
    seen = [(-ALWAYS, as_of + 1)]
    after = overlap(merged((push + 1, push + days(figures.after_days) + 1) for push in times), seen)
    before = overlap(merged((push - days(figures.before_days), push) for push in times), seen)
    return after, without(before, after)


def month_end_pressure(
    getting: Times, reps: Sequence[Stretches], led: Stretches, period: Period, figures: MonthEnd
) -> RateRatio:
    """Getting signals a rep-day in the last days of calendar months against those of the period's other days.

    `getting` are the signals that count in the period; `reps` as in `goading`, `led` when the leader led the team.
    """
    seen = overlap(led, [(period.start, min(period.end, period.as_of + 1))])
    last = overlap(month_ends(period, figures.last_days), seen)
    return _compared(getting, without(seen, last), last, reps)


def month_ends(period: Period, last_days: int) -> list[Stretch]:
    """The last days of the calendar months that touch the period, UTC."""
    found: list[Stretch] = []
    day = period.from_.replace(day=1)
    while day < period.to:
        last = day.replace(day=monthrange(day.year, day.month)[1])
        end = from_date(last) + DAY
        found.append((end - last_days * DAY, end))
        if (last.year, last.month) == (9999, 12):
            break
        day = last + timedelta(days=1)
    return merged(found)


def _compared(getting: Times, before: Stretches, after: Stretches, reps: Sequence[Stretches]) -> RateRatio:
    rep_days = [sum(length(overlap(stays, windows)) for stays in reps) / DAY for windows in (before, after)]
    return rate_ratio(count(getting, before), count(getting, after), *rep_days)

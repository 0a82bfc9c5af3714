"""How people sell: for each principle, the chance that somebody forgets it when it matters.

The causes that the articles name are multipliers of these odds, so that the figures of domain.md §5 have something
true to find: the leader's own recent example (S0), being goaded (S1), the last days of the month (S0, S4), and
having been coached.
"""

from dataclasses import dataclass

GETTING = frozenset({"own-goals", "no-pressure"})
"""The principles that pressure works on: what S1 calls *getting* customers to do things."""


@dataclass(frozen=True, slots=True)
class Style:
    """The chance to breach each principle on an ordinary day, and what multiplies the odds of it."""

    own_goals: float
    ask_first: float
    no_pressure: float
    qualify: float
    right_solution: float
    respect_time: float
    two_way: float
    long_view: float
    welcome_hesitation: float
    follow_through: float
    accept_decisions: float
    no_invented_need: float
    aim_to_serve: float
    serve_customers: float

    new_customers: int
    """New customers in a year: whoever keeps fewer has to find more."""

    copying: float = 1.0
    """After the leader breached the same principle in the last four weeks."""
    goaded: float = 1.0
    """On getting, in the two weeks after the leader's push."""
    month_end: float = 1.0
    """On getting, in the last five days of a month that is short of its goal."""
    coached: float = 0.35
    """In the two months after coaching on the principle."""

    def chance(self, principle: str) -> float:
        """The chance of a breach of `principle`, named as in domain.md §3, on an ordinary day."""
        return float(getattr(self, principle.replace("-", "_")))


def shifted(chance: float, *factors: float) -> float:
    """`chance` after its odds were multiplied by each of `factors`; stays within (0, 0.97]."""
    odds = chance / (1 - chance)
    for factor in factors:
        odds *= factor
    return min(odds / (1 + odds), 0.97)


GUIDE = Style(
    own_goals=0.004,
    ask_first=0.04,
    no_pressure=0.004,
    qualify=0.06,
    right_solution=0.05,
    respect_time=0.06,
    two_way=0.05,
    long_view=0.06,
    welcome_hesitation=0.06,
    follow_through=0.06,
    accept_decisions=0.04,
    no_invented_need=0.05,
    aim_to_serve=0.10,
    serve_customers=0.05,
    new_customers=22,
)
"""Asks first, helps whether or not it sells, and lets the customer decide."""

GUIDED = Style(
    own_goals=0.01,
    ask_first=0.12,
    no_pressure=0.015,
    qualify=0.15,
    right_solution=0.10,
    respect_time=0.13,
    two_way=0.11,
    long_view=0.13,
    welcome_hesitation=0.13,
    follow_through=0.14,
    accept_decisions=0.07,
    no_invented_need=0.15,
    aim_to_serve=0.22,
    serve_customers=0.11,
    new_customers=18,
    copying=2.5,
)
"""Works for one who guides."""

PUSHER = Style(
    own_goals=0.006,
    ask_first=0.35,
    no_pressure=0.012,
    qualify=0.35,
    right_solution=0.30,
    respect_time=0.30,
    two_way=0.22,
    long_view=0.6,
    welcome_hesitation=0.40,
    follow_through=0.20,
    accept_decisions=0.35,
    no_invented_need=0.45,
    aim_to_serve=0.50,
    serve_customers=0.22,
    new_customers=30,
    month_end=120.0,
)
"""Calm while the month goes well; when it is short of its goal, its last days are all about the goal."""

PUSHED = Style(
    own_goals=0.03,
    ask_first=0.22,
    no_pressure=0.035,
    qualify=0.24,
    right_solution=0.20,
    respect_time=0.20,
    two_way=0.16,
    long_view=0.4,
    welcome_hesitation=0.24,
    follow_through=0.22,
    accept_decisions=0.32,
    no_invented_need=0.25,
    aim_to_serve=0.34,
    serve_customers=0.18,
    new_customers=18,
    copying=4.5,
    goaded=2.2,
    month_end=9.0,
)
"""Works for one who pushes, and sells as she is seen to sell."""

TALKER = Style(
    own_goals=0.06,
    ask_first=0.7,
    no_pressure=0.08,
    qualify=0.30,
    right_solution=0.22,
    respect_time=0.24,
    two_way=0.5,
    long_view=0.30,
    welcome_hesitation=0.30,
    follow_through=0.7,
    accept_decisions=0.7,
    no_invented_need=0.30,
    aim_to_serve=0.40,
    serve_customers=0.7,
    new_customers=32,
)
"""Says the right things, most of all about what he does not do himself."""

TALKED_TO = Style(
    own_goals=0.02,
    ask_first=0.20,
    no_pressure=0.07,
    qualify=0.20,
    right_solution=0.16,
    respect_time=0.17,
    two_way=0.15,
    long_view=0.20,
    welcome_hesitation=0.18,
    follow_through=0.20,
    accept_decisions=0.18,
    no_invented_need=0.20,
    aim_to_serve=0.28,
    serve_customers=0.17,
    new_customers=18,
    copying=3.5,
)
"""Works for one who says one thing and does another, and drifts towards what he does."""

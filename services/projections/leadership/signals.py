"""A signal: one judgement derived from acts (domain.md §2), and the principles it can be about (§3)."""

from enum import IntEnum
from typing import NamedTuple

from services.events.catalog.envelope import Act


class Verdict(IntEnum):
    """What a signal says. NOT_RECORDED: it was not drawn, since its source lacks the act on whose absence it rests."""

    BREACHED = 0
    KEPT = 1
    NOT_RECORDED = 2


class Principle(IntEnum):
    """The principles in the order of domain.md §3; WALK_THE_TALK is derived when read, never stored."""

    OWN_GOALS = 0
    ASK_FIRST = 1
    NO_PRESSURE = 2
    QUALIFY = 3
    RIGHT_SOLUTION = 4
    RESPECT_TIME = 5
    TWO_WAY = 6
    LONG_VIEW = 7
    WELCOME_HESITATION = 8
    FOLLOW_THROUGH = 9
    ACCEPT_DECISIONS = 10
    NO_INVENTED_NEED = 11
    AIM_TO_SERVE = 12
    SERVE_CUSTOMERS = 13
    WALK_THE_TALK = 14

    @property
    def slug(self) -> str:
        """The name in acts: `own-goals`."""
        return self.name.lower().replace("_", "-")


BY_SLUG = {principle.slug: principle for principle in Principle}


class Signal(NamedTuple):
    """One judgement. `at` is its time; `belongs` is the instant that decides to which stay of the person it belongs."""

    person: str
    customer: str | None
    principle: Principle
    verdict: Verdict
    reason: str
    at: int
    belongs: int
    evidence: tuple[Act, ...]

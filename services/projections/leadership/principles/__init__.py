"""The principles of domain.md §3, a file each: where it comes from, and its rule as a function of a history.

To add a principle is to add its file here, its stories in the tests, its name in the catalogue, and its line below.
"""

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import NamedTuple

from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy
from services.projections.leadership.principles import (
    accept_decisions,
    aim_to_serve,
    ask_first,
    follow_through,
    long_view,
    no_invented_need,
    no_pressure,
    own_goals,
    qualify,
    respect_time,
    right_solution,
    serve_customers,
    two_way,
    walk_the_talk,
    welcome_hesitation,
)
from services.projections.leadership.signals import Principle, Signal

Rule = Callable[[History, Policy], Iterator[Signal]]

_MODULES: tuple[ModuleType, ...] = (
    own_goals,
    ask_first,
    no_pressure,
    qualify,
    right_solution,
    respect_time,
    two_way,
    long_view,
    welcome_hesitation,
    follow_through,
    accept_decisions,
    no_invented_need,
    aim_to_serve,
    serve_customers,
    walk_the_talk,
)


class Described(NamedTuple):
    """What a principle is called, what it asks for, the articles that it comes from (S0–S4), and its rules in words."""

    title: str
    description: str
    sources: tuple[str, ...]
    rules: tuple[str, ...]

    def judged(self, policy: Policy) -> list[str]:
        """How it is judged: a sentence for each rule, with the figures of this policy."""
        return [rule.format(policy=policy) for rule in self.rules]


PRINCIPLES: Mapping[Principle, Described] = {
    module.PRINCIPLE: Described(module.TITLE, module.DESCRIPTION, module.SOURCES, module.JUDGED) for module in _MODULES
}
RULES: tuple[Rule, ...] = tuple(module.judge for module in _MODULES if module is not walk_the_talk)

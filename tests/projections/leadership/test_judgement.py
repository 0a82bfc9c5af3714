"""The rules in words: what a principle's page says of how it is judged."""

import re
from dataclasses import dataclass

import pytest

from services.projections.leadership.policy import (
    DEFAULT_POLICY,
    AcceptDecisions,
    FollowThrough,
    Policy,
    RespectTime,
    ServeCustomers,
)
from services.projections.leadership.principles import PRINCIPLES
from services.projections.leadership.signals import Principle


@dataclass(frozen=True)
class Changed:
    """A policy with figures of its own, and what the words must say then."""

    principle: Principle
    policy: Policy
    says: str


CHANGED = [
    Changed(Principle.RESPECT_TIME, Policy(respect_time=RespectTime(overrun_minutes=7)), "no more than 7 minutes"),
    Changed(Principle.SERVE_CUSTOMERS, Policy(serve_customers=ServeCustomers(help_hours=48)), "within 48 hours"),
    Changed(
        Principle.FOLLOW_THROUGH, Policy(follow_through=FollowThrough(silence_days=21)), "first 21 days of silence"
    ),
    Changed(Principle.ACCEPT_DECISIONS, Policy(accept_decisions=AcceptDecisions(push_days=90)), "in the next 90 days"),
]


@pytest.mark.parametrize("principle", Principle)
def test_each_rule_is_a_sentence_without_a_gap(principle: Principle) -> None:
    """Every principle says how it is judged, in sentences whose figures are filled in."""
    said = PRINCIPLES[principle].judged(DEFAULT_POLICY)
    assert said
    assert all(re.fullmatch(r"[A-Z][^{}]*\.", sentence) for sentence in said)


@pytest.mark.parametrize("changed", CHANGED, ids=lambda changed: changed.principle.name)
def test_the_words_have_the_figures_of_the_policy(changed: Changed) -> None:
    """Another policy makes other words."""
    said = PRINCIPLES[changed.principle].judged(changed.policy)
    assert any(changed.says in sentence for sentence in said)


def test_every_figure_of_a_rule_is_in_words() -> None:
    """No figure that a rule of §3 is judged with is left out of the words."""
    tables = (
        *("ask_first", "qualify", "respect_time", "two_way", "long_view", "follow_through", "accept_decisions"),
        *("no_invented_need", "aim_to_serve", "serve_customers", "walk_in", "touches"),
    )
    figures = {f"{{policy.{table}.{name}}}" for table in tables for name in DEFAULT_POLICY.figures[table]}
    rules = " ".join(rule for described in PRINCIPLES.values() for rule in described.rules)
    assert figures == set(re.findall(r"{[^}]*}", rules))

"""The model against an independent, brute-force reading of domain.md (tests/reference), on adversarial histories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events.catalog.envelope import Act, Catalogue
from services.projections.leadership.folding import distinct, fold
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Signal
from tests.reference.histories import histories, random_history, random_not_recorded, random_world
from tests.reference.model import RefAct, RefSignal
from tests.reference.model import signals as reference_signals

CATALOGUE = Catalogue()


def as_act(act: RefAct) -> Act:
    """The act of the reference as one of the catalogue; its `offset` stays behind."""
    data = {name: value for name, value in act.data.items() if value is not None}
    return Act(act.source, act.id, act.name, act.subject, act.time, CATALOGUE.convert(act.name, data))


def as_reference(subject: str, signal: Signal) -> RefSignal:
    """A signal in the form of the reference."""
    return RefSignal(
        subject=subject,
        person=signal.person,
        customer=signal.customer,
        principle=signal.principle.slug,
        verdict=signal.verdict.name.lower(),
        reason=signal.reason,
        at=signal.at,
        belongs=signal.belongs,
        evidence=tuple((act.source, act.id) for act in signal.evidence),
    )


def model_signals(acts: list[RefAct], not_recorded: dict[str, set[str]]) -> list[RefSignal]:
    """The stored signals of the acts, by the model under test, sorted."""
    policy = Policy(not_recorded={source: frozenset(names) for source, names in not_recorded.items()})
    found: list[RefSignal] = []
    for subject in {act.subject for act in acts}:
        in_log_order = sorted((act for act in acts if act.subject == subject), key=lambda act: act.offset)
        counting, _ = distinct(map(as_act, in_log_order))
        found += [as_reference(subject, signal) for signal in fold(subject, counting, policy).signals]
    return sorted(found, key=_sortable)


def _sortable(signal: RefSignal) -> tuple[object, ...]:
    return (signal.subject, signal.principle, signal.at, signal.reason, signal.evidence, signal.verdict, signal.person)


def assert_agree(acts: list[RefAct], not_recorded: dict[str, set[str]]) -> None:
    """The model and the reference draw the same signals from the acts."""
    assert model_signals(acts, not_recorded) == sorted(reference_signals(acts, not_recorded), key=_sortable)


@pytest.mark.parametrize("block", range(20))
def test_seeded_histories(block: int) -> None:
    """Both draw the same signals from histories full of boundaries, ties, deals, sources and retractions."""
    for seed in range(block * 30, block * 30 + 30):
        assert_agree(random_history(seed, 8 + seed % 40), random_not_recorded(seed) if seed % 3 == 0 else {})


def test_seeded_worlds() -> None:
    """Both draw the same signals from small worlds of several customers, reps, leaders and teams."""
    for seed in range(40):
        assert_agree(random_world(seed, 60), random_not_recorded(seed))


@given(histories(), st.integers(0, 1000))
def test_any_history(acts: list[RefAct], policy_seed: int) -> None:
    """Both draw the same signals from whatever history Hypothesis comes up with."""
    assert_agree(acts, random_not_recorded(policy_seed))

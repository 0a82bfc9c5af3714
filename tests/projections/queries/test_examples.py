"""The scores of an example, counted in Python from the signals at hand, against the figures of scorecards."""

from datetime import date
from pathlib import Path

import pytest

from services.kit.database import reading
from services.projections.leadership.periods import Period
from services.projections.leadership.policy import DEFAULT_POLICY
from services.projections.leadership.signals import Principle
from services.projections.queries import examples, figures
from services.projections.queries.leading import ExampleCard, ExampleKey, card_spans
from tests.fixed_clock import FixedClock
from tests.projections.queries.test_against_reference import with_ascii_sources
from tests.projections.world import World, event_of
from tests.reference.histories import LEADERS, REPS, TEAMS, random_world

PERIOD = Period(date(2024, 1, 1), date(2026, 1, 1), 2**60)


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_an_examples_scores_are_those_of_a_scorecard(tmp_path: Path, clock: FixedClock, seed: int) -> None:
    """Leader's and team's tallies, with reasons, customers and what was not recorded, are what SQL counts."""
    world = World(tmp_path, clock)
    world.append([event_of(act, world.catalogue) for act in with_ascii_sources(random_world(seed, 400))])
    for person in (*REPS, *LEADERS):
        role = "rep" if person in REPS else "leader"
        world.post("team.joined", TEAMS[0], "2024-01-02", person=person, role=role)
    world.fold()
    wanted = [ExampleKey(leader, team) for leader in LEADERS for team in TEAMS]
    with reading(world.model) as connection:
        observed = examples.observe(connection, wanted, PERIOD, DEFAULT_POLICY)
        cards = [ExampleCard(*key, of_leader) for key in wanted for of_leader in (True, False)]
        counted = figures.count(connection, card_spans(connection, cards, PERIOD.as_of), PERIOD)
    expected = [
        {principle: tally for principle, tally in one.card.items() if principle is not Principle.WALK_THE_TALK}
        for one in counted
    ]
    assert [card for one in observed for card in (one.leader.card, one.team.card)] == expected
    assert any(card for card in expected)
    world.close()

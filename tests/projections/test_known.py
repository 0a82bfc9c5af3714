"""What the ingress learns of the acts that the model knows."""

from services.events.log.protocol import NewRecord
from services.projections.known import KnownActs
from tests.projections.fold_world import FoldWorld
from tests.projections.made_up import START, record


def _goal(customer: str, act_id: str, number: int = 0) -> NewRecord:
    return record(customer, act_id, "goal.appealed", START + number, rep="rep-1")


def test_acts_are_found_by_source_and_id(fold_world: FoldWorld) -> None:
    """Every act that counts with one of the pairs is found, of whatever subject, with its place; conflicts are not."""
    given = [_goal("customer-1", "a"), _goal("customer-2", "a"), _goal("customer-1", "b"), _goal("customer-1", "b", 9)]
    places = fold_world.append(given)
    fold_world.fold()
    known = KnownActs(fold_world.stores.model, fold_world.rules.catalogue)
    found = known.find([("crm", "a"), ("crm", "b"), ("crm", "c"), ("another", "a")])
    assert sorted((one.act.id, one.act.subject, one.place) for one in found) == [
        ("a", "customer-1", places[0]),
        ("a", "customer-2", places[1]),
        ("b", "customer-1", places[2]),
    ]
    assert all(one.act.time == START for one in found)
    assert known.find([]) == []

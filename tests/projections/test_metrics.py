"""How the fold stands, as Prometheus reads it."""

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import URL

from services.events.log.protocol import NewRecord
from services.kit.errors import Unavailable
from services.projections.audit.sequencer import TreeStatus
from services.projections.dead_letters import Counts, count
from services.projections.metrics import FoldMetrics, TreeMetrics
from services.projections.projector import FoldStatus
from tests.projections.fold_world import FoldWorld
from tests.projections.made_up import stream


def samples(registry: CollectorRegistry) -> Mapping[tuple[str, ...], float]:
    """Every sample's value by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def test_counts_and_dead_letters_are_those_of_the_fold(sqlite_url: URL, tmp_path: Path) -> None:
    """Acts, unreadable records, positions and the dead letters in the model come out as they are."""
    world = FoldWorld(sqlite_url, tmp_path)
    world.append([*stream(0, 30), NewRecord("customer-1", b"not json")])
    projector = world.fold()
    registry = CollectorRegistry()
    registry.register(FoldMetrics(lambda: projector.status, lambda: count(world.stores.model())))
    found = samples(registry)
    status = projector.status
    assert found["exemplar_fold_records_total", "act"] == status.acts > 0
    assert found["exemplar_fold_records_total", "unreadable"] == found["exemplar_dead_letters", "unreadable"] > 0
    assert found["exemplar_dead_letters", "conflict"] == status.conflicts
    assert found[("exemplar_fold_waiting",)] == found[("exemplar_fold_lag_seconds",)] == 0
    offsets = {int(name[1]): value for name, value in found.items() if name[0] == "exemplar_fold_next_offset"}
    assert offsets == status.positions
    world.close()


def test_without_a_database_the_rest_is_still_told() -> None:
    """While dead letters cannot be counted they are left out, and the fold's own figures are there."""

    def away() -> Counts:
        raise Unavailable("the database does not answer")

    registry = CollectorRegistry()
    registry.register(FoldMetrics(lambda: FoldStatus({0: 7}, failure="lost"), away))
    page = generate_latest(registry).decode()
    assert "exemplar_dead_letters" not in page
    assert "exemplar_fold_stopped 1.0" in page
    assert 'exemplar_fold_next_offset{partition="0"} 7.0' in page


def test_the_size_of_the_audit_tree_is_told() -> None:
    """How many entries were signed here, whether the tree was given up, and what was lost before the log's first."""
    registry = CollectorRegistry()
    registry.register(TreeMetrics(lambda: TreeStatus(7, failure="put back", log_missing=400)))
    found = samples(registry)
    assert found[("exemplar_audit_entries",)] == 7
    assert found[("exemplar_audit_stopped",)] == 1
    assert found[("exemplar_log_beginning_missing",)] == 400

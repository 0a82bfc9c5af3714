"""Random worlds told to a real server over HTTP, and all that it answers held against the reference model."""

from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from tests.journeys import asking
from tests.journeys.comparing import Comparison
from tests.journeys.oracle import Oracle
from tests.journeys.telling import Told, event_of, policy_file, tell, world
from tests.reference.histories import random_not_recorded
from tests.reference.model import RefAct
from tests.serving import Server, serving


@pytest.mark.parametrize(("seed", "with_policy"), [(1, False), (2, True), (3, False), (4, True)])
def test_every_answer_is_the_references(seed: int, with_policy: bool, tmp_path: Path) -> None:
    """Whatever was posted, in whatever order and mode: each figure, signal, stay, act and fate is the reference's."""
    comparison = compare(seed, 30, 2, with_policy, tmp_path, cards=2)
    assert comparison.disagreements == []
    assert comparison.values > 10_000


def compare(seed: int, size: int, parts: int, with_policy: bool, folder: Path, cards: int) -> Comparison:
    """Tell the world of a seed to a server of its own, and compare everything; `cards` for each person and team."""
    random = Random(seed)
    missing = {quote(source): names for source, names in random_not_recorded(seed).items()} if with_policy else {}
    settings = {"policy_file": str(policy_file(folder, missing))} if with_policy else {}
    with serving(folder / "data", **settings) as server:
        told = tell(server, world(seed, size, parts), random)
        waited = server.query("{ viewer { key } }", wait_for=told.position)
        assert "errors" not in waited, waited
        oracle = Oracle(told.acts, missing)
        assert all(oracle.is_conflict(act) for act in told.refused), "a copy was refused"
        comparison = Comparison(server, oracle, random)
        comparison.everything(cards)
        _check_another_subject(server, told)
        _check_unreadable(server, told.unreadable)
    return comparison


def _check_another_subject(server: Server, told: Told) -> None:
    """A pair of source and id that another subject has is refused, and nothing of it is known afterwards."""
    taken = told.acts[0]
    stranger = RefAct(0, 0, "need.ruled_out", taken.source, taken.id, "stranger", taken.time, {"rep": "r1"})
    answer = server.post(event_of(stranger))
    assert answer.status == 409
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/subject"]
    assert asking.relationship(server, "stranger") is None


def _check_unreadable(server: Server, act: RefAct) -> None:
    """What nobody can read has no effect, and is a dead letter where it lies."""
    shown = asking.explanation(server, act.source, act.id, None)
    assert (shown["fate"], shown["partition"], shown["offset"]) == ("DEAD_LETTER", act.partition, act.offset)
    assert shown["act"] is None

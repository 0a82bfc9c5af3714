"""What is no act leaves a leaf, in the transaction of what it stands for."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from services.events.credentials import create_key, revoke_key
from services.events.leaves import leaves
from services.kit.database import reading
from services.kit.errors import Conflict
from services.projections import dead_letters
from services.projections.leadership.policy import DEFAULT_POLICY
from services.projections.reads import Read, record_reads
from services.projections.rebuild import Source, rebuild
from tests.projections.fold_world import FoldWorld


def told(control: Engine, *kinds: str) -> list[dict[str, Any]]:
    """The documents of the leaves of these kinds, without their salts."""
    with reading(control) as connection:
        found = [json.loads(one) for one in connection.scalars(select(leaves.c.document).order_by(leaves.c.id))]
    return [{name: value for name, value in one.items() if name != "salt"} for one in found if one["kind"] in kinds]


def test_a_read_leaves_one(fold_world: FoldWorld) -> None:
    """Who read what of whom is in the leaf as it is in the record of reads."""
    record_reads(fold_world.stores.control, [Read(1_772_442_000_000_000, "ana-key", "ana", ["rik", "sam"], ["card"])])
    assert told(fold_world.stores.control, "read") == [
        {
            "kind": "read",
            "at": "2026-03-02T09:00:00Z",
            "actor": "ana-key",
            "person": "ana",
            "subjects": ["rik", "sam"],
            "what": ["card"],
        }
    ]


def test_changes_of_keys_leave_one_each(fold_world: FoldWorld) -> None:
    """A key that is made or taken back leaves a leaf; one that is refused, or taken back again, leaves none."""
    control = fold_world.stores.control
    create_key(control, "crm", ["acts:write"], 0, sources=["/crm"], person="ana")
    with pytest.raises(Conflict):
        create_key(control, "crm", ["admin"], 0)
    revoke_key(control, "crm", 1_000_000)
    revoke_key(control, "crm", 2_000_000)
    made, taken = told(control, "key.created", "key.revoked")
    assert made == {
        "kind": "key.created",
        "at": "1970-01-01T00:00:00Z",
        "actor": "cli",
        "name": "crm",
        "subjects": ["ana"],
        "scopes": ["acts:write"],
        "sources": ["/crm"],
    }
    assert (taken["kind"], taken["name"], taken["at"]) == ("key.revoked", "crm", "1970-01-01T00:00:01Z")


def test_a_switch_of_models_leaves_one(fold_world: FoldWorld) -> None:
    """The first model and each rebuild's; where the policy is another one, that too."""
    world = fold_world
    source = Source(world.log.reader(), world.vault, world.rules, world.built, world.clock)
    rebuild(world.stores, source)
    rebuild(world.stores, source._replace(built=world.built._replace(policy="stricter")))
    first, policy = world.built.policy, DEFAULT_POLICY.identity
    assert first == policy
    switched = told(world.stores.control, "model.switched")
    assert [(one["before"], one["generation"], one["policy"]) for one in switched] == [
        (None, 1, first),
        (1, 2, first),
        (2, 3, "stricter"),
    ]
    changed = told(world.stores.control, "policy.changed")
    assert [(one["before"], one["policy"]) for one in changed] == [(None, first), (first, "stricter")]


def test_a_retry_of_dead_letters_leaves_one(fold_world: FoldWorld, tmp_path: Path) -> None:
    """What came of it is in the leaf."""
    world = fold_world
    done = dead_letters.retry(world.stores, world.log.reader(), world.vault, world.rules, 0)
    (one,) = told(world.stores.control, "dead-letters.retried")
    assert {name: one[name] for name in done._fields} == done._asdict()

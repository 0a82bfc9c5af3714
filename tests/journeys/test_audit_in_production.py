"""The transparency log of the production size: several projections, one of which numbers at a time."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tlog_scales.backend import HttpBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

from tests.journeys.production import Site, contact, made_site
from tests.journeys.test_audit import checkpoint, covered
from tests.serving import Server, run, serving

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def site(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A topic and a database of its own, and its settings."""
    with made_site(kafka_bootstrap, postgres_url, tmp_path) as made:
        yield made


def started(stack: ExitStack, site: Site, command: str) -> Server:
    """A service, stopped with the stack."""
    return stack.enter_context(serving(site.folder, command=command, **site.settings))


def test_one_numbers_and_another_takes_over(site: Site) -> None:
    """Acts, reads, keys and an erasure are entries once each, though the process that numbers is killed."""
    with ExitStack() as stack:
        events, gateway = (started(stack, site, command) for command in ("events", "graphql"))
        folding = [started(stack, site, "projections") for _ in range(2)]
        position = site.post(events, *map(contact, range(200)))
        site.score(gateway, position)  # which is recorded as a read
        before = covered(gateway, 204, site.key)  # with the first key, the model, its policy, and the read
        folding[0].kill()
        position = site.post(events, *map(contact, range(200, 300)))
        site.run("erase", "c-7", "--by", "dpo", "--reason", "asked for")
        after = covered(gateway, before.size + 101, site.key)
        folding[1].stop()
        key = site.run("audit", "key").strip()
        started(stack, site, "projections")
        assert checkpoint(gateway, site.key).size >= after.size
        backend = HttpBackend(f"{gateway.url}/audit")
        backend.session.headers["authorization"] = f"Bearer {site.key}"
        now = covered(gateway, before.size + 102, site.key)  # with the erasure
        now.verify(Vkey.from_string(key))
        reader = TilesReader(backend)
        reader.set_size(now.size)
        assert reader.calculate_root_hash() == now.root_hash
        reader.get_consistency_proof(before.size, now.size).check(before.root_hash, now.root_hash)
        kinds = [json.loads(reader.get_entry(index))["kind"] for index in range(now.size)]
        assert kinds.count("act") == 301
        assert {kind: kinds.count(kind) for kind in set(kinds) - {"act", "read"}} == {
            "key.created": 1,
            "model.switched": 1,
            "policy.changed": 1,
            "erasure": 1,
        }
        assert kinds.count("read") >= 1
        assert json.loads(site.run("audit", "verify", "--json"))["sound"]
        site.score(gateway, position)  # the tree may have the acts before they are folded, an act is found once it is
        proof = site.folder / "act.tlog-proof"
        proof.write_text(site.run("audit", "prove", "/crm", "contact-250"))
        site.run("audit", "verify", "--offline", str(proof), "--key", key)


def test_without_the_key_nothing_is_folded(site: Site) -> None:
    """Projections that have no key to sign with stop at once, naming the setting; they make none."""
    missing = {**site.settings, "audit_key_file": str(site.folder / "elsewhere.key")}
    done = run(site.folder, ["projections", "--port", "0"], **missing)
    assert done.returncode == 2
    assert "EXEMPLAR_AUDIT_KEY_FILE" in done.stderr
    assert not (site.folder / "elsewhere.key").exists()

"""The audit log: what was recorded and done, provable, without personal text; and that it was read is on record."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest

from services.events.credentials import AUDIT_READ, Credential
from services.events.leaves import Leaf, add_leaves
from services.kit.database import writing
from services.projections.audit.merkle import leaf_hash, root_by_inclusion
from services.projections.audit.notes import open_checkpoint
from services.projections.audit.proofs import check_proof
from services.projections.reads import Read, record_reads
from tests.graphql.counting import counted
from tests.graphql.gateway import SIGNER, Asker
from tests.graphql.test_reads import recorded

ENTRY = "index leafHash kind type at subject subjects actor partition offset entry document"
READS = '{ auditLog(filter: {types: ["read"]}) { edges { node { actor subjects document } } } }'


@pytest.fixture
def audited(company: Asker) -> Asker:
    """The company in the audit tree, with an auditor, who is no person; somebody has read a card."""
    company.credentials["auditor"] = Credential("auditor", frozenset({AUDIT_READ}))
    world = company.world
    record_reads(world.stores.control, [Read(world.clock(), "ann", "ann", ["rik", "rosa"], ["card"])])
    with writing(world.stores.control) as connection:
        add_leaves(connection, [Leaf("key.created", world.clock(), "cli", [], {"name": "crm"})])
    company.number()
    recorded(company)
    return company


def entries(asker: Asker, arguments: str = "", selection: str = ENTRY, who: str = "auditor") -> list[Any]:
    """The entries of the first page of a list."""
    query = f"{{ auditLog{arguments} {{ edges {{ node {{ {selection} }} }} }} }}"
    return [edge["node"] for edge in asker.data(query, who=who)["auditLog"]["edges"]]


def test_everything_is_there_the_newest_first_page_by_page(audited: Asker) -> None:
    """Pages lead from the last number to the first; what is no act is among them."""
    seen: list[int] = []
    after = None
    query = """query ($after: String) { auditLog(first: 7, after: $after) {
        edges { node { index } } pageInfo { hasNextPage endCursor } } }"""
    while True:
        page = audited.data(query, {"after": after}, "auditor")["auditLog"]
        seen += [edge["node"]["index"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == list(range(len(seen)))[::-1]
    kinds = {entry["kind"] for entry in entries(audited, "(first: 100)")}
    assert kinds == {"act", "read", "key.created", "model.switched", "policy.changed"}


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ('{subject: "globex"}', {"exemplar.urgency.pressed.v1", "exemplar.act.disputed.v1"}),
        ('{subject: "rosa"}', {"read"}),
        ('{actor: "ann"}', {"read"}),
        ('{types: ["exemplar.team.formed.v1", "key.created"]}', {"exemplar.team.formed.v1", "key.created"}),
        ('{from: "2030-01-01T00:00:00Z"}', set()),
        ("{types: []}", set()),
    ],
)
def test_it_is_searched(audited: Asker, filter_: str, expected: set[str]) -> None:
    """By whom it concerns, though they be one of several, by who did it, by what it is and when."""
    assert {entry["type"] for entry in entries(audited, f"(filter: {filter_}, first: 100)")} == expected


@pytest.mark.parametrize(
    "arguments",
    [
        '(filter: {from: "2026-01-02T00:00:00Z", to: "2026-01-02T00:00:00Z"})',
        "(first: 0)",
        "(first: 101)",
        '(after: "x")',
        '(filter: {subject: "a\\u0000"})',
    ],
)
def test_what_cannot_be_asked_is_told_as_such(audited: Asker, arguments: str) -> None:
    """A period without days, pages without entries, cursors that nobody gave out."""
    assert audited.codes(f"{{ auditLog{arguments} {{ edges {{ cursor }} }} }}", who="auditor") == ["BAD_USER_INPUT"]


def test_an_act_is_shown_without_what_is_personal(audited: Asker) -> None:
    """Compliance sees which personal fields an act has, and never what they say; nor do the bytes tell it."""
    query = '(filter: {subject: "globex", types: ["exemplar.urgency.pressed.v1"]})'
    (entry,) = entries(audited, query, "entry record act { actId rep data personalFields }")
    assert entry["act"]["data"] == {"rep": "rosa", "tactic": "deadline", "text": None}
    assert entry["act"]["personalFields"] == ["text"]
    record = base64.b64decode(entry["record"])
    assert json.loads(entry["entry"])["sha256"] == sha256(record).hexdigest()
    assert b"today only" not in record
    (without,) = entries(audited, '(filter: {types: ["exemplar.act.disputed.v1"]})', "act { personalFields }")
    assert without["act"]["personalFields"] == []
    (open_,) = entries(audited, query, "act { data }", "admin")
    assert open_["act"]["data"]["text"] == "today only"


def test_text_that_came_past_the_ingress_is_not_shown(audited: Asker) -> None:
    """Who wrote to the log by themselves, in the clear, does not have their text shown: nor the bytes that hold it."""
    event = {
        "specversion": "1.0",
        "id": "past",
        "source": "test",
        "type": "exemplar.urgency.pressed.v1",
        "subject": "globex",
        "time": "2026-02-05T00:00:00Z",
        "data": {"rep": "rosa", "tactic": "deadline", "text": "a secret"},
    }
    audited.world.append_bytes("globex", json.dumps(event).encode())
    audited.world.fold()
    audited.number()
    entry = entries(audited, "(first: 1)", "record act { actId data } proof { file }")[0]
    assert (entry["act"]["actId"], entry["act"]["data"]["text"], entry["record"]) == ("past", None, None)
    _, proven = check_proof(entry["proof"]["file"], [SIGNER.verifier])
    assert (proven.told.kind, proven.committed) == ("act", None)


def test_a_proof_with_a_record_is_a_look_at_whose_it_is(audited: Asker) -> None:
    """The file of a proof holds the record, so that taking it puts the same on record as the record itself."""
    query = '(filter: {subject: "globex", types: ["exemplar.urgency.pressed.v1"]})'
    for selection in ("record", "proof { file }"):
        entries(audited, query, selection)
        assert recorded(audited)[-1][3:] == (["globex", "rosa"], ["acts", "audit"])


def test_each_entry_is_proven(audited: Asker) -> None:
    """Its bytes hash to its leaf, and that leads to the root that the key of the tree has signed; so does the file."""
    for entry in entries(audited, "(first: 100)", ENTRY + " proof { index hashes checkpoint file }"):
        proof, leaf = entry["proof"], leaf_hash(entry["entry"].encode())
        tree = open_checkpoint(proof["checkpoint"], [SIGNER.verifier])
        hashes = [base64.b64decode(hash_) for hash_ in proof["hashes"]]
        assert (base64.b64decode(entry["leafHash"]), proof["index"]) == (leaf, entry["index"])
        assert root_by_inclusion(leaf, entry["index"], tree.size, hashes) == tree.root
        _, proven = check_proof(proof["file"], [SIGNER.verifier])
        assert proven.number == entry["index"]
        assert proven.committed is not None
        if entry["document"] is not None:
            assert proven.committed == entry["document"].encode()


def test_proofs_of_a_page_are_read_together(audited: Asker) -> None:
    """However many there are, the tree is asked for its checkpoint once, and once for each tile."""
    counts = []
    for first in (1, 20):
        with counted(audited.audit) as statements:
            entries(audited, f"(first: {first})", "proof { hashes }")
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_record_that_was_refused_says_why(audited: Asker) -> None:
    """It has its entry like any other, no act, and the reason for which it counts for nothing."""
    audited.world.append_bytes("acme", b"no json")
    audited.world.fold()
    audited.number()
    entry, *_ = entries(audited, "(first: 1)", "type subject act { id } record refused")
    assert (entry["type"], entry["subject"], entry["act"], entry["record"]) == (None, "acme", None, None)
    assert "JSON" in entry["refused"]
    assert [found["refused"] for found in entries(audited, "(filter: {refused: true})", "refused")] == [
        entry["refused"]
    ]
    assert entries(audited, '(filter: {refused: true, subject: "globex"})') == []
    (fine, *_) = entries(audited, '(filter: {subject: "globex"})', "refused")
    assert fine["refused"] is None


def test_a_single_entry_has_an_id_and_an_index(audited: Asker) -> None:
    """Both lead to it; no other number does."""
    (entry, *_) = entries(audited, "(first: 1)", "id index")
    by_index = audited.data(f"{{ auditEntry(index: {entry['index']}) {{ id }} }}", who="auditor")
    assert by_index["auditEntry"]["id"] == entry["id"]
    query = "query ($id: ID!) { node(id: $id) { __typename id } }"
    found = audited.data(query, {"id": entry["id"]}, "auditor")["node"]
    assert found == {"__typename": "AuditEntry", "id": entry["id"]}
    for wrong, code in (("1000000", "FORBIDDEN"), ("-1", "BAD_USER_INPUT"), ("1" * 30, "BAD_USER_INPUT")):
        made_up = base64.urlsafe_b64encode(json.dumps(["AuditEntry", wrong]).encode()).decode().rstrip("=")
        assert audited.codes(query, {"id": made_up}, "auditor") == [code]
    assert audited.codes(query, {"id": entry["id"]}, audited.person("rik")) == ["FORBIDDEN"]


def test_whoever_reads_it_is_on_record(audited: Asker) -> None:
    """Each look is an entry itself, with whom it was about: who was searched for, and whose acts were shown."""
    entries(audited)
    assert recorded(audited) == [(audited.world.clock(), "auditor", None, [], ["audit"])]
    entries(audited, '(filter: {subject: "rik"})')
    assert [read[3:] for read in recorded(audited)] == [(["rik"], ["audit"])]
    entries(audited, '(filter: {subject: "globex"})', "act { rep }")
    assert [read[3:] for read in recorded(audited)] == [(["globex", "rosa"], ["acts", "audit"])]
    audited.data("{ auditEntry(index: 0) { index } }", who="auditor")
    assert [read[3:] for read in recorded(audited)] == [([], ["audit"])]
    audited.number()
    shown = audited.data(READS, who="auditor")["auditLog"]["edges"]
    assert [edge["node"]["subjects"] for edge in shown] == [[], ["globex", "rosa"], ["rik"], [], ["rik", "rosa"]]
    assert json.loads(shown[0]["node"]["document"])["what"] == ["audit"]


def test_who_may_not_read_it_leaves_nothing_on_record(audited: Asker) -> None:
    """A leader with a card for reading cards is told that it is forbidden, and was not there."""
    assert audited.codes("{ auditLog { edges { cursor } } }", who=audited.person("ann")) == ["FORBIDDEN"]
    assert recorded(audited) == []


def test_before_any_act_it_has_what_was_done_besides(asker: Asker) -> None:
    """The model that is shown, and the policy that it was made by."""
    asker.number()
    assert {entry["kind"] for entry in entries(asker, who="admin")} == {"model.switched", "policy.changed"}

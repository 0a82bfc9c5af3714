"""Entries and documents, to the byte."""

import json
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from services.events.leaves import Leaf, document
from services.events.log.protocol import Place, Record
from services.kit.canonical_json import canonical
from services.projections.audit.entries import erasure, of_document, of_record, read_entry

VALUE = b'{"id":"a","type":"exemplar.contact.made.v1","subject":"c-1","recordedby":"crm","data":{}}'
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii")), inner),
)


@given(PLAIN)
def test_canonical_json_is_that_of_the_standard(value: object) -> None:
    """The text of a value is what another implementation of RFC 8785 writes."""
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # its type names itself


def test_a_record_becomes_its_place_and_hash() -> None:
    """The entry of a record says where it is and what its bytes hash to, in canonical JSON, and no more."""
    made = of_record(Record(Place(3, 1042, 7), "c-1", VALUE))
    hash_ = sha256(VALUE).hexdigest()
    assert made.entry == f'{{"kind":"act","offset":1042,"partition":3,"sha256":"{hash_}"}}'.encode()
    assert made.entry == rfc8785.dumps(json.loads(made.entry))
    assert (made.type, made.actor, made.subjects, made.at) == ("exemplar.contact.made.v1", "crm", ("c-1",), 7)
    told = read_entry(made.entry)
    assert (told.kind, told.partition, told.offset, told.sha256) == ("act", 3, 1042, hash_)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 5000,
        b'{"subject": 3, "type": null}',
        b'{"subject": "\\u0000"}',
        b'{"subject": "\\ud800"}',
        b'{"subject": "%s"}' % (b"x" * 1000),
    ],
)
def test_any_record_becomes_an_entry(value: bytes) -> None:
    """What cannot be folded is in the tree as well; what a database cannot keep of it is left out of the search."""
    made = of_record(Record(Place(0, 0, 7), None, value))
    assert made.subjects == ()
    assert read_entry(made.entry).sha256 == sha256(value).hexdigest()


def test_a_document_is_committed_to_with_a_salt() -> None:
    """Of what is no act the entry tells the kind and a hash, another one each time the same is done."""
    leaf = Leaf("read", 1_772_442_000_000_000, "ana", ["rik", "sam"], {"what": ["card"], "person": None})
    made, again = of_document(document(leaf)), of_document(document(leaf))
    assert made.document is not None
    told = json.loads(made.document)
    assert rfc8785.dumps(told) == made.document
    assert len(told.pop("salt")) == 32
    assert told == {
        "kind": "read",
        "at": "2026-03-02T09:00:00Z",
        "actor": "ana",
        "subjects": ["rik", "sam"],
        "what": ["card"],
        "person": None,
    }
    assert made.entry == f'{{"kind":"read","sha256":"{sha256(made.document).hexdigest()}"}}'.encode()
    assert made.entry != again.entry
    assert (made.kind, made.at, made.type, made.actor, made.place) == ("read", leaf.at, "read", "ana", None)


def test_an_erasure_names_whose_key_is_gone() -> None:
    """The entry of an erasure has a document with the person's key, which is no personal data."""
    made = erasure("c-9", 7)
    assert (made.kind, made.subjects, made.at, made.actor) == ("erasure", ["c-9"], 7, None)

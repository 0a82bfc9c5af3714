"""Personal fields: what the log sees of them, who can read them, and what an erasure leaves."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from services.events.catalog.acts import ContactMade, CustomerKnown, NeedRuledOut, TeamJoined, act_name
from services.events.catalog.envelope import Act, Catalogue, same_content
from services.events.vault.cipher import decrypt_fields, encrypt_act, open_acts, seal
from services.events.vault.sql import SqlVault
from services.kit.errors import Corrupt

CATALOGUE = Catalogue()
KEY = bytes(range(32))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
PERSONAL = ("text",)
KNOWN_ANSWER = "cBlDbWF9ZIMdZFGa3JoVPyKPJBlJ"


def contact(text: str | UnsetType | None = "hello", subject: str = "acme", id: str = "1", source: str = "/crm") -> Act:
    """A `contact.made` with a text, or none."""
    data = ContactMade(rep="ann", channel="call", purpose="explore", text=text)
    return Act(source, id, act_name(ContactMade), subject, 0, data)


def text_of(act: Act) -> str:
    """The act's `text`, which must be there."""
    assert isinstance(act.data, ContactMade)
    assert isinstance(act.data.text, str)
    return act.data.text


@given(TEXTS, IDS, IDS, st.binary(min_size=32, max_size=32))
def test_what_was_encrypted_decrypts(text: str, subject: str, id: str, key: bytes) -> None:
    """Any text comes back with the key, and the ciphertext is base64url in which it cannot be seen."""
    act = contact(text, subject, id)
    sealed = encrypt_act(act, PERSONAL, key)
    assert len(urlsafe_b64decode(text_of(sealed))) == len(text.encode()) + 16
    assert decrypt_fields(sealed, PERSONAL, key) == {"text": text}
    assert msgspec.structs.replace(sealed, data=act.data) == act


@given(TEXTS, IDS, IDS)
def test_the_same_act_gives_the_same_bytes(text: str, subject: str, id: str) -> None:
    """An act encrypted twice is the same record, byte for byte, also after it was written and read."""
    once, twice = (encrypt_act(contact(text, subject, id), PERSONAL, KEY) for _ in range(2))
    record = CATALOGUE.encode_record(once)
    assert record == CATALOGUE.encode_record(twice)
    assert CATALOGUE.decode_record(record).data == once.data


def test_the_bytes_are_these_for_ever() -> None:
    """A known answer: another result would make copies of acts in existing logs look like conflicts."""
    assert text_of(encrypt_act(contact(), PERSONAL, KEY)) == KNOWN_ANSWER


@given(TEXTS, st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_an_altered_ciphertext_is_corrupt(text: str, at: int, flipped: int) -> None:
    """A ciphertext with any byte changed does not open."""
    act = encrypt_act(contact(text), PERSONAL, KEY)
    sealed = bytearray(urlsafe_b64decode(text_of(act)))
    sealed[at % len(sealed)] ^= flipped
    with pytest.raises(Corrupt):
        decrypt_fields(contact(urlsafe_b64encode(sealed).decode()), PERSONAL, KEY)


@pytest.mark.parametrize("text", ["", "hello", "not base64!", "AAAA", "Zoë"])
def test_what_is_no_ciphertext_is_corrupt(text: str) -> None:
    """A field that was never encrypted does not read as a text."""
    with pytest.raises(Corrupt):
        decrypt_fields(contact(text), PERSONAL, KEY)


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "acm"},
        {"subject": "acme/"},
        {"id": "2"},
        {"source": "/crm/1"},
        {"subject": "ac", "source": "me/crm"},
    ],
)
def test_a_ciphertext_opens_in_its_place_only(other: dict[str, str]) -> None:
    """Moved to another subject, source or id, a ciphertext does not open, however the parts run together."""
    sealed = text_of(encrypt_act(contact(), PERSONAL, KEY))
    assert decrypt_fields(contact(sealed), PERSONAL, KEY) == {"text": "hello"}
    with pytest.raises(Corrupt):
        decrypt_fields(contact(sealed, **other), PERSONAL, KEY)


def test_a_ciphertext_opens_in_its_field_and_with_its_key_only() -> None:
    """Put in another field of an act with the same subject, source and id, or with another key, it does not open."""
    sealed = text_of(encrypt_act(contact(), PERSONAL, KEY))
    known = Act("/crm", "1", act_name(CustomerKnown), "acme", 0, CustomerKnown(name=sealed))
    with pytest.raises(Corrupt):
        decrypt_fields(known, ("name",), KEY)
    with pytest.raises(Corrupt):
        decrypt_fields(contact(sealed), PERSONAL, bytes(32))


def test_absent_fields_stay_absent() -> None:
    """A † field that was not given is neither encrypted nor decrypted."""
    act = contact(UNSET)
    assert encrypt_act(act, PERSONAL, KEY) is act
    assert decrypt_fields(act, PERSONAL, KEY) == decrypt_fields(act, PERSONAL, None) == {}


def test_without_a_key_there_is_nothing_to_read() -> None:
    """Recorded fields of an erased person read None, whatever is in them."""
    for act in (encrypt_act(contact(), PERSONAL, KEY), contact(None), contact("never encrypted")):
        assert decrypt_fields(act, PERSONAL, None) == {"text": None}
    assert decrypt_fields(contact(None), PERSONAL, KEY) == {"text": None}


@pytest.mark.parametrize("before", ["hello", "bye", UNSET])
@pytest.mark.parametrize("after", ["hello", "bye", UNSET])
def test_acts_of_the_erased_are_copies_whatever_they_say(
    vault: SqlVault, before: str | UnsetType, after: str | UnsetType
) -> None:
    """After an erasure a copy with another text, or without one, is no conflict with what was recorded before."""
    first = seal([contact(before)], CATALOGUE, vault)[0]
    vault.destroy(["acme"])
    again = seal([contact(after)], CATALOGUE, vault)[0]
    assert b'"text":null' in CATALOGUE.encode_record(again)
    assert same_content(first, again, PERSONAL)


def test_sealing_makes_keys_only_where_something_is_given(vault: SqlVault) -> None:
    """A batch gets its keys; who is in it without a personal text, or in acts that have no such field, gets none."""
    joined = TeamJoined(person="bob", role="rep", name="Bob Roe")
    acts = [
        contact("hello", "acme"),
        contact(UNSET, "initech"),
        Act("/crm", "3", act_name(NeedRuledOut), "hooli", 0, NeedRuledOut(rep="ann")),
        Act("/hr", "4", act_name(TeamJoined), "sales", 0, joined),
    ]
    sealed = seal(acts, CATALOGUE, vault)
    assert set(vault.existing_keys(["acme", "initech", "hooli", "sales", "bob", "ann"])) == {"acme", "bob"}
    assert sealed[1:3] == acts[1:3]
    assert sealed == seal(acts, CATALOGUE, vault)
    assert open_acts(sealed, CATALOGUE, vault) == [{"text": "hello"}, {}, {}, {"name": "Bob Roe"}]


def test_an_erasure_takes_the_texts_of_one_person_only(vault: SqlVault) -> None:
    """After an erasure the person's recorded fields read None, everybody else's as before."""
    sealed = seal([contact("mine", "acme"), contact("yours", "initech")], CATALOGUE, vault)
    vault.destroy(["acme"])
    assert open_acts(sealed, CATALOGUE, vault) == [{"text": None}, {"text": "yours"}]


def test_of_many_acts_one_that_does_not_open_harms_no_other(vault: SqlVault) -> None:
    """Opening raises Corrupt for an altered act, or, where told whom to tell, reads None there and goes on."""
    sealed = seal([contact("one", id="1"), contact("two", id="2")], CATALOGUE, vault)
    swapped = contact(text_of(sealed[1]), id="1")
    with pytest.raises(Corrupt):
        open_acts([swapped, sealed[1]], CATALOGUE, vault)
    told: list[Corrupt] = []
    assert open_acts([swapped, sealed[1]], CATALOGUE, vault, told.append) == [{"text": None}, {"text": "two"}]
    assert len(told) == 1
    assert "two" not in str(told[0])

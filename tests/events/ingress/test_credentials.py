"""API keys: made once, found by their hash, revoked for good, and the open mode before the first."""

from collections.abc import Callable

import pytest
from sqlalchemy import inspect, select

from services.events.credentials import (
    OPEN,
    Credential,
    Keyring,
    any_key_was_made,
    authenticate,
    create_key,
    credentials,
    list_keys,
    revoke_key,
)
from services.kit.errors import Conflict, Invalid, NotFound, Unauthenticated
from tests.events.ingress.parts import Parts
from tests.graphql.counting import counted


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_known_by_its_hash_alone(parts: Parts) -> None:
    """The key has 256 random bits behind its prefix, and the database holds nothing of it but its SHA-256."""
    key = create_key(parts.control, "crm", ["acts:write", "acts:correct"], 7, sources=["urn:a", "urn:b"], person="ana")
    assert key.startswith("exk_")
    assert len(key) == 4 + 43
    assert authenticate(parts.control, key) == Credential(
        "crm", frozenset({"acts:write", "acts:correct"}), ("urn:a", "urn:b"), "ana"
    )
    assert authenticate(parts.control, key[:-1]) is None
    with parts.control.connect() as connection:
        assert key[4:] not in repr(connection.execute(select(credentials)).all())


def test_a_revoked_key_is_unknown_and_its_name_stays_taken(parts: Parts) -> None:
    """Revoking again changes nothing; listed it is with both instants."""
    key = create_key(parts.control, "crm", ["admin"], 7)
    revoke_key(parts.control, "crm", 8)
    revoke_key(parts.control, "crm", 9)
    assert authenticate(parts.control, key) is None
    (listed,) = list_keys(parts.control)
    assert (listed.name, listed.scopes, listed.created, listed.revoked) == ("crm", ("admin",), 7, 8)
    with pytest.raises(Conflict):
        create_key(parts.control, "crm", ["admin"], 10)
    with pytest.raises(NotFound):
        revoke_key(parts.control, "erp", 10)


@pytest.mark.parametrize(
    "make",
    [
        lambda engine: create_key(engine, "", ["admin"], 0),
        lambda engine: create_key(engine, "a b", ["admin"], 0),
        lambda engine: create_key(engine, "open", ["admin"], 0),
        lambda engine: create_key(engine, "import", ["admin"], 0),
        lambda engine: create_key(engine, "a", [], 0),
        lambda engine: create_key(engine, "a", ["acts:read"], 0),
        lambda engine: create_key(engine, "a", ["acts:write"], 0),
        lambda engine: create_key(engine, "a", ["acts:write"], 0, sources=[""]),
        lambda engine: create_key(engine, "a", ["acts:structure"], 0, sources=["urn:a"]),
        lambda engine: create_key(engine, "a", ["cards:read"], 0, person=""),
        lambda engine: create_key(engine, "a", ["cards:read"], 0, person="a\n"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(parts: Parts, make: Callable[[object], str]) -> None:
    """A bad name, an unknown scope, `acts:write` without a source, a scope that needs another one."""
    with pytest.raises(Invalid):
        make(parts.control)
    assert not any_key_was_made(parts.control)


def test_a_keyring_notices_a_revocation_within_2_seconds(parts: Parts) -> None:
    """It remembers for so long, also when another process revokes the key."""
    seconds = Seconds()
    keyring = Keyring(parts.control, False, seconds)
    header = f"bearer  {create_key(parts.control, 'crm', ['admin'], 0)}"
    assert keyring.remembered(header) is None
    assert keyring.admit(header).name == "crm"
    revoke_key(parts.control, "crm", 1)
    assert keyring.remembered(header) is not None
    seconds.now += 2.0
    assert keyring.remembered(header) is None
    with pytest.raises(Unauthenticated):
        keyring.admit(header)


def test_open_ends_with_the_first_key_for_good(parts: Parts) -> None:
    """Within 2 seconds of the first key; revoking it opens nothing again."""
    seconds = Seconds()
    keyring = Keyring(parts.control, True, seconds)
    assert keyring.admit("Bearer x") == keyring.remembered(None) == OPEN
    create_key(parts.control, "crm", ["admin"], 0)
    assert keyring.remembered(None) == OPEN
    seconds.now += 2.0
    assert keyring.remembered(None) is None
    assert not keyring.is_open()
    revoke_key(parts.control, "crm", 1)
    with pytest.raises(Unauthenticated):
        Keyring(parts.control, True, seconds).admit(None)


def test_the_first_key_is_known_at_once(parts: Parts) -> None:
    """Who presents it is never taken for anyone, though the keyring remembers that all was open."""
    keyring = Keyring(parts.control, True, Seconds())
    assert keyring.admit(None) == OPEN
    assert keyring.admit(f"Bearer {create_key(parts.control, 'crm', ['admin'], 0)}").name == "crm"
    with pytest.raises(Unauthenticated):
        keyring.admit("Bearer x")
    assert keyring.remembered(None) is None


def test_one_question_tells_which_keys_are_good_no_more(parts: Parts) -> None:
    """However many headers there are; what has ended is forgotten, what never was a key has ended too."""
    keyring = Keyring(parts.control, False, Seconds())
    headers = [f"Bearer {create_key(parts.control, f'key-{number}', ['admin'], 0)}" for number in range(50)]
    for header in headers:
        keyring.admit(header)
    revoke_key(parts.control, "key-7", 1)
    with counted(parts.control) as statements:
        assert keyring.ended([*headers, None, "Bearer x"]) == {headers[7], None, "Bearer x"}
    assert [statement for statement in statements if not statement.startswith("BEGIN")] == statements[-1:]
    assert keyring.remembered(headers[7]) is None
    assert keyring.remembered(headers[8]) is not None


def test_who_came_in_while_all_was_open_is_out_with_the_first_key(parts: Parts) -> None:
    """Within 2 seconds of it; until then nobody is."""
    seconds = Seconds()
    keyring = Keyring(parts.control, True, seconds)
    keyring.admit(None)
    assert keyring.ended([None, "Bearer x"]) == set()
    create_key(parts.control, "crm", ["admin"], 0)
    seconds.now += 2.0
    assert keyring.ended([None, "Bearer x"]) == {None, "Bearer x"}


def test_without_open_mode_a_credential_is_needed_from_the_start(parts: Parts) -> None:
    """On any other address than loopback."""
    with pytest.raises(Unauthenticated):
        Keyring(parts.control, False).admit(None)


def test_the_table_is_as_its_migration_makes_it(parts: Parts) -> None:
    """The columns here are those in the database."""
    made = {column["name"]: column["nullable"] for column in inspect(parts.control).get_columns("credentials")}
    assert made == {column.name: column.nullable for column in credentials.columns}

"""What every vault must do (services/events/vault/protocol.py), whichever database is below."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import Engine, select

from services.events.vault.protocol import Vault
from services.events.vault.rotation import rotate, status
from services.events.vault.sql import SqlVault, data_keys
from services.events.vault.wrapping import WrappingFile, WrappingKey
from services.kit.database import writing
from services.kit.errors import Corrupt, Unavailable
from services.kit.instants import SECOND
from tests.fixed_clock import FixedClock

WRAPPING_KEY = WrappingKey(b"w" * 32)


@pytest.fixture
def open_vault(vault_engine: Engine, clock: FixedClock) -> Callable[[], Vault]:
    """Gives one more vault on the same store, as another process has it."""
    return lambda: SqlVault(vault_engine, WRAPPING_KEY, clock)


def test_a_key_is_made_once_and_stays(open_vault: Callable[[], Vault], clock: FixedClock) -> None:
    """A person's key has 32 bytes, is the same for every caller, and no other person's."""
    vault = open_vault()
    keys = vault.keys_for(["Zoë", "客户"])
    assert {len(key or b"") for key in keys.values()} == {32}
    assert keys["Zoë"] != keys["客户"]
    assert vault.keys_for(["客户", "Zoë", "Zoë"]) == keys
    clock.advance(60 * SECOND)
    assert vault.keys_for(["Zoë", "客户"]) == open_vault().keys_for(["客户", "Zoë"]) == keys


def test_existing_keys_makes_none(open_vault: Callable[[], Vault]) -> None:
    """Asked for existing keys, the vault leaves out who has none, and makes none."""
    vault = open_vault()
    keys = vault.keys_for(["a"])
    for _ in range(2):
        assert vault.existing_keys(["a", "b"]) == keys
    assert open_vault().existing_keys(["b"]) == {}


def test_asking_for_nobody_gives_nothing(open_vault: Callable[[], Vault]) -> None:
    """Every question and order takes an empty list."""
    vault = open_vault()
    vault.destroy([])
    assert vault.keys_for([]) == vault.existing_keys([]) == {}


def test_a_destroyed_key_never_comes_back(open_vault: Callable[[], Vault], clock: FixedClock) -> None:
    """After its destruction a person has no key and gets none, in this vault and in one opened later."""
    vault = open_vault()
    other = vault.keys_for(["a", "b"])["b"]
    vault.destroy(["a"])
    for _ in range(2):
        for each in (vault, open_vault()):
            assert each.keys_for(["a", "b"]) == {"a": None, "b": other}
            assert each.existing_keys(["a", "b"]) == {"a": None, "b": other}
        clock.advance(3600 * SECOND)


def test_who_never_had_a_key_can_be_erased(open_vault: Callable[[], Vault]) -> None:
    """A person without a key who is erased never gets one."""
    open_vault().destroy(["a", "b"])
    keys = open_vault().keys_for(["a", "b", "c"])
    assert [person for person, key in keys.items() if key is None] == ["a", "b"]


def test_destroying_again_changes_nothing(open_vault: Callable[[], Vault]) -> None:
    """A second destruction is as good as the first."""
    vault = open_vault()
    vault.keys_for(["a"])
    vault.destroy(["a"])
    vault.destroy(["a", "a"])
    assert vault.keys_for(["a"]) == {"a": None}


def test_a_destruction_elsewhere_takes_effect_within_5_s(open_vault: Callable[[], Vault], clock: FixedClock) -> None:
    """A vault that used a key a moment ago has none 5 s after another process destroyed it."""
    vault = open_vault()
    vault.keys_for(["a"])
    open_vault().destroy(["a"])
    clock.advance(5 * SECOND)
    assert vault.existing_keys(["a"]) == {"a": None}
    assert vault.keys_for(["a"]) == {"a": None}


def test_who_comes_at_once_gets_the_same_key(open_vault: Callable[[], Vault]) -> None:
    """Several threads in several processes that ask for new persons at once get the same keys."""
    vaults = [open_vault() for _ in range(4)]
    together = Barrier(len(vaults))
    persons = [f"person-{n}" for n in range(50)]

    def ask(vault: Vault) -> dict[str, bytes | None]:
        together.wait(30)
        order = persons if vault is vaults[0] else persons[::-1]
        return dict(vault.keys_for(order))

    with ThreadPoolExecutor(len(vaults)) as pool:
        answers = list(pool.map(ask, vaults))
    assert all(answer == answers[0] for answer in answers)
    assert len(set(answers[0].values())) == len(persons)


def test_a_destruction_wins_over_those_who_ask_meanwhile(open_vault: Callable[[], Vault]) -> None:
    """While threads ask for keys, persons are destroyed: afterwards none of these has a key, whoever is asked."""
    vault, other = open_vault(), open_vault()
    persons = [f"person-{n}" for n in range(30)]

    def ask_and_destroy(person: str) -> None:
        vault.keys_for([person])
        vault.destroy([person])
        assert vault.keys_for(persons)[person] is None

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask_and_destroy, persons))
    assert other.keys_for(persons) == vault.keys_for(persons) == dict.fromkeys(persons)


def test_very_many_persons_at_once(open_vault: Callable[[], Vault]) -> None:
    """More persons than a statement takes parameters are no matter."""
    persons = [f"person-{n}" for n in range(33_000)]
    keys = open_vault().keys_for(persons)
    assert len({key for key in keys.values() if key is not None}) == len(persons)
    assert open_vault().existing_keys(persons) == keys


def test_without_the_wrapping_key_nothing_is_read(open_vault: Callable[[], Vault], vault_engine: Engine) -> None:
    """Under a wrapping key that this process lacks is no error of the key: what to do is said, and it never opens."""
    open_vault().keys_for(["a"])
    stranger = SqlVault(vault_engine, WrappingKey(b"x" * 32))
    for ask in (stranger.keys_for, stranger.existing_keys):
        with pytest.raises(Unavailable, match="EXEMPLAR_VAULT_KEY_FILE"):
            ask(["a"])


def test_a_key_that_does_not_unwrap_is_corrupt(open_vault: Callable[[], Vault], vault_engine: Engine) -> None:
    """A wrapped key put in another one's row is an error with what to do, never another key."""
    open_vault().keys_for(["a", "b"])
    with writing(vault_engine) as connection:
        moved = select(data_keys.c.wrapped).where(data_keys.c.person == "a").scalar_subquery()
        connection.execute(data_keys.update().where(data_keys.c.person == "b").values(wrapped=moved))
    with pytest.raises(Corrupt, match="EXEMPLAR_VAULT_KEY_FILE"):
        open_vault().existing_keys(["b"])


def test_the_wrapping_key_changes_beside_open_vaults(
    open_vault: Callable[[], Vault], vault_engine: Engine, tmp_path: Path
) -> None:
    """A rotation changes no data key; who has not the new wrapping key makes none under the old one any more."""
    path = tmp_path / "vault.key"
    path.write_text(WRAPPING_KEY.line())
    stale, file = open_vault(), WrappingFile(path)
    keys = stale.keys_for([f"person-{n}" for n in range(1_200)])
    stale.destroy(["person-3"])
    done = rotate(vault_engine, file, 0, lambda done, total: None)
    assert done.rewrapped == 1_199
    assert SqlVault(vault_engine, file).existing_keys(list(keys)) == {**keys, "person-3": None}
    assert status(vault_engine).under == {file.current().id: 1_199}
    with pytest.raises(Unavailable):
        stale.keys_for(["somebody new"])
    assert SqlVault(vault_engine, file).existing_keys(["somebody new"]) == {}


def test_no_key_is_lost_to_those_who_make_some_meanwhile(vault_engine: Engine, tmp_path: Path) -> None:
    """While several make keys, the wrapping key changes twice: afterwards everybody's key is what they were given."""
    path = tmp_path / "vault.key"
    path.write_text(WRAPPING_KEY.line())
    given: dict[str, bytes | None] = {}
    made, over = Event(), Event()

    def make(number: int) -> None:
        vault, turn = SqlVault(vault_engine, WrappingFile(path)), 0
        while not over.is_set():
            try:
                given.update(vault.keys_for([f"{number}-{turn}-{n}" for n in range(3)]))
            except Unavailable:
                continue  # the wrapping key was retired in between: it is done again, as a client does
            turn += 1
            made.set()

    with ThreadPoolExecutor(3) as pool:
        making = [pool.submit(make, number) for number in range(3)]
        try:
            for _ in range(2):
                made.clear()
                assert made.wait(60)
                rotate(vault_engine, WrappingFile(path), 0, lambda done, total: None)
        finally:
            over.set()
        for each in making:
            each.result()
    file = WrappingFile(path)
    assert SqlVault(vault_engine, file).existing_keys(list(given)) == given
    assert set(status(vault_engine).under) == {file.current().id}

"""A vault in memory that notes which keys were destroyed, and that can be away."""

from collections.abc import Collection, Mapping
from threading import Event

from services.kit.errors import Unavailable


class MemoryVault:
    """Vault: keys are not secret here. `away` makes it refuse to destroy keys, as Unavailable."""

    def __init__(self) -> None:
        self.destroyed: set[str] = set()
        self.away = False
        self.refused = Event()

    def keys_for(self, persons: Collection[str]) -> Mapping[str, bytes | None]:
        return {person: None if person in self.destroyed else person.encode().ljust(32)[:32] for person in persons}

    def existing_keys(self, persons: Collection[str]) -> Mapping[str, bytes]:
        return {person: key for person, key in self.keys_for(persons).items() if key is not None}

    def destroy(self, persons: Collection[str]) -> None:
        if self.away:
            self.refused.set()
            raise Unavailable("the vault is away")
        self.destroyed |= set(persons)

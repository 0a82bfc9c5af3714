"""The port of the vault: one data key a person, made once and destroyed for ever (domain.md §7)."""

from collections.abc import Collection, Mapping
from typing import Protocol


class Vault(Protocol):
    """Data keys of persons (32 bytes each), kept wrapped. All methods are safe to call from any thread.

    MUST: a key that `keys_for` returned is durable, the same for every caller, until it is destroyed; a destroyed
    person never gets a key again; a destruction by another process takes effect within 5 s. Raises Unavailable when the
    store does not answer, or a key is under a wrapping key that this process does not hold (yet): try again; Corrupt
    when a key cannot be unwrapped.
    """

    def keys_for(self, persons: Collection[str]) -> Mapping[str, bytes | None]:
        """The data key of each person, made where there is none yet; None for the erased."""
        ...

    def existing_keys(self, persons: Collection[str]) -> Mapping[str, bytes | None]:
        """The data keys of those who have one, None for the erased; the others are left out. Makes none."""
        ...

    def destroy(self, persons: Collection[str]) -> None:
        """Destroy the keys of these persons, and see to it that they never get one. Doing it again changes nothing."""
        ...

"""The port to what is known already: the acts that the fold has taken from the log into the read model.

Recording asks it for duplicates and conflicts. It may lag behind the log; what it does not know yet, the fold decides.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from services.events.catalog.envelope import Act
from services.events.log.protocol import Place


class KnownAct(NamedTuple):
    """An act that counts as the first of its key: as its record has it, † fields sealed, and the record's place."""

    act: Act
    place: Place


class Known(Protocol):
    """Looks acts up by the pair of `source` and `id`. Safe to call from any thread."""

    def find(self, pairs: Collection[tuple[str, str]]) -> Sequence[KnownAct]:
        """Every known act with one of these pairs (source, id), of whatever subject, in any order.

        MUST: give the act that counts for each key (subject, source, id) that it knows, retracted ones too, and leave
        out what was refused as a conflict. Everything that the fold had committed when the call began is known. One
        look-up for any number of pairs up to 2,000. MAY: know more than that, or give an act twice. Raises
        Unavailable when the store does not answer (the caller tries again).
        """
        ...

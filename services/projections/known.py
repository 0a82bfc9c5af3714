"""What the ingress asks before it appends: the acts that the model knows already (`services.events.known.Known`)."""

from collections.abc import Collection, Sequence

from services.events.catalog.envelope import Catalogue
from services.events.known import KnownAct
from services.events.log.protocol import Place
from services.kit.database import look_up
from services.projections.applying import stored_act
from services.projections.stores import ModelSource
from services.projections.tables import acts

_WANTED = (acts.c.partition, acts.c.log_offset, acts.c.recorded_us, acts.c.record)


class KnownActs:
    """Known, on the live model."""

    def __init__(self, model: ModelSource, catalogue: Catalogue) -> None:
        self._model = model
        self._catalogue = catalogue

    def find(self, pairs: Collection[tuple[str, str]]) -> Sequence[KnownAct]:
        """See Known."""
        if not pairs:
            return []
        rows = look_up(self._model(), _WANTED, (acts.c.source, acts.c.act_id), pairs)
        return [KnownAct(stored_act(record, self._catalogue), Place(*place)) for *place, record in rows]

"""A recorder that keeps acts in memory, checked and compared as the ingress would."""

from collections.abc import Sequence

from services.events.catalog.envelope import Act, Catalogue, same_content
from services.events.sources.protocol import Accepted, Event, Outcome, Refused
from services.kit.errors import Invalid, Malformed
from services.kit.instants import DAY


class MemoryRecorder:
    """Keeps acts in the order they came in; `calls` holds how many events each call had."""

    def __init__(self) -> None:
        self.acts: dict[tuple[str, str, str], Act] = {}
        self.calls: list[int] = []
        self._catalogue = Catalogue()

    def record(self, events: Sequence[Event]) -> Sequence[Outcome]:
        self.calls.append(len(events))
        return [self._record(event) for event in events]

    def named(self, *names: str) -> list[Act]:
        """The acts of these names."""
        return [act for act in self.acts.values() if act.name in names]

    def _record(self, event: Event) -> Outcome:
        try:
            act = self._catalogue.decode_event(event, now=100 * 365 * DAY)
        except Malformed as error:
            return Refused(400, error.pointer, str(error))
        except Invalid as error:
            return Refused(422, error.pointer, str(error))
        known = self.acts.setdefault(act.key, act)
        if known is not act and not same_content(known, act, self._catalogue.personal[act.name]):
            return Refused(409, "", "another act has this id")
        return Accepted(duplicate=known is not act)

"""`exemplar erase`: the personal fields about somebody are made unreadable, for ever."""

import sys
import uuid
from collections.abc import Iterator
from typing import Any

import click

from services.commands.terminal import as_json_option, show, tell
from services.events import credentials
from services.events.catalog.acts import PUBLIC, UNATTRIBUTED
from services.events.sources.in_process import InProcessRecorder
from services.events.sources.protocol import Refused as RefusedEvent
from services.kit import instants
from services.kit.database import reading
from services.kit.errors import Invalid
from services.kit.settings import load_settings
from services.parts import Parts, opened
from services.parts.ingress import recording as recording_of
from services.projections.queries.subject import count_about

CLI_SOURCE = "exemplar/cli"


@click.command()
@click.argument("person")
@click.option("--reason", required=True, help="Why; it is kept for ever, so no personal data.")
@click.option("--by", default="operator", show_default=True, help="Key of the person who erases.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def erase(person: str, reason: str, by: str, yes: bool, as_json: bool) -> None:
    """Erase the personal fields about a person or a customer, for ever. Scores and proofs stay as they were."""
    if person in (PUBLIC, UNATTRIBUTED):
        raise Invalid(f"{person} is nobody and cannot be erased")
    event = {
        "specversion": "1.0",
        "id": f"erase-{uuid.uuid4()}",
        "source": CLI_SOURCE,
        "type": "exemplar.person.erased.v1",
        "subject": person,
        "time": instants.format_rfc3339(instants.now()),
        "data": {"by": by, "reason": reason},
    }
    with opened(load_settings()) as parts, recording_of(parts) as recording:
        about, already = _acts_about(parts, person), _is_erased(parts, person)
        for line in _consequences(person, about, already):
            tell(line)
        if not yes and sys.stdin.isatty():
            click.confirm(f"Erase {person}, for ever?", default=False, abort=True, err=True)
        outcome = InProcessRecorder(recording, credentials.CLI).record([event])[0]
    if isinstance(outcome, RefusedEvent):
        raise Invalid(outcome.reason, outcome.pointer)
    result = {"person": person, "source": CLI_SOURCE, "id": event["id"], "acts": about, "again": already}
    show(result, as_json, lambda: _erased_lines(result))


def _acts_about(parts: Parts, person: str) -> int:
    with reading(parts.stores.model()) as connection:
        return count_about(connection, person)


def _is_erased(parts: Parts, person: str) -> bool:
    return parts.vault.existing_keys([person]).get(person, b"") is None


def _consequences(person: str, about: int, already: bool) -> Iterator[str]:
    yield f"{person}: {about} acts are about this key" + (", which was erased before" if already else "")
    yield "  never to be read again: what was said, names and reasons, in every copy and backup of log and database"
    yield "  stays: the key itself, what was done and when, signals, scores, proofs"
    yield f"  not here: whatever of yours says who {person} is, and copies that others have made: see to them"


def _erased_lines(result: dict[str, Any]) -> Iterator[str]:
    yield f"erased: the personal fields about {result['person']} can never be read again"

"""The vault of personal fields: `exemplar vault status`, `rotate` and `reapply`; all work beside a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from services.commands.terminal import FILE, as_json_option, progress_of, show, tell
from services.events.vault import rotation
from services.events.vault.ledger import Ledger
from services.kit import instants
from services.kit.settings import load_settings
from services.parts import opened


@click.group()
def vault() -> None:
    """The keys of personal fields: under which wrapping key they are, and who was erased."""


@vault.command("status")
@as_json_option
def status(as_json: bool) -> None:
    """Show how many keys are under which wrapping key, and how many were destroyed."""
    with opened(load_settings()) as parts:
        found, held, noted = rotation.status(parts.keys.engine), parts.keys.wrapping.read(), parts.keys.ledger
        result = {
            "wrappingKey": held.current.id,
            "next": held.next.id if held.next else None,
            "old": held.old.id if held.old else None,
            "keys": {id_ or "not noted": count for id_, count in found.under.items()},
            "erased": found.destroyed,
            "ledger": str(noted.path),
            "inLedger": len(noted.persons()),
        }
    show(result, as_json, lambda: _status_lines(result))


def _status_lines(result: dict[str, Any]) -> Iterator[str]:
    yield f"wrapping key {result['wrappingKey']}"
    for word in ("next", "old"):
        if result[word]:
            yield f"{word} wrapping key {result[word]}: a rotation is under way, `exemplar vault rotate` ends it"
    for id_, count in result["keys"].items():
        yield f"{count} keys under {id_}"
    yield f"{result['erased']} erased; {result['inLedger']} in the ledger {result['ledger']}"


@vault.command("rotate")
@as_json_option
def rotate(as_json: bool) -> None:
    """Put every key under a new wrapping key and forget the old one, beside processes that go on.

    Backups of the vault from before cannot be read any more: make one right after. Killed, run it again.
    """
    with opened(load_settings()) as parts, progress_of("wrapping", " keys") as on_progress:
        done = rotation.rotate(parts.keys.engine, parts.keys.wrapping, instants.now(), on_progress)
    show(done._asdict(), as_json, lambda: iter([f"{done.rewrapped} keys wrapped anew, under {done.wrapping}"]))
    tell("older backups of the vault are worth nothing now: make one, and keep a copy of the key file apart from it")


@vault.command("reapply")
@click.argument("ledger", type=FILE, required=False)
@as_json_option
def reapply(ledger: Path | None, as_json: bool) -> None:
    """Destroy again the keys of everybody in the erasure ledger, or in another copy of one.

    Every start does so with the ledger of the settings; this is for a ledger that was kept elsewhere.
    """
    with opened(load_settings()) as parts:
        noted = parts.keys.ledger if ledger is None else Ledger(ledger)
        erased, again = len(noted.persons()), len(parts.vault.destroy_again(noted))
    result = {"erased": erased, "destroyedAgain": again}
    show(result, as_json, lambda: iter([f"{erased} persons in the ledger, keys of {again} destroyed again"]))

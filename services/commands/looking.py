"""Looking at what is there: `exemplar status` and `exemplar explain`."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import click

from services.commands.terminal import FAILED, as_json_option, plain, show
from services.kit.settings import load_settings
from services.parts import opened
from services.parts.fold import status as status_of
from services.parts.gateway import explain as explanation_of


@click.command()
@as_json_option
def status(as_json: bool) -> None:
    """Show where the log ends, how far the fold is, and what is in the model; 1 if an operator is needed."""
    with opened(load_settings()) as parts:
        found = status_of(parts)
    show(found, as_json, lambda: (f"{name:<14} {plain(value)}" for name, value in found.items()))
    if found["problem"] or found["halted"]:
        sys.exit(FAILED)


@click.command()
@click.argument("source")
@click.argument("id_", metavar="ID")
@click.option("--subject", help="Whom the act concerns, where several have this source and id.")
@as_json_option
def explain(source: str, id_: str, subject: str | None, as_json: bool) -> None:
    """Say what became of an act and which signals rest on it: why is it not on the board?"""
    with opened(load_settings()) as parts:
        found = asyncio.run(explanation_of(parts, source, id_, subject))
    show(found, as_json, lambda: _explained_lines(found))
    if found["fate"] == "UNKNOWN":
        sys.exit(FAILED)


def _explained_lines(found: dict[str, Any]) -> Iterator[str]:
    place = f" at {found['partition']}:{found['offset']}" if found["partition"] is not None else ""
    yield f"{found['fate'].lower().replace('_', ' ')}{place}" + (f": {found['reason']}" if found["reason"] else "")
    if act := found["act"]:
        yield f"{act['type']} of {act['subject']}, rep {act['rep'] or 'none'}"
        yield f"it was at {act['time']}; the log took it in at {act['recordedAt']}"
    for drawn in found["signals"]:
        principle = drawn["principle"].lower().replace("_", "-")
        verdict = f"{drawn['verdict'].lower()} {principle}: {drawn['reason']}"
        yield f"  {drawn['at']}  {drawn['person']['key']}  {verdict}"

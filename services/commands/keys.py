"""`exemplar keys`: make, list and revoke API keys."""

from typing import Any

import click

from services.commands.terminal import as_json_option, show, tell
from services.events import credentials
from services.events.credentials import SCOPES
from services.kit import instants
from services.kit.settings import load_settings
from services.parts import opened

SCOPE = click.Choice(SCOPES)


@click.group()
def keys() -> None:
    """API keys: make, list, revoke."""


@keys.command("create")
@click.option("--name", required=True, help="Name of the key, kept in the log as the recorder of its acts.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    type=SCOPE,
    help="What it may do; repeat for more.",
)
@click.option("--source", "sources", multiple=True, help="Prefix of the sources it may write; repeat for more.")
@click.option("--person", help="Key of the person it belongs to.")
def keys_create(name: str, scopes: tuple[str, ...], sources: tuple[str, ...], person: str | None) -> None:
    """Make a key and print it, alone on stdout. It cannot be shown again."""
    with opened(load_settings()) as parts:
        click.echo(
            credentials.create_key(parts.stores.control, name, scopes, instants.now(), sources=sources, person=person)
        )


@keys.command("list")
@as_json_option
def keys_list(as_json: bool) -> None:
    """List the keys that were ever made."""
    with opened(load_settings()) as parts:
        found = credentials.list_keys(parts.stores.control)
    rows = [
        {
            "name": key.name,
            "scopes": list(key.scopes),
            "sources": list(key.sources),
            "person": key.person,
            "created": instants.format_rfc3339(key.created),
            "revoked": instants.format_rfc3339(key.revoked) if key.revoked is not None else None,
        }
        for key in found
    ]
    show(rows, as_json, lambda: (_key_line(row) for row in rows))


def _key_line(row: dict[str, Any]) -> str:
    state = f"revoked {row['revoked']}" if row["revoked"] else "valid"
    person = f"  person {row['person']}" if row["person"] else ""
    sources = f"  sources {','.join(row['sources'])}" if row["sources"] else ""
    return f"{row['name']}  {state}  {','.join(row['scopes'])}{sources}{person}  created {row['created']}"


@keys.command("revoke")
@click.argument("name")
def keys_revoke(name: str) -> None:
    """Revoke a key; servers refuse it within 5 seconds."""
    with opened(load_settings()) as parts:
        credentials.revoke_key(parts.stores.control, name, instants.now())
    tell(f"revoked: {name}")

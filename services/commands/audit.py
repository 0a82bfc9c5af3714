"""The transparency log: `exemplar audit key`, `checkpoint`, `prove`, `verify`, `export`; all work beside a server."""

import sys
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from services.commands.terminal import FAILED, FILE, as_json_option, progress_of, show, tell
from services.kit import instants
from services.kit.database import reading
from services.kit.errors import Invalid, NotFound
from services.kit.settings import load_settings
from services.parts import Parts, opened
from services.parts.audit import copies, signing
from services.projections.audit.checking import TreeChecked, check_tree
from services.projections.audit.notes import Checkpoint, Verifier, parse_verifier
from services.projections.audit.proofs import HEADER, Proven, check_proof, check_range, content, write_proof
from services.projections.audit.reading import index_of, latest_checkpoint, prove, shown
from services.projections.audit.records import values_at
from services.projections.queries.acts import find_pair, find_refused
from services.projections.queries.audit import AuditFilter
from services.projections.queries.audit_export import export

KEY = click.option(
    "--key", "keys", multiple=True, metavar="VERIFIER-KEY", help="As `audit key` printed it; repeatable."
)


@click.group()
def audit() -> None:
    """The transparency log: what was recorded and done, provably complete and unchanged."""


@audit.command("key")
@click.option("--next", "next_", is_flag=True, help="The one that takes over from it.")
def key(next_: bool) -> None:
    """Print the verifier key by which anybody can check the tree, alone on stdout."""
    with opened(load_settings()) as parts:
        signers = signing(parts).signers
    if next_ and len(signers) < 2:
        raise NotFound("there is no next key: EXEMPLAR_AUDIT_NEXT_KEY_FILE names none")
    click.echo(str(signers[1 if next_ else 0].verifier))


@audit.command("checkpoint")
def checkpoint() -> None:
    """Print the latest signed checkpoint."""
    with opened(load_settings()) as parts, reading(parts.audit) as connection:
        click.echo(latest_checkpoint(connection), nl=False)


@audit.command("prove")
@click.argument("source")
@click.argument("id_", metavar="ID")
@click.option("--subject", help="Whom the act concerns, where several have this source and id.")
def prove_(source: str, id_: str, subject: str | None) -> None:
    """Print a proof that an act is in the tree, to be kept in a file and checked offline."""
    with opened(load_settings()) as parts:
        place = _place(parts, source, id_, subject)
        with reading(parts.audit) as connection:
            number = index_of(connection, *place)
            proof, found = prove(connection, number), shown(connection, number)
        with closing(parts.log.reader()) as reader:
            values = values_at(reader, [place])
    if place not in values:
        raise NotFound(f"the log has no record at {place[0]}:{place[1]}")
    click.echo(write_proof(proof, content(found, values[place])), nl=False)


def _place(parts: Parts, source: str, id_: str, subject: str | None) -> tuple[int, int]:
    """Where the log has an act: the one that counts, else one that was refused. Raises NotFound."""
    with reading(parts.stores.model()) as connection:
        for act in find_pair(connection, source, id_, subject, None):
            return act.place
        for refused in find_refused(connection, source, id_, subject):
            return refused.partition, refused.offset
    raise NotFound("no such act is known: it is not in the log, or not folded yet")


@audit.command("verify")
@click.option("--offline", type=FILE, help="Check this proof or export alone, and open nothing else.")
@KEY
@as_json_option
def verify(offline: Path | None, keys: tuple[str, ...], as_json: bool) -> None:
    """Check the whole tree against the log and the checkpoints kept outside, or a file: 0 if all of it holds.

    Without --key, it is checked by the key that the settings name.
    """
    given = [parse_verifier(one) for one in keys]
    if offline is not None:
        tree, found = _check_file(offline, given or _own_verifiers())
        result = {"origin": tree.origin, "size": tree.size, "entries": [_proven(one) for one in found]}
        show(result, as_json, lambda: _proven_lines(tree, found))
        return
    checked = _check_all(given)
    told = {"sound": checked.sound, "size": checked.size, "copies": checked.copies, "faults": checked.faults}
    show({**told, "told": checked.told}, as_json, lambda: _checked_lines(checked))
    if not checked.sound:
        sys.exit(FAILED)


def _own_verifiers() -> list[Verifier]:
    with opened(load_settings()) as parts:
        return [signer.verifier for signer in signing(parts).signers]


def _check_file(path: Path, verifiers: Collection[Verifier]) -> tuple[Checkpoint, list[Proven]]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            if file.read(len(HEADER)) == HEADER:
                file.seek(0)
                tree, proven = check_proof(file.read(), verifiers)
                return tree, [proven]
            file.seek(0)
            return check_range((line.rstrip("\n") for line in file), verifiers)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is neither a proof nor an export") from error


def _check_all(given: list[Verifier]) -> TreeChecked:
    with opened(load_settings()) as parts, closing(parts.log.reader()) as reader:
        verifiers = given or [signer.verifier for signer in signing(parts).signers]
        kept = copies(parts).kept()  # before the tree is read, which only grows
        with progress_of("checking", " entries") as on_progress:
            return check_tree(parts.audit, reader, verifiers, kept, instants.now(), on_progress)


def _checked_lines(checked: TreeChecked) -> Iterator[str]:
    yield f"{checked.size} entries and {checked.copies} copies of checkpoints checked, {checked.faults} faults"
    yield from (f"  {fault}" for fault in checked.told)


def _proven(proven: Proven) -> dict[str, Any]:
    """An entry as JSON: what it says, and what it commits to as far as that is JSON."""
    told = {name: value for name, value in msgspec.to_builtins(proven.told).items() if value is not None}
    committed: Any = None
    if proven.committed is not None:
        try:
            committed = msgspec.json.decode(proven.committed)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            committed = proven.committed.decode("utf-8", "backslashreplace")
    return {"index": proven.number, **told, "committed": committed}


def _proven_lines(tree: Checkpoint, found: list[Proven]) -> Iterator[str]:
    yield f"it holds: {len(found)} of {tree.size} entries of {tree.origin}, none left out between them"
    for proven in found[:20]:
        place = f" {proven.told.partition}:{proven.told.offset}" if proven.told.partition is not None else ""
        yield f"  {proven.number}  {proven.told.kind}{place}  {proven.told.sha256}"


@audit.command("export")
@click.option("--from", "start", type=click.IntRange(0), default=0, show_default=True, help="First index.")
@click.option("--to", "end", type=click.IntRange(1), help="The index behind the last; by default all there is.")
@click.option("--subject", help="In full those that concern this person, customer or team.")
@click.option("--actor", help="In full those that this credential did.")
@click.option("--type", "types", multiple=True, help="In full acts of this type, or what is of this kind; repeatable.")
@click.option("--since", help="In full those of this instant and later, such as 2026-03-01T00:00:00Z.")
@click.option("--until", help="In full those before this instant.")
def export_(
    start: int,
    end: int | None,
    subject: str | None,
    actor: str | None,
    types: tuple[str, ...],
    since: str | None,
    until: str | None,
) -> None:
    """Print the entries of a range as JSON lines, with what proves that none of them was left out.

    With filters, those that do not match are there too, but without their record or document.
    """
    wanted = AuditFilter(subject, actor, types or None, _instant(since), _instant(until))
    with (
        opened(load_settings()) as parts,
        closing(parts.log.reader()) as reader,
        progress_of("exporting", " entries") as on_progress,
    ):
        for line in export(parts.audit, reader, wanted, start, end, on_progress):
            click.echo(line)
    tell("check it with `exemplar audit verify --offline FILE`")


def _instant(text: str | None) -> int | None:
    try:
        return None if text is None else instants.parse_rfc3339(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error

"""`exemplar dead-letters`: records that could not be folded."""

from contextlib import closing
from typing import Any

import click

from services.commands.terminal import as_json_option, plain, show
from services.kit import instants
from services.kit.settings import load_settings
from services.parts import opened
from services.parts.fold import source as source_of
from services.projections import dead_letters


@click.group("dead-letters")
def dead_letters_() -> None:
    """Records that could not be folded: list, show, retry, resume."""


@dead_letters_.command("list")
@click.option("--first", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most this many.")
@click.option("--after", metavar="PARTITION:OFFSET", help="Those behind this place.")
@as_json_option
def dead_letters_list(first: int, after: str | None, as_json: bool) -> None:
    """List them in the order of the log."""
    with opened(load_settings()) as parts:
        found = dead_letters.page(parts.stores.model(), first, _place(after) if after else None)
    rows = [_letter(letter) for letter in found]
    show(rows, as_json, lambda: (f"{row['place']}  {row['kind']}  {row['reason']}" for row in rows))


@dead_letters_.command("show")
@click.argument("place", metavar="PARTITION:OFFSET")
@as_json_option
def dead_letters_show(place: str, as_json: bool) -> None:
    """Show one, with the record as the log has it, and the trace context of its post."""
    with opened(load_settings()) as parts, closing(parts.log.reader()) as log:
        letter = dead_letters.show(parts.stores.model(), *_place(place))
        trace = dead_letters.trace(log, letter.partition, letter.offset)
    row = {**_letter(letter), "trace": trace, "record": letter.record.decode("utf-8", "backslashreplace")}
    show(row, as_json, lambda: (f"{name:<12} {plain(value)}" for name, value in row.items()))


@dead_letters_.command("retry")
@click.option("--yes", is_flag=True, help="Do it; without this it only says how many it would be.")
def dead_letters_retry(yes: bool) -> None:
    """Read the unreadable ones again by the current catalogue, and fold those that can be read now."""
    with opened(load_settings()) as parts, source_of(parts) as source:
        engine = parts.stores.model()
        count = dead_letters.readable(engine, parts.rules)
        if not yes:
            click.echo(f"{count} of {dead_letters.count(engine).unreadable} can be read now; --yes folds them")
            return
        done = dead_letters.retry(parts.stores, source.log, parts.vault, parts.rules, instants.now())
    click.echo(f"{done.folded} folded, {done.duplicates} were copies, {done.conflicts} conflicts")
    click.echo(f"{done.unreadable} cannot be read still")


@dead_letters_.command("resume")
@click.argument("partitions", nargs=-1, type=int)
def dead_letters_resume(partitions: tuple[int, ...]) -> None:
    """Let halted partitions (all, if none is named) go on behind what halted them."""
    with opened(load_settings()) as parts:
        found = dead_letters.resume(parts.stores, partitions or None)
    click.echo(f"going on: {', '.join(map(str, found)) or 'none was halted'}")


def _letter(letter: dead_letters.DeadLetter) -> dict[str, Any]:
    return {
        "place": f"{letter.partition}:{letter.offset}",
        "kind": letter.kind,
        "reason": letter.reason,
        "source": letter.source,
        "id": letter.act_id,
        "subject": letter.subject,
        "recordedAt": instants.format_rfc3339(letter.recorded_at),
    }


def _place(text: str) -> tuple[int, int]:
    partition, _, offset = text.partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise click.BadParameter("a place is PARTITION:OFFSET, such as 3:1042")
    return int(partition), int(offset)

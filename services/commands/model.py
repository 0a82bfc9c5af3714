"""The model as a whole: `exemplar migrate`, `rebuild` and `verify`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from services.commands.terminal import FAILED, as_json_option, progress_of, show, tell
from services.kit import instants
from services.kit.lock import holding
from services.kit.settings import PREFIX, load_settings
from services.parts import make_log, opened
from services.parts.audit import signing
from services.parts.fold import source as source_of
from services.projections import rebuild as rebuilding
from services.projections import verify as verifying


@click.command()
def migrate() -> None:
    """Make or update the log and all tables, and the key that signs the audit tree. Doing it again changes nothing."""
    settings = load_settings()
    make_log(settings)
    with opened(settings) as parts:
        parts.stores.migrate(parts.built, instants.now())
        signing(parts, may_make=True)
    tell("the log and all tables are up to date")


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def rebuild(yes: bool, as_json: bool) -> None:
    """Fold the whole log into a fresh model beside the live one, then switch to it in one step.

    Cancelled or killed, it leaves the live model as it was.
    """
    settings = load_settings()
    held = holding(settings.data_dir, f"{PREFIX}DATA_DIR")
    with held, opened(settings) as parts, source_of(parts) as source:
        plan = rebuilding.plan(parts.stores, source)
        tell(
            f"{plan.records} records to fold, in about {plan.seconds:.0f} s; the policy "
            + (f"changes from {plan.policy_before} to {plan.policy_after}" if plan.policy_changes else "stays as it is")
        )
        if not yes and sys.stdin.isatty():
            click.confirm("Rebuild?", default=True, abort=True, err=True)
        with pacing("rebuilding") as on_progress:
            done = rebuilding.rebuild(parts.stores, source, on_progress)
    result = {
        "acts": done.acts,
        "seconds": round(done.seconds, 3),
        "deadLetters": done.dead_letters_after,
        "moved": done.moved,
        "moves": [_move(move) for move in done.moves],
    }
    show(result, as_json, lambda: _rebuilt_lines(done))


def _move(move: rebuilding.Move) -> dict[str, Any]:
    return {
        "person": move.person,
        "principle": move.principle.slug,
        "before": move.before._asdict(),
        "after": move.after._asdict(),
    }


def _rebuilt_lines(done: rebuilding.Rebuilt) -> Iterator[str]:
    yield f"{done.acts} acts folded in {done.seconds:.1f} s"
    yield f"dead letters: {done.dead_letters_before} before, {done.dead_letters_after} now"
    yield f"scores that moved: {done.moved}"
    for move in done.moves:
        before, after = (f"{counts.kept} kept, {counts.breached} breached" for counts in (move.before, move.after))
        yield f"  {move.person}  {move.principle.slug}: {before} → {after}"


@click.command()
@as_json_option
def verify(as_json: bool) -> None:
    """Fold the log aside and compare: 0 if the model is what the log says, 1 if it differs."""
    settings = load_settings()
    held = holding(settings.data_dir, f"{PREFIX}DATA_DIR")
    with held, opened(settings) as parts, source_of(parts) as source, pacing("verifying") as on_progress:
        found = verifying.verify(parts.stores, source, on_progress)
    differences = [{"table": each.table, "key": [str(part) for part in each.key]} for each in found.differences]
    result = {"equal": found.equal, "rows": found.rows, "different": found.different, "differences": differences}
    show(result, as_json, lambda: _verified_lines(found))
    if not found.equal:
        sys.exit(FAILED)


def _verified_lines(found: verifying.Verified) -> Iterator[str]:
    yield f"{found.rows} rows compared, {found.different} differ"
    for each in found.differences:
        yield f"  {each.table} {' '.join(map(str, each.key))}"
    if not found.equal:
        yield "run `exemplar rebuild` to make the model what the log says"


@contextmanager
def pacing(what: str) -> Iterator[Callable[[rebuilding.Progress], None]]:
    """A bar for a rebuild."""
    with progress_of(what, " acts") as on_progress:
        yield lambda progress: on_progress(progress.done, progress.total)

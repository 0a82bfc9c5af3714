"""What commands say and show: results on stdout, the rest on stderr."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec

import click
from tqdm import tqdm

P = ParamSpec("P")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FAILED = 1  # exit code


def tell(message: str) -> None:
    """Say something to the person, on stderr."""
    click.echo(message, err=True)


def show(result: Any, as_json: bool, lines: Callable[[], Iterator[str]]) -> None:
    """Print a result on stdout: as JSON for programs, or line by line for people."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    for line in lines():
        click.echo(line)


def as_json_option(command: Callable[P, None]) -> Callable[P, None]:
    """The option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


@contextmanager
def progress_bar(what: str, unit: str, total: float | None) -> Iterator["tqdm[Any]"]:
    """A bar with rate and time left, on stderr if that is a terminal."""
    with tqdm(desc=what, unit=unit, total=total, file=sys.stderr, disable=None, unit_scale=True, leave=False) as bar:
        yield bar


@contextmanager
def progress_of(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """What tells such a bar how much is done, and of how much."""
    with progress_bar(what, unit, None) as bar:

        def on_progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield on_progress


def plain(value: object) -> str:
    """A value as people read it, on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items()) or "none"
    return "none" if value in (None, "") else str(value)

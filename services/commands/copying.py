"""A log into another one: `exemplar copy`."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from services.commands.terminal import as_json_option, progress_of, show
from services.events.log.copying import Copied
from services.events.log.copying import copy as copy_log
from services.events.log.opening import create_log, open_log
from services.kit.errors import Misconfigured, Unavailable
from services.kit.settings import PREFIX, load_settings
from services.parts import access


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--partitions", type=click.IntRange(1, 1024), help="Of TO, where it is made; by default as FROM has.")
@as_json_option
def copy(source: str, target: str, partitions: int | None, as_json: bool) -> None:
    """Copy every record of one log into another, read it back and compare.

    FROM and TO are sqlite:///FILE or kafka://HOST:PORT,…/TOPIC. TO is made where there is none; interrupted, or later,
    the same command goes on where it ends. FROM may be in use, and what is there at the start is copied; TO may not.
    """
    how = access(load_settings())
    with _naming("FROM"):
        original = open_log(source, None, how)
    wanted = partitions or original.identity.partitions
    with _naming("TO"):
        create_log(target, wanted, how)
        other = open_log(target, wanted, how)
    if partitions not in (None, other.identity.partitions):
        raise Misconfigured(f"--partitions: TO is there already, with {other.identity.partitions} partitions")
    try:
        with progress_of("copying and comparing", " steps") as on_progress:
            done = copy_log(original, other, on_progress)
    except Unavailable as error:
        raise Unavailable(f"{error}. Run the same command again: it goes on where TO ends") from error
    show({**done._asdict(), "equal": True}, as_json, lambda: _lines(done))


@contextmanager
def _naming(argument: str) -> Iterator[None]:
    """Have errors name the argument in place of the setting, whose log alone `migrate` makes."""
    try:
        yield
    except Misconfigured as error:
        told = str(error).replace(f"{PREFIX}LOG_URL", argument).partition(": run `exemplar migrate`")[0]
        raise Misconfigured(told) from error


def _lines(done: Copied) -> Iterator[str]:
    yield f"{done.copied} records copied, {done.there} were there: all of them compared, and equal"
    if done.lost:
        yield f"{done.lost} more are in TO that FROM has lost since: keep TO"
    if done.moved:
        yield f"{done.moved} have another place than in FROM, which has other partitions or has lost some offsets"

"""The command `exemplar`: what operators do. Results on stdout, the rest on stderr, exit code 0 only on success."""

import asyncio
import gc
import json
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click
from starlette.applications import Starlette
from tqdm import tqdm

from services import embedded, separate
from services import parts as assembly
from services.demo.year import year
from services.events import credentials
from services.events.credentials import SCOPES
from services.events.sources import http
from services.events.sources.importing import Progress, RefusedRow, import_file
from services.events.sources.in_process import InProcessRecorder
from services.events.sources.mapping import load_mapping
from services.events.sources.protocol import Recorder
from services.events.sources.protocol import Refused as RefusedEvent
from services.kit import instants, running
from services.kit.errors import ExemplarError, Invalid, Misconfigured
from services.kit.lock import holding
from services.kit.logs import configure_logs
from services.kit.settings import PREFIX, Settings, load_settings
from services.projections import dead_letters
from services.projections import rebuild as rebuilding
from services.projections import verify as verifying

P = ParamSpec("P")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SCOPE = click.Choice(SCOPES)

FAILED, WRONG_SETTINGS = 1, 2
DEMO_FOLDER = Path("exemplar-demo")
DEMO_MARK = "made-by-exemplar-demo"
CLI_SOURCE = "exemplar/cli"


def main() -> None:
    """Run the command that was called and exit: 0 on success, 1 on failure, 2 for wrong settings or usage."""
    gc.freeze()  # modules stay as long as the process: a collector that passes over them takes a fifth of a rebuild
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be told to stop is to be interrupted: clean up
    try:
        exemplar.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except (click.Abort, KeyboardInterrupt):
        tell("interrupted")
        sys.exit(130)
    except ExemplarError as error:
        tell(f"exemplar: {error}")
        sys.exit(WRONG_SETTINGS if isinstance(error, Misconfigured) else FAILED)


def settings_help() -> str:
    """Every setting with its default, for `exemplar --help`."""
    lines: list[str] = []
    for name, info in Settings.model_fields.items():
        default = "" if info.default in ("", None) else f" [{info.default}]"
        lines.append(f"  {PREFIX}{name.upper()}{default}\n      {info.description}")
    secrets = (
        f"  {PREFIX}SECRETS_DIR\n      folder of files named like these variables (in lower case), read for those unset"
    )
    return "\n".join(["\b", "Settings (environment variables, with their defaults):", *lines, secrets])


@click.group(epilog=settings_help(), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="exemplar")
def exemplar() -> None:
    """Scorecards of leading by example, folded from an immutable log of what salespeople and their leaders do."""
    configure_logs("warning")


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
def holding_node(settings: Settings) -> Iterator[embedded.Node]:
    """The node on the settings' files, held by this process alone."""
    held = holding(settings.data_dir, f"{PREFIX}DATA_DIR")
    with held, assembly.opened(settings) as parts, embedded.running(parts) as node:
        yield node


# ---- serving --------------------------------------------------------------------------------------------------------


def address_options(command: Callable[P, None]) -> Callable[P, None]:
    """The options `--host` and `--port`."""

    @click.option("--host", help=f"Address to listen on; default {PREFIX}HOST or 127.0.0.1.")
    @click.option("--port", type=click.IntRange(0, 65535), help=f"0: any free one; default {PREFIX}PORT or 8000.")
    @wraps(command)
    def with_options(*arguments: P.args, **named: P.kwargs) -> None:
        command(*arguments, **named)

    return with_options


def settings_for(host: str | None, port: int | None, **more: object) -> Settings:
    """The settings, with what the options of the command say in place."""
    given = {"host": host, "port": port, **more}
    return load_settings(**{name: value for name, value in given.items() if value is not None})


@exemplar.command()
@address_options
def serve(host: str | None, port: int | None) -> None:
    """Serve everything from one process: ingress, fold and gateway, on the files of the data folder."""
    settings = settings_for(host, port)
    configure_logs(settings.log_level)
    listening, url = running.listen(settings.host, settings.port)
    with listening, holding_node(settings) as node:
        running.serve(embedded.create_server_app(node), listening, url, bounds(settings))


def bounds(settings: Settings) -> running.Bounds:
    """What a server's clients may take."""
    return running.Bounds(
        settings.request_seconds,
        settings.answer_seconds,
        settings.live_message_bytes,
        settings.live_keep_alive_seconds,
    )


def _serve_alone(make: Callable[[assembly.Parts], AbstractContextManager[Starlette]], settings: Settings) -> None:
    """Serve one service of the production size, whose log and stores are shared: see that they are servers."""
    for variable, url in (("LOG_URL", settings.log), ("DATABASE_URL", settings.database)):
        if url.startswith("sqlite"):
            raise Misconfigured(
                f"{PREFIX}{variable}: separate services need Kafka and PostgreSQL; else run `exemplar serve`"
            )
    configure_logs(settings.log_level)
    listening, url = running.listen(settings.host, settings.port)
    with listening, assembly.opened(settings) as parts, make(parts) as app:
        running.serve(app, listening, url, bounds(settings))


@exemplar.command()
@address_options
def events(host: str | None, port: int | None) -> None:
    """Serve the ingress alone, on Kafka and PostgreSQL."""
    _serve_alone(separate.events_app, settings_for(host, port))


@exemplar.command()
@address_options
def projections(host: str | None, port: int | None) -> None:
    """Fold the log of Kafka into PostgreSQL; any number of processes share its partitions."""
    _serve_alone(separate.projections_app, settings_for(host, port))


@exemplar.command()
@address_options
def graphql(host: str | None, port: int | None) -> None:
    """Serve the gateway alone, on Kafka and PostgreSQL."""
    _serve_alone(separate.graphql_app, settings_for(host, port))


@exemplar.command()
@address_options
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The day on which the year ends; default today (UTC).")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed tells another year.")
@click.option("--load-only", is_flag=True, help="Load the year and exit.")
def demo(host: str | None, port: int | None, until: datetime | None, seed: int, load_only: bool) -> None:
    """Load a made-up year of three teams and serve it.

    It is told anew each time, into EXEMPLAR_DATA_DIR or the folder exemplar-demo; a folder with other data is refused.
    """
    own = load_settings()
    folder = own.data_dir if "data_dir" in own.model_fields_set else DEMO_FOLDER
    inside = {"log_url": "", "database_url": "", "vault_url": "", "vault_key_file": folder / "vault.key"}
    settings = settings_for(host, port, data_dir=folder, **inside)
    listening, url = running.listen(settings.host, settings.port)
    last_day = until.date() if until else datetime.now(UTC).date()
    with listening, holding(folder, f"{PREFIX}DATA_DIR"):
        _empty_demo_folder(folder)
        with assembly.opened(settings) as parts, embedded.running(parts) as node:
            _load_year(node, last_day, seed)
            if load_only:
                return
            tell(_things_to_try(url, last_day))
            running.serve(embedded.create_server_app(node), listening, url, bounds(settings))


def _empty_demo_folder(folder: Path) -> None:
    """Remove an earlier demo; refuse a folder that holds something else."""
    found = [path for path in folder.iterdir() if path.name != "lock"]
    if found and not (folder / DEMO_MARK).exists():
        raise Misconfigured(f"{PREFIX}DATA_DIR: {folder} holds data that no demo made: choose another folder")
    for path in found:
        path.unlink()
    (folder / DEMO_MARK).touch()


def _load_year(node: embedded.Node, until: date, seed: int) -> None:
    events = list(year(seed, until))
    recorder = InProcessRecorder(node.recording)
    with progress_bar("telling a year", " acts", len(events)) as bar:
        for start in range(0, len(events), 500):
            part = events[start : start + 500]
            for outcome in recorder.record(part):
                if isinstance(outcome, RefusedEvent):
                    raise Invalid(f"the made-up year holds an act that is refused: {outcome.reason}")
            bar.update(len(part))
    _catch_up(node)
    tell(f"loaded {len(events)} acts of a year that ends on {until}")


def _things_to_try(url: str, until: date) -> str:
    """What to do with a demo: three queries, ready to be pasted into GraphiQL."""
    period = f'period: {{from: "{until - timedelta(days=365)}", to: "{until}"}}'
    return f"""
Three leaders, three styles: River's guides, Summit's pushes at month's end, Harbour's says one thing and does another.
Open {url}/graphql and try these, or see {url}/ for where things are.

1. How do the three teams sell?
   {{ teams {{ edges {{ node {{ name scorecard({period}) {{
     scores {{ principle {{ title }} kept breached rate evidenceLevel }} guideIndex {{ value }} }} }} }} }} }}

2. Does Harbour's leader do as he says?
   {{ person(key: "p-004") {{ scorecard({period}) {{ score(principle: WALK_THE_TALK) {{
     rate interval {{ low high }} reasons {{ reason count }} }} }} }} }}

3. Which acts are behind Summit's pressing?
   {{ team(key: "t-summit") {{ scorecard({period}) {{ score(principle: NO_PRESSURE) {{
     trend(by: MONTH) {{ start kept breached }}
     signals(verdict: BREACHED, first: 3) {{ edges {{ node {{ at reason person {{ key name }}
       evidence {{ type time data }} }} }} }} }} }} }} }}
"""


def _catch_up(node: embedded.Node) -> None:
    """Wait until the fold has come to where the log ends now."""
    with closing(node.parts.log.reader()) as reader:
        ends = {partition: end - 1 for partition, end in reader.ends().items() if end}
    left = node.fold.status.waiting
    with progress_bar("folding", " acts", left) as bar:
        while not node.fold.positions.wait_until(ends, 0.5):
            waiting = node.fold.status.waiting
            bar.update(max(left - waiting, 0))
            left = waiting
            node.fold.check_going()


# ---- acts in --------------------------------------------------------------------------------------------------------


@exemplar.command("import")
@click.argument("file", type=FILE)
@click.option("--mapping", required=True, type=FILE, help="What the rows mean.")
@click.option("--to", "url", help="Send to this server instead of into the data folder.")
@click.option("--key-file", type=FILE, help="File with the key for --to.")
@click.option("--strict", is_flag=True, help="Stop at the first bad row.")
@as_json_option
def import_(file: Path, mapping: Path, url: str | None, key_file: Path | None, strict: bool, as_json: bool) -> None:
    """Import a CSV, JSON lines or XES file, gzipped or not. Importing again changes nothing."""
    rows = load_mapping(mapping)

    def run(recorder: Recorder) -> dict[str, int]:
        size = file.stat().st_size
        with progress_bar(f"importing {file.name}", "B", size) as bar:

            def on_progress(progress: Progress) -> None:
                bar.set_postfix_str(f"{progress.rows} rows", refresh=False)
                bar.update(progress.bytes_done - bar.n)

            def on_refused(row: RefusedRow) -> None:
                tqdm.write(f"{file}:{row.line}: {row.reason}", file=sys.stderr)

            summary = import_file(file, rows, recorder, strict=strict, on_refused=on_refused, on_progress=on_progress)
        return {name: getattr(summary, name) for name in ("read", "sent", "duplicates", "skipped", "refused")}

    if url is not None:
        with http_recorder(url, key_file) as over_http:
            result = run(over_http)
    else:
        with holding_node(load_settings()) as node:
            result = run(InProcessRecorder(node.recording))
            _catch_up(node)
    show(result, as_json, lambda: (f"{name:<11}{count:>9}" for name, count in result.items()))
    if result["refused"]:
        sys.exit(FAILED)


@contextmanager
def http_recorder(url: str, key_file: Path | None) -> Iterator[Recorder]:
    """A recorder that posts to a server."""
    recorder = http.HttpRecorder(url, http.read_key(key_file) if key_file else None)
    try:
        yield recorder
    finally:
        recorder.close()


@exemplar.command()
@click.argument("key")
@click.option("--by", required=True, help="Key of the person who erases.")
@click.option("--reason", required=True, help="Why; it is kept for ever, so no personal data.")
def erase(key: str, by: str, reason: str) -> None:
    """Erase the personal fields about a person or a customer, for ever. Scores and proofs stay as they were."""
    event = {
        "specversion": "1.0",
        "id": f"erase-{uuid.uuid4()}",
        "source": CLI_SOURCE,
        "type": "exemplar.person.erased.v1",
        "subject": key,
        "time": instants.format_rfc3339(instants.now()),
        "data": {"by": by, "reason": reason},
    }
    with assembly.opened(load_settings()) as parts, assembly.recording(parts) as recording:
        outcome = InProcessRecorder(recording, credentials.CLI).record([event])[0]
    if isinstance(outcome, RefusedEvent):
        raise Invalid(outcome.reason, outcome.pointer)
    tell(f"erased: the personal fields about {key} can never be read again")


# ---- keys -----------------------------------------------------------------------------------------------------------


@exemplar.group()
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
    with assembly.opened(load_settings()) as parts:
        click.echo(
            credentials.create_key(parts.stores.control, name, scopes, instants.now(), sources=sources, person=person)
        )


@keys.command("list")
@as_json_option
def keys_list(as_json: bool) -> None:
    """List the keys that were ever made."""
    with assembly.opened(load_settings()) as parts:
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
    with assembly.opened(load_settings()) as parts:
        credentials.revoke_key(parts.stores.control, name, instants.now())
    tell(f"revoked: {name}")


# ---- the model ------------------------------------------------------------------------------------------------------


@exemplar.command()
def migrate() -> None:
    """Make or update the log and all tables. Doing it again changes nothing."""
    settings = load_settings()
    assembly.make_log(settings)
    with assembly.opened(settings) as parts:
        parts.stores.migrate(parts.built, instants.now())
    tell("the log and all tables are up to date")


@exemplar.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def rebuild(yes: bool, as_json: bool) -> None:
    """Fold the whole log into a fresh model beside the live one, then switch to it in one step.

    Cancelled or killed, it leaves the live model as it was.
    """
    settings = load_settings()
    held = holding(settings.data_dir, f"{PREFIX}DATA_DIR")
    with held, assembly.opened(settings) as parts, assembly.source(parts) as source:
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


@exemplar.command()
@as_json_option
def verify(as_json: bool) -> None:
    """Fold the log aside and compare: 0 if the model is what the log says, 1 if it differs."""
    settings = load_settings()
    held = holding(settings.data_dir, f"{PREFIX}DATA_DIR")
    with held, assembly.opened(settings) as parts, assembly.source(parts) as source, pacing("verifying") as on_progress:
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
    with progress_bar(what, " acts", None) as bar:

        def on_progress(progress: rebuilding.Progress) -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        yield on_progress


# ---- looking --------------------------------------------------------------------------------------------------------


@exemplar.command()
@as_json_option
def status(as_json: bool) -> None:
    """Show where the log ends, how far the fold is, and what is in the model."""
    with assembly.opened(load_settings()) as parts:
        found = assembly.status(parts)
    show(found, as_json, lambda: (f"{name:<14} {_plain(value)}" for name, value in found.items()))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items()) or "none"
    return "none" if value in (None, "") else str(value)


@exemplar.command()
@click.argument("source")
@click.argument("id_", metavar="ID")
@click.option("--subject", help="Whom the act concerns, where several have this source and id.")
@as_json_option
def explain(source: str, id_: str, subject: str | None, as_json: bool) -> None:
    """Say what became of an act and which signals rest on it: why is it not on the board?"""
    with assembly.opened(load_settings()) as parts:
        found = asyncio.run(assembly.explain(parts, source, id_, subject))
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


@exemplar.group("dead-letters")
def dead_letters_() -> None:
    """Records that could not be folded: list, show, retry, resume."""


@dead_letters_.command("list")
@click.option("--first", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most this many.")
@click.option("--after", metavar="PARTITION:OFFSET", help="Those behind this place.")
@as_json_option
def dead_letters_list(first: int, after: str | None, as_json: bool) -> None:
    """List them in the order of the log."""
    with assembly.opened(load_settings()) as parts:
        found = dead_letters.page(parts.stores.model(), first, _place(after) if after else None)
    rows = [_letter(letter) for letter in found]
    show(rows, as_json, lambda: (f"{row['place']}  {row['kind']}  {row['reason']}" for row in rows))


@dead_letters_.command("show")
@click.argument("place", metavar="PARTITION:OFFSET")
@as_json_option
def dead_letters_show(place: str, as_json: bool) -> None:
    """Show one, with the record as the log has it."""
    with assembly.opened(load_settings()) as parts:
        letter = dead_letters.show(parts.stores.model(), *_place(place))
    row = {**_letter(letter), "record": letter.record.decode("utf-8", "backslashreplace")}
    show(row, as_json, lambda: (f"{name:<12} {_plain(value)}" for name, value in row.items()))


@dead_letters_.command("retry")
@click.option("--yes", is_flag=True, help="Do it; without this it only says how many it would be.")
def dead_letters_retry(yes: bool) -> None:
    """Read the unreadable ones again by the current catalogue, and fold those that can be read now."""
    with assembly.opened(load_settings()) as parts, assembly.source(parts) as source:
        engine = parts.stores.model()
        count = dead_letters.readable(engine, parts.rules)
        if not yes:
            click.echo(f"{count} of {dead_letters.count(engine).unreadable} can be read now; --yes folds them")
            return
        done = dead_letters.retry(engine, source.log, parts.vault, parts.rules)
    click.echo(f"{done.folded} folded, {done.duplicates} were copies, {done.conflicts} conflicts")
    click.echo(f"{done.unreadable} cannot be read still")


@dead_letters_.command("resume")
@click.argument("partitions", nargs=-1, type=int)
def dead_letters_resume(partitions: tuple[int, ...]) -> None:
    """Let halted partitions (all, if none is named) go on behind what halted them."""
    with assembly.opened(load_settings()) as parts:
        found = dead_letters.resume(parts.stores.model(), partitions or None)
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

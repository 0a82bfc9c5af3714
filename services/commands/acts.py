"""Acts from the operator's side: `exemplar import` and `exemplar erase`."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from tqdm import tqdm

from services.commands.embedded import catch_up, holding_node
from services.commands.terminal import FAILED, FILE, as_json_option, progress_bar, show, tell
from services.events import credentials
from services.events.sources import http
from services.events.sources.importing import Progress, RefusedRow, import_file
from services.events.sources.in_process import InProcessRecorder
from services.events.sources.mapping import load_mapping
from services.events.sources.protocol import Recorder
from services.events.sources.protocol import Refused as RefusedEvent
from services.kit import instants
from services.kit.errors import Invalid
from services.kit.settings import load_settings
from services.parts import opened
from services.parts.ingress import recording as recording_of

CLI_SOURCE = "exemplar/cli"


@click.command("import")
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
            catch_up(node)
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


@click.command()
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
    with opened(load_settings()) as parts, recording_of(parts) as recording:
        outcome = InProcessRecorder(recording, credentials.CLI).record([event])[0]
    if isinstance(outcome, RefusedEvent):
        raise Invalid(outcome.reason, outcome.pointer)
    tell(f"erased: the personal fields about {key} can never be read again")

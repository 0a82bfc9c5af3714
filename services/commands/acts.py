"""Acts from the operator's side: `exemplar import`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from tqdm import tqdm

from services.commands.embedded import catch_up, holding_node
from services.commands.terminal import FAILED, FILE, as_json_option, progress_bar, show
from services.events.sources import http
from services.events.sources.importing import Progress, RefusedRow, import_file
from services.events.sources.in_process import InProcessRecorder
from services.events.sources.mapping import load_mapping
from services.events.sources.protocol import Recorder
from services.kit.settings import load_settings


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

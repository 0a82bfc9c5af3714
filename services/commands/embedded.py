"""Everything in one process: `exemplar serve` and `exemplar demo`."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from services import embedded
from services.commands.serving import address_options, bounds, settings_for
from services.commands.terminal import progress_bar, tell
from services.demo.year import year
from services.events.sources.in_process import InProcessRecorder
from services.events.sources.protocol import Refused as RefusedEvent
from services.kit import running
from services.kit.errors import Invalid, Misconfigured
from services.kit.lock import holding
from services.kit.logs import configure_logs
from services.kit.settings import PREFIX, Settings, load_settings
from services.parts import opened

DEMO_FOLDER = Path("exemplar-demo")
DEMO_MARK = "made-by-exemplar-demo"


@contextmanager
def holding_node(settings: Settings) -> Iterator[embedded.Node]:
    """The node on the settings' files, held by this process alone."""
    held = holding(settings.data_dir, f"{PREFIX}DATA_DIR")
    with held, opened(settings) as parts, embedded.running(parts) as node:
        yield node


@click.command()
@address_options
def serve(host: str | None, port: int | None) -> None:
    """Serve everything from one process: ingress, fold and gateway, on the files of the data folder."""
    settings = settings_for(host, port)
    configure_logs(settings.log_level)
    listening, url = running.listen(settings.host, settings.port)
    with listening, holding_node(settings) as node:
        running.serve(embedded.create_server_app(node), listening, url, bounds(settings))


@click.command()
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
    inside = {
        "log_url": "",
        "database_url": "",
        "vault_url": "",
        "vault_key_file": folder / "vault.key",
        "erasures_dir": folder,
        "audit_key_file": folder / "audit.key",
        "audit_origin": "",
        "audit_copies_dir": folder,
        "audit_copies_command": "",
    }
    settings = settings_for(host, port, data_dir=folder, **inside)
    listening, url = running.listen(settings.host, settings.port)
    last_day = until.date() if until else datetime.now(UTC).date()
    with listening, holding(folder, f"{PREFIX}DATA_DIR"):
        _empty_demo_folder(folder)
        with opened(settings) as parts, embedded.running(parts) as node:
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
    catch_up(node)
    tell(f"loaded {len(events)} acts of a year that ends on {until}")


def _things_to_try(url: str, until: date) -> str:
    """What to do with a demo: where its dashboard is, and three queries, ready to be pasted into GraphiQL."""
    period = f'period: {{from: "{until - timedelta(days=365)}", to: "{until}"}}'
    return f"""
Three leaders, three styles: River's guides, Summit's pushes at month's end, Harbour's says one thing and does another.
The dashboard: {url}/dashboard

Or open {url}/graphql and try these; {url}/ says where things are.

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


def catch_up(node: embedded.Node) -> None:
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

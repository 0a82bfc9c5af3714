"""The command `exemplar`: what operators do. Results on stdout, the rest on stderr, exit code 0 only on success."""

import signal
import sys
from collections.abc import Mapping
from importlib import import_module

import click

from services.commands.terminal import FAILED, tell
from services.kit import collector
from services.kit.errors import ExemplarError, Misconfigured
from services.kit.logs import configure_logs
from services.kit.settings import PREFIX, Settings

WRONG_SETTINGS = 2  # exit code
COMMANDS: Mapping[str, str] = {
    "audit": "audit:audit",
    "copy": "copying:copy",
    "dead-letters": "dead_letters:dead_letters_",
    "demo": "embedded:demo",
    "erase": "erasure:erase",
    "events": "events:events",
    "explain": "looking:explain",
    "graphql": "gateway:graphql",
    "import": "acts:import_",
    "keys": "keys:keys",
    "migrate": "model:migrate",
    "projections": "projections:projections",
    "rebuild": "model:rebuild",
    "serve": "embedded:serve",
    "status": "looking:status",
    "subject": "subject:subject",
    "vault": "vault:vault",
    "verify": "model:verify",
}
"""Where in `services.commands` each command is: module and name."""


def main() -> None:
    """Run the command that was called and exit: 0 on success, 1 on failure, 2 for wrong settings or usage."""
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


class _Commands(click.Group):
    """Commands that are imported when they are called, so that a service has in memory only what it serves."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See Group."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See Group."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        with collector.paused():
            command: click.Command = getattr(import_module(f"services.commands.{module}"), name)
        collector.spare()
        return command


@click.group(
    cls=_Commands,
    epilog=settings_help(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="exemplar")
def exemplar() -> None:
    """Scorecards of leading by example, folded from an immutable log of what salespeople and their leaders do."""
    configure_logs("warning")

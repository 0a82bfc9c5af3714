"""What every command that serves has: its options, and how it serves."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import ParamSpec

import click
from starlette.applications import Starlette

from services.kit import running
from services.kit.errors import Misconfigured
from services.kit.logs import configure_logs
from services.kit.settings import PREFIX, Settings, load_settings
from services.parts import Parts, opened

P = ParamSpec("P")


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


def bounds(settings: Settings) -> running.Bounds:
    """What a server's clients may take."""
    return running.Bounds(
        settings.request_seconds,
        settings.answer_seconds,
        settings.live_message_bytes,
        settings.live_keep_alive_seconds,
    )


def serve_alone(make: Callable[[Parts], AbstractContextManager[Starlette]], settings: Settings) -> None:
    """Serve one service of the production size, whose log and stores are shared: see that they are servers."""
    for variable, url in (("LOG_URL", settings.log), ("DATABASE_URL", settings.database)):
        if url.startswith("sqlite"):
            raise Misconfigured(
                f"{PREFIX}{variable}: separate services need Kafka and PostgreSQL; else run `exemplar serve`"
            )
    configure_logs(settings.log_level)
    listening, url = running.listen(settings.host, settings.port)
    with listening, opened(settings) as parts, make(parts) as app:
        running.serve(app, listening, url, bounds(settings))

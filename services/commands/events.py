"""`exemplar events`."""

import click

from services.commands.serving import address_options, serve_alone, settings_for
from services.separate.events import events_app


@click.command()
@address_options
def events(host: str | None, port: int | None) -> None:
    """Serve the ingress alone, on Kafka and PostgreSQL."""
    serve_alone(events_app, settings_for(host, port))

"""`exemplar graphql`."""

import click

from services.commands.serving import address_options, serve_alone, settings_for
from services.separate.gateway import graphql_app


@click.command()
@address_options
def graphql(host: str | None, port: int | None) -> None:
    """Serve the gateway alone, on Kafka and PostgreSQL."""
    serve_alone(graphql_app, settings_for(host, port))

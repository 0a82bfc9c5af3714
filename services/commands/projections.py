"""`exemplar projections`."""

import click

from services.commands.serving import address_options, serve_alone, settings_for
from services.separate.projections import projections_app


@click.command()
@address_options
def projections(host: str | None, port: int | None) -> None:
    """Fold the log of Kafka into PostgreSQL; any number of processes share its partitions."""
    serve_alone(projections_app, settings_for(host, port))

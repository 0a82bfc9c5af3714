"""What a service has in memory: what it serves, and no more."""

import subprocess
import sys

import pytest

GATEWAY = {"graphql", "strawberry"}
ONCE = {"alembic", "mako"}  # to make tables
TOKENS = {"jwt"}


@pytest.mark.parametrize("service", ["events", "projections"])
def test_a_service_imports_what_it_serves_alone(service: str) -> None:
    """Neither the gateway nor what makes tables or reads tokens is imported with the events service or the fold."""
    asked = f"import services.cli, services.commands.{service}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert not imported & (GATEWAY | ONCE | TOKENS)


def test_a_server_on_files_imports_no_client_of_databases_or_brokers() -> None:
    """One process on SQLite has neither PostgreSQL's driver nor Kafka's client in memory."""
    asked = "import services.cli, services.commands.embedded, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert not {name.partition(".")[0] for name in done.stdout.split()} & {"psycopg", "kafka"}

"""Each benchmark, at a size at which its figures mean nothing: it must still run, and print what it compares."""

from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.measuring import TINY, figure, quantile

ROWS = {
    "ingress": ["`exemplar serve`", "the log alone", "a bare route"] * 2,
    "events": [
        "single events, 64 at once",
        "a bare app: single events, 64 at once",
        "batches of 100, 8 at once",
        "a bare app: batches of 100, 8 at once",
        "kafka-python, tuned",
        "kafka-python, its defaults",
        *("its libraries, only imported", "started", "after 800 events"),
    ],
    "fold": [
        "`eventsourcing`: an act a transaction",
        "far behind: 20,000 acts a batch",
        "near the end: 2,000 acts a batch",
        "a trickle: 100 acts a batch",
    ],
    "projections": [
        "`eventsourcing`: an act a transaction",
        "reading the topic alone",
        "far behind: all 300 acts",
        "the same, shared by 2 projectors",
        "near the end: 2,000 acts a batch",
        "a trickle: 100 acts a batch",
        *("0", "300", "500"),
    ],
    "relationship": ["adversarial (`tests/reference`)", "the made-up year, all with one customer"],
    "rebuild": [
        "SQLite: 300 acts, one process",
        "SQLite: 300 acts",
        "SQLite: 500 acts of long histories",
        "Kafka and PostgreSQL: 500 acts of long histories",
        "the same, verified",
    ],
    "scorecards": [
        *("scorecard of a team",) * 2,
        *("`/livez`",) * 2,
        *("the same card: `exemplar graphql` on PostgreSQL",) * 2,
        *("started", "after reads"),
    ],
    "cards": [f"{days} days: {who}" for days in (90, 365) for who in ("gateway", "Strawberry as it comes")],
    "examples": ["SQLite: example", "SQLite: equity", "PostgreSQL: example", "PostgreSQL: equity"],
    "dashboard": [
        "a team over a quarter",
        "a team over a year",
        "its signals on a principle",
        "its leader's example over a year",
        "week by week over a year",
        "a person's card over a year",
    ],
    "memory": ["0", "300"],
    "live": ["0", "5", "5"],
    "audit": ["SQLite", "PostgreSQL", "a batch of 100 each 0.1 s", "one after the other"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_runs_and_prints_its_rows(name: str, tmp_path: Path) -> None:
    """Every benchmark runs against the real thing and prints one complete row for each thing it compares."""
    tables = BENCHMARKS[name](TINY, tmp_path)
    rows = [row for table in tables for row in table.rows]
    assert [row[0] for row in rows] == ROWS[name]
    for table in tables:
        assert all(len(row) == len(table.columns) and all(row) for row in table.rows)
        assert str(table).startswith(f"### {table.title}\n\n| ")


def test_quantiles_and_figures() -> None:
    """A quantile is a value that was measured; a figure has no more digits than mean something."""
    assert [quantile([4.0, 1.0, 3.0, 2.0], share) for share in (0.5, 0.75, 0.99)] == [2.0, 3.0, 4.0]
    figures = [figure(value) for value in (0.123, 12.34, 123.4, 1234.0, 123456.0)]
    assert figures == ["0.12", "12.3", "123", "1,230", "123,000"]

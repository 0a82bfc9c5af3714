"""The record of reads, on both databases."""

from sqlalchemy import URL, select

from services.kit.database import create_area, open_engine
from services.projections.migrations import migrate_area
from services.projections.reads import Read, record_reads
from services.projections.tables import reads


def test_entries_are_kept_in_their_order(database_url: URL) -> None:
    """Each is one row, numbered as it came, with its keys as JSON."""
    engine = open_engine(database_url, "control")
    create_area(engine, "control")
    migrate_area(engine, "control")
    record_reads(
        engine, [Read(7, "person:ann", "ann", ["rik", "rosa"], ["card"]), Read(8, "ops", None, ["ü"], ["acts"])]
    )
    record_reads(engine, [Read(9, "open", None, ["rik"], ["personal", "signals"])])
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(select(reads).order_by(reads.c.id))]
    assert rows == [
        (1, 7, "person:ann", "ann", '["rik","rosa"]', '["card"]'),
        (2, 8, "ops", None, '["ü"]', '["acts"]'),
        (3, 9, "open", None, '["rik"]', '["personal","signals"]'),
    ]
    engine.dispose()

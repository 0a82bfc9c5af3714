"""Several services that start at once on a database where there is nothing yet."""

from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import URL, select

from services.kit.database import reading
from services.kit.settings import Settings
from services.parts import opened
from services.projections.stores import LIVE, Stores
from services.projections.tables import generations

SERVICES = 6


def _start(url: str, folder: Path, together: Barrier) -> None:
    together.wait(120)
    with opened(Settings(data_dir=folder, database_url=url, vault_url=url)) as parts:
        parts.stores.migrate(parts.built, 0)


@pytest.mark.postgres
def test_of_several_that_start_at_once_one_makes_the_tables_for_all(fresh_postgres: URL, tmp_path: Path) -> None:
    """All of them start, none trips over what another one makes, and there is one generation, which is live."""
    url, context = fresh_postgres.render_as_string(hide_password=False), get_context("spawn")
    together = context.Barrier(SERVICES)
    started = [context.Process(target=_start, args=(url, tmp_path, together)) for _ in range(SERVICES)]
    for process in started:
        process.start()
    for process in started:
        process.join(180)
    assert [process.exitcode for process in started] == [0] * SERVICES
    stores = Stores(fresh_postgres)
    with reading(stores.control) as connection:
        assert connection.execute(select(generations.c.generation, generations.c.state)).all() == [(1, LIVE)]
    stores.close()

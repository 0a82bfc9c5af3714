"""The database of two dialects: what its errors say."""

from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from services.kit.database import area_file, open_engine, reading, writing
from services.kit.errors import Corrupt


@pytest.mark.parametrize("write", [False, True])
def test_a_damaged_file_is_told_by_its_name(tmp_path: Path, write: bool) -> None:
    """A file that is no database any more is Corrupt, saying which one it is and what to do."""
    url = make_url(f"sqlite:///{tmp_path / 'exemplar.sqlite'}")
    area_file(url, "control").write_bytes(b"no database" * 1000)
    engine = open_engine(url, "control")
    begin = writing if write else reading
    with pytest.raises(Corrupt, match=r"exemplar\.control\.sqlite is damaged.*restore it"), begin(engine) as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()

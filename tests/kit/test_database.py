"""The database of two dialects: what its errors say."""

import socket
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text, func, make_url, select, text

from services.kit.database import (
    answers,
    area_file,
    create_area,
    insert_missing_alone,
    insert_rows,
    look_up,
    open_engine,
    parse_url,
    reading,
    writing,
)
from services.kit.errors import Corrupt, Unavailable


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


@pytest.mark.postgres
def test_what_passes_in_postgresql_is_unavailable(postgres_url: str) -> None:
    """A server that only stands by, and tables of a generation that was dropped: to be tried again, not to stop at."""
    engine = open_engine(parse_url(postgres_url, "EXEMPLAR_DATABASE_URL"), "control")
    with pytest.raises(Unavailable), reading(engine) as connection:
        connection.execute(text("SELECT 1 FROM dropped"))
    with pytest.raises(Unavailable), reading(engine) as connection:  # it may not write, as nobody may on a standby
        connection.execute(text("CREATE TABLE numbers (number integer)"))
    engine.dispose()


def test_a_database_that_says_nothing_does_not_answer() -> None:
    """Whoever refuses a connection has answered; who takes it and greets nobody has not."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = make_url(f"postgresql+psycopg://exemplar@127.0.0.1:{silent.getsockname()[1]}/exemplar")
        assert not answers(open_engine(url, "control"))
    assert answers(open_engine(url, "control"))


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_database_that_is_there_answers(request: pytest.FixtureRequest, tmp_path: Path, dialect: str) -> None:
    """PostgreSQL greets who connects; of a file nothing is asked."""
    url = f"sqlite:///{tmp_path / 'any.sqlite'}" if dialect == "sqlite" else request.getfixturevalue("postgres_url")
    assert answers(open_engine(parse_url(url, "EXEMPLAR_DATABASE_URL"), "control"))


@pytest.mark.postgres
def test_a_connection_that_is_lost_before_rows_are_copied_is_unavailable(postgres_url: str) -> None:
    """COPY goes past SQLAlchemy: the end of its connection is told as that of any other statement, and passes."""
    engine = open_engine(parse_url(postgres_url, "EXEMPLAR_DATABASE_URL"), "control")
    numbers = Table("numbers", MetaData(), Column("number", Integer))

    def lose_and_copy() -> None:
        with writing(engine) as connection:
            mine = connection.scalar(select(func.pg_backend_pid()))
            with engine.connect() as other:
                other.execute(select(func.pg_terminate_backend(mine)))
            insert_rows(connection, numbers, [(1,)])

    with pytest.raises(Unavailable):
        lose_and_copy()
    with writing(engine) as connection:
        connection.execute(text("CREATE TEMPORARY TABLE numbers (number integer)"))
        insert_rows(connection, numbers, [(1,), (None,)])
        assert connection.execute(select(numbers)).all() == [(1,), (None,)]
    engine.dispose()


@pytest.mark.postgres
def test_what_goes_straight_to_postgresql_has_every_type(postgres_url: str) -> None:
    """Rows are inserted but where their key is there, and found again by columns of any type, whatever the texts."""
    engine = open_engine(parse_url(postgres_url, "EXEMPLAR_DATABASE_URL"), "straight_types")
    create_area(engine, "straight_types")
    things = Table(
        "things",
        MetaData(),
        Column("name", Text, primary_key=True),
        Column("number", BigInteger),
        Column("bytes", LargeBinary),
    )
    things.create(engine)
    rows = [("a", 2**62, b"\0\xff"), ('"$1 %s\\ñ\U0001f600', None, None)]
    assert sorted(insert_missing_alone(engine, things, rows)) == sorted(name for name, *_ in rows)
    assert insert_missing_alone(engine, things, [("a", 1, b""), ("b", 1, b"")]) == ["b"]
    rows.append(("b", 1, b""))
    found = look_up(engine, list(things.columns), [things.c.name], [(name,) for name, *_ in rows] + [("other",)])
    assert sorted(map(tuple, found)) == sorted(rows)
    assert look_up(engine, [things.c.name], [things.c.bytes, things.c.number], [(b"\0\xff", 2**62)]) == [("a",)]
    assert look_up(engine, [things.c.name], [things.c.name], []) == []
    engine.dispose()


@pytest.mark.postgres
def test_what_goes_straight_to_postgresql_and_fails_is_unavailable(postgres_url: str) -> None:
    """A table that is gone and a connection that is lost pass, and leave behind nothing that disturbs others."""
    engine = open_engine(parse_url(postgres_url, "EXEMPLAR_DATABASE_URL"), "straight_errors")
    create_area(engine, "straight_errors")
    names = Table("names", MetaData(), Column("name", Text, primary_key=True))
    for _ in range(2):
        with pytest.raises(Unavailable):
            look_up(engine, [names.c.name], [names.c.name], [("a",)])
    names.create(engine)
    with engine.connect() as killer, engine.connect() as other:
        mine = other.scalar(select(func.pg_backend_pid()))
        other.close()
        killer.execute(select(func.pg_terminate_backend(mine)))
    with pytest.raises(Unavailable):
        look_up(engine, [names.c.name], [names.c.name], [("a",)])
    insert_missing_alone(engine, names, [("a",)])
    with writing(engine) as connection:
        assert connection.execute(select(names)).all() == [("a",)]
    engine.dispose()

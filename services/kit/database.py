"""SQLite and PostgreSQL behind one path: SQLAlchemy Core, synchronous, called in threads from async code.

A store is a *database* (its URL) and an *area* of it, such as `model_3`: in PostgreSQL a schema of that database, in
SQLite a file of its own beside the one that the URL names. What differs between the two dialects is in this module.
"""

import math
import os
import re
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    Select,
    SmallInteger,
    Table,
    Text,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from services.kit.errors import Corrupt, Misconfigured, Unavailable

BUSY_SECONDS = 30
TABLES_TURN = 0x6578656D706C6100  # any number of its own, for PostgreSQL's advisory locks
CANCEL_SECONDS = 2.0
PING_AFTER_SECONDS = 1.0
ANSWER_SECONDS = 3  # in which any PostgreSQL that is not away greets who connects
# That PostgreSQL is gone without a word is noticed within about ten seconds, not after the system's quarter of an hour.
NOTICED_SOON: Mapping[str, int] = {
    "connect_timeout": 5,  # seconds; the last one is in milliseconds
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# How PostgreSQL calls the types of columns when it copies.
_COPIED: Mapping[type, str] = {
    BigInteger: "int8",
    Boolean: "bool",
    Integer: "int4",
    LargeBinary: "bytea",
    SmallInteger: "int2",
    Text: "text",
}
# Of PostgreSQL's errors those that pass, which its driver counts among the faults of whoever asks: a server that only
# stands by, at a failover; tables that are gone, as those of a generation that was live when they were asked.
_PASSING = frozenset({"25006", "42P01"})
_AREA = re.compile(r"[a-z][a-z0-9_]{0,39}")


def parse_url(url: str, variable: str) -> URL:
    """The URL of a database, SQLite or PostgreSQL (psycopg 3). Raises Misconfigured naming the variable."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Misconfigured(f"{variable} is not a database URL such as sqlite:///exemplar.sqlite") from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed
    raise Misconfigured(f"{variable} must be sqlite:///FILE or postgresql://USER@HOST/DATABASE")


def area_file(url: URL, area: str) -> Path:
    """The file that holds an area of an SQLite database: `exemplar.sqlite` + `model_3` → `exemplar.model_3.sqlite`."""
    path = Path(str(url.database))
    return path.with_name(f"{path.stem}.{area}{path.suffix}")


def schema_name(area: str) -> str:
    """The PostgreSQL schema that holds an area."""
    return f"exemplar_{area}"


def open_engine(url: URL, area: str, lax: bool = False) -> Engine:
    """An engine on one area of a database. Nothing is connected or created yet but SQLite's folder.

    Errors quote no data. What the URL says of time-outs counts before what is said here. `lax` is for filling an area
    that is thrown away if anything happens: nothing is durable before `sync_area`.
    """
    if not _AREA.fullmatch(area):
        raise ValueError(f"not an area: {area!r}")
    if url.get_backend_name() == "postgresql":
        options = f"-csearch_path={schema_name(area)}" + (" -csynchronous_commit=off" if lax else "")
        given = {name: value for name, value in NOTICED_SOON.items() if name not in url.query}
        engine = create_engine(url, pool_size=8, hide_parameters=True, connect_args={**given, "options": options})
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_ping_after_rest, engine))
        return engine
    file = area_file(url, area)
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url.set(database=str(file)), pool_size=8, max_overflow=32, hide_parameters=True)
    event.listen(engine, "connect", _prepare_lax_sqlite if lax else _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def create_area(engine: Engine, area: str) -> None:
    """Make sure that the area can hold tables: PostgreSQL's schema is created; an SQLite file needs nothing."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            wait_for_turn(connection)  # IF NOT EXISTS is no help where two do so at once
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema_name(area)}"'))


def drop_area(url: URL, area: str) -> None:
    """Remove an area with all it holds. Engines on it must have been disposed of before."""
    if url.get_backend_name() == "postgresql":
        engine = open_engine(url, area)
        with engine.begin() as connection:
            connection.execute(text(f'DROP SCHEMA IF EXISTS "{schema_name(area)}" CASCADE'))
        engine.dispose()
        return
    file = area_file(url, area)
    for path in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
        path.unlink(missing_ok=True)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any error.

    Raises Unavailable if the database is, Corrupt if an SQLite file is damaged.
    """
    with _translated(engine), engine.begin() as connection:
        yield connection


def end_if_hung(connection: Connection, seconds: float) -> None:
    """Have this transaction ended, with all that it locks, if its process neither asks nor reads for so long.

    PostgreSQL alone needs it: it keeps the locks of a process that is stopped or cut off, while others wait for them.
    """
    if connection.dialect.name == "postgresql":
        limits = ("idle_in_transaction_session_timeout", "tcp_user_timeout")
        most = str(int(seconds * 1000))
        connection.execute(select(*(func.set_config(limit, most, True) for limit in limits)))


def wait_for_turn(connection: Connection, turn: int = TABLES_TURN) -> None:
    """Wait for other processes' transactions that asked for this turn; others wait for it until this one ends.

    In SQLite there is but one writing transaction at a time.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(turn)))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent snapshot to read from; in SQLite it neither waits for writers nor stops them.

    Raises as `writing` does.
    """
    with _translated(engine):
        if engine.dialect.name == "postgresql":
            options = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            options = engine.execution_options(exemplar_readonly=True)
        with options.connect() as connection, connection.begin():
            yield connection


def interrupt(connection: Connection) -> None:
    """Have the statement that another thread runs on this connection end at once, as one that failed."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "postgresql":
        driver.cancel_safe(timeout=CANCEL_SECONDS)
    else:
        driver.interrupt()


@contextmanager
def asking(engine: Engine) -> Iterator[Connection]:
    """To ask one thing: as `reading`, but each statement sees a snapshot of its own.

    PostgreSQL answers it without the messages that begin and end a transaction.
    """
    if engine.dialect.name != "postgresql":
        with reading(engine) as connection:
            yield connection
        return
    with _translated(engine), engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def answers(engine: Engine) -> bool:
    """Whether the database says anything at all, asked on a connection of its own; a file has nothing to say.

    Who is refused was answered. Only silence is none: it stands still, or what is sent does not reach it.
    """
    if engine.dialect.name != "postgresql":
        return True
    psycopg: Any = engine.dialect.loaded_dbapi
    given, named = engine.dialect.create_connect_args(engine.url)
    try:
        psycopg.connect(*given, **{**named, "connect_timeout": ANSWER_SECONDS}).close()
    except psycopg.errors.ConnectionTimeout:
        return False
    except psycopg.Error:
        return True
    return True


def one_writer(engine: Engine) -> bool:
    """Whether only one connection at a time can write: an SQLite file."""
    return engine.dialect.name == "sqlite"


def sync_area(url: URL, area: str) -> None:
    """Make durable what a lax engine wrote, once it has been disposed of.

    PostgreSQL needs nothing: its next durable commit takes all earlier ones with it.
    """
    if url.get_backend_name() != "postgresql":
        file = area_file(url, area)
        for path in (file.with_name(file.name + "-wal"), file):
            if path.exists():
                with path.open("rb+") as opened:
                    os.fsync(opened.fileno())


def refresh_statistics(engine: Engine, tables: Iterable[Table]) -> None:
    """Tell PostgreSQL at once what is in tables that were filled; by itself it looks some minutes later."""
    if engine.dialect.name == "postgresql":
        with writing(engine) as connection:
            for table in tables:
                connection.execute(text(f"ANALYZE {table.name}"))


def among(
    connection: Connection, columns: Sequence[ColumnElement[Any]], rows: Collection[Sequence[Any]]
) -> ColumnElement[bool]:
    """The condition that the columns (text or integers) have the values of one of the rows, however many there are.

    In PostgreSQL columns of any type.
    """
    if connection.dialect.name == "postgresql":
        return tuple_(*columns).in_(_unnested(columns, rows))
    table = func.json_each(_json(rows)).table_valued("value")
    values = [func.json_extract(table.c.value, f"$[{place}]") for place in range(len(columns))]
    return tuple_(*columns).in_(select(*values))


def look_up(
    engine: Engine, wanted: Sequence[Column[Any]], keys: Sequence[Column[Any]], rows: Collection[Sequence[Any]]
) -> Sequence[Sequence[Any]]:
    """The wanted columns wherever the key columns, of the same table, have the values of one of the rows.

    As by `among`, for what is asked for each request: straight from PostgreSQL's driver it takes a tenth of the CPU.
    """
    if not rows:
        return []
    statement, given = _look_up_statement(engine.dialect.name, tuple(wanted), tuple(keys)), _json(rows)
    if engine.dialect.name == "postgresql":
        with _straight(engine) as cursor:
            found: list[Sequence[Any]] = cursor.execute(statement, (given,)).fetchall()
            return found
    with reading(engine) as connection:
        return connection.exec_driver_sql(statement, (given,)).all()


@lru_cache(maxsize=64)
def _look_up_statement(dialect: str, wanted: Sequence[Column[Any]], keys: Sequence[Column[Any]]) -> str:
    if dialect == "postgresql":
        given = _given_rows(keys)
    else:
        places = (f"json_extract(value, '$[{place}]')" for place in range(len(keys)))
        given = f"SELECT {', '.join(places)} FROM json_each(?)"
    columns, where = (", ".join(column.name for column in some) for some in (wanted, keys))
    return f"SELECT {columns} FROM {keys[0].table.name} WHERE ({where}) IN ({given})"


def _given_rows(columns: Sequence[Column[Any]]) -> str:
    """Rows given to PostgreSQL as one text of JSON, which costs this process half of what arrays do."""
    values = (
        f"decode(value->>{place}, 'base64')"
        if isinstance(column.type, LargeBinary)
        else f"(value->>{place})::{column.type.compile()}"
        for place, column in enumerate(columns)
    )
    return f"SELECT {', '.join(values)} FROM jsonb_array_elements($1::jsonb)"


def _json(rows: Collection[Sequence[Any]]) -> str:
    return msgspec.json.encode(list(rows)).decode()


@contextmanager
def _straight(engine: Engine) -> Iterator[Any]:
    """A cursor of PostgreSQL's driver, past SQLAlchemy: each statement has `$1` and is a transaction of its own."""
    psycopg: Any = engine.dialect.loaded_dbapi
    with _translated(engine):
        borrowed: Any = engine.raw_connection()
        driver = borrowed.driver_connection
        try:
            driver.autocommit = True
            yield psycopg.RawCursor(driver)
        except psycopg.Error as error:
            if error.sqlstate in _PASSING:
                raise Unavailable("the database does not do this now") from error
            raise
        finally:
            if driver.closed:
                borrowed.invalidate()
            else:
                driver.autocommit = False
            borrowed.close()


def insert_rows(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, each with a value for every column in the table's order.

    The driver takes them as they are: SQLAlchemy's own handling of parameters took a third of the time of a rebuild.
    PostgreSQL takes them by COPY, for a seventh of what an INSERT a row costs both sides.
    """
    if not rows:
        return
    names = ", ".join(column.name for column in table.columns)
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)", table, rows)
        return
    marks = ", ".join(["?"] * len(table.columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", [tuple(row) for row in rows])


def _copy(connection: Connection, statement: str, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Copy rows into a table, past SQLAlchemy, which would tell errors that end a connection."""
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([_COPIED[type(column.type)] for column in table.columns])
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.Error as error:
        if driver.closed:
            raise Unavailable("the connection to the database was lost") from error
        raise


def insert_missing(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, in the order given, but those whose key is there already. Sorted rows cannot deadlock."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        given = _unnested(table.columns.values(), rows)
        connection.execute(postgresql.insert(table).from_select(list(table.columns), given).on_conflict_do_nothing())
    else:
        names = table.columns.keys()
        given_rows = [dict(zip(names, row, strict=True)) for row in rows]
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), given_rows)


def insert_missing_alone(engine: Engine, table: Table, rows: Sequence[Sequence[Any]]) -> list[Any]:
    """`insert_missing` in PostgreSQL, in a transaction of its own: one message each way, where others take four.

    Gives the first column of those rows that were missing.
    """
    with _straight(engine) as cursor:
        return [value for (value,) in cursor.execute(_insert_missing_statement(table), (_json(rows),)).fetchall()]


@lru_cache(maxsize=64)
def _insert_missing_statement(table: Table) -> str:
    first, *_ = names = [column.name for column in table.columns]
    given = _given_rows(list(table.columns))
    return f"INSERT INTO {table.name} ({', '.join(names)}) {given} ON CONFLICT DO NOTHING RETURNING {first}"


def delete_rows(connection: Connection, table: Table, keys: Sequence[Sequence[Any]]) -> None:
    """Delete the rows that have one of these primary keys."""
    if not keys:
        return
    columns = list(table.primary_key)
    if connection.dialect.name == "postgresql":
        connection.execute(delete(table).where(among(connection, columns, keys)))
    else:
        this = " AND ".join(f"{column.name} = ?" for column in columns)
        connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE {this}", [tuple(key) for key in keys])


def _unnested(columns: Sequence[ColumnElement[Any]], rows: Collection[Sequence[Any]]) -> Select[Any]:
    """Rows as a table of PostgreSQL, each column an array: one statement, whatever their number."""
    given = zip(columns, zip(*rows, strict=True) if rows else [()] * len(columns), strict=True)
    arrays = [bindparam(None, list(values), type_=ARRAY(column.type)) for column, values in given]
    names = [f"c{place}" for place in range(len(columns))]
    table = func.unnest(*arrays).table_valued(*names).render_derived()
    return select(*(table.c[name] for name in names))


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (OperationalError, TimeoutError, _driver_error(engine)) as error:
        raise Unavailable("the database does not answer") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("the connection to the database was lost") from error
        if getattr(error.orig, "sqlstate", None) in _PASSING:
            raise Unavailable("the database does not do this now") from error
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            file = engine.url.database
            raise Corrupt(f"{file} is damaged or no database: stop, keep a copy, restore it from a backup") from error
        raise


def _driver_error(engine: Engine) -> type[Exception]:
    """What the driver itself raises, where it is called without SQLAlchemy."""
    error: type[Exception] = engine.dialect.loaded_dbapi.OperationalError
    return error


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _ping_after_rest(engine: Engine, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Make sure that a connection which lay idle is still one; what was used a moment ago needs no question."""
    if time.monotonic() - record.info.get("used", math.inf) > PING_AFTER_SECONDS:
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool makes another one


def _prepare_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3's own BEGIN is off: we say it
    cursor = connection.cursor()  # type: ignore[attr-defined]  # SQLAlchemy types the event's argument as object
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a vault key that a power cut takes away would take what it encrypted
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "foreign_keys=ON",
        "cache_size=-500",  # KiB a connection, of which there are many; beyond it the operating system caches
        "journal_size_limit=67108864",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_lax_sqlite(connection: object, record: object) -> None:
    _prepare_sqlite(connection, record)
    cursor = connection.cursor()  # type: ignore[attr-defined]  # as above
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.execute("PRAGMA cache_size=-2000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("exemplar_readonly")
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

"""The same acts in the `eventsourcing` library, as its documentation has it: an application with a recorder on SQLite
or PostgreSQL, and a projection into a materialised view there that counts acts by rep and kind, with its tracking in
the same transaction. It draws no signals, keeps no acts, tells no copies apart: it does much less than the projector.
"""

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import InfrastructureFactory, Tracking, TrackingRecorder
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection
from eventsourcing.sqlite import SQLiteTrackingRecorder
from eventsourcing.system import NotificationLogReader
from eventsourcing.utils import Environment, get_topic
from psycopg.sql import SQL
from sqlalchemy import URL

from services.events.catalog.envelope import Act

SECTION = 1_000  # notifications read at once


class Relationship(Aggregate):
    """A subject, with its acts as events."""

    class Acted(Aggregate.Event):
        """An act."""

        source: str
        act_id: str
        name: str
        rep: str
        time: int
        data: dict[str, Any]

    def __init__(self, subject: str) -> None:
        self.subject = subject

    @staticmethod
    def create_id(subject: str) -> UUID:
        """The id follows from the subject."""
        return uuid5(NAMESPACE_URL, subject)

    @event(Acted)
    def act(self, source: str, act_id: str, name: str, rep: str, time: int, data: dict[str, Any]) -> None:
        """Something was done."""


class Relationships(Application[UUID]):
    """The application whose recorder keeps the acts."""

    log_section_size = SECTION

    def record(self, acts: Iterable[Act]) -> None:
        """Keep all acts."""
        subjects: dict[str, Relationship] = {}
        for act in acts:
            if act.subject not in subjects:
                subjects[act.subject] = Relationship(act.subject)
            rep = getattr(act.data, "rep", None) or ""
            data = msgspec.to_builtins(act.data)
            subjects[act.subject].act(act.source, act.id, act.name, rep, act.time, data)
        self.save(*subjects.values())


class Counts(TrackingRecorder):
    """A materialised view: how many acts of each kind each rep has."""

    @abstractmethod
    def count(self, rep: str, name: str, tracking: Tracking) -> None:
        """One more."""

    @abstractmethod
    def total(self) -> int:
        """All together."""


class SqliteCounts(SQLiteTrackingRecorder, Counts):
    """The view in SQLite."""

    def construct_create_table_statements(self) -> list[str]:
        """The library's own tables, and that of the counts."""
        own = "CREATE TABLE IF NOT EXISTS counts (rep TEXT, name TEXT, n INTEGER, PRIMARY KEY (rep, name))"
        return [*super().construct_create_table_statements(), own]

    def count(self, rep: str, name: str, tracking: Tracking) -> None:
        """See Counts."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO counts VALUES (?, ?, 1) ON CONFLICT (rep, name) DO UPDATE SET n = n + 1", (rep, name)
            )

    def total(self) -> int:
        """See Counts."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("SELECT coalesce(sum(n), 0) FROM counts")
            return int(cursor.fetchone()[0])


class PostgresCounts(PostgresTrackingRecorder, Counts):
    """The view in PostgreSQL."""

    def __init__(self, datastore: PostgresDatastore, **named: Any) -> None:
        super().__init__(datastore, **named)
        own = "CREATE TABLE IF NOT EXISTS counts (rep TEXT, name TEXT, n INTEGER, PRIMARY KEY (rep, name))"
        self.sql_create_statements.append(SQL(own).format())

    def count(self, rep: str, name: str, tracking: Tracking) -> None:
        """See Counts."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO counts VALUES (%s, %s, 1) ON CONFLICT (rep, name) DO UPDATE SET n = counts.n + 1",
                (rep, name),
            )

    def total(self) -> int:
        """See Counts."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("SELECT coalesce(sum(n), 0) AS total FROM counts")
            found = cursor.fetchone()
        return int(found["total"]) if found else 0


class Counting(Projection[Counts]):
    """Counts the acts of `Relationships`."""

    topics = (get_topic(Relationship.Acted),)

    @singledispatchmethod
    def process_event(self, _: object, tracking: Tracking) -> None:
        """Anything else is only tracked."""
        self.view.insert_tracking(tracking)

    @process_event.register
    def _(self, acted: Relationship.Acted, tracking: Tracking) -> None:
        self.view.count(acted.rep, acted.name, tracking)


class Stores(NamedTuple):
    """Where application and view are: the library's configuration, and the view's recorder."""

    environment: dict[str, str]
    view: type[SqliteCounts] | type[PostgresCounts]


def on_sqlite(folder: Path) -> Stores:
    """The application and the view each in an SQLite file of its own."""
    files = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "RELATIONSHIPS_SQLITE_DBNAME": str(folder / "relationships.sqlite"),
        "COUNTING_SQLITE_DBNAME": str(folder / "counting.sqlite"),
    }
    return Stores(files, SqliteCounts)


def on_postgres(url: URL) -> Stores:
    """The application and the view in one database."""
    names = {"DBNAME": url.database, "HOST": url.host, "PORT": url.port, "USER": url.username, "PASSWORD": url.password}
    server = {f"POSTGRES_{name}": str(value) for name, value in names.items()}
    return Stores({"PERSISTENCE_MODULE": "eventsourcing.postgres", **server}, PostgresCounts)


def record(stores: Stores, acts: Iterable[Act]) -> int:
    """Keep the acts in the application; the notification id of the last one."""
    with Relationships(stores.environment) as application:
        application.record(acts)
        return application.recorder.max_notification_id() or 0


def project(stores: Stores, last: int) -> int:
    """Run the projection from where it is up to a notification; how many acts it has counted.

    The library's `ProjectionRunner` needs a subscription, which its SQLite recorder does not offer. So
    the library's reader reads the notifications; mapper and projection take them as in the runner.
    """
    given = stores.environment
    factory: Any = InfrastructureFactory.construct(Environment(Counting.name, given))
    view = factory.tracking_recorder(stores.view)
    projection = Counting(view)
    with Relationships(given) as application:
        reader = NotificationLogReader(application.notification_log, SECTION)
        start = view.max_tracking_id(application.name)
        for section in reader.select(start=start, stop=last, topics=projection.topics, inclusive_of_start=False):
            for notification in section:
                tracking = Tracking(application.name, notification.id)
                projection.process_event(application.mapper.to_domain_event(notification), tracking)
    counted: int = view.total()
    factory.close()
    return counted

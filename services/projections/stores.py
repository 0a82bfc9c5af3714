"""Where the read model is: its generations, which of them is live, and what each was built on.

A generation is an area `model_N`, a function of one log and one policy. Exactly one is live; a rebuild builds the next
one beside it, switches in one transaction, and the old one is dropped later (`sweep`), when nobody reads it any more.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock
from typing import NamedTuple

import msgspec
from sqlalchemy import URL, Connection, Engine, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from services.events.catalog.envelope import Catalogue
from services.events.leaves import Leaf, add_leaves
from services.events.log.protocol import COPYING, Identity, Position
from services.kit.database import (
    asking,
    create_area,
    drop_area,
    end_if_hung,
    open_engine,
    reading,
    wait_for_turn,
    writing,
)
from services.kit.errors import Conflict, Corrupt, Misconfigured, NotFound
from services.projections.changes import EVERYTHING, announce
from services.projections.migrations import HUNG_SECONDS, migrate_area
from services.projections.tables import facts, generations, partitions

CONTROL = "control"
LIVE, BUILDING, RETIRED = "live", "building", "retired"
REMEMBERED_SECONDS = 0.5  # a switch of generations is seen by every reader after this long
_REBUILD_LOCK = 0x6578656D706C6172  # any number of its own, for PostgreSQL's advisory lock
_FIRST_TURN = _REBUILD_LOCK + 1
_LIVE_GENERATION = select(generations.c.generation).where(generations.c.state == LIVE)

ModelSource = Callable[[], Engine]
"""Gives the engine on the generation to use now; another one after a switch."""


class Built(NamedTuple):
    """What a model is built on. `catalogue` names the version of each act, as JSON."""

    log_id: str
    partitions: int
    policy: str
    catalogue: str


def built_on(log: Identity, policy: str, catalogue: Catalogue) -> Built:
    """What a model of this log would be built on now; `policy` is the policy's identity."""
    versions = {name: model.version for name, model in catalogue.models.items()}
    return Built(log.id, log.partitions, policy, msgspec.json.encode(versions, order="sorted").decode())


class Stores:
    """The areas of one database that hold the read model. Safe to use from any thread."""

    def __init__(self, url: URL, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self.control = open_engine(url, CONTROL)
        self._monotonic = monotonic
        self._engines: dict[int, Engine] = {}
        self._lock = Lock()
        self._live: tuple[int, float] | None = None

    def live(self) -> int:
        """The generation that readers use. Raises NotFound before the first `migrate`."""
        remembered = self._live
        now = self._monotonic()
        if remembered is not None and now < remembered[1]:
            return remembered[0]
        with reading(self.control) as connection:
            generation: int | None = connection.scalar(_LIVE_GENERATION)
        if generation is None:
            raise NotFound("there is no read model yet: run `exemplar migrate`")
        self._live = generation, now + REMEMBERED_SECONDS
        return generation

    def engine(self, generation: int) -> Engine:
        """The engine on a generation, opened once."""
        with self._lock:
            if generation not in self._engines:
                self._engines[generation] = open_engine(self.url, area_of(generation))
            return self._engines[generation]

    def model(self) -> Engine:
        """The engine on the live generation: a `ModelSource`."""
        return self.engine(self.live())

    def migrate(self, built: Built, now: int) -> None:
        """`update_tables`, and see to it that the live model can be used.

        Raises Misconfigured or Corrupt where it was built on something else (`check_built`).
        """
        self.update_tables(built, now)
        with reading(self.model()) as connection:
            check_built(connection, built)

    def update_tables(self, built: Built, now: int) -> None:
        """Make or update the tables; without a model, generation 1 is made live. Doing it again changes nothing.

        A live model whose tables were removed is made anew, empty: the fold fills it from the log.
        """
        create_area(self.control, CONTROL)
        migrate_area(self.control, "control")
        with reading(self.control) as connection:
            live = connection.scalar(_LIVE_GENERATION)
        if live is None:
            self._make_first(built, now)
        elif prepare(self.engine(live), area_of(live), built):
            with writing(self.control) as connection:
                add_leaves(connection, _switched(now, live, built.policy, None, None))

    def _make_first(self, built: Built, now: int) -> None:
        """Make the first generation the live one; of several processes that start at once, one does it for all."""
        with self._taking_turns():
            with reading(self.control) as connection:
                if connection.scalar(_LIVE_GENERATION) is not None:
                    return
            self.switch(self.begin(built, now), now)

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        """Have other processes wait that come to this. SQLite's one writing transaction would have us wait, too."""
        if self.url.get_backend_name() != "postgresql":
            yield
            return
        with writing(self.control) as connection:
            end_if_hung(connection, HUNG_SECONDS)
            wait_for_turn(connection, _FIRST_TURN)
            yield

    def begin(self, built: Built, now: int) -> int:
        """Make a fresh generation, in the state building, and say which."""
        with writing(self.control) as connection:
            generation = (connection.scalar(select(func.max(generations.c.generation))) or 0) + 1
            connection.execute(insert(generations).values(generation=generation, state=BUILDING, started_us=now))
        drop_area(self.url, area_of(generation))
        prepare(self.engine(generation), area_of(generation), built)
        return generation

    def switch(self, generation: int, now: int) -> None:
        """Make a generation the live one and retire the one that was, in one transaction."""
        with reading(self.control) as connection:
            before = connection.scalar(_LIVE_GENERATION)
        policy, policy_before = self._policy(generation), None if before is None else self._policy(before)
        with writing(self.control) as connection:
            add_leaves(connection, _switched(now, generation, policy, before, policy_before))
            connection.execute(update(generations).where(generations.c.state == LIVE).values(state=RETIRED))
            connection.execute(update(generations).where(generations.c.generation == generation).values(state=LIVE))
            announce(connection, EVERYTHING)
        self.look_again()

    def _policy(self, generation: int) -> str | None:
        """The policy that a generation was built under."""
        with reading(self.engine(generation)) as connection:
            return read_facts(connection).get("policy")

    def look_again(self) -> None:
        """Look up at the next call which generation is live, whenever that was looked up last."""
        self._live = None

    def discard(self, generation: int) -> None:
        """Drop a generation that is not live, with all it holds."""
        with self._lock:
            engine = self._engines.pop(generation, None)
        if engine is not None:
            engine.dispose()
        drop_area(self.url, area_of(generation))
        with writing(self.control) as connection:
            dead = (generations.c.generation == generation) & (generations.c.state != LIVE)
            connection.execute(delete(generations).where(dead))

    def sweep(self) -> list[int]:
        """Drop what is retired, and what rebuilds that died left behind; says what. Nothing while a rebuild runs.

        To be called at a start, when nobody reads a retired generation any more.
        """
        try:
            with self.rebuilding():
                with reading(self.control) as connection:
                    dead = select(generations.c.generation).where(generations.c.state != LIVE)
                    found = list(connection.scalars(dead.order_by(generations.c.generation)))
                for generation in found:
                    self.discard(generation)
                return found
        except Conflict:
            return []

    @contextmanager
    def rebuilding(self) -> Iterator[None]:
        """Keep other rebuilds out meanwhile. Raises Conflict if one is running.

        In PostgreSQL by a lock that ends with the connection; in SQLite whoever rebuilds holds the data folder's lock.
        """
        if self.url.get_backend_name() != "postgresql":
            yield
            return
        with asking(self.control) as connection:
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _REBUILD_LOCK}):
                raise Conflict("a rebuild is running already")
            try:
                yield
            finally:
                with suppress(DBAPIError):  # a connection that was lost has let go of it
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _REBUILD_LOCK})

    def close(self) -> None:
        """Let go of every connection."""
        with self._lock:
            engines = [self.control, *self._engines.values()]
            self._engines = {}
        for engine in engines:
            engine.dispose()


def area_of(generation: int) -> str:
    """The area of a generation."""
    return f"model_{generation}"


def prepare(engine: Engine, area: str, built: Built) -> bool:
    """Make or update a model's tables in an area; a new one gets the facts it is to be built on, and its partitions.

    Says whether it is a new one.
    """
    create_area(engine, area)
    migrate_area(engine, "model")
    with reading(engine) as connection:
        if read_facts(connection):
            return False
    with writing(engine) as connection:
        wait_for_turn(connection)
        if read_facts(connection):
            return False  # another process was faster
        connection.execute(
            insert(facts), [{"name": name, "value": str(value)} for name, value in built._asdict().items()]
        )
        start = {"next_offset": 0, "epoch": 0, "owner": "", "applied_us": 0, "unreadable_in_row": 0}
        connection.execute(insert(partitions), [start | {"partition": p} for p in range(built.partitions)])
    return True


def _switched(
    now: int, generation: int, policy: str | None, before: int | None, policy_before: str | None
) -> list[Leaf]:
    """What the audit tree is told when another model is shown, and where that is of another policy."""
    told = [Leaf("model.switched", now, None, [], {"generation": generation, "before": before, "policy": policy})]
    if policy != policy_before:
        told.append(Leaf("policy.changed", now, None, [], {"policy": policy, "before": policy_before}))
    return told


def read_facts(connection: Connection) -> Mapping[str, str]:
    """What the model was built on, by name."""
    return {row.name: row.value for row in connection.execute(select(facts))}


def check_built(connection: Connection, built: Built) -> None:
    """Raises Corrupt if the model was built on another log, Misconfigured if under another policy than configured."""
    check_log(connection, built)
    found = read_facts(connection)
    if found.get("policy") != built.policy:
        raise Misconfigured(
            f"EXEMPLAR_POLICY_FILE: the read model was built under policy {found.get('policy')}, the configured one "
            f"is {built.policy}: run `exemplar rebuild`, or configure the policy it was built under"
        )


def check_log(connection: Connection, built: Built) -> None:
    """Raises Corrupt if the model was built on another log: nothing may be folded, or appended for it to fold."""
    found = read_facts(connection)
    if found.get("log_id") != built.log_id:
        raise Corrupt(
            "the log is not the one that the read model was built on: put that log back, or, if the new log is the "
            "right one, remove the read model and the audit tree (FILE.model_N.sqlite and FILE.audit.sqlite; in "
            "PostgreSQL, the schemas exemplar_model_N and exemplar_audit) and run `exemplar migrate`"
        )
    if found.get("partitions") != str(built.partitions):
        raise Corrupt(
            f"the log has {built.partitions} partitions, the read model was built on {found.get('partitions')}: "
            "customers are no longer where they were. Copy it into a log with the former number of partitions, by "
            f"`exemplar copy --partitions {found.get('partitions')} FROM TO`, and begin again with that ({COPYING})"
        )


def check_beginnings(positions: Position, beginnings: Position) -> None:
    """Raises Corrupt if the log begins behind what is to be read next: what was before it is gone."""
    for partition, offset in positions.items():
        if beginnings.get(partition, 0) > offset:
            raise Corrupt(
                f"partition {partition} of the log begins at {beginnings[partition]}, and is to be read from {offset}: "
                "records are missing; bring them back from a copy, and keep the log for ever. Knowing what is lost,"
                f" copy what is left into a new log and begin again with that ({COPYING})"
            )


def check_ends(positions: Position, ends: Position) -> None:
    """Raises Corrupt if the log ends before what the model has already folded: it was truncated, or made anew."""
    for partition, offset in positions.items():
        if ends.get(partition, 0) < offset:
            raise Corrupt(
                f"partition {partition} of the log ends at {ends.get(partition, 0)}, the read model has folded it "
                f"up to {offset}: records are missing; bring the log back from a copy or, knowing what is lost, copy "
                f"what is left into a new log and begin again with that ({COPYING})"
            )

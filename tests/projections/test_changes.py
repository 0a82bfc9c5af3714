"""What commits tell of what they change, in one process and through PostgreSQL, and what that touches."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from services.kit import instants
from services.kit.database import reading, writing
from services.projections.changes import EVERYTHING, Change, Changes, announce, changed
from services.projections.projector import Commit
from services.projections.queries.reach import teams_over, turned
from services.projections.queries.sizes import sizes
from tests.fixed_clock import FixedClock
from tests.projections.world import World, instant

WAIT_SECONDS = 60


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Iterator[URL | None]:
    """Each kind of database; None for SQLite."""
    if request.param == "sqlite":
        yield None
        return
    url = make_url(request.getfixturevalue("postgres_url")).set(drivername="postgresql+psycopg")
    name = f"changes_{uuid.uuid4().hex[:12]}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name)
    admin.dispose()


@pytest.fixture
def world(database: URL | None, tmp_path: Path, clock: FixedClock) -> Iterator[World]:
    """A small world: a company, a team in it, and one in that."""
    made = World(tmp_path, clock, database=database)
    for team, parent in (
        ("company", {}),
        ("north", {"parent": "company"}),
        ("nook", {"parent": "north"}),
        ("south", {}),
    ):
        made.post("team.formed", team, "2025-01-01", name=team, **parent)
    made.post("team.joined", "nook", "2025-01-01", person="rik", role="rep", name="Rik")
    made.post("team.left", "nook", "2025-06-01", person="rik")
    made.post("team.joined", "south", "2025-06-01", person="rik", role="rep", name="Rik")
    made.fold()
    yield made
    made.close()


def heard_by(world: World) -> tuple[Changes, Queue[Change]]:
    """What a process hears that shows this world, which another one folds if the database is shared."""
    heard: Queue[Change] = Queue()
    changes = Changes(world.stores.url, world.stores.look_again)
    changes.add(heard.put)
    if world.stores.url.get_backend_name() == "postgresql":
        assert heard.get(timeout=WAIT_SECONDS) == EVERYTHING

    def committed(commit: Commit) -> None:
        changes.committed(commit.change)

    world.listeners.append(committed)
    return changes, heard


def test_a_commit_tells_whom_it_is_about(world: World) -> None:
    """Persons of signals and dealings, teams, their parents and who is in them; nothing where nothing changed."""
    changes, heard = heard_by(world)
    world.post("urgency.pressed", "acme", "2026-01-01", rep="rik", tactic="deadline", act_id="push")
    world.fold()
    assert heard.get(timeout=WAIT_SECONDS) == changed({"rik"}, ())
    world.post("urgency.pressed", "acme", "2026-01-01", rep="rik", tactic="deadline", act_id="push")
    world.post("team.formed", "nook", "2026-01-01", name="nook", parent="south")
    world.fold()
    assert heard.get(timeout=WAIT_SECONDS) == changed((), {"nook", "north", "south"})
    changes.close()
    with pytest.raises(Empty):
        heard.get_nowait()


def test_a_person_touches_the_teams_of_all_their_stays_and_those_above(world: World) -> None:
    """Former stays too: their signals stay in the team's figures."""
    with reading(world.model) as connection:
        assert teams_over(connection, {"rik"}, ()) == {"nook", "north", "company", "south"}
        assert teams_over(connection, {"nobody"}, {"north"}) == {"north", "company"}
        assert teams_over(connection, (), ()) == set()


def test_time_turns_silences_and_stays(world: World) -> None:
    """Whom the clock concerns: signals that come to count between two instants, and stays that begin or end there."""
    asks: dict[str, Any] = {"channel": "call", "asks": True, "wants_help": False}
    world.post("contact.received", "acme", "2026-01-01", rep="rik", **asks)
    world.fold()
    opened, closing = instant("2026-01-01"), instant("2026-01-01") + 4 * instants.DAY
    with reading(world.model) as connection:
        assert turned(connection, opened, closing - 1) == set()
        assert turned(connection, closing - 1, closing) == {"rik"}
        assert turned(connection, closing, closing + instants.DAY) == set()
        assert turned(connection, instant("2025-05-31"), instant("2025-06-01")) == {"rik"}


def test_what_is_in_teams_is_counted(world: World) -> None:
    """Open stays, all stays, leaders, teams below; averages over certain teams, the largest of those unknown."""
    world.post("team.joined", "south", "2025-07-01", person="ann", role="leader")
    world.fold()
    with reading(world.model) as connection:
        found = sizes(connection, instant("2026-01-01"))
    assert found.teams == {"company", "north", "nook", "south"}
    assert (found.members, found.stays, found.led) == (
        {"nook": 0, "south": 2},
        {"nook": 1, "south": 2},
        {"nook": 0, "south": 1},
    )
    assert (found.children, found.most_stays) == ({"company": ["north"], "north": ["nook"]}, 2)
    assert found.each(found.members, {"south"}) == found.each(found.members, 1) == 2
    assert found.each(found.members, {"south", "nook"}) == found.each(found.members, {"south", "nook", "north"}) == 1
    assert found.below({"company", "south"}) == ["north"]
    assert found.below(2) == 2
    assert found.each(found.members, ()) == 0


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_is_told_through_the_database(world: World) -> None:
    """Only what is committed; everything where the names would be too long; a lost connection is made anew."""
    changes, heard = heard_by(world)
    with world.stores.control.connect() as connection, connection.begin() as transaction:
        announce(connection, changed({"lost"}, ()))
        transaction.rollback()
    with writing(world.stores.control) as connection:
        announce(connection, changed({"änne"}, {"a", "b"}))
    assert heard.get(timeout=WAIT_SECONDS) == changed({"änne"}, {"a", "b"})
    with writing(world.stores.control) as connection:
        announce(connection, changed({f"person-{n}" for n in range(1000)}, ()))
    assert heard.get(timeout=WAIT_SECONDS) == EVERYTHING
    with writing(world.stores.control) as connection:
        others = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        connection.execute(others)
    assert heard.get(timeout=WAIT_SECONDS) == EVERYTHING
    world.stores.switch(world.stores.live(), 0)
    assert heard.get(timeout=WAIT_SECONDS) == EVERYTHING
    changes.close()

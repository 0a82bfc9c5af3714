"""The pages of a large company: none of them costs more than a query may."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixed_clock import FixedClock
from tests.graphql.company import found_company
from tests.graphql.dashboard.visitor import Visitor
from tests.graphql.gateway import Asker

TEAMS, REPS, FEWER = 200, 100, 3
PERIOD = "first=2024-01-01&last=2026-03-01"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Who leads 200 teams below a company, of which one has 100 reps and had five leaders."""
    asker = Asker(tmp_path_factory.mktemp("large"), FixedClock("2026-03-02T09:00:00Z"))
    world = asker.world
    world.post("team.formed", "all", "2024-01-01", name="All")
    world.post("team.joined", "all", "2024-01-01", person="boss", role="leader")
    for team in range(TEAMS):
        key = f"team-{team}"
        world.post("team.formed", key, "2024-01-01", name=key, parent="all")
        for leader in range(5 if team == 0 else 1):
            person, day = f"{key}-leader-{leader}", f"2025-0{leader + 1}-01"
            world.post("team.joined", key, day, person=person, role="leader")
            world.post("urgency.pressed", f"c-{person}", day, rep=person, tactic="guilt")
        for rep in range(REPS if team == 0 else FEWER):
            world.post("team.joined", key, "2024-01-01", person=f"{key}-rep-{rep}", role="rep")
    world.post("urgency.pressed", "acme", "2026-01-01", act_id="push", rep="team-0-rep-0", tactic="guilt")
    world.fold()
    yield Visitor(asker, asker.person("boss"))
    asker.close()


@pytest.mark.parametrize(
    "address",
    [
        "/dashboard",
        *(f"/dashboard/{page}?team=team-0&{PERIOD}" for page in ("team", "example", "heatmap", "equity")),
        *(f"/dashboard/{page}?team=all&subteams=true&{PERIOD}" for page in ("team", "example", "heatmap", "equity")),
        f"/dashboard/signals?team=all&subteams=true&principle=no-pressure&{PERIOD}",
        *(f"/dashboard/{page}?person=team-0-rep-0&{PERIOD}" for page in ("person", "signals")),
        *(f"/dashboard/relationship?customer=acme&{PERIOD}", "/dashboard/act?source=test&id=push&subject=acme"),
    ],
)
def test_a_page_of_a_large_company_is_not_too_much(large: Visitor, address: str) -> None:
    """Each page is answered, over more than two years."""
    assert large.get(address).status_code == 200


def test_of_more_people_than_can_be_counted_there_are_still_the_teams(tmp_path: Path, clock: FixedClock) -> None:
    """Where asking for all people of all teams would cost too much, the first page leaves out how many there are."""
    asker = Asker(tmp_path, clock, cost_ceiling=15)
    found_company(asker)
    page = Visitor(asker, asker.person("cleo"))
    assert 'href="/dashboard/team?team=north"' in page.get("/dashboard").text
    assert "Ann Name" in page.page("/dashboard")
    assert "reps" not in page.page("/dashboard")
    asker.close()

"""Hand-made teams whose example is plain to see, told to a real server and to the reference model."""

from collections.abc import Iterator
from datetime import date

import pytest

from tests.journeys.examples import equity_json, example_json, person_example, team_equity, team_examples
from tests.journeys.telling import event_of, parse
from tests.reference.equity import customer_equity
from tests.reference.examples import examples
from tests.reference.plain_teams import PlainTeam, handed_over, plain_teams
from tests.reference.worlds import World
from tests.serving import Server, serving

CASES = plain_teams()


@pytest.fixture(scope="module")
def world() -> World:
    """All plain teams in one log."""
    return World(act for case in CASES for act in case.acts)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that was told of all plain teams."""
    with serving(tmp_path_factory.mktemp("plain") / "data") as running:
        events = [event_of(act) for case in CASES for act in case.acts]
        answer = running.post(*events)
        assert answer.status == 202, answer.body
        waited = running.query("{ viewer { key } }", wait_for=answer.json()["position"])
        assert "errors" not in waited, waited
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_reference_finds_what_is_plain_to_see(case: PlainTeam, world: World) -> None:
    """What the story of a team says, the reference model finds, so that it can itself be trusted."""
    as_of = parse(case.as_of)
    (found,) = [
        example for example in examples(world, case.team, case.from_, case.to, as_of) if example.leader == case.leader
    ]
    assert case.disagreements(example_json(found), equity_json(customer_equity(world, case.team, as_of))) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_server_shows_what_is_plain_to_see(case: PlainTeam, server: Server) -> None:
    """What the story of a team says, its leader's example and its equity show over GraphQL."""
    period = {"from": str(case.from_), "to": str(case.to), "asOf": case.as_of}
    shown = person_example(server, case.leader, case.team, period)
    assert case.disagreements(shown, team_equity(server, case.team, case.as_of)) == []


@pytest.mark.parametrize(
    ("from_", "to", "as_of", "leaders"),
    [
        ("2007-04-11", "2007-05-01", "2008-02-01", ["leader"]),
        ("2007-04-10", "2007-04-12", "2008-02-01", ["before", "leader"]),
        ("2007-04-01", "2007-04-11", "2008-02-01", ["before"]),
        ("2007-04-20", "2007-05-01", "2007-03-01", ["before"]),
    ],
)
def test_whoever_leads_within_the_period_has_an_example(
    from_: str, to: str, as_of: str, leaders: list[str], server: Server, world: World
) -> None:
    """A stay that ends as the period begins does not overlap it, nor does one that begins as it ends; one whose end
    *as of* hides goes on.
    """
    case, instant = handed_over(), f"{as_of}T00:00:00Z"
    expected = [case.who(leader) for leader in leaders]
    found = examples(world, case.team, date.fromisoformat(from_), date.fromisoformat(to), parse(instant))
    assert [example.leader for example in found] == expected
    shown = team_examples(server, case.team, {"from": from_, "to": to, "asOf": instant})
    assert [example["leader"]["key"] for example in shown] == expected

"""`make demo` through the real system: each leader's story can be read off the figures that a newcomer sees."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Server, serving

README = Path(__file__).parents[2] / "README.md"
UNTIL = "2026-01-01"
PERIOD = f'period: {{from: "2025-01-01", to: "{UNTIL}"}}'
SCORES = "scores { principle { id title } kept breached n rate interval { low high } }"
RIVER, SUMMIT, HARBOUR = "t-river", "t-summit", "t-harbour"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo of a fixed year."""
    with serving(tmp_path_factory.mktemp("demo") / "data", "--until", UNTIL, command="demo") as server:
        yield server


@pytest.fixture(scope="module")
def teams(demo: Server) -> Mapping[str, Any]:
    """The teams by key, each with its card and its leader's."""
    answer = demo.query(
        f"{{ teams {{ edges {{ node {{ key name scorecard({PERIOD}) {{ {SCORES} guideIndex {{ value }} }}"
        f" leaders {{ key name scorecard({PERIOD}) {{ {SCORES} }} }} }} }} }} }}"
    )
    assert "errors" not in answer, answer
    return {edge["node"]["key"]: edge["node"] for edge in answer["data"]["teams"]["edges"]}


def score(card: Mapping[str, Any], principle: str) -> Any:
    """One score of a card."""
    return next(each for each in card["scores"] if each["principle"]["id"] == principle)


def of_team(teams: Mapping[str, Any], team: str, principle: str) -> Any:
    """A team's score."""
    return score(teams[team]["scorecard"], principle)


def of_leader(teams: Mapping[str, Any], team: str, principle: str) -> Any:
    """The score of a team's leader."""
    return score(teams[team]["leaders"][0]["scorecard"], principle)


def test_three_teams_under_one_roof(demo: Server, teams: Mapping[str, Any]) -> None:
    """The company has three teams with a leader each, and 20-odd people with names."""
    assert set(teams) == {"t-alder", RIVER, SUMMIT, HARBOUR}
    answer = demo.query('{ team(key: "t-alder") { children { key members { person { key name } role } } } }')
    members = [member for child in answer["data"]["team"]["children"] for member in child["members"]]
    assert 20 <= len(members) <= 29
    assert all(member["person"]["name"] for member in members)
    assert [member["role"] for member in members].count("LEADER") == 3


@pytest.mark.parametrize("principle", ["OWN_GOALS", "ASK_FIRST", "NO_PRESSURE", "RIGHT_SOLUTION", "RESPECT_TIME"])
def test_the_guide(teams: Mapping[str, Any], principle: str) -> None:
    """River's leader guides, and her team with her: clearly ahead of Summit on what makes a guide."""
    assert of_leader(teams, RIVER, principle)["rate"] > 0.9
    assert of_team(teams, RIVER, principle)["interval"]["low"] > of_team(teams, SUMMIT, principle)["interval"]["high"]


def test_the_guide_index(teams: Mapping[str, Any]) -> None:
    """The guide index tells the three apart."""
    river, harbour, summit = (teams[t]["scorecard"]["guideIndex"]["value"] for t in (RIVER, HARBOUR, SUMMIT))
    assert river > harbour > summit


def test_the_pusher_is_copied(demo: Server, teams: Mapping[str, Any]) -> None:
    """Summit's leader breaches no-pressure as often as she keeps it, and her team does alike, at the month's end."""
    assert of_leader(teams, SUMMIT, "NO_PRESSURE")["rate"] < 0.6
    assert of_team(teams, SUMMIT, "NO_PRESSURE")["rate"] < 0.6
    answer = demo.query(
        f'{{ team(key: "{SUMMIT}") {{ scorecard({PERIOD}) {{ score(principle: NO_PRESSURE) {{ '
        "trend(by: DAY) { start breached } } } } }"
    )
    days = answer["data"]["team"]["scorecard"]["score"]["trend"]
    last = sum(day["breached"] for day in days if int(day["start"][-2:]) > 26)
    others = sum(day["breached"] for day in days if int(day["start"][-2:]) <= 26)
    assert last / (12 * 4.4) > 1.5 * others / (12 * 26)


def test_the_talker(teams: Mapping[str, Any]) -> None:
    """Harbour's leader keeps fewer than half of his own standards; the guide keeps hers."""
    his, hers = (of_leader(teams, team, "WALK_THE_TALK") for team in (HARBOUR, RIVER))
    assert his["interval"]["high"] < 0.6 < hers["interval"]["low"]
    assert of_leader(teams, HARBOUR, "ASK_FIRST")["rate"] < 0.5
    assert of_team(teams, HARBOUR, "ASK_FIRST")["rate"] < 0.8 * of_team(teams, RIVER, "ASK_FIRST")["rate"]


def test_a_score_leads_to_its_acts(demo: Server) -> None:
    """From a breach one comes to the act, and what was said in it is in clear for whoever may read it."""
    answer = demo.query(
        f'{{ team(key: "{SUMMIT}") {{ scorecard({PERIOD}) {{ score(principle: NO_PRESSURE) {{ '
        "signals(verdict: BREACHED, first: 100) { edges { node { reason evidence { type data } } } } } } } }"
    )
    signals = [edge["node"] for edge in answer["data"]["team"]["scorecard"]["score"]["signals"]["edges"]]
    pressed = [act for signal in signals if signal["reason"] == "pressed" for act in signal["evidence"]]
    assert pressed
    assert all(act["type"] == "exemplar.urgency.pressed.v1" for act in pressed)
    assert any(isinstance(act["data"].get("text"), str) for act in pressed)


def test_readme_shows_these_figures(teams: Mapping[str, Any]) -> None:
    """The README's table of the three teams is what the system answers."""
    shown = README.read_text().split("<!-- demo-figures -->")[1].split("<!-- /demo-figures -->")[0]
    rows = dict(re.findall(r"^\| ([A-Z][^|]*?) \| (.*) \|$", shown, re.MULTILINE))
    by_title = {each["principle"]["title"]: each["principle"]["id"] for each in teams[RIVER]["scorecard"]["scores"]}
    for title, cells in rows.items():
        expected = [
            f"{of_team(teams, team, by_title[title])['rate']:.0%}".replace("%", " %")
            if title != "Do as you say"
            else f"{of_leader(teams, team, by_title[title])['rate']:.0%} (leader)".replace("%", " %")
            for team in (RIVER, SUMMIT, HARBOUR)
        ]
        assert cells.split(" | ") == expected, title
    assert len(rows) == 6

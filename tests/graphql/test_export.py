"""Scorecards as a table: the figures of GraphQL, and the same for who may not see them."""

import csv
import io
from typing import Any

import pytest

from services.graphql.export import COLUMNS
from tests.graphql.gateway import Asker

PERIOD = {"from": "2026-01-01", "to": "2026-03-01"}
FIGURES = """query Card($team: String!, $from: Date!, $to: Date!) { team(key: $team) {
  scorecard(period: {from: $from, to: $to}, includeSubteams: true) { scores {
    principle { id } kept breached n rate interval { low high } evidenceLevel change { value } } } } }"""


def _rows(asker: Asker, who: str | None = "admin", **parameters: str) -> list[dict[str, str]]:
    response = _get(asker, who, **parameters)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(response.text)))


def _get(asker: Asker, who: str | None = "admin", **parameters: str) -> Any:
    headers = {} if who is None else {"authorization": f"Bearer {who}"}
    return asker.client.get("/export/scorecards.csv", params={**PERIOD, **parameters}, headers=headers)


def test_a_team_is_a_row_for_each_principle_with_the_figures_of_graphql(company: Asker) -> None:
    """Counts, rate, interval and level are those of the same card in GraphQL; what there is none of is empty."""
    rows = _rows(company, team="north", includeSubteams="true")
    scores = company.data(FIGURES, {"team": "north", **PERIOD})["team"]["scorecard"]["scores"]
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(scores) == 15
    for row, score in zip(rows, scores, strict=True):
        interval = score["interval"] or {"low": None, "high": None}
        expected = [score[name] for name in ("kept", "breached", "n", "rate", "evidenceLevel")]
        shown = [row[name] for name in ("kept", "breached", "n", "rate", "evidenceLevel", "low", "high")]
        assert shown == ["" if v is None else str(v) for v in (*expected, interval["low"], interval["high"])]
        assert (row["kind"], row["key"], row["principle"]) == ("team", "north", score["principle"]["id"])


def test_members_are_rows_of_their_own(company: Asker) -> None:
    """With `members` each rep in the team now has their rows too; the team's leader is not among them."""
    rows = _rows(company, team="north", members="true")
    assert [(row["kind"], row["key"]) for row in rows[::15]] == [
        ("team", "north"),
        ("person", "rik"),
        ("person", "rosa"),
    ]


def test_a_rep_exports_their_own_card_and_nobody_elses(company: Asker) -> None:
    """A rep's own card is theirs to take; another's is as forbidden as one that does not exist."""
    rik = company.person("rik")
    assert {row["key"] for row in _rows(company, rik, person="rik")} == {"rik"}
    forbidden, unknown = _get(company, rik, person="rosa"), _get(company, rik, person="nobody")
    assert forbidden.status_code == unknown.status_code == 403
    assert forbidden.json() == unknown.json()


def test_text_that_looks_like_a_formula_is_made_harmless(asker: Asker) -> None:
    """A team's name that begins like a formula begins with an apostrophe in the table."""
    asker.world.post("team.formed", "t", "2025-01-01", name="=HYPERLINK(1)")
    asker.world.fold()
    assert {row["name"] for row in _rows(asker, team="t")} == {"'=HYPERLINK(1)"}


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({}, "give `team` or `person`"),
        ({"team": "north", "person": "rik"}, "give `team` or `person`"),
        ({"team": "north", "colour": "red"}, "no parameter colour"),
        ({"team": "north", "members": "yes"}, "`members` is true or false"),
        ({"person": "rik", "members": "true"}, "of a team"),
        ({"team": "north", "to": "2025-01-01"}, "before its `to`"),
        ({"team": "north", "from": "yesterday"}, "Date"),
        ({"team": "north", "from": "2020-01-01"}, "1100 days"),
    ],
)
def test_a_bad_request_says_what_to_do(company: Asker, parameters: dict[str, str], says: str) -> None:
    """Parameters that are missing, unknown or out of bounds are 400 with the reason."""
    response = _get(company, **parameters)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert says in response.json()["detail"]


def test_a_bad_credential_is_401(company: Asker) -> None:
    """An unknown key is told so as everywhere."""
    response = _get(company, "nobody-knows", team="north")
    assert response.status_code == 401
    assert "invalid_token" in response.headers["www-authenticate"]

"""The main job on real input: two data sets that nobody here made, from their files to scorecards over GraphQL."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Server, run, serving

EXAMPLES = Path(__file__).parents[2] / "examples"
POLICY = str(EXAMPLES / "policy.toml")
PERIOD = 'period: {from: "2011-01-01", to: "2012-12-31"}'
CRM_PERIOD = 'period: {from: "2016-01-01", to: "2018-12-31"}'
IMPORTS = (
    ("crm_sales/sales_teams.csv.gz", "crm_sales_teams.toml"),
    ("crm_sales/sales_pipeline.csv.gz", "crm_sales_pipeline.toml"),
    ("bpi2012/bpi2012-2011Q4.xes.gz", "bpi2012.toml"),
)


@pytest.fixture(scope="module")
def imported(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A data folder with both data sets, and what each import said."""
    folder = tmp_path_factory.mktemp("real") / "data"
    summaries = []
    for file, mapping in IMPORTS:
        done = run(
            folder,
            ["import", str(test_data / file), "--mapping", str(EXAMPLES / mapping), "--json"],
            policy_file=POLICY,
        )
        assert done.returncode == 0, done.stderr
        summaries.append(json.loads(done.stdout))
    return folder, summaries


@pytest.fixture(scope="module")
def server(imported: tuple[Path, list[Any]]) -> Iterator[Server]:
    """A server on both data sets."""
    with serving(imported[0], policy_file=POLICY) as running:
        yield running


@pytest.fixture(scope="module")
def crm(test_data: Path) -> Any:
    """What is true of the pipeline."""
    return json.loads((test_data / "crm_sales" / "truth.json").read_text())


@pytest.fixture(scope="module")
def bank(test_data: Path) -> Any:
    """What is true of the loan applications."""
    return json.loads((test_data / "bpi2012" / "truth.json").read_text())


def slug(name: str) -> str:
    """The key of a name, as the mappings make it."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split())


def scores(server: Server, selection: str) -> Mapping[str, Any]:
    """The scores of one card, by principle."""
    fields = "{ principle { id } kept breached n notRecorded reasons { reason count } }"
    answer = server.query(f"{{ it: {selection} {{ scores {fields} }} }} }}")
    assert "errors" not in answer, answer
    card = next(value for value in answer["data"]["it"].values())
    return {score["principle"]["id"]: score for score in card["scores"]}


def test_summaries(imported: tuple[Path, list[Any]], crm: Any, bank: Any) -> None:
    """Every row is read, and each becomes the acts that it should; what is not mapped is skipped and counted."""
    teams, pipeline, applications = imported[1]
    offices, people = len(crm["offices"]), crm["managers"] + crm["agents_in_teams"]
    assert teams == {
        "read": crm["agents_in_teams"],
        "sent": offices + crm["managers"] + people,
        "duplicates": 0,
        "skipped": 0,
        "refused": 0,
    }
    won, lost = crm["stage"]["Won"], crm["stage"]["Lost"]
    engaged = crm["opps"] - crm["missing_engage_date"]
    assert pipeline == {
        "read": crm["opps"],
        "sent": engaged + 2 * won + lost,
        "duplicates": 0,
        "skipped": crm["missing_engage_date"],
        "refused": 0,
    }
    kinds = bank["activity_x_lifecycle"]
    mapped = sum(
        kinds[kind]
        for kind in (
            "A_SUBMITTED|COMPLETE",
            "A_PREACCEPTED|COMPLETE",
            "A_DECLINED|COMPLETE",
            "O_SENT|COMPLETE",
            "W_Nabellen offertes|START",
            "W_Nabellen incomplete dossiers|START",
            "W_Completeren aanvraag|START",
            "O_SENT_BACK|COMPLETE",
            "O_ACCEPTED|COMPLETE",
            "A_CANCELLED|COMPLETE",
        )
    )
    assert applications == {
        "read": bank["events"],
        "sent": mapped,
        "duplicates": 0,
        "skipped": bank["events"] - mapped,
        "refused": 0,
    }


def test_importing_again_changes_nothing(imported: tuple[Path, list[Any]], test_data: Path) -> None:
    """The same file again gives duplicates alone."""
    folder, (_, pipeline, _) = imported
    file, mapping = IMPORTS[1]
    again = run(
        folder, ["import", str(test_data / file), "--mapping", str(EXAMPLES / mapping), "--json"], policy_file=POLICY
    )
    assert json.loads(again.stdout) == {**pipeline, "sent": 0, "duplicates": pipeline["sent"]}


def test_model_is_what_the_log_says(imported: tuple[Path, list[Any]]) -> None:
    """Folded batch by batch while importing, the model equals one folded at once, and nothing was set aside."""
    folder, summaries = imported
    verified = run(folder, ["verify", "--json"], policy_file=POLICY)
    assert verified.returncode == 0, verified.stdout
    status = json.loads(run(folder, ["status", "--json"], policy_file=POLICY).stdout)
    assert status["acts"] == sum(summary["sent"] for summary in summaries)
    assert (status["waiting"], status["unreadable"], status["conflicts"]) == (0, 0, 0)


def test_managers_of_the_pipeline(server: Server, crm: Any) -> None:
    """Each closed deal was followed to its decision by the manager's team; what the CRM lacks is not recorded."""
    for row in crm["by_manager"]:
        card = scores(server, f'team(key: "{slug(row["manager"])}") {{ scorecard({CRM_PERIOD})')
        follow = card["FOLLOW_THROUGH"]
        assert follow["reasons"] == [{"reason": "followed_to_decision", "count": row["closed"]}]
        assert (follow["kept"], follow["breached"]) == (row["closed"], 0)
        assert card["NO_PRESSURE"]["notRecorded"] == row["closed"]
        assert card["LONG_VIEW"]["breached"] == 0
        assert card["OWN_GOALS"]["n"] == 0


def test_offices_pool_their_managers(server: Server, crm: Any) -> None:
    """An office's card with sub-teams holds each signal of its managers' teams once; without, it has none."""
    total = 0
    for office in crm["offices"]:
        selection = f'team(key: "{slug(office)}") {{ scorecard({CRM_PERIOD}, includeSubteams: true)'
        total += scores(server, selection)["FOLLOW_THROUGH"]["kept"]
        alone = scores(server, f'team(key: "{slug(office)}") {{ scorecard({CRM_PERIOD})')
        assert alone["FOLLOW_THROUGH"]["n"] == 0
    assert total == crm["stage"]["Won"] + crm["stage"]["Lost"]


def test_agents_without_deals_have_an_empty_card(server: Server, crm: Any) -> None:
    """Whoever is in a team and never sold has a card without figures, not a missing one."""
    for agent in crm["agents_without_deals"]:
        card = scores(server, f'person(key: "{slug(agent)}") {{ scorecard({CRM_PERIOD})')
        assert all(score["n"] == 0 and score["notRecorded"] == 0 for score in card.values())
        named = server.query(f'{{ person(key: "{slug(agent)}") {{ name memberships {{ team {{ key }} role }} }} }}')
        assert named["data"]["person"]["name"] == agent
        assert [stay["role"] for stay in named["data"]["person"]["memberships"]] == ["REP"]


def test_clerks_of_the_bank(server: Server, test_data: Path) -> None:
    """Each clerk's offers and follow-up calls are theirs; without needs on record their fit is not judged."""
    with (test_data / "bpi2012" / "truth-per-resource.csv").open() as file:
        clerks = [row for row in csv.DictReader(file) if row["resource"] not in ("", "112")]
    assert len(clerks) > 50
    for row in clerks:
        card = scores(server, f'person(key: "{row["resource"]}") {{ scorecard({PERIOD})')
        assert card["RIGHT_SOLUTION"]["notRecorded"] == int(row["offers_sent"])
        assert card["RIGHT_SOLUTION"]["n"] == 0
        assert card["OWN_GOALS"]["notRecorded"] == int(row["followup_START"])


def test_nobody_judges_the_computer(server: Server) -> None:
    """What no clerk did is nobody's: `unattributed` has acts and no card to speak of."""
    acts = server.query('{ acts(filter: {rep: "unattributed"}, first: 1) { edges { node { rep } } } }')
    assert acts["data"]["acts"]["edges"] == [{"node": {"rep": "unattributed"}}]
    reps = server.query('{ relationship(customer: "173688") { reps { key } } }')
    assert "unattributed" not in [rep["key"] for rep in reps["data"]["relationship"]["reps"]]


def test_an_application_followed_to_its_acts(server: Server) -> None:
    """A score of the bank leads to its signals, and these to the acts with the file's own ids."""
    answer = server.query(
        '{ relationship(customer: "173688") { signals(first: 100) { edges { node { principle reason person { key } '
        "evidence { actId source type time } } } } } }"
    )
    found = [edge["node"] for edge in answer["data"]["relationship"]["signals"]["edges"]]
    followed = [signal for signal in found if signal["reason"] == "followed_to_decision"]
    assert len(followed) == 1
    (act,) = followed[0]["evidence"]
    assert act["source"] == "bpi2012"
    assert act["actId"].startswith("173688-")
    assert act["type"] == "exemplar.decision.made.v1"
    assert act["time"].startswith("2011-10-13T08:37:29.226")

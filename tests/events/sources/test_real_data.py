"""The example mappings on the real files, with counts against `truth.json`, which was worked out by other code."""

import csv
import gzip
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.events.catalog.acts import ContactMade, CustomerAct, DecisionMade, OrderPlaced, TeamFormed, TeamJoined
from services.events.sources.importing import RefusedRow, Summary, import_file
from services.events.sources.mapping import load_mapping
from services.kit.instants import DAY, HOUR, MINUTE, parse_rfc3339
from tests.events.sources.memory_recorder import MemoryRecorder

EXAMPLES = Path(__file__).parents[3] / "examples"


class Imported(NamedTuple):
    recorder: MemoryRecorder
    summary: Summary
    again: Summary
    truth: dict[str, Any]


def imported(file: Path, example: str) -> Imported:
    """A file imported twice with an example mapping."""
    recorder = MemoryRecorder()
    refused: list[RefusedRow] = []
    mapping = load_mapping(EXAMPLES / example)
    first, again = (
        import_file(file, mapping, recorder, on_refused=refused.append, on_progress=lambda _: None) for _ in range(2)
    )
    assert refused == []
    return Imported(recorder, first, again, json.loads((file.parent / "truth.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def applications(test_data: Path) -> Imported:
    """The loan applications."""
    return imported(test_data / "bpi2012" / "bpi2012-2011Q4.xes.gz", "bpi2012.toml")


@pytest.fixture(scope="module")
def teams(test_data: Path) -> Imported:
    """The sales teams."""
    return imported(test_data / "crm_sales" / "sales_teams.csv.gz", "crm_sales_teams.toml")


@pytest.fixture(scope="module")
def deals(test_data: Path) -> Imported:
    """The deals."""
    return imported(test_data / "crm_sales" / "sales_pipeline.csv.gz", "crm_sales_pipeline.toml")


def kinds(done: Imported) -> Counter[tuple[str, ...]]:
    """How many acts there are of each kind: the name, and what tells kinds of the same name apart."""
    return Counter(
        (
            act.name,
            *(str(getattr(act.data, field)) for field in ("channel", "purpose", "outcome") if hasattr(act.data, field)),
        )
        for act in done.recorder.acts.values()
    )


def test_applications(applications: Imported) -> None:
    """Every activity of the loan applications becomes as many acts as it occurs; all else is skipped."""
    seen = applications.truth["activity_x_lifecycle"]
    expected = {
        ("contact.received", "other"): applications.truth["cases"],
        ("prospect.qualified", "fit"): seen["A_PREACCEPTED|COMPLETE"],
        ("prospect.qualified", "unfit"): applications.truth["A_DECLINED"]["events"],
        ("proposal.made",): applications.truth["O_SENT"]["events"],
        ("contact.made", "call", "follow_up"): applications.truth["followup_START"],
        ("contact.made", "call", "other"): seen["W_Nabellen incomplete dossiers|START"]
        + seen["W_Completeren aanvraag|START"],
        ("contact.received", "mail"): applications.truth["O_SENT_BACK"]["events"],
        ("decision.made", "accepted"): applications.truth["O_ACCEPTED"]["events"],
        ("decision.made", "declined"): applications.truth["A_CANCELLED"]["events"],
    }  # fmt: skip
    count, read = sum(expected.values()), applications.truth["events"]

    assert kinds(applications) == expected
    assert applications.summary == Summary(read, sent=count, duplicates=0, skipped=read - count, refused=0)
    assert applications.again == Summary(read, sent=0, duplicates=count, skipped=read - count, refused=0)
    assert len({act.subject for act in applications.recorder.acts.values()}) == applications.truth["cases"]


def test_clerks(applications: Imported, test_data: Path) -> None:
    """Each clerk made the offers and follow-up calls that are theirs; those of the computer are nobody's."""
    acts = applications.recorder.acts.values()
    offers = Counter(
        act.data.rep for act in applications.recorder.named("proposal.made") if isinstance(act.data, CustomerAct)
    )
    calls = Counter(
        act.data.rep for act in acts if isinstance(act.data, ContactMade) and act.data.purpose == "follow_up"
    )
    with (test_data / "bpi2012" / "truth-per-resource.csv").open(encoding="utf-8") as file:
        truth = {row["resource"]: row for row in csv.DictReader(file)}

    assert "112" not in offers | calls
    clerks = [clerk for clerk in truth if clerk.isdecimal() and clerk != "112"]
    assert len(clerks) > 20
    assert {clerk: offers[clerk] for clerk in clerks} == {clerk: int(truth[clerk]["offers_sent"]) for clerk in clerks}
    assert {clerk: calls[clerk] for clerk in clerks} == {clerk: int(truth[clerk]["followup_START"]) for clerk in clerks}


def test_first_application(applications: Imported) -> None:
    """An act has the id, instant and data of the event it came from."""
    act = applications.recorder.acts["173688", "bpi2012", "173688-4"]

    assert act.time == parse_rfc3339("2011-10-01T11:36:46.437+02:00")
    assert act.data == ContactMade(rep="unattributed", channel="call", purpose="other")


def test_teams(teams: Imported) -> None:
    """Each office and each manager is a team, managers lead theirs under the office's, and every agent is a rep."""
    formed = {act.subject: act.data for act in teams.recorder.named("team.formed") if isinstance(act.data, TeamFormed)}
    joined = [(act.subject, act.id, act.data) for act in teams.recorder.named("team.joined")]
    roles = Counter(data.role for _, _, data in joined if isinstance(data, TeamJoined))
    managers = {each["manager"] for each in teams.truth["by_manager"]}

    assert {data.name for data in formed.values() if data.parent is None} == set(teams.truth["offices"])
    assert {data.name for data in formed.values() if data.parent is not None} == managers
    assert formed["cara-losch"] == TeamFormed(name="Cara Losch", parent="east")
    assert roles == {"leader": len(managers), "rep": teams.truth["agents_in_teams"]}
    assert teams.summary == Summary(read=35, sent=50, duplicates=0, skipped=0, refused=0)
    assert teams.again == Summary(read=35, sent=0, duplicates=50, skipped=0, refused=0)
    assert {act.time for act in teams.recorder.acts.values()} == {parse_rfc3339("2016-01-01T00:00:00Z")}
    leader = TeamJoined(person="cara-losch", role="leader", name="Cara Losch")
    assert ("cara-losch", "cara-losch-cara-losch-joined", leader) in joined


def test_agents_without_deals(teams: Imported, deals: Imported) -> None:
    """Agents without deals are in their teams all the same."""
    agents = {
        act.data.person: act.data.name
        for act in teams.recorder.named("team.joined")
        if isinstance(act.data, TeamJoined) and act.data.role == "rep"
    }
    sellers = {act.data.rep for act in deals.recorder.acts.values() if isinstance(act.data, CustomerAct)}

    assert sellers <= set(agents)
    assert {agents[key] for key in set(agents) - sellers} == set(teams.truth["agents_without_deals"])


def test_deals(deals: Imported) -> None:
    """Deals become contacts, decisions and orders, as many as there are of each and of the value they have together."""
    stage, opps = deals.truth["stage"], deals.truth["opps"]
    orders = [act.data for act in deals.recorder.named("order.placed") if isinstance(act.data, OrderPlaced)]

    assert kinds(deals) == {
        ("contact.made", "other", "introduce"): opps - deals.truth["missing_engage_date"],
        ("decision.made", "accepted"): stage["Won"],
        ("decision.made", "declined"): stage["Lost"],
        ("order.placed",): stage["Won"],
    }
    assert sum(Decimal(order.amount) for order in orders) == Decimal(deals.truth["won_value"])
    assert {order.currency for order in orders} == {"USD"}
    assert deals.summary == Summary(opps, sent=sum(kinds(deals).values()), duplicates=0, skipped=500, refused=0)
    assert deals.again == Summary(opps, sent=0, duplicates=deals.summary.sent, skipped=500, refused=0)


def test_customers_of_deals(deals: Imported, test_data: Path) -> None:
    """A deal's customer is its account, or the deal itself where it has none."""
    with gzip.open(test_data / "crm_sales" / "sales_pipeline.csv.gz", "rt", encoding="utf-8") as file:
        alone = {row["opportunity_id"] for row in csv.DictReader(file) if not row["account"] and row["engage_date"]}
    acts = deals.recorder.acts.values()
    buyers = Counter(act.subject for act in deals.recorder.named("decision.made") if isinstance(act.data, DecisionMade))

    assert {act.subject for act in acts if isinstance(act.data, CustomerAct) and act.subject == act.data.deal} == alone
    assert len(buyers) == deals.truth["accounts"]
    assert "gekko-co" in buyers


def test_hours_of_deals(deals: Imported) -> None:
    """Contacts are at 09:00 UTC, decisions at 17:00, orders at 17:01."""
    hours = {(act.name, act.time % DAY) for act in deals.recorder.acts.values()}

    assert hours == {
        ("contact.made", 9 * HOUR),
        ("decision.made", 17 * HOUR),
        ("order.placed", 17 * HOUR + MINUTE),
    }


def test_values_by_manager(teams: Imported, deals: Imported) -> None:
    """Agents, orders and amounts come together under the managers as the data has them."""
    manager = {
        act.data.person: act.subject for act in teams.recorder.named("team.joined") if isinstance(act.data, TeamJoined)
    }
    names = {
        act.subject: act.data.name for act in teams.recorder.named("team.formed") if isinstance(act.data, TeamFormed)
    }
    value: Counter[str] = Counter()
    for act in deals.recorder.named("order.placed"):
        if isinstance(act.data, OrderPlaced):
            value[names[manager[act.data.rep]]] += int(act.data.amount)

    assert value == {each["manager"]: each["value"] for each in deals.truth["by_manager"]}

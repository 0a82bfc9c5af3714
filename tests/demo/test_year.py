"""The made-up year is whole, repeatable and valid."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from services.demo.acts import Act, data_of, kind_of, time_of
from services.demo.cast import PEOPLE
from services.demo.year import year
from services.events.catalog.envelope import Catalogue
from tests.reference.model import CATALOGUE, CUSTOMER_FACING

UNTIL = date(2026, 3, 31)
ENDS = datetime(2026, 3, 31, tzinfo=UTC)

VALUES = {
    "channel": {"call", "text", "email", "meeting", "video", "social", "calendar", "mail", "in_person", "other"},
    "purpose": {"introduce", "explore", "follow_up", "propose", "promote", "serve", "thank", "other"},
    "tactic": {"deadline", "scarcity", "insistence", "guilt", "other"},
    "role": {"rep", "leader"},
    "for": {"behaviour", "result"},
}


@pytest.fixture(scope="module")
def acts() -> list[Act]:
    """A year."""
    return list(year(7, UNTIL))


def test_the_same_seed_and_end_give_the_same_acts(acts: list[Act]) -> None:
    """A year told twice is the same year."""
    assert list(year(7, UNTIL)) == acts


def test_another_seed_gives_another_year(acts: list[Act]) -> None:
    """The seed matters."""
    assert list(year(8, UNTIL)) != acts


@pytest.mark.parametrize("seed", [1, 2, 3, 7, 8, 9])
def test_a_year_has_about_ten_thousand_acts(seed: int) -> None:
    """Whatever the seed and the end, there are 9,000 to 11,000 acts."""
    lengths = [len(list(year(seed, date(2026, 1, 1) + timedelta(days=seed * ahead)))) for ahead in (0, 31, 97)]
    assert all(9_000 <= length <= 11_000 for length in lengths), lengths


def test_every_act_of_the_catalogue_occurs(acts: list[Act]) -> None:
    """A newcomer can look at each kind of act."""
    assert {kind_of(act) for act in acts} == set(CATALOGUE)


@pytest.mark.parametrize("until", [date(2025, 3, 1), date(2024, 2, 29), date(2026, 12, 31)])
def test_every_act_of_the_catalogue_occurs_whenever_the_year_ends(until: date) -> None:
    """Leap days and the ends of months and years are no exception."""
    assert {kind_of(act) for act in year(7, until)} == set(CATALOGUE)


def test_acts_are_known_apart(acts: list[Act]) -> None:
    """Subject, source and id name one act."""
    keys = Counter((act["subject"], act["source"], act["id"]) for act in acts)
    assert max(keys.values()) == 1


def test_a_source_and_id_name_one_subject(acts: list[Act]) -> None:
    """The ingress takes the same source and id for another subject to be a mistake, so it does not occur."""
    assert len({(act["source"], act["id"]) for act in acts}) == len(acts)


def test_acts_come_in_the_order_of_time_within_the_year(acts: list[Act]) -> None:
    """Nothing is before the year, nothing at its end or later, and nothing out of order."""
    times = [time_of(act) for act in acts]
    assert times == sorted(times)
    assert times[0] == ENDS - timedelta(days=365)
    assert times[-1] < ENDS
    assert all(str(act["time"]).endswith("Z") for act in acts)


def test_every_act_is_valid_by_the_catalogue(acts: list[Act]) -> None:
    """The ingress would take each of them."""
    catalogue, now = Catalogue(), int(ENDS.timestamp()) * 1_000_000
    for act in acts:
        decoded = catalogue.decode_event(act, now)
        assert (decoded.name, decoded.subject) == (kind_of(act), act["subject"])


def test_every_act_has_the_form_of_the_catalogue(acts: list[Act]) -> None:
    """Checked independently: the attributes, the rep of customer-facing acts, and the values of closed lists."""
    for act in acts:
        assert set(act) == {"specversion", "id", "source", "type", "subject", "time", "data"}
        data = data_of(act)
        assert None not in data.values()
        assert ("rep" in data) or kind_of(act) not in CUSTOMER_FACING
        for field, allowed in VALUES.items():
            assert data.get(field) in {*allowed, None}, (field, act)


def test_references_name_earlier_acts_of_the_relationship(acts: list[Act]) -> None:
    """What happened during, answers or explores something does so to an act that is there, of the kind it should be."""
    kinds = {
        "during": {"contact.made", "contact.received", "meeting.held"},
        "answers": {"contact.received"},
        "hesitation": {"hesitation.voiced"},
    }
    seen: dict[tuple[object, object], str] = {}
    for act in acts:
        for field, expected in kinds.items():
            if field in data_of(act):
                assert seen[act["subject"], data_of(act)[field]] in expected
        seen[act["subject"], act["id"]] = kind_of(act)


def test_corrections_name_acts_of_their_subject(acts: list[Act]) -> None:
    """What is retracted or disputed is there, and was there before."""
    seen = set()
    for act in acts:
        for verb in ("retracts", "disputes"):
            if f"{verb}_id" in data_of(act):
                assert (act["subject"], data_of(act)[f"{verb}_source"], data_of(act)[f"{verb}_id"]) in seen
        seen.add((act["subject"], act["source"], act["id"]))


def test_needs_that_are_sold_to_were_established(acts: list[Act]) -> None:
    """An item never names a need that nobody has spoken of."""
    established = {(act["subject"], data_of(act)["need"]) for act in acts if kind_of(act) == "need.established"}
    for act in acts:
        items = data_of(act).get("items")
        if kind_of(act) in ("solution.recommended", "proposal.made") and isinstance(items, list):
            assert all((act["subject"], need) in established for item in items for need in item["needs"])


def test_everybody_acts_only_while_they_are_there(acts: list[Act]) -> None:
    """Nobody acts before they join or after they have left; all who are there do act."""
    begins = ENDS - timedelta(days=365)
    first = {person.key: begins + timedelta(days=person.stays[0].first) for person in PEOPLE}
    last = {person.key: begins + timedelta(days=person.stays[-1].last) for person in PEOPLE}
    facing = [act for act in acts if kind_of(act) in CUSTOMER_FACING]
    assert {data_of(act)["rep"] for act in facing} == set(first)
    for act in facing:
        rep = str(data_of(act)["rep"])
        assert first[rep] <= time_of(act) < last[rep]


def test_the_year_has_its_turns(acts: list[Act]) -> None:
    """People join later, move and leave; customers are reassigned, put off, send others and have several deals."""
    kinds = Counter(kind_of(act) for act in acts)
    assert kinds["team.left"] == 2
    assert kinds["customer.assigned"] > kinds["customer.known"]
    assert min(kinds["referral.given"], kinds["need.ruled_out"]) > 10
    assert sum(data_of(act).get("outcome") == "deferred" for act in acts) > 10
    assert len({data_of(act)["deal"] for act in acts if "deal" in data_of(act)}) > 20
    assert {kind_of(act) for act in acts if act["subject"] == "public"} == {"goal.appealed", "urgency.pressed"}
    assert kinds["person.erased"] == 1

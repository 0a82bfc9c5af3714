"""A long relationship costs in proportion: twice the acts, about twice the work. Counted in calls, never in time."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from services.events.catalog.envelope import Act
from services.kit.instants import DAY, MINUTE
from services.projections.leadership.folding import fold
from services.projections.leadership.policy import DEFAULT_POLICY
from tests.projections.leadership.test_against_reference import as_act
from tests.reference.histories import START
from tests.reference.model import RefAct

Told = tuple[str, dict[str, Any]]

CONTACT: Told = ("contact.made", {"channel": "call", "purpose": "follow_up"})
OFFER: Told = ("proposal.made", {"items": [{"item": "roof", "needs": ["n1"]}]})
RECEIVED: Told = (
    "contact.received",
    {"channel": "call", "asks": True, "wants_help": True, "offered_channel": "text"},
)
DECLINED: Told = ("decision.made", {"outcome": "declined"})
DEFERRED: Told = ("decision.made", {"outcome": "deferred", "until": "2050-01-01"})
NO_NEED: Told = ("need.ruled_out", {})
NEED: Told = ("need.established", {"need": "n1"})
HESITATION: Told = ("hesitation.voiced", {})
EXPLORED: Told = ("hesitation.explored", {"hesitation": "0"})
UNFIT: Told = ("prospect.qualified", {"outcome": "unfit", "criteria": []})
SPECIAL: Told = ("special.promoted", {"campaign": "spring", "needs": ["n1", "n2"]})
ORDER: Told = ("order.placed", {"amount": "1", "currency": "EUR", "items": []})


def own_deal(told: Told, place: int) -> Told:
    """The act under a deal of its own."""
    return told[0], {**told[1], "deal": f"d{place}"}


SHAPES: dict[str, Callable[[int], Told]] = {
    "touches": lambda place: CONTACT,
    "attempts that end": lambda place: (CONTACT, OFFER, DECLINED)[place % 3],
    "a deal for each act": lambda place: own_deal((CONTACT, OFFER)[place % 2], place),
    "many deals at once": lambda place: own_deal((CONTACT, OFFER)[place % 3 == 0], place % 100),
    "a no on each deal": lambda place: (OFFER, CONTACT, RECEIVED, own_deal(DECLINED, place))[place % 4],
    "a deferral after the other": lambda place: (OFFER, CONTACT, DEFERRED)[min(place, 2)],
    "no needs": lambda place: (OFFER, CONTACT, NO_NEED)[place % 3],
    "needs and no-needs of other deals": lambda place: own_deal((NEED, NO_NEED)[place % 2], place),
    "a need after the other": lambda place: (SPECIAL, ("need.established", {"need": f"n{place}"}))[place % 2],
    "hesitations first, explorations later": lambda place: (
        own_deal(HESITATION, place) if place < 400 else (EXPLORED, RECEIVED)[place % 2]
    ),
    "unfit again and again": lambda place: (OFFER, CONTACT, UNFIT, CONTACT)[place % 4],
    "orders": lambda place: (ORDER, CONTACT)[place % 2],
}


def work(shape: Callable[[int], Told], size: int, apart: int) -> int:
    """How many calls it takes to fold so many acts of a shape."""
    acts: list[Act] = []
    for place in range(size):
        name, data = shape(place)
        acts.append(
            as_act(RefAct(0, place, name, "crm", str(place), "kim", START + place * apart, {"rep": "r1", **data}))
        )
    calls = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        fold("kim", acts, DEFAULT_POLICY)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    "apart", [0, MINUTE, DAY, 31 * DAY], ids=["at once", "by the minute", "by the day", "silences"]
)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_twice_the_acts_take_about_twice_the_work(shape: Callable[[int], Told], apart: int) -> None:
    """Whatever the acts are and however close they follow, work does not grow with their square."""
    assert work(shape, 800, apart) < 2.5 * work(shape, 400, apart)

"""What §5 counts besides signals: touches, selling acts, orders, referrals, and what attempts came to."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.events.catalog.acts import ActRetracted
from services.events.catalog.envelope import Act, Catalogue
from services.kit.instants import DAY, parse_rfc3339
from services.projections.leadership.dealings import What
from services.projections.leadership.folding import Fold, distinct, fold
from services.projections.leadership.policy import DEFAULT_POLICY, Policy
from tests.projections.leadership.test_against_reference import as_act
from tests.reference.histories import random_history

CATALOGUE = Catalogue()
START = parse_rfc3339("2026-01-05T09:00:00Z")
ITEMS = [{"item": "roof", "needs": []}]


def folded(*told: tuple[float, str, dict[str, Any]], policy: Policy = DEFAULT_POLICY, customer: str = "acme") -> Fold:
    """The fold of acts told as (days since the start, name, data); ids are their places."""
    acts = []
    for place, (after, name, data) in enumerate(told):
        time = START + int(after * DAY)
        typed = CATALOGUE.convert(name, {"rep": "rik"} | data if name != "act.retracted" else data)
        acts.append(Act("crm", str(place), name, customer, time, typed))
    return fold(customer, acts, policy)


def contact(after: float, purpose: str = "follow_up", **more: Any) -> tuple[float, str, dict[str, Any]]:
    """A call."""
    return after, "contact.made", {"channel": "call", "purpose": purpose, **more}


def decision(after: float, outcome: str = "accepted", **more: Any) -> tuple[float, str, dict[str, Any]]:
    """A yes or a no."""
    return after, "decision.made", {"outcome": outcome, **more}


def order(after: float, **more: Any) -> tuple[float, str, dict[str, Any]]:
    """An order."""
    return after, "order.placed", {"amount": "1", "currency": "EUR", "items": [], **more}


def test_what_a_touch_says_of_the_customer_then() -> None:
    """Whether their latest verdict was unfit, and whether they had ordered, before it and not after."""
    found = folded(
        contact(0),
        (1, "prospect.qualified", {"outcome": "unfit", "criteria": []}),
        contact(2),
        (3, "prospect.qualified", {"outcome": "fit", "criteria": []}),
        order(4),
        contact(5, "thank"),
    )
    sold = What.TOUCH | What.SELLING
    assert [(d.act.id, d.what) for d in found.dealings] == [
        ("0", sold),
        ("2", sold | What.UNFIT),
        ("4", What.ORDER),
        ("5", What.TOUCH | What.CUSTOMER),
    ]


def test_meetings_are_touches_and_appeals_are_selling() -> None:
    """A meeting sells nothing by itself; pressing is selling without being a touch; referrals are kept too."""
    meeting = {"asked_minutes": 30, "actual_minutes": 30, "channel": "video", "purpose": "explore"}
    found = folded(
        (0, "meeting.held", meeting),
        (1, "urgency.pressed", {"tactic": "guilt"}),
        (2, "referral.given", {"referred": "globex"}),
        (3, "service.given", {"kind": "advice"}),
    )
    assert [d.what for d in found.dealings] == [What.TOUCH, What.SELLING, What.REFERRAL]


def test_an_attempt_that_was_decided() -> None:
    """Its first selling act, its sales touches without redials, and the next order more than a day later."""
    found = folded(
        (0, "contact.received", {"channel": "call", "asks": False, "wants_help": False}),
        contact(1, "introduce", rep="rosa"),
        contact(1 + 0.5 / 24),
        contact(2),
        (3, "proposal.made", {"items": ITEMS}),
        decision(4),
        order(4.5),
        order(5),
        order(5 + 1e-6),
        contact(9),
    )
    (attempt,) = found.decided
    assert (attempt.decision.id, attempt.rep, attempt.accepted, attempt.pressed) == ("5", "rik", True, False)
    assert attempt.first == ("rosa", START + DAY)
    assert attempt.touches == 2
    assert attempt.next_order is not None
    assert attempt.next_order > START + 5 * DAY
    assert [d.decision and d.decision.id for d in found.dealings] == ["5", "5", "5", "5", None, None, None, None]
    assert {d.accepted for d in found.dealings} == {True, None}


@pytest.mark.parametrize(
    ("act", "data", "pressed"),
    [
        ("urgency.pressed", {"tactic": "deadline"}, True),
        ("goal.appealed", {}, True),
        ("special.promoted", {"campaign": "spring", "needs": []}, True),
        ("special.promoted", {"campaign": "spring", "needs": ["dry"]}, False),
        ("contact.made", {"channel": "call", "purpose": "promote"}, False),
    ],
)
def test_getting_acts_press_an_attempt(act: str, data: dict[str, Any], pressed: bool) -> None:
    """Pressing, appeals, and specials that meet no live need."""
    found = folded((0, "need.established", {"need": "dry"}), (1, act, data), decision(2, "declined"))
    assert [(a.pressed, a.accepted) for a in found.decided] == [(pressed, False)]


def test_a_special_of_a_source_without_needs_presses_nobody() -> None:
    """Whether it met a need cannot be known there."""
    blind = msgspec.structs.replace(DEFAULT_POLICY, not_recorded={"crm": frozenset({"need.established"})})
    found = folded((0, "special.promoted", {"campaign": "x", "needs": []}), decision(1), policy=blind)
    assert not found.decided[0].pressed


def test_a_release_decides_nothing() -> None:
    """Attempts that are let go, or still open, are not among the decided ones."""
    found = folded(contact(0), (1, "prospect.released", {}), contact(2), (2.5, "decision.made", {**decision(0)[2]}))
    assert [a.decision.id for a in found.decided] == ["3"]
    assert [d.decision and d.decision.id for d in found.dealings] == [None, "3"]


def test_what_is_retracted_was_never_dealt() -> None:
    """A retracted decision decides nothing; a retracted contact is no touch."""
    found = folded(
        contact(0),
        contact(1),
        decision(2),
        *(
            (3, "act.retracted", {"retracts_source": "crm", "retracts_id": gone, "reason": "slip", "by": "ann"})
            for gone in ("0", "2")
        ),
    )
    assert [(d.act.id, d.decision) for d in found.dealings] == [("1", None)]
    assert found.decided == []


def test_towards_everyone_nothing_is_dealt() -> None:
    """`public` is no customer."""
    found = folded((0, "goal.appealed", {}), contact(1), decision(2), customer="public")
    assert (found.dealings, found.decided) == ([], [])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_a_cut_at_an_instant_is_the_history_up_to_it(seed: int) -> None:
    """*As of* hides what is later: what is kept, cut by its times, is what the earlier acts alone would have made."""
    acts, _ = distinct(as_act(act) for act in random_history(seed, 150) if act.subject == "c1")
    cut = Random(seed).choice([act.time for act in acts] or [0])
    earlier = [act for act in acts if act.time <= cut or isinstance(act.data, ActRetracted)]
    all_, then = fold("c1", acts, DEFAULT_POLICY), fold("c1", earlier, DEFAULT_POLICY)
    dealt = [
        (d.act, d.rep, d.what, *((d.decision, d.accepted) if d.decision and d.decision.time <= cut else (None, None)))
        for d in all_.dealings
        if d.act.time <= cut
    ]
    assert dealt == [tuple(d) for d in then.dealings]
    decided = [
        a if a.next_order is None or a.next_order <= cut else a._replace(next_order=None)
        for a in all_.decided
        if a.decision.time <= cut
    ]
    assert decided == then.decided

"""What the leader models, over GraphQL: hand-made teams whose answer is plain to see."""

from typing import Any

import pytest

from services.graphql.examples import NOTHING_TO_COPY
from tests.graphql.gateway import Asker

PERIOD = {"from": "2026-01-01", "to": "2026-03-01"}
WHOLE = """
fragment Odds on OddsRatio { value interval { low high } strata n undefinedBecause }
fragment Ratio on RateRatio { value interval { low high } before after beforeDays afterDays undefinedBecause }
fragment R on Rate { kept n rate }
fragment D on Difference { value interval { low high } }
fragment S on Score { kept breached n notRecorded rate interval { low high } evidenceLevel }
fragment Pair on RateComparison { with { ...R } without { ...R } difference { ...D } }
fragment C on Correlation { value n }
fragment Whole on LeaderExample {
  leader { key } team { key } policy remark
  comparisons {
    principle { id } leader { ...S } team { ...S } difference { ...D }
    mirroring { ...Odds } chanceBaseline { ...Odds } imprint { ...Odds }
  }
  standards {
    principle { id } since gap score { ...S previous { n } change { value } trend(by: MONTH) { start kept } }
  }
  goading { ...Ratio } monthEndPressure { ...Ratio }
  coaching { principle { id } count } recognition { principle { id } count } behaviourRecognitionShare
  guidesWin { acceptance { ...C } repeatCustomers { ...C } referrals { ...C } }
  pushing { acceptance { ...Pair } repeat { ...Pair } }
  afterCoaching { principle { id } after { ...R } before { ...R } difference { ...D } }
}
"""
EXAMPLES = WHOLE + (
    "query ($team: String!, $period: PeriodInput!) { team(key: $team) { examples(period: $period) { ...Whole } } }"
)


def examples(asker: Asker, team: str = "north", who: str | None = "admin", **period: str) -> Any:
    """The examples of a team's leaders."""
    return asker.data(EXAMPLES, {"team": team, "period": PERIOD | period}, who)["team"]["examples"]


def comparison(example: Any, principle: str) -> Any:
    """The comparison on one principle."""
    return next(one for one in example["comparisons"] if one["principle"]["id"] == principle)


def found_team(asker: Asker, *reps: str, leader: str = "ann", team: str = "north") -> None:
    """A team since the year before."""
    asker.world.post("team.formed", team, "2025-01-01", name=team.title())
    asker.world.post("team.joined", team, "2025-01-01", person=leader, role="leader")
    for rep in reps:
        asker.world.post("team.joined", team, "2025-01-01", person=rep, role="rep")


def meeting(asker: Asker, person: str, customer: str, time: str, on_time: bool) -> None:
    """A meeting that keeps or breaches *respect-time*."""
    took = 30 if on_time else 90
    more: dict[str, Any] = {"channel": "video", "purpose": "other", "asked_minutes": 30, "actual_minutes": took}
    asker.world.post("meeting.held", customer, time, rep=person, **more)


def test_a_team_that_does_what_its_leader_does(asker: Asker) -> None:
    """Ann overran in January and kept time in February, and so did her reps: the odds are nine times as high."""
    found_team(asker, "rik")
    meeting(asker, "ann", "c-ann", "2026-01-02T09:00:00Z", on_time=False)
    meeting(asker, "ann", "c-ann", "2026-02-05T09:00:00Z", on_time=True)
    for month, alike in (("01", False), ("02", True)):
        for day in (10, 11, 12):
            meeting(asker, "rik", f"c-{day}", f"2026-{month}-{day}T09:00:00Z", on_time=alike)
        meeting(asker, "rik", "c-13", f"2026-{month}-13T09:00:00Z", on_time=not alike)
    asker.world.fold()
    (example,) = examples(asker)
    found = comparison(example, "RESPECT_TIME")
    assert found["mirroring"]["value"] == pytest.approx(9)
    assert (found["mirroring"]["strata"], found["mirroring"]["n"]) == (1, 8)
    assert found["chanceBaseline"]["undefinedBecause"]
    assert (found["leader"]["rate"], found["team"]["rate"], found["difference"]["value"]) == (0.5, 0.5, 0)
    assert comparison(example, "QUALIFY")["mirroring"] == {
        "value": None,
        "interval": None,
        "strata": 0,
        "n": 0,
        "undefinedBecause": "the leader has no signal here: the team had nothing here to copy",
    }


def test_meeting_with_the_leaders_own_customer_mirrors_nothing(asker: Asker) -> None:
    """The leader's breach with a customer is no example for the rep who meets the same customer."""
    found_team(asker, "rik")
    meeting(asker, "ann", "acme", "2026-01-02T09:00:00Z", on_time=False)
    meeting(asker, "rik", "acme", "2026-01-03T09:00:00Z", on_time=False)
    meeting(asker, "rik", "globex", "2026-01-03T09:00:00Z", on_time=False)
    asker.world.fold()
    assert comparison(examples(asker)[0], "RESPECT_TIME")["mirroring"]["n"] == 1


def test_the_baseline_puts_other_leaders_in_the_leaders_place(asker: Asker) -> None:
    """Bob, who leads south, breached; Ann's team is compared with his example too, while he does not lead it."""
    found_team(asker, "rik")
    found_team(asker, "sam", leader="bob", team="south")
    meeting(asker, "bob", "c-bob", "2026-01-02T09:00:00Z", on_time=False)
    for day, person in ((5, "rik"), (6, "rik"), (7, "sam")):
        meeting(asker, person, f"c-{day}", f"2026-01-0{day}T09:00:00Z", on_time=False)
    asker.world.post("team.joined", "north", "2026-01-06", person="bob", role="leader")
    asker.world.fold()
    ann, bob = examples(asker)
    assert (ann["leader"]["key"], bob["leader"]["key"]) == ("ann", "bob")
    assert comparison(ann, "RESPECT_TIME")["chanceBaseline"]["n"] == 1
    assert comparison(bob, "RESPECT_TIME")["mirroring"]["n"] == 1
    (south,) = examples(asker, "south")
    assert comparison(south, "RESPECT_TIME")["mirroring"]["n"] == 1


def test_a_new_rep_takes_after_the_leader_of_the_first_days(asker: Asker) -> None:
    """Rik's first days were long before the period; the imprint counts them, mirroring does not."""
    found_team(asker, "rik")
    meeting(asker, "ann", "c-ann", "2025-01-02T09:00:00Z", on_time=False)
    for day, on_time in (("01-03", False), ("01-04", True), ("04-20", False)):
        meeting(asker, "rik", f"c-{day}", f"2025-{day}T09:00:00Z", on_time=on_time)
    asker.world.fold()
    found = comparison(examples(asker)[0], "RESPECT_TIME")
    assert (found["imprint"]["n"], found["mirroring"]["n"]) == (2, 0)


def test_a_leader_who_never_met_a_customer(asker: Asker) -> None:
    """The example says that there was nothing to copy, and its scores are empty."""
    found_team(asker, "rik")
    asker.world.fold()
    (example,) = examples(asker)
    assert example["remark"] == NOTHING_TO_COPY
    assert [one["leader"]["n"] for one in example["comparisons"]] == [0] * 14
    assert all(one["difference"] == {"value": None, "interval": None} for one in example["comparisons"])


def test_words_and_deeds(asker: Asker) -> None:
    """What was stated before the period counts from then on, and what came at the very instant does not."""
    found_team(asker, "rik")
    asker.world.post("standard.stated", "ann", "2025-06-01T09:00:00Z", principle="respect-time", team="north")
    asker.world.post("standard.stated", "ann", "2026-01-05", principle="respect-time", team="north")
    asker.world.post("standard.stated", "ann", "2026-01-05", principle="qualify", team="north")
    asker.world.post("standard.stated", "ann", "2026-01-05", principle="two-way", team="elsewhere")
    meeting(asker, "ann", "c1", "2025-06-01T09:00:00Z", on_time=False)
    for time, on_time in (("2025-06-02", True), ("2025-07-02", False), ("2026-01-02", False), ("2026-03-01", True)):
        meeting(asker, "ann", "c2", f"{time}T09:00:00Z", on_time=on_time)
    asker.world.fold()
    qualify, respect = examples(asker)[0]["standards"]
    assert (respect["principle"]["id"], respect["since"]) == ("RESPECT_TIME", "2025-06-01T09:00:00Z")
    assert (respect["score"]["kept"], respect["score"]["breached"]) == (1, 2)
    assert respect["gap"] == pytest.approx(2 / 3)
    assert (respect["score"]["previous"], respect["score"]["change"]) == (None, None)
    assert respect["score"]["trend"][0] == {"start": "2025-06-01", "kept": 1}
    assert (qualify["principle"]["id"], qualify["gap"], qualify["score"]["n"]) == ("QUALIFY", None, 0)


def test_the_signals_behind_a_standard(asker: Asker) -> None:
    """The score of a standard leads to its own signals: those strictly after the statement, of the leader's stay."""
    found_team(asker)
    asker.world.post("standard.stated", "ann", "2026-01-05T09:00:00Z", principle="respect-time", team="north")
    meeting(asker, "ann", "c1", "2026-01-05T09:00:00Z", on_time=False)
    meeting(asker, "ann", "c2", "2026-01-05T09:00:01Z", on_time=False)
    asker.world.fold()
    query = """query ($period: PeriodInput!) { team(key: "north") { examples(period: $period) { standards {
      score { n signals { edges { node { customerKey } } } } } } } }"""
    ((standard,),) = (e["standards"] for e in asker.data(query, {"period": PERIOD})["team"]["examples"])
    assert standard["score"]["n"] == 1
    assert [edge["node"]["customerKey"] for edge in standard["score"]["signals"]["edges"]] == ["c2"]


def test_reps_push_when_they_were_pushed(asker: Asker) -> None:
    """One pressed customer in the fortnight before the push, three in the one after."""
    found_team(asker, "rik")
    asker.world.post("push.directed", "ann", "2026-02-01", team="north")
    asker.world.post("push.directed", "ann", "2025-06-01", team="north")
    asker.world.post("push.directed", "ann", "2026-01-10", team="south")
    for place, time in enumerate(("2026-01-20", "2026-02-02", "2026-02-03", "2026-02-10", "2026-02-20")):
        asker.world.post("urgency.pressed", f"c{place}", time, rep="rik", tactic="deadline")
    asker.world.fold()
    (example,) = examples(asker)
    found = example["goading"]
    assert (found["before"], found["after"], found["beforeDays"], found["afterDays"]) == (1, 3, 14, 14)
    assert found["value"] == pytest.approx(3)
    assert found["interval"]["high"] is not None
    end = example["monthEndPressure"]
    assert (end["before"], end["after"], end["beforeDays"], end["afterDays"]) == (5, 0, 49, 10)
    cut = examples(asker, asOf="2026-02-02T12:00:00Z")[0]["goading"]
    assert (cut["before"], cut["after"], cut["afterDays"]) == (1, 1, 1.5)


def test_pushing_does_not_pay(asker: Asker) -> None:
    """Two attempts were pressed and failed; two were not and came to a yes, one of them followed by another order."""
    found_team(asker, "rik")
    asker.world.clock.advance(400 * 24 * 3600 * 1_000_000)
    for customer, pressed, outcome in (
        ("a", True, "declined"),
        ("b", True, "declined"),
        ("c", False, "accepted"),
        ("d", False, "accepted"),
        ("e", False, "deferred"),
    ):
        asker.world.post("contact.made", customer, "2026-01-02", rep="rik", channel="call", purpose="introduce")
        if pressed:
            asker.world.post("urgency.pressed", customer, "2026-01-03", rep="rik", tactic="guilt")
        until = {"until": "2026-05-01"} if outcome == "deferred" else {}
        asker.world.post("decision.made", customer, "2026-01-04", rep="rik", outcome=outcome, **until)
    asker.world.post("order.placed", "c", "2026-01-04", rep="rik", amount="1", currency="EUR", items=[])
    asker.world.post("order.placed", "d", "2026-01-06", rep="sam", amount="1", currency="EUR", items=[])
    asker.world.fold()
    found = examples(asker)[0]["pushing"]
    assert found["acceptance"]["with"] == {"kept": 0, "n": 2, "rate": 0}
    assert found["acceptance"]["without"] == {"kept": 2, "n": 2, "rate": 1}
    assert found["acceptance"]["difference"]["value"] == -1
    assert found["repeat"]["without"] == {"kept": 1, "n": 2, "rate": 0.5}
    assert examples(asker, asOf="2026-02-01T00:00:00Z")[0]["pushing"]["repeat"]["without"]["n"] == 0


def test_coaching_and_what_came_of_it(asker: Asker) -> None:
    """Rik overran before he was coached and kept time after; recognition is for behaviour and for results."""
    found_team(asker, "rik")
    asker.world.post("coaching.given", "ann", "2026-01-20", rep="rik", principle="respect-time")
    asker.world.post("coaching.given", "ann", "2026-01-20", rep="stranger", principle="qualify")
    asker.world.post("recognition.given", "ann", "2026-01-21", rep="rik", for_="behaviour", principle="respect-time")
    asker.world.post("recognition.given", "ann", "2026-01-22", rep="rik", for_="result")
    asker.world.post("recognition.given", "ann", "2026-01-23", rep="rik", for_="result", principle="long-view")
    for day, on_time in ((2, False), (3, False), (21, True), (22, True), (23, False)):
        meeting(asker, "rik", f"c{day}", f"2026-01-{day:02}T09:00:00Z", on_time=on_time)
    asker.world.fold()
    (example,) = examples(asker)
    assert example["coaching"] == [{"principle": {"id": "RESPECT_TIME"}, "count": 1}]
    assert example["recognition"] == [
        {"principle": {"id": "RESPECT_TIME"}, "count": 1},
        {"principle": {"id": "LONG_VIEW"}, "count": 1},
    ]
    assert example["behaviourRecognitionShare"] == pytest.approx(1 / 3)
    (effect,) = example["afterCoaching"]
    assert (effect["after"], effect["before"]["kept"], effect["before"]["n"]) == (
        {"kept": 2, "n": 3, "rate": pytest.approx(2 / 3)},
        0,
        2,
    )


def test_coaching_to_do_as_they_say(asker: Asker) -> None:
    """Who is coached on walk-the-talk is looked at by what they had stated themselves, strictly before."""
    found_team(asker, "rik")
    asker.world.post("standard.stated", "rik", "2026-01-15", principle="respect-time", team="any")
    asker.world.post("coaching.given", "ann", "2026-01-20", rep="rik", principle="walk-the-talk")
    for day, on_time in ((10, True), (16, False), (21, True)):
        meeting(asker, "rik", f"c{day}", f"2026-01-{day:02}T09:00:00Z", on_time=on_time)
    asker.world.fold()
    (effect,) = examples(asker)[0]["afterCoaching"]
    assert effect["principle"]["id"] == "WALK_THE_TALK"
    assert (effect["after"]["kept"], effect["after"]["n"]) == (1, 1)
    assert (effect["before"]["kept"], effect["before"]["n"]) == (0, 1)


def test_guides_win(asker: Asker) -> None:
    """Five reps: the more of them kept what guides keep, the more customers came back and referred others."""
    reps = [f"rep{k}" for k in range(5)]
    found_team(asker, *reps)
    for k, rep in enumerate(reps):
        for number in range(6):
            keeps = number < k + 1
            customer, day = f"{rep}-{number}", f"2026-01-{number + 5:02}"
            meeting(asker, rep, customer, f"{day}T08:00:00Z", on_time=keeps)
            if not keeps:
                asker.world.post("goal.appealed", customer, f"{day}T08:30:00Z", rep=rep)
            purpose = "introduce" if keeps else "serve"
            asker.world.post("contact.made", customer, f"{day}T09:00:00Z", rep=rep, channel="call", purpose=purpose)
            act = "special.promoted" if keeps else "urgency.pressed"
            more = {"campaign": "x", "needs": ["dry"]} if keeps else {"tactic": "guilt"}
            asker.world.post("need.established", customer, f"{day}T08:10:00Z", rep=rep, need="dry")
            asker.world.post(act, customer, f"{day}T10:00:00Z", rep=rep, **more)
            outcome = "accepted" if keeps else "declined"
            asker.world.post("decision.made", customer, f"{day}T12:00:00Z", rep=rep, outcome=outcome)
        for order in range(2 * k):
            day = f"2026-02-{order + 1:02}"
            asker.world.post("order.placed", f"{rep}-{order // 2}", day, rep=rep, amount="1", currency="EUR", items=[])
        for number in range(k):
            asker.world.post("referral.given", f"{rep}-{number}", "2026-02-20", rep=rep, referred=f"new-{rep}-{number}")
    asker.world.fold()
    found = examples(asker)[0]["guidesWin"]
    assert found == {
        "acceptance": {"value": pytest.approx(1), "n": 5},
        "repeatCustomers": {"value": pytest.approx(1), "n": 5},
        "referrals": {"value": pytest.approx(1), "n": 5},
    }


def test_only_those_who_led_in_the_period_have_an_example(asker: Asker) -> None:
    """By the first time they led; what the team did without them is not theirs."""
    found_team(asker, "rik", leader="zoe")
    asker.world.post("team.left", "north", "2026-01-15", person="zoe")
    asker.world.post("team.joined", "north", "2026-01-15", person="ann", role="leader")
    asker.world.post("team.joined", "north", "2026-03-01", person="bob", role="leader")
    for day in (14, 15, 16):
        meeting(asker, "rik", f"c{day}", f"2026-01-{day}T00:00:00Z", on_time=True)
    asker.world.fold()
    found = examples(asker)
    assert [one["leader"]["key"] for one in found] == ["zoe", "ann"]
    assert [comparison(one, "RESPECT_TIME")["team"]["n"] for one in found] == [1, 2]
    assert [one["leader"]["key"] for one in examples(asker, asOf="2026-01-10T00:00:00Z")] == ["zoe"]


EXAMPLE = """query ($person: String!, $team: String!, $period: PeriodInput!) {
  person(key: $person) { example(team: $team, period: $period) { leader { key } team { name } } } }"""


def test_a_persons_example_to_a_team(asker: Asker) -> None:
    """Null for a team that they did not lead in the period."""
    found_team(asker, "rik")
    found_team(asker, "sam", leader="bob", team="south")
    asker.world.fold()

    def example(person: str, team: str) -> Any:
        return asker.data(EXAMPLE, {"person": person, "team": team, "period": PERIOD})["person"]["example"]

    assert example("ann", "north") == {"leader": {"key": "ann"}, "team": {"name": "North"}}
    assert example("ann", "south") is None
    assert example("rik", "north") is None
    assert example("ann", "nowhere") is None


EQUITY = """query ($asOf: DateTime) { team(key: "north") { equity(asOf: $asOf) {
  activeCustomers repeatShare referralsPerCustomerYear lostCustomers touchesToYesMedian shareAtFiveToSeven
  touchShareUnfit touchShareCustomers } } }"""


def order(asker: Asker, customer: str, time: str, rep: str = "rik") -> None:
    """An order."""
    asker.world.post("order.placed", customer, time, rep=rep, amount="1", currency="EUR", items=[])


def test_what_a_customer_base_is_worth(asker: Asker) -> None:
    """Two active customers, one of whom came back and referred two; one of last year is lost; half of the touches went
    to a customer, a quarter to somebody unfit."""
    found_team(asker, "rik")
    for customer, time in (("a", "2025-05-01"), ("a", "2026-01-10"), ("b", "2026-01-11"), ("public", "2026-01-11")):
        order(asker, customer, time)
    order(asker, "gone", "2025-02-01")
    order(asker, "not-ours", "2026-01-11", rep="sam")
    for place in range(2):
        asker.world.post("referral.given", "a", "2026-01-12", rep="rik", referred=f"new{place}")
    asker.world.post("referral.given", "gone", "2026-01-12", rep="rik", referred="new9")
    asker.world.post("prospect.qualified", "u", "2026-01-01", rep="rik", outcome="unfit", criteria=[])
    for customer in ("u", "x", "a", "b"):
        asker.world.post("contact.made", customer, "2026-02-01", rep="rik", channel="call", purpose="introduce")
    asker.world.post("decision.made", "x", "2026-02-02", rep="rik", outcome="accepted")
    asker.world.fold()
    found = asker.data(EQUITY)["team"]["equity"]
    assert found == {
        "activeCustomers": 2,
        "repeatShare": 0.5,
        "referralsPerCustomerYear": 1.0,
        "lostCustomers": 1,
        "touchesToYesMedian": 1.0,
        "shareAtFiveToSeven": 0.0,
        "touchShareUnfit": 0.25,
        "touchShareCustomers": 0.5,
    }
    before = asker.data(EQUITY, {"asOf": "2025-03-01T00:00:00Z"})["team"]["equity"]
    assert (before["activeCustomers"], before["lostCustomers"], before["touchShareUnfit"]) == (1, 0, None)

"""What the queries read: scorecards down to acts, pages, filters, as of an instant, what became of an act."""

import json
from typing import Any

import pytest

from services.kit.instants import DAY
from tests.graphql.gateway import GRAPHQL, Asker
from tests.projections.world import World

PERIOD = '{from: "2026-01-01", to: "2026-03-01"}'
PRINCIPLES = [
    *("OWN_GOALS", "ASK_FIRST", "NO_PRESSURE", "QUALIFY", "RIGHT_SOLUTION", "RESPECT_TIME", "TWO_WAY", "LONG_VIEW"),
    *("WELCOME_HESITATION", "FOLLOW_THROUGH", "ACCEPT_DECISIONS", "NO_INVENTED_NEED", "AIM_TO_SERVE"),
    *("SERVE_CUSTOMERS", "WALK_THE_TALK"),
]


def test_principles_come_in_their_order(asker: Asker) -> None:
    """Each with a title, a description and the articles it comes from."""
    principles = asker.data("{ principles { id title description sources } }")["principles"]
    assert [principle["id"] for principle in principles] == PRINCIPLES
    assert principles[1]["title"] == "Be curious before you offer"
    assert principles[1]["sources"] == ["S1", "S2"]
    assert all(principle["description"] for principle in principles)


def test_a_score_leads_to_the_acts_it_came_from(company: Asker) -> None:
    """From a team's figure to its signals, their person and their acts, with what disputes them."""
    query = """{ team(key: "north") { scorecard(period: PERIOD) {
      from to asOf policy
      score(principle: NO_PRESSURE) { principle { id } kept breached n notRecorded rate
        interval { low high } evidenceLevel
        reasons { reason count } change { value interval { low } }
        signals { edges { node { person { key name } customerKey principle verdict reason at evidence {
          actId type subject rep data retracted disputes { actId data } } } } } } } } }"""
    card = company.data(query.replace("PERIOD", PERIOD))["team"]["scorecard"]
    score = card.pop("score")
    assert card == {
        "from": "2026-01-01",
        "to": "2026-03-01",
        "asOf": "2026-03-02T09:00:00Z",
        "policy": company.world.policy.identity,
    }
    (signal,) = [edge["node"] for edge in score.pop("signals")["edges"]]
    (act,) = signal.pop("evidence")
    (dispute,) = act.pop("disputes")
    assert score.pop("interval")["low"] == 0
    assert score == {
        "principle": {"id": "NO_PRESSURE"},
        "kept": 0,
        "breached": 1,
        "n": 1,
        "notRecorded": 0,
        "rate": 0,
        "evidenceLevel": "THIN",
        "reasons": [{"reason": "pressed", "count": 1}],
        "change": {"value": None, "interval": None},
    }
    assert signal == {
        "person": {"key": "rosa", "name": "Rosa Name"},
        "customerKey": "globex",
        "principle": "NO_PRESSURE",
        "verdict": "BREACHED",
        "reason": "pressed",
        "at": "2026-02-02T00:00:00Z",
    }
    assert act == {
        "actId": "push",
        "type": "exemplar.urgency.pressed.v1",
        "subject": "globex",
        "rep": "rosa",
        "data": {"rep": "rosa", "tactic": "deadline", "text": "today only"},
        "retracted": False,
    }
    assert dispute["data"] == {"disputes_source": "test", "disputes_id": "push", "reason": "no", "by": "rosa"}


def test_a_leaders_own_acts_are_judged_by_what_they_said(company: Asker) -> None:
    """A breach of what one stated before is also one of walk-the-talk, and only in one's own card."""
    query = """{ person(key: "KEY") { scorecard(period: PERIOD) { score(principle: WALK_THE_TALK) {
      breached signals { edges { node { principle customerKey } } } } } } }"""
    ann = company.data(query.replace("PERIOD", PERIOD).replace("KEY", "ann"))["person"]["scorecard"]["score"]
    assert ann == {
        "breached": 1,
        "signals": {"edges": [{"node": {"principle": "WALK_THE_TALK", "customerKey": "initech"}}]},
    }
    rosa = company.data(query.replace("PERIOD", PERIOD).replace("KEY", "rosa"))["person"]["scorecard"]["score"]
    assert rosa["breached"] == 0


def test_subteams_are_pooled_where_asked(company: Asker) -> None:
    """A team above has no signals of its own reps; with sub-teams it has all of theirs, and leaders' none."""
    query = '{ team(key: "company") { scorecard(period: PERIOD, includeSubteams: DEEP) { scores { n } } } }'
    counts = {}
    for deep in ("false", "true"):
        card = company.data(query.replace("PERIOD", PERIOD).replace("DEEP", deep))["team"]["scorecard"]
        counts[deep] = sum(score["n"] for score in card["scores"])
    reps = 0
    for person in ("rik", "rosa", "sam"):
        query = '{ person(key: "KEY") { scorecard(period: PERIOD) { scores { n } } } }'
        card = company.data(query.replace("PERIOD", PERIOD).replace("KEY", person))["person"]["scorecard"]
        reps += sum(score["n"] for score in card["scores"])
    assert counts == {"false": 0, "true": reps}


def test_as_of_hides_what_is_later(company: Asker) -> None:
    """Signals and stays later than the instant are not there; a leaving later than it leaves the stay open."""
    world = company.world
    world.post("team.left", "north", "2026-02-10", person="rosa")
    world.fold()
    query = """query ($at: DateTime) { team(key: "north") {
      members(asOf: $at) { person { key } to }
      scorecard(period: {from: "2026-01-01", to: "2026-03-01", asOf: $at}) {
        score(principle: NO_PRESSURE) { n } } } }"""

    def seen(at: str) -> tuple[list[str], int]:
        team = company.data(query, {"at": at})["team"]
        assert all(member["to"] is None for member in team["members"])
        keys = [member["person"]["key"] for member in team["members"]]
        return keys, team["scorecard"]["score"]["n"]

    assert seen("2026-02-01T23:59:59Z") == (["ann", "rik", "rosa"], 0)
    assert seen("2026-02-02T00:00:00Z") == (["ann", "rik", "rosa"], 1)
    assert seen("2026-02-10T00:00:00Z") == (["ann", "rik"], 1)
    assert seen("2024-12-31T00:00:00Z") == ([], 0)
    stays = company.data('{ person(key: "rosa") { memberships { team { key } role from to } } }')["person"][
        "memberships"
    ]
    assert stays == [
        {"team": {"key": "north"}, "role": "REP", "from": "2025-01-01T00:00:00Z", "to": "2026-02-10T00:00:00Z"}
    ]


def test_as_of_ahead_shows_the_silences_to_come(company: Asker) -> None:
    """What will be a breach if nothing happens is there for an instant ahead, and not for now."""
    company.world.post(
        "contact.received", "new", "2026-03-02T08:00:00Z", rep="rik", channel="call", asks=True, wants_help=False
    )
    company.world.fold()
    query = """query ($at: DateTime) { person(key: "rik") {
      scorecard(period: {from: "2026-03-01", to: "2026-04-01", asOf: $at}) {
      score(principle: TWO_WAY) { breached } } } }"""
    assert company.data(query)["person"]["scorecard"]["score"]["breached"] == 0
    ahead = company.data(query, {"at": "2026-03-10T00:00:00Z"})
    assert ahead["person"]["scorecard"]["score"]["breached"] == 1


def test_a_team_known_only_from_joins_has_its_key_as_name(asker: Asker) -> None:
    """And a person known only from a retracted act has an empty card."""
    asker.world.post("team.joined", "loose", "2026-01-01", act_id="j", person="pat", role="rep")
    asker.world.post(
        "act.retracted", "loose", "2026-01-02", retracts_source="test", retracts_id="j", reason="r", by="x"
    )
    asker.world.fold()
    query = """{ team(key: "loose") { name members { role } }
      person(key: "pat") { name memberships { role } scorecard(period: PERIOD) {
        scores { n rate interval { low } evidenceLevel } } } }"""
    data = asker.data(query.replace("PERIOD", PERIOD))
    assert data["team"] == {"name": "loose", "members": []}
    assert data["person"]["name"] is None
    assert data["person"]["memberships"] == []
    assert (
        data["person"]["scorecard"]["scores"]
        == [{"n": 0, "rate": None, "interval": None, "evidenceLevel": "NONE"}] * 15
    )


def test_teams_in_a_circle_end(asker: Asker) -> None:
    """A walk down the tree stops at a team already met."""
    for team, parent in (("a", "c"), ("b", "a"), ("c", "b")):
        asker.world.post("team.formed", team, "2026-01-01", name=team, parent=parent)
    asker.world.post("team.joined", "a", "2026-01-01", person="lee", role="leader")
    asker.world.fold()
    lee = asker.person("lee")
    assert [team["key"] for team in asker.data("{ viewer { teams { key } } }", who=lee)["viewer"]["teams"]] == [
        "a",
        "b",
        "c",
    ]
    asker.data(
        '{ team(key: "a") { scorecard(period: PERIOD, includeSubteams: true) { policy } } }'.replace("PERIOD", PERIOD)
    )


# ---- pages -----------------------------------------------------------------------------------------------------------


def _pages(asker: Asker, query: str, *path: str) -> list[Any]:
    """The nodes of all pages of one element each."""
    nodes: list[Any] = []
    after = None
    while True:
        connection = asker.data(query, {"after": after})
        for step in path:
            connection = connection[step]
        info = connection["pageInfo"]
        assert info["hasPreviousPage"] == (after is not None)
        nodes += [edge["node"] for edge in connection["edges"]]
        if not info["hasNextPage"]:
            return nodes
        after = info["endCursor"]


PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("teams(first: F, after: $after) { edges { node { key } } PAGE }", ("teams",)),
        ("acts(first: F, after: $after) { edges { node { actId subject } } PAGE }", ("acts",)),
        (
            'relationship(customer: "acme") { acts(first: F, after: $after) { edges { node { actId } } PAGE } }',
            ("relationship", "acts"),
        ),
        (
            'relationship(customer: "acme") { signals(first: F, after: $after) { edges { node { reason at } } PAGE } }',
            ("relationship", "signals"),
        ),
        (
            'person(key: "sam") { relationships(first: F, after: $after) { edges { node { customerKey } } PAGE } }',
            ("person", "relationships"),
        ),
    ],
)
def test_pages_of_one_are_the_whole_list(company: Asker, query: str, path: tuple[str, ...]) -> None:
    """Going on after each cursor gives every element once, in the order of the whole list."""
    for customer in ("zeta", "beta", "Beta", "ütz"):
        for _ in range(3):  # the same instant, so that later parts of the order decide
            company.world.post("service.given", customer, "2026-02-01", rep="sam", kind="advice")
    company.world.fold()
    text = "query ($after: String) { " + query.replace("PAGE", PAGE) + " }"
    whole = _pages(company, text.replace("F", "100", 1), *path)
    assert _pages(company, text.replace("F", "1", 1), *path) == whole
    assert len(whole) > 2


def test_acts_are_newest_first_and_then_by_the_catalogue(asker: Asker) -> None:
    """At one instant the later row of the catalogue is the newer act; then source and id decide, as bytes."""
    world = asker.world
    world.post("service.given", "c", "2026-01-01", act_id="1", rep="r", kind="advice")
    world.post("contact.made", "c", "2026-01-01", act_id="2", rep="r", channel="call", purpose="other")
    world.post("contact.made", "c", "2026-01-01", act_id="a", rep="r", channel="call", purpose="other")
    world.post("contact.made", "c", "2026-01-01", act_id="B", rep="r", channel="call", purpose="other")
    world.post("contact.made", "c", "2026-01-02", act_id="0", rep="r", channel="call", purpose="other")
    world.fold()
    edges = asker.data("{ acts { edges { node { actId } } } }")["acts"]["edges"]
    assert [edge["node"]["actId"] for edge in edges] == ["0", "1", "a", "B", "2"]


@pytest.mark.parametrize(
    ("filter_", "count"),
    [
        ('{subject: "globex"}', 2),
        ('{rep: "sam"}', 3),
        ('{rep: "nobody"}', 0),
        ('{types: ["exemplar.team.joined.v1"]}', 6),
        ("{types: []}", 0),
        ('{types: ["exemplar.urgency.pressed.v1", "exemplar.act.disputed.v1"], subject: "globex"}', 2),
        ('{from: "2026-02-02T00:00:00Z", to: "2026-02-04T00:00:00Z"}', 2),
        ('{from: "2026-02-02T01:00:00+01:00", to: "2026-02-02T01:00:00.000001+01:00"}', 1),
    ],
)
def test_acts_are_filtered(company: Asker, filter_: str, count: int) -> None:
    """By subject, rep, types and time, all of which must hold."""
    edges = company.data("{ acts(filter: F, first: 100) { edges { node { actId } } } }".replace("F", filter_, 1))[
        "acts"
    ]["edges"]
    assert len(edges) == count


def test_signals_by_verdict(company: Asker) -> None:
    """One verdict, the other, or both, the newest first."""
    query = """{ person(key: "rik") { scorecard(period: PERIOD) { scores { kept breached
      all: signals(first: 100) { edges { node { at } } }
      kept_: signals(first: 100, verdict: KEPT) { edges { node { verdict } } }
      breached_: signals(first: 100, verdict: BREACHED) { edges { node { verdict } } } } } } }"""
    for score in company.data(query.replace("PERIOD", PERIOD))["person"]["scorecard"]["scores"]:
        times = [edge["node"]["at"] for edge in score["all"]["edges"]]
        assert times == sorted(times, reverse=True)
        assert len(times) == score["kept"] + score["breached"]
        assert len(score["kept_"]["edges"]) == score["kept"]
        assert len(score["breached_"]["edges"]) == score["breached"]


# ---- erasure ---------------------------------------------------------------------------------------------------------


def test_what_was_erased_reads_null(company: Asker) -> None:
    """After an erasure personal fields and names are null for everybody; everything else stays."""
    company.world.post("person.erased", "acme", "2026-03-01", by="officer", reason="asked")
    company.world.post("person.erased", "rik", "2026-03-01", by="officer", reason="asked")
    company.world.fold()
    company.world.clock.advance(DAY)
    data = company.data(
        """{ relationship(customer: "acme") { customerName segment acts(first: 100) { edges { node { actId data } } } }
          person(key: "rik") { key name } }"""
    )
    assert data["person"] == {"key": "rik", "name": None}
    assert (data["relationship"]["customerName"], data["relationship"]["segment"]) == (None, "small")
    texts = {edge["node"]["actId"]: edge["node"]["data"] for edge in data["relationship"]["acts"]["edges"]}
    assert texts["hello"] == {"rep": "rik", "channel": "call", "purpose": "introduce", "text": None}


# ---- what became of an act -------------------------------------------------------------------------------------------


def _explain(asker: Asker, act_id: str, source: str = "test", subject: str | None = None) -> Any:
    query = """query ($source: String!, $id: String!, $subject: String) {
      explainAct(source: $source, actId: $id, subject: $subject) {
      fate reason partition offset act { actId subject retracted } signals { reason } } }"""
    return asker.data(query, {"source": source, "id": act_id, "subject": subject})["explainAct"]


def _retract(world: World, subject: str, act_id: str, **named: str) -> None:
    named = {"retracts_source": "test", "retracts_id": act_id, "reason": "wrong", "by": "boss"} | named
    world.post("act.retracted", subject, "2026-03-01", act_id=f"retract-{act_id}", **named)


def test_an_act_that_counts(company: Asker) -> None:
    """FOLDED, with its place and the signals that rest on it."""
    explained = _explain(company, "push")
    assert (explained["fate"], explained["reason"]) == ("FOLDED", None)
    assert explained["signals"] == [{"reason": "pressed"}]
    assert explained["partition"] == company.world.partition_of("globex")


def test_an_act_that_nobody_knows(company: Asker) -> None:
    """UNKNOWN, and nothing else."""
    assert _explain(company, "nothing") == {
        "fate": "UNKNOWN",
        "reason": None,
        "partition": None,
        "offset": None,
        "act": None,
        "signals": [],
    }


def test_an_act_that_was_retracted(company: Asker) -> None:
    """RETRACTED, by whom and why; its signals are gone."""
    _retract(company.world, "globex", "push")
    company.world.fold()
    explained = _explain(company, "push")
    assert (explained["fate"], explained["reason"], explained["signals"]) == (
        "RETRACTED",
        "retracted by boss: wrong",
        [],
    )
    assert explained["act"]["retracted"] is True
    assert _explain(company, "retract-push")["reason"] is None


def test_a_retraction_of_nothing(company: Asker) -> None:
    """It is folded, and its explanation says that it found nothing to retract."""
    _retract(company.world, "globex", "nothing")
    company.world.fold()
    explained = _explain(company, "retract-nothing")
    assert (explained["fate"], explained["reason"]) == ("FOLDED", "no such act of this subject is known yet")


def test_a_differing_copy(company: Asker) -> None:
    """CONFLICT, with the act that counts, and the place of the copy that was refused."""
    place = company.world.post("urgency.pressed", "globex", "2026-02-05", act_id="push", rep="rosa", tactic="guilt")
    company.world.fold()
    explained = _explain(company, "push")
    assert (explained["fate"], explained["partition"], explained["offset"]) == (
        "CONFLICT",
        place.partition,
        place.offset,
    )
    assert explained["act"]["actId"] == "push"
    assert explained["reason"]


def test_a_record_that_cannot_be_read(company: Asker) -> None:
    """DEAD_LETTER, with place and reason."""
    attributes = {"specversion": "1.0", "type": "exemplar.unknown.act.v1", "source": "test", "id": "odd"}
    value = json.dumps(attributes | {"subject": "globex", "time": "2026-01-01T00:00:00Z", "data": {}}).encode()
    place = company.world.append_bytes("globex", value)
    company.world.fold()
    explained = _explain(company, "odd")
    assert (explained["fate"], explained["offset"]) == ("DEAD_LETTER", place.offset)
    assert "catalogue" in explained["reason"]


def test_an_act_that_the_fold_has_not_reached(company: Asker) -> None:
    """NOT_YET_FOLDED: it is in the log, after the fold's position; for whoever may see the act."""
    place = company.world.post("service.given", "globex", "2026-03-01", act_id="late", rep="rosa", kind="advice")
    explained = _explain(company, "late")
    assert (explained["fate"], explained["partition"], explained["offset"]) == ("NOT_YET_FOLDED", *place[:2])
    assert _explain(company, "late", subject="globex")["fate"] == "NOT_YET_FOLDED"
    assert _explain(company, "late", subject="acme")["fate"] == "UNKNOWN"
    query = '{ explainAct(source: "test", actId: "late") { fate } }'
    assert company.data(query, who=company.person("rosa"))["explainAct"]["fate"] == "NOT_YET_FOLDED"
    assert company.data(query, who=company.person("rik"))["explainAct"]["fate"] == "UNKNOWN"


def test_one_pair_under_several_subjects(company: Asker) -> None:
    """The one taken first is explained, and the others are named; with the subject it is the one meant."""
    company.world.clock.advance(1000)
    company.world.post("service.given", "acme", "2026-03-01", act_id="push", rep="sam", kind="advice")
    company.world.fold()
    explained = _explain(company, "push")
    assert explained["act"]["subject"] == "globex"
    assert "acme" in explained["reason"]
    assert _explain(company, "push", subject="acme")["act"]["subject"] == "acme"


# ---- reading one's own writes ----------------------------------------------------------------------------------------


def test_an_answer_says_how_far_the_fold_is(company: Asker) -> None:
    """Position, lag, policy and cost come with every answer that was read."""
    company.lag = 1.25
    extensions = company.ask("{ viewer { key } }")["extensions"]
    ends = company.world.reader.ends()
    position = ",".join(f"{partition}:{end - 1}" for partition, end in sorted(ends.items()) if end)
    assert extensions == {"position": position, "lagSeconds": 1.25, "policy": company.world.policy.identity, "cost": 1}


def test_waiting_for_a_position(company: Asker) -> None:
    """What is folded is answered at once; what is not in time is NOT_YET."""
    query = '{ relationship(customer: "later") { segment } }'
    place = company.world.post("service.given", "later", "2026-03-01", rep="sam", kind="advice")
    wait_for = f"{place.partition}:{place.offset}"
    early = company.post(query, exemplar_wait_for=wait_for)
    assert early.json()["errors"][0]["extensions"]["code"] == "NOT_YET"
    assert "position" in early.json()["extensions"]
    assert company.post(query, accept=GRAPHQL, exemplar_wait_for=wait_for).status_code == 503
    company.world.fold()
    late = company.post(query, exemplar_wait_for=wait_for)
    assert late.json()["data"]["relationship"] == {"segment": None}


@pytest.mark.parametrize(
    "text", ["", "3", "3:", ":3", "a:b", "3:1,", "3:-1", "3:1;4:1", "3:1,3:2", "3:99999999999999999999"]
)
def test_a_position_that_is_none(company: Asker, text: str) -> None:
    """It is the client's mistake, and said at once."""
    response = company.post("{ viewer { key } }", exemplar_wait_for=text)
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_now_is_one_instant(company: Asker) -> None:
    """Every `asOf` that is not given is the request's own instant."""
    query = """{ a: person(key: "rik") { scorecard(period: P) { asOf } }
      b: team(key: "north") { scorecard(period: P) { asOf } } }"""
    data = company.data(query.replace("P", PERIOD))
    assert {data["a"]["scorecard"]["asOf"], data["b"]["scorecard"]["asOf"]} == {"2026-03-02T09:00:00Z"}

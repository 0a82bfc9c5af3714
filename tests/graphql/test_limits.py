"""What a document may ask for, and how errors are shown."""

import time
from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query
from structlog.testing import capture_logs

from services.graphql.app import Allowed
from services.kit.errors import Unavailable
from tests.fixed_clock import FixedClock
from tests.graphql.gateway import GRAPHQL, Asker

YEAR = '{from: "2026-01-01", to: "2026-12-31"}'


def _messages(asker: Asker, query: str, code: str = "LIMIT") -> list[str]:
    body = asker.ask(query)
    assert "data" not in body
    assert [error["extensions"]["code"] for error in body["errors"]] == [code]
    return [error["message"] for error in body["errors"]]


def _nested(levels: int) -> str:
    return '{ team(key: "t") ' + "{ parent " * (levels - 2) + "{ key }" + " }" * (levels - 2) + " }"


def test_tokens(asker: Asker) -> None:
    """A document of 500 tokens is read, one more is refused, named with its limit."""
    assert asker.ask("{" + " __typename" * 498 + "}")["data"] == {"__typename": "Query"}
    assert "500 tokens" in _messages(asker, "{" + " __typename" * 499 + "}")[0]
    assert "500" in _messages(asker, "#\n" * 20_000 + "{ __typename }")[0]


def test_depth(asker: Asker) -> None:
    """Ten levels of fields are read, eleven are not, in a fragment or out of it."""
    assert asker.ask(_nested(10))["data"] == {"team": None}
    assert "10 fields deep, this one is 11" in _messages(asker, _nested(11))[0]
    fragment = "fragment F on Team { parent { parent { parent { parent { parent { key } } } } } }"
    assert (
        "10"
        in _messages(asker, '{ team(key: "t") { parent { parent { parent { parent { ...F } } } } } } ' + fragment)[0]
    )


def test_aliases(asker: Asker) -> None:
    """Thirty aliases are read, one more is refused."""
    asker.data("{" + " ".join(f"a{n}: __typename" for n in range(30)) + "}")
    assert (
        "30 aliases, this one has 31"
        in _messages(asker, "{" + " ".join(f"a{n}: __typename" for n in range(31)) + "}")[0]
    )


def test_fragments_that_multiply_are_weighed_once(asker: Asker) -> None:
    """Fragments that spread each other twice, forty times over, are answered at once."""
    chain = " ".join(f"fragment F{n} on Viewer {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
    asker.data("{ viewer { ...F0 } } " + chain + " fragment F40 on Viewer { key }")


def test_fragments_in_a_circle_are_refused(asker: Asker) -> None:
    """A fragment that spreads itself is no valid document."""
    query = "{ viewer { ...A } } fragment A on Viewer { key ...B } fragment B on Viewer { key ...A }"
    assert asker.codes(query) == ["BAD_USER_INPUT"]


def test_cost(tmp_path: Path, clock: FixedClock) -> None:
    """A query is weighed before it runs: by `first`, by what lists usually hold; the answer says what it cost."""
    asker = Asker(tmp_path, clock, cost_ceiling=220)
    query = "query ($n: Int) { acts(first: $n) { edges { node { actId disputes { actId } } } } }"
    assert asker.ask(query, {"n": 50})["extensions"]["cost"] == 50 * (1 + 3)
    body = asker.ask(query, {"n": 60})
    assert body["errors"][0]["message"] == "a query may cost at most 220, this one would cost 240"
    assert body["errors"][0]["extensions"]["code"] == "LIMIT"
    assert body["extensions"]["cost"] == 240
    assert asker.ask("{ viewer { key } }")["extensions"]["cost"] == 1
    asker.close()


@pytest.mark.parametrize(("by", "points"), [("DAY", 36), ("WEEK", 10), ("MONTH", 10)])
def test_a_trend_costs_its_points(company: Asker, by: str, points: int) -> None:
    """A trend is weighed by the days of the period above it and what it is cut into: ten points are one object."""
    period = '{from: "2023-01-01", to: "2026-01-01"}'
    card = (
        'query ($of: PeriodInput!, $by: Bucket!) { person(key: "rik") { scorecard(period: $of) { scores { TREND } } } }'
    )
    spread = card.replace("TREND", "...T") + " fragment T on Score { trend(by: $by) { start } }"
    for query in (card.replace("TREND", "trend(by: $by) { start }"), spread):
        body = company.ask(query, {"of": {"from": "2025-01-01", "to": "2026-01-01"}, "by": by})
        assert body["extensions"]["cost"] == 2 + 15 * (1 + points)
    many = " ".join(f"t{n}: trend(by: DAY) {{ start }}" for n in range(20))
    assert (
        "may cost"
        in _messages(company, f'{{ person(key: "rik") {{ scorecard(period: {period}) {{ scores {{ {many} }} }} }} }}')[
            0
        ]
    )


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ viewer { teams { key } } }", 1 + 3),
        ('{ team(key: "north") { members { role } } }', 1 + 3),
        ('{ team(key: "north") { members(asOf: "2026-01-01T00:00:00Z") { role } } }', 1 + 4),
        ('{ team(key: "south") { members { role } } }', 1 + 2),
        ('{ team(key: "nowhere") { members { role } } }', 1),
        ('{ team(key: "company") { children { members { person { key } } } } }', 1 + 2 * (1 + 3 * 2)),
        ('{ team(key: "north") { parent { members { role } } } }', 1 + 1 + 3),
        ("{ teams(first: 3) { edges { node { members { role } } } } }", 3 * (1 + 2)),
        ("{ viewer { teams { leaders { key } } } }", 1 + 3 * (1 + 1)),
        ('{ person(key: "rik") { memberships { team { key } } } }', 1 + 2 * 2),
    ],
)
def test_lists_cost_what_is_in_them(company: Asker, query: str, cost: int) -> None:
    """Teams and who is in them are counted before the document runs, so that a large team costs what it takes."""
    for what, day in (("team.joined", "2025-01-01"), ("team.left", "2025-06-01")):
        joined = {"role": "rep"} if what == "team.joined" else {}
        company.world.post(what, "north", day, person="left", **joined)
    company.world.post("team.joined", "south", "2026-01-01", person="rik", role="rep")
    company.world.post("team.left", "south", "2026-01-02", person="rik")
    company.world.fold()
    body = company.ask(query)
    assert "errors" not in body
    assert body["extensions"]["cost"] == cost


def test_a_viewer_of_some_teams_is_weighed_by_those(company: Asker) -> None:
    """The teams of a viewer cost what that viewer may look at."""
    ann = company.person("ann")
    assert company.ask("{ viewer { teams { key } } }", who=ann)["extensions"]["cost"] == 1 + 1


@pytest.mark.parametrize("who", ["ann", "rik"])
def test_a_cost_tells_nothing_of_what_may_not_be_seen(company: Asker, who: str) -> None:
    """Asking for a team that one may not see costs as much as for one that is not there, whatever is in it."""
    company.person(who)
    of_team = "{ members { role } leaders { key } children { key } parent { members { role } } }"
    costs = {
        company.ask(f'{{ team(key: "{team}") {of_team} }}', who=who)["extensions"]["cost"]
        for team in ("south", "company", "nowhere")
    }
    assert len(costs) == 1
    within = company.ask('{ team(key: "north") { members { role } } }', who=who)["extensions"]["cost"]
    assert within == (1 + 3 if who == "ann" else 1)
    largest = company.ask('{ person(key: "x") { memberships { team { members { role } } } } }', who=who)
    assert largest["extensions"]["cost"] == 1 + 1 * (1 + 1 + (3 if who == "ann" else 0))


def test_a_card_of_everything_is_within_the_ceiling(company: Asker) -> None:
    """What a dashboard asks for a whole team fits into the default cost."""
    query = """{ team(key: "north") { members { person { name scorecard(period: PERIOD) { guideIndex { value }
      scores { principle { title } n rate interval { low high } change { value } previous { n } reasons { reason count }
        trend { start kept } } } } } } }""".replace("PERIOD", YEAR)
    body = company.ask(query)
    assert "errors" not in body
    assert body["extensions"]["cost"] < 20_000


@pytest.mark.parametrize(
    ("period", "code"),
    [
        ('{from: "2026-01-01", to: "2029-01-05"}', None),
        ('{from: "2026-01-01", to: "2029-01-06"}', "LIMIT"),
        ('{from: "2026-01-02", to: "2026-01-02"}', "BAD_USER_INPUT"),
        ('{from: "2026-01-02", to: "2026-01-01"}', "BAD_USER_INPUT"),
        ('{from: "0001-01-01", to: "0001-01-02"}', "BAD_USER_INPUT"),
        ('{from: "9999-12-30", to: "9999-12-31"}', None),
        ('{from: "2026-02-30", to: "2026-03-01"}', "BAD_USER_INPUT"),
        ('{from: "2026-01-01T00:00:00Z", to: "2026-03-01"}', "BAD_USER_INPUT"),
        ('{from: "2026-01-01", to: "2026-03-01", asOf: "2026-02-01"}', "BAD_USER_INPUT"),
        ('{from: "2026-01-01", to: "2026-03-01", asOf: "2026-02-01T00:00:00"}', "BAD_USER_INPUT"),
        ('{from: "2026-01-01", to: "2026-03-01", asOf: "2026-02-01T00:00:00+02:00"}', None),
    ],
)
def test_periods(company: Asker, period: str, code: str | None) -> None:
    """A period runs forward, for 1,100 days at most, between real dates; as of an instant with an offset."""
    query = (
        '{ team(key: "north") { scorecard(period: PERIOD) { scores { n previous { n trend(by: WEEK) { start } } } } } }'
    )
    assert company.codes(query.replace("PERIOD", period)) == ([code] if code else [])


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
@pytest.mark.parametrize(
    "field",
    [
        "teams(first: N) { edges { cursor } }",
        "acts(first: N) { edges { cursor } }",
        'person(key: "rik") { relationships(first: N) { edges { cursor } } }',
        'relationship(customer: "acme") { acts(first: N) { edges { cursor } } }',
        'relationship(customer: "acme") { signals(first: N) { edges { cursor } } }',
    ],
)
def test_first_is_1_to_100(company: Asker, field: str, first: int) -> None:
    """More is an error, never a silent cut."""
    assert company.codes("{ " + field.replace("N", str(first)) + " }") == ["BAD_USER_INPUT"]
    assert company.codes("{ " + field.replace("N", "100") + " }") == []


@pytest.mark.parametrize(
    "field",
    [
        'teams(after: "x")',
        'teams(after: "WyJhY3QiLDFd")',
        'acts(after: "%%")',
        'acts(after: "WyJhY3QiLDE4NDQ2NzQ0MDczNzA5NTUxNjE2LDAsImEiLCJiIiwiYyJd")',
        'acts(after: "é")',
        'acts(filter: {types: ["contact.made"]})',
        'acts(filter: {from: "2026-01-02T00:00:00Z", to: "2026-01-02T00:00:00Z"})',
        'acts(filter: {subject: "a\\u0000"})',
    ],
)
def test_what_was_not_given_out_is_bad_input(company: Asker, field: str) -> None:
    """Cursors of another list or none, unknown types, empty spans of time."""
    assert company.codes("{ " + field + " { edges { cursor } } }") == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("id_", ["", "x", "WyJUZWFtIl0", "WyJOb3RoaW5nIiwiYSJd", "W10", "éé"])
def test_an_id_that_is_none_is_bad_input(company: Asker, id_: str) -> None:
    """What was never given out as an id says so."""
    assert company.codes("query ($id: ID!) { node(id: $id) { id } }", {"id": id_}) == ["BAD_USER_INPUT"]


def test_five_errors_at_most(asker: Asker) -> None:
    """However many there are, an answer shows five."""
    assert len(asker.ask("{ viewer { " + " ".join(f"x{n}" for n in range(20)) + " } }")["errors"]) == 5


def test_introspection_is_answered(asker: Asker) -> None:
    """As deep as it is, and within the tokens."""
    assert asker.data(get_introspection_query())["__schema"]["queryType"] == {"name": "Query", "kind": "OBJECT"}


@pytest.mark.parametrize(
    "query",
    [
        "{ a: __schema { queryType { name } } b: __schema { queryType { name } } }",
        "{ __schema { a: types { name } b: types { name } } }",
        "{ __schema { ...S } } fragment S on __Schema { a: types { name } }",
        '{ __type(name: "Team") { ... { a: fields { name } } } }',
    ],
)
def test_introspection_is_not_multiplied(asker: Asker, query: str) -> None:
    """What the schema says is answered once a document, and so has no aliases; a type may have one."""
    assert "asked for once" in _messages(asker, query)[0]
    _passes(asker)


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { fields { type { fields { name } } } } } }",
        "{ __schema { types { possibleTypes { fields { name } } } } }",
        '{ __type(name: "Act") { interfaces { ...F } } } fragment F on __Type { fields { type { fields { name } } } }',
    ],
)
def test_introspection_does_not_go_in_circles(asker: Asker, query: str) -> None:
    """The types of all types' fields are not told with their own fields again; those of one type are."""
    assert "2 lists deep" in _messages(asker, query)[0]
    asker.data('{ __type(name: "Team") { fields { name type { fields { name } } } } }')


def test_what_the_schema_says_is_worked_out_once(asker: Asker) -> None:
    """The same document about the schema alone gets the answer of before, in a hundredth of the time; others do not."""
    query = get_introspection_query()
    times, answers = [], []
    for _ in range(6):
        begun = time.process_time()
        answers.append(asker.post(query).content)
        times.append(time.process_time() - begun)
    assert len(set(answers)) == 1
    assert min(times[1:]) < times[0] / 2
    both = "{ __schema { queryType { name } } viewer { key } }"
    assert asker.data(both, who=asker.person("rik"))["viewer"] == {"key": "rik"}
    assert asker.data(both, who=asker.person("ann"))["viewer"] == {"key": "ann"}


def _passes(asker: Asker) -> None:
    assert asker.data('{ team: __type(name: "Team") { name } act: __type(name: "Act") { name } }')["act"]


def test_introspection_may_be_turned_off(tmp_path: Path, clock: FixedClock) -> None:
    """Then it is refused, whatever was remembered, and the name of a type is still told."""
    asker = Asker(tmp_path, clock, allowed=Allowed(introspection=False))
    for _ in range(2):
        assert set(asker.codes("{ __schema { queryType { name } } }")) == {"BAD_USER_INPUT"}
    assert asker.data("{ __typename viewer { __typename } }")["viewer"] == {"__typename": "Viewer"}
    asker.close()


def test_queries_are_not_logged(asker: Asker, caplog: pytest.LogCaptureFixture) -> None:
    """A query may name people; a mistaken one is told to the client and to no log."""
    asker.codes('{ person(key: "rik") { nothing } }')
    asker.codes('{ teams(first: 0) { edges { cursor } } person(key: "rik") { key } }')
    assert "rik" not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("strawberry")]


def test_what_fails_unexpectedly_is_masked_and_logged(tmp_path: Path, clock: FixedClock) -> None:
    """The client gets a correlation id, the log the error under it, and nothing else gets out."""

    def broken(*_arguments: object) -> Any:
        raise RuntimeError("the secret")

    asker = Asker(tmp_path, clock, find_unfolded=broken)
    with capture_logs() as logs:
        body = asker.ask('{ explainAct(source: "a", actId: "b") { fate } }')
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "secret" not in str(body)
    assert logs[0]["correlation"] == error["extensions"]["correlationId"]
    asker.close()


@pytest.mark.parametrize(
    ("error", "code", "status"), [(Unavailable("later"), "UNAVAILABLE", 503), (RuntimeError("x"), "INTERNAL", 500)]
)
def test_a_model_that_does_not_answer(
    tmp_path: Path, clock: FixedClock, error: Exception, code: str, status: int
) -> None:
    """Before anything is read there is no data, and the status says what it is."""

    def broken() -> Any:
        raise error

    asker = Asker(tmp_path, clock, model=broken)
    response = asker.post("{ viewer { key } }", accept=GRAPHQL)
    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"] == code
    asker.close()

"""Who may see what: role by field by whose it is, as the table of `visibility` has it."""

import asyncio
import base64
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    build_schema,
    get_named_type,
    is_leaf_type,
    parse,
)
from strawberry.types.graphql import OperationType

from services.graphql.answering import Gateway, Question
from services.graphql.schema import create_schema
from tests.graphql.counting import counted
from tests.graphql.gateway import Asker
from tests.graphql.roles import EVERYTHING, NOBODY_LED, OVER_NORTH, OVER_SOUTH, ROLES, everybody, header, over_everybody
from tests.graphql.visibility import BY_THEIR_OWN_TESTS, RULED, SEE_TEAM, WITH_IT, Case

SCHEMA = build_schema(create_schema().as_str())
CONTRACT = Path(__file__).parent / "contract.graphql"


@pytest.fixture
def people(asker: Asker) -> Asker:
    """The company, with a credential for everybody, for a test to change."""
    return everybody(asker)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """The same for tests that only look."""
    asker = over_everybody(tmp_path_factory.mktemp("everybody"))
    yield asker
    asker.close()


@cache
def objects(schema: GraphQLSchema) -> dict[str, GraphQLObjectType]:
    """The types of objects, Relay's own left out: they are seen with their list."""
    return {
        name: type_
        for name, type_ in schema.type_map.items()
        if isinstance(type_, GraphQLObjectType)
        and not name.startswith("__")
        and not name.endswith(("Connection", "Edge"))
        and name != "PageInfo"
    }


@cache
def plain(name: str, above: tuple[str, ...] = ()) -> str:
    """All that is seen with an object of this type and takes no further object to ask for, as a selection."""
    selected = []
    for field in WITH_IT[name].split():
        kind = get_named_type(objects(SCHEMA)[name].fields[field].type)
        required = [argument for argument in objects(SCHEMA)[name].fields[field].args if argument != "by"]
        if is_leaf_type(kind):
            selected.append(field)
        elif kind.name in WITH_IT and not required and kind.name not in (*above, name):
            selected.append(f"{field} {{ {plain(kind.name, (*above, name))} }}")
    return " ".join(selected)


def filled(query: str) -> str:
    """A query of the table with its selections written out."""
    for name in WITH_IT:
        query = query.replace(f"PLAIN:{name} ", plain(name) + " ")
    return "{ " + query + " }"


def act_id(subject: str, act: str) -> str:
    """The id of an act, as a client would make one up that knows how they are made."""
    text = msgspec.json.encode(["Act", subject, "test", act])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def test_every_field_has_its_place_in_the_table() -> None:
    """A field that is added to the schema must be placed, once; none is named that nobody has or promises."""
    placed = [f"{name}.{field}" for name, fields in WITH_IT.items() for field in fields.split()]
    placed += sorted({case.field for case in RULED} | BY_THEIR_OWN_TESTS)
    assert len(placed) == len(set(placed))
    there = {f"{name}.{field}" for name, type_ in objects(SCHEMA).items() for field in type_.fields}
    contract = parse(CONTRACT.read_text(encoding="utf-8"))
    promised = {
        f"{type_.name.value}.{field.name.value}"
        for type_ in contract.definitions
        if isinstance(type_, ObjectTypeDefinitionNode)
        for field in type_.fields or ()
    }
    assert there <= set(placed) <= there | promised


@pytest.mark.parametrize("case", RULED, ids=lambda case: case.query.split(" {")[0] + " " + case.field)
def test_who_sees_what(seen: Asker, case: Case) -> None:
    """Each role sees what the table says, whole; for the rest it is null with FORBIDDEN, whether it exists or not."""
    for role in ROLES:
        body = seen.ask(filled(case.query), who=header(role))
        value = body["data"]
        for step in case.value.split("."):
            value = value and value[step]
        codes = [error["extensions"]["code"] for error in body.get("errors", [])]
        if role in case.sees:
            assert (value is not None, codes) == (True, []), role
        elif role in case.blank or (case.unknown and role in EVERYTHING):
            assert (value, codes) == (None, []), role
        else:
            assert (value, codes) == (None, ["FORBIDDEN"]), role


@pytest.mark.parametrize("case", [case for case in RULED if case.unknown], ids=lambda case: case.field)
def test_what_is_forbidden_looks_like_what_is_not_there(seen: Asker, case: Case) -> None:
    """The same error, word for word, and as many statements of SQL."""
    forbidden = case.query.replace("nobody", "sam").replace("nowhere", "south").replace("none", "globex")
    answers = []
    for query in (case.query, forbidden):
        body, statements = _counted(seen, query, "rik")
        answers.append((body["data"], body["errors"], statements))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "query",
    [
        'explainAct(source: "test", actId: "ACT") { fate reason partition offset act { actId } signals { at } }',
        'node(id: "ID") { id }',
        'acts(filter: {subject: "SUBJECT"}) { edges { node { actId } } pageInfo { hasNextPage } }',
        'acts(filter: {rep: "REP"}) { edges { node { actId } } pageInfo { hasNextPage endCursor } }',
    ],
)
def test_acts_of_others_look_like_none(seen: Asker, query: str) -> None:
    """Their explanation, node and list are those of acts that never were, in as many statements."""
    there = {"ACT": "push", "SUBJECT": "globex", "REP": "rosa", "ID": act_id("globex", "push")}
    gone = {"ACT": "none", "SUBJECT": "nobody", "REP": "nobody", "ID": act_id("globex", "none")}
    for role in ("rik", "sam", "dan", *sorted(NOBODY_LED)):
        answers = []
        for words in (there, gone):
            asked = query
            for word, value in words.items():
                asked = asked.replace(word, value)
            body, statements = _counted(seen, asked, role)
            answers.append((body["data"], body.get("errors"), statements))
        assert answers[0] == answers[1], role


def _counted(seen: Asker, query: str, who: str) -> tuple[Any, int]:
    """The answer, and in how many statements, but for the sizes of teams: of two in a row, one remembers them."""
    found = []
    for _ in range(2):
        with counted(seen.world.model) as statements:
            body = seen.ask("{ " + query + " }", who=who)
        found.append((body, len(statements)))
    return min(found, key=lambda one: one[1])


TEAMS = dict.fromkeys(("ann", "token", "rik", "rosa"), "north") | dict.fromkeys(("bob", "sam"), "south")
TEAMS |= dict.fromkeys((*EVERYTHING, "cleo"), "company north south")


@pytest.mark.parametrize("role", ROLES)
def test_the_viewer_sees_their_teams(seen: Asker, role: str) -> None:
    """A rep's own, a leader's with all below, everybody's for an admin; `teams` lists the same, page by page."""
    data = seen.data("{ viewer { teams { key } } teams { edges { node { key } } } }", who=header(role))
    teams = TEAMS.get(role, "").split()
    assert [team["key"] for team in data["viewer"]["teams"]] == teams
    assert [edge["node"]["key"] for edge in data["teams"]["edges"]] == teams
    paged = seen.data("{ teams(first: 1) { edges { cursor } pageInfo { hasNextPage } } }", who=header(role))["teams"]
    assert (len(paged["edges"]), paged["pageInfo"]["hasNextPage"]) == (min(len(teams), 1), len(teams) > 1)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_may_ask_who_they_are(seen: Asker, role: str) -> None:
    """Their own key and scopes, and the principles; where no credential is needed, nobody with all rights."""
    data = seen.data(
        "{ viewer { key scopes } principles { PRINCIPLE } }".replace("PRINCIPLE", plain("Principle")), who=header(role)
    )
    assert len(data["principles"]) == 15
    credential = seen.credentials.get(role)
    expected = (credential.person, sorted(credential.scopes)) if credential else (None, ["admin"])
    assert (data["viewer"]["key"], data["viewer"]["scopes"]) == expected


@pytest.mark.parametrize(
    ("kind", "text", "readers", "sees_null"),
    [
        ("contact.made", "hi", OVER_NORTH | {"rik"}, {"bob", "sam"}),
        ("standard.stated", "never push", EVERYTHING, {"cleo", "ann", "token"}),
    ],
)
def test_personal_fields(seen: Asker, kind: str, text: str, readers: set[str], sees_null: set[str]) -> None:
    """The rep of the act and who leads that rep now read them, without a rep admins alone; others read null."""
    query = "query ($types: [String!]) { acts(filter: {types: $types}) { edges { node { data } } } }"
    for role in ROLES:
        acts = seen.ask(query, {"types": [f"exemplar.{kind}.v1"]}, header(role))["data"]["acts"] or {"edges": []}
        read = [edge["node"]["data"]["text"] for edge in acts["edges"]]
        assert read == ([text] if role in readers else [None] if role in sees_null else []), role


def test_the_name_of_a_customer_is_personal(seen: Asker) -> None:
    """It is in an act without rep, and so for admins alone; persons' names are for whoever sees the person."""
    query = '{ relationship(customer: "acme") { customerName reps { key name } } }'
    assert seen.data(query)["relationship"]["customerName"] == "Acme Ltd"
    assert seen.data(query, who="rik")["relationship"] == {
        "customerName": None,
        "reps": [{"key": "rik", "name": "Rik Name"}, {"key": "sam", "name": "Sam Name"}],
    }


SIGNALS_AT_ACME = {role: {"rik", "sam"} for role in (*EVERYTHING, "cleo")}
SIGNALS_AT_ACME |= {"ann": {"rik"}, "token": {"rik"}, "rik": {"rik"}, "bob": {"sam"}, "sam": {"sam"}}


@pytest.mark.parametrize("role", SIGNALS_AT_ACME)
def test_others_signals_in_a_shared_relationship_are_left_out(seen: Asker, role: str) -> None:
    """Whoever sees a relationship sees all its acts, but of its signals only those of persons they may see."""
    query = """{ relationship(customer: "acme") {
      acts(first: 100) { edges { node { rep } } } signals(first: 100) { edges { node { person { key } } } } } }"""
    relationship = seen.data(query, who=header(role))["relationship"]
    assert {edge["node"]["rep"] for edge in relationship["acts"]["edges"]} == {None, "rik", "sam"}
    assert {edge["node"]["person"]["key"] for edge in relationship["signals"]["edges"]} == SIGNALS_AT_ACME[role]
    own = len(relationship["signals"]["edges"])
    page = f'{{ relationship(customer: "acme") {{ signals(first: {own}) {{ pageInfo {{ hasNextPage }} }} }} }}'
    assert not seen.data(page, who=header(role))["relationship"]["signals"]["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("role", SIGNALS_AT_ACME)
def test_others_signals_are_left_out_of_explanations(seen: Asker, role: str) -> None:
    """The act shows, the signals that rest on it are those of persons whose card may be seen."""
    signals = seen.data(
        '{ explainAct(source: "test", actId: "hello") { act { actId } signals { person { key } } } }', who=header(role)
    )["explainAct"]["signals"]
    assert {signal["person"]["key"] for signal in signals} == SIGNALS_AT_ACME[role] & {"rik"}


def test_what_is_met_in_passing_is_allowed_by_itself(seen: Asker) -> None:
    """Of the persons and teams in what one sees, key and name show; their own fields are judged each for itself."""
    body = seen.ask('{ relationship(customer: "acme") { reps { key name memberships { from } } } }', who="rik")
    own, other = body["data"]["relationship"]["reps"]
    assert (own["key"], own["memberships"] is None) == ("rik", False)
    assert other == {"key": "sam", "name": "Sam Name", "memberships": None}
    assert [error["path"] for error in body["errors"]] == [["relationship", "reps", 1, "memberships"]]
    past = (
        '{ team(key: "north") { leaders(asOf: "2025-06-01T00:00:00Z") { name relationships { edges { cursor } } } } }'
    )
    body = seen.ask(past, who="ann")
    assert [leader["name"] for leader in body["data"]["team"]["leaders"]] == ["Ann Name", "Dan Name"]
    assert [error["path"] for error in body["errors"]] == [["team", "leaders", 1, "relationships"]]
    stays = seen.ask('{ person(key: "dan") { memberships { team { key name members { role } } } } }', who="dan")
    assert stays["data"]["person"]["memberships"] == [{"team": {"key": "north", "name": "North", "members": None}}]


@pytest.mark.parametrize(("role", "leaders"), [("admin", "ann dan"), ("cleo", "ann"), ("ann", "ann"), ("token", "ann")])
def test_examples_are_of_leaders_whom_one_may_see(seen: Asker, role: str, leaders: str) -> None:
    """Who led the team once and is nobody's any more is left out, for all but those who see everything."""
    query = '{ team(key: "north") { examples(period: {from: "2025-01-01", to: "2026-03-01"}) { leader { key } } } }'
    examples = seen.data(query, who=role)["team"]["examples"]
    assert sorted(example["leader"]["key"] for example in examples) == leaders.split()


ACTS_OF = {
    "acme ann globex initech": ("ann", "token"),
    "acme ann globex initech company north south": EVERYTHING,
    "acme ann globex initech ": ("cleo",),
    "acme": ("rik", "bob", "sam"),
    "globex": ("rosa",),
    "": ("dan",),
}


@pytest.mark.parametrize(("subjects", "roles"), ACTS_OF.items())
def test_acts_are_those_of_visible_people_and_relationships(seen: Asker, subjects: str, roles: tuple[str, ...]) -> None:
    """A rep's list has the acts of their relationships; a leader's also their own directives; no page tells of more."""
    for role in roles:
        acts = seen.data("{ acts(first: 100) { edges { node { subject } } } }", who=header(role))["acts"]["edges"]
        assert {edge["node"]["subject"] for edge in acts} == set(subjects.split()), role
        query = f"{{ acts(first: {max(len(acts), 1)}) {{ edges {{ cursor }} pageInfo {{ hasNextPage }} }} }}"
        page = seen.data(query, who=header(role))["acts"]
        assert (len(page["edges"]), page["pageInfo"]["hasNextPage"]) == (len(acts), False), role


def test_there_is_no_list_of_acts_for_who_may_see_nobody(seen: Asker) -> None:
    """Null and FORBIDDEN for machines, and for whoever has no scope to read."""
    for role in NOBODY_LED:
        body = seen.ask("{ acts { edges { cursor } } }", who=role)
        assert (body["data"], [e["extensions"]["code"] for e in body["errors"]]) == ({"acts": None}, ["FORBIDDEN"])


@pytest.mark.parametrize("role", ROLES)
def test_an_explanation_is_for_those_who_may_see_the_act(seen: Asker, role: str) -> None:
    """For everyone else the act is unknown."""
    data = seen.data(
        '{ explainAct(source: "test", actId: "push") { fate act { PLAIN } } }'.replace("PLAIN", plain("Act")),
        who=header(role),
    )
    sees = role in OVER_NORTH | {"rosa"}
    assert data["explainAct"]["fate"] == ("FOLDED" if sees else "UNKNOWN")
    assert (data["explainAct"]["act"] is not None) == sees


def test_nodes_obey_the_same_rules(seen: Asker) -> None:
    """An id learned elsewhere opens nothing."""
    data: Any = seen.data(
        """{ team(key: "south") { id } person(key: "sam") { id }
          relationship(customer: "globex") { id acts { edges { node { id } } } } }"""
    )
    sees = {data["team"]["id"]: OVER_SOUTH | {"sam"}, data["person"]["id"]: OVER_SOUTH | {"sam"}}
    sees |= {data["relationship"]["id"]: OVER_NORTH | {"rosa"}}
    sees |= {edge["node"]["id"]: OVER_NORTH | {"rosa"} for edge in data["relationship"]["acts"]["edges"]}
    assert act_id("globex", "push") in sees
    query = "query ($id: ID!) { node(id: $id) { id __typename } }"
    for id_, allowed in sees.items():
        for role in ROLES:
            body = seen.ask(query, {"id": id_}, header(role))
            if role in allowed:
                assert body["data"]["node"]["id"] == id_
            else:
                assert body["data"]["node"] is None
                assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("role", ROLES)
def test_changes_are_told_to_who_leads_a_team_and_who_is_in_it(seen: Asker, role: str) -> None:
    """A subscription begins for them alone; for others the team is forbidden, whether it exists or not."""
    gateway = Gateway(create_schema(), seen.backing)
    for team, sees in {**SEE_TEAM, "nowhere": frozenset[str]()}.items():
        asked = Question(
            f'subscription {{ scorecardChanged(team: "{team}") {{ key }} }}',
            authorization=None if role == "open" else f"Bearer {role}",
            watch=lambda _team, _person, _leads: None,
        )
        body = asyncio.run(gateway.answer(asked, (OperationType.SUBSCRIPTION,))).body
        if role in sees:
            assert body["data"] == {"scorecardChanged": {"key": team}}
        else:
            assert body.get("data") is None
            assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


def test_what_one_leads_is_what_one_leads_now(people: Asker) -> None:
    """Who left is no longer seen by the former leader, nor what they said; whatever the period."""
    card = '{ person(key: "rik") { scorecard(period: {from: "2026-01-01", to: "2026-02-01"}) { from } } }'
    said = '{ acts(filter: {subject: "acme"}) { edges { cursor } } }'
    assert people.codes(card, who="ann") == []
    people.world.post("team.left", "north", "2026-03-01", person="rik")
    people.world.fold()
    assert people.codes(card, who="ann") == ["FORBIDDEN"]
    assert people.data(said, who="ann")["acts"]["edges"] == []
    assert people.codes(card, who="rik") == people.codes(card, who="cleo")[:0] == []
    assert people.codes(card, who="cleo") == ["FORBIDDEN"]


def test_who_leads_from_now_on_sees_at_once_and_who_no_longer_does_not(people: Asker) -> None:
    """A leader's credential stays the same: what it opens follows the team's acts."""
    people.world.post("team.left", "south", "2026-03-01", person="bob")
    people.world.post("team.joined", "south", "2026-03-01", person="dan", role="leader")
    people.world.fold()
    query = '{ team(key: "south") { members { person { key } } } }'
    assert people.codes(query, who="bob") == ["FORBIDDEN"]
    assert people.codes(query, who="dan") == []

"""Who may see what: role by field by whose it is, as a table."""

import pytest

from services.events.credentials import AUDIT_READ, CARDS_READ, Credential
from tests.graphql.gateway import Asker

PERIOD = '{from: "2026-01-01", to: "2026-03-01"}'
CARD = "scorecard(period: PERIOD) { scores { n } }".replace("PERIOD", PERIOD)
SEEN, HIDDEN = "seen", "hidden"
ROLES = ("open", "admin", "cleo", "ann", "bob", "rik", "rosa", "sam", "machine", "auditor", "scopeless")

# Field by field, who sees it; everyone else gets null and FORBIDDEN.
TABLE: list[tuple[str, str, str]] = [
    ('person(key: "rik") { name }', "person", "open admin cleo ann rik"),
    ('person(key: "rik") { ' + CARD + " }", "person", "open admin cleo ann rik"),
    ('person(key: "rik") { memberships { team { name } } }', "person", "open admin cleo ann rik"),
    ('person(key: "rik") { relationships { edges { node { customerKey } } } }', "person", "open admin cleo ann rik"),
    ('person(key: "ann") { ' + CARD + " }", "person", "open admin cleo ann"),
    ('person(key: "sam") { ' + CARD + " }", "person", "open admin cleo bob sam"),
    ('person(key: "cleo") { ' + CARD + " }", "person", "open admin cleo"),
    ('team(key: "north") { name }', "team", "open admin cleo ann rik rosa"),
    ('team(key: "north") { ' + CARD + " }", "team.scorecard", "open admin cleo ann"),
    ('team(key: "north") { members { person { name } } }', "team.members", "open admin cleo ann"),
    ('team(key: "north") { leaders { name } }', "team.leaders", "open admin cleo ann"),
    ('team(key: "north") { parent { name } }', "team.parent", "open admin cleo"),
    ('team(key: "company") { ' + CARD + " }", "team.scorecard", "open admin cleo"),
    ('relationship(customer: "acme") { segment }', "relationship", "open admin cleo ann bob rik sam"),
    ('relationship(customer: "globex") { segment }', "relationship", "open admin cleo ann rosa"),
    ('relationship(customer: "initech") { segment }', "relationship", "open admin cleo ann"),
    ("acts { edges { node { actId } } }", "acts", "open admin cleo ann bob rik rosa sam"),
    ('person(key: "nobody") { name }', "person", ""),
    ('team(key: "nowhere") { name }', "team", ""),
    ('relationship(customer: "none") { segment }', "relationship", ""),
]


@pytest.fixture
def people(company: Asker) -> Asker:
    """The company, with a credential for everybody."""
    for person in ("cleo", "ann", "bob", "rik", "rosa", "sam"):
        company.person(person)
    company.credentials["machine"] = Credential("machine", frozenset({CARDS_READ}))
    company.credentials["auditor"] = Credential("auditor", frozenset({AUDIT_READ}), (), "ann")
    company.credentials["scopeless"] = Credential("scopeless", frozenset(), (), "ann")
    return company


@pytest.mark.parametrize(("field", "path", "allowed"), TABLE)
def test_who_sees_what(people: Asker, field: str, path: str, allowed: str) -> None:
    """Each role sees what the table says; for the rest it is null with FORBIDDEN, whether it exists or not."""
    for role in ROLES:
        body = people.ask("{ " + field + " }", who=None if role == "open" else role)
        value = body["data"]
        for step in path.split("."):
            value = value and value[step]
        codes = [error["extensions"]["code"] for error in body.get("errors", [])]
        unknown_to_admin = not allowed and role in ("open", "admin")
        if role in allowed.split():
            assert (value is not None, codes) == (True, []), role
        else:
            assert (value, codes) == (None, [] if unknown_to_admin else ["FORBIDDEN"]), role


@pytest.mark.parametrize(
    ("role", "teams"),
    [
        ("admin", "company north south"),
        ("cleo", "company north south"),
        ("ann", "north"),
        ("rik", "north"),
        ("sam", "south"),
        ("machine", ""),
        ("auditor", ""),
    ],
)
def test_the_viewer_sees_their_teams(people: Asker, role: str, teams: str) -> None:
    """A rep's own, a leader's with all below, everybody's for an admin; `teams` lists the same."""
    data = people.data("{ viewer { teams { key } } teams { edges { node { key } } } }", who=role)
    assert [team["key"] for team in data["viewer"]["teams"]] == teams.split()
    assert [edge["node"]["key"] for edge in data["teams"]["edges"]] == teams.split()


def test_open_mode_is_an_admin_without_key(people: Asker) -> None:
    """Where no credential is needed, the viewer is nobody in particular and may see all."""
    assert people.data("{ viewer { key scopes } }", who=None)["viewer"] == {"key": None, "scopes": ["admin"]}
    assert people.data("{ viewer { key scopes } }", who="rik")["viewer"] == {"key": "rik", "scopes": ["cards:read"]}


@pytest.mark.parametrize(
    ("role", "acme", "globex", "initech"),
    [
        ("admin", "hi", "today only", None),
        ("cleo", "hi", "today only", None),
        ("ann", "hi", "today only", None),
        ("rik", "hi", HIDDEN, HIDDEN),
        ("rosa", HIDDEN, "today only", HIDDEN),
        ("sam", None, HIDDEN, HIDDEN),
        ("bob", None, HIDDEN, HIDDEN),
    ],
)
def test_personal_fields(people: Asker, role: str, acme: str | None, globex: str | None, initech: str | None) -> None:
    """The rep of the act and who leads that rep now read them; others who see the act read null."""
    query = (
        "query ($subject: String!) { acts(filter: {subject: $subject}, first: 100) { edges { node { type data } } } }"
    )
    for subject, kind, expected in (
        ("acme", "exemplar.contact.made.v1", acme),
        ("globex", "exemplar.urgency.pressed.v1", globex),
        ("initech", "exemplar.urgency.pressed.v1", initech),
    ):
        edges = people.data(query, {"subject": subject}, role)["acts"]["edges"]
        texts = [edge["node"]["data"].get("text") for edge in edges if edge["node"]["type"] == kind]
        assert texts == ([] if expected == HIDDEN else [expected])


def test_the_name_of_a_customer_is_personal(people: Asker) -> None:
    """It is in an act without rep, and so for admins alone; persons' names are for whoever sees the person."""
    query = '{ relationship(customer: "acme") { customerName reps { key name } } }'
    assert people.data(query)["relationship"]["customerName"] == "Acme Ltd"
    seen = people.data(query, who="rik")["relationship"]
    assert seen == {
        "customerName": None,
        "reps": [{"key": "rik", "name": "Rik Name"}, {"key": "sam", "name": "Sam Name"}],
    }


def test_others_signals_in_a_shared_relationship_are_left_out(people: Asker) -> None:
    """Whoever sees a relationship sees all its acts, but of its signals only those of persons they may see."""
    query = """{ relationship(customer: "acme") {
      acts(first: 100) { edges { node { rep } } } signals(first: 100) { edges { node { person { key } } } } } }"""
    seen = {}
    for role in ("admin", "rik", "sam", "ann"):
        relationship = people.data(query, who=role)["relationship"]
        assert {edge["node"]["rep"] for edge in relationship["acts"]["edges"]} == {None, "rik", "sam"}
        seen[role] = {edge["node"]["person"]["key"] for edge in relationship["signals"]["edges"]}
    assert seen == {"admin": {"rik", "sam"}, "rik": {"rik"}, "sam": {"sam"}, "ann": {"rik"}}


def test_acts_are_those_of_visible_people_and_relationships(people: Asker) -> None:
    """A rep's list has the acts of their relationships; a leader's also their own directives."""
    query = "{ acts(first: 100) { edges { node { subject } } } }"

    def subjects(role: str) -> set[str]:
        return {edge["node"]["subject"] for edge in people.data(query, who=role)["acts"]["edges"]}

    assert subjects("rik") == {"acme"}
    assert subjects("rosa") == {"globex"}
    assert subjects("ann") == {"acme", "ann", "globex", "initech"}
    assert subjects("admin") == {"acme", "ann", "globex", "initech", "company", "north", "south"}


@pytest.mark.parametrize(
    ("role", "fate"),
    [("admin", "FOLDED"), ("rosa", "FOLDED"), ("ann", "FOLDED"), ("rik", "UNKNOWN"), ("machine", "UNKNOWN")],
)
def test_an_explanation_is_for_those_who_may_see_the_act(people: Asker, role: str, fate: str) -> None:
    """For everyone else the act is unknown."""
    data = people.data('{ explainAct(source: "test", actId: "push") { fate act { actId } } }', who=role)
    assert data["explainAct"]["fate"] == fate
    assert (data["explainAct"]["act"] is None) == (fate == "UNKNOWN")


def test_nodes_obey_the_same_rules(people: Asker) -> None:
    """An id learned elsewhere opens nothing."""
    data = people.data(
        """{ team(key: "south") { id } person(key: "sam") { id }
          relationship(customer: "globex") { id acts { edges { node { id } } } } }"""
    )
    ids = [data["team"]["id"], data["person"]["id"], data["relationship"]["id"]]
    ids += [edge["node"]["id"] for edge in data["relationship"]["acts"]["edges"]]
    for id_ in ids:
        query = "query ($id: ID!) { node(id: $id) { id __typename } }"
        assert people.data(query, {"id": id_})["node"]["id"] == id_
        body = people.ask(query, {"id": id_}, "rik")
        assert body["data"]["node"] is None
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_what_one_leads_is_what_one_leads_now(people: Asker) -> None:
    """Who left is no longer seen by the former leader, whatever the period."""
    people.world.post("team.left", "north", "2026-03-01", person="rik")
    people.world.fold()
    assert people.codes('{ person(key: "rik") { name } }', who="ann") == ["FORBIDDEN"]
    assert people.codes('{ person(key: "rik") { name } }', who="rik") == []

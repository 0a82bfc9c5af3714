"""The table: every field of the schema, and who sees it of whom.

A field either has a rule of its own (RULED), with questions that try it, or is seen with the object that it is of
(WITH_IT). A test compares the two with the schema: a new field must be placed here.
"""

from typing import NamedTuple

from tests.graphql.roles import AUDITORS, EVERYTHING, OVER_ALL, OVER_NORTH, OVER_SOUTH

PERIOD = '{from: "2026-01-01", to: "2026-03-01"}'
EXAMPLE = "leader { key } comparisons { leader { n } team { n } } goading { PLAIN:RateRatio } pushing { PLAIN:Pushing }"
CARD = "scorecard(period: " + PERIOD + ") { PLAIN:Scorecard }"

WITH_IT = {
    "Act": "id source actId subject rep time recordedAt partition offset retracted type personalFields disputes",
    "ActExplanation": "fate act reason partition offset",
    "AuditEntry": (
        "id index leafHash kind type at subject subjects actor partition offset entry document record act refused proof"
    ),
    "AuditProof": "index hashes checkpoint file",
    "CoachingEffect": "principle after before difference",
    "Correlation": "value n",
    "CustomerEquity": (
        "policy activeCustomers repeatShare referralsPerCustomerYear lostCustomers touchesToYesMedian "
        "shareAtFiveToSeven touchShareUnfit touchShareCustomers"
    ),
    "Difference": "value interval",
    "ExampleComparison": "principle leader team difference mirroring chanceBaseline imprint",
    "GuideIndex": "value trust partnership capability inquiry",
    "GuidesWin": "acceptance repeatCustomers referrals",
    "Interval": "low high",
    "LeaderExample": (
        "leader team policy remark comparisons standards goading monthEndPressure coaching recognition "
        "behaviourRecognitionShare guidesWin pushing afterCoaching"
    ),
    "Membership": "role from to person team",
    "OddsRatio": "value interval strata n undefinedBecause",
    "Person": "id key name",
    "Principle": "id title description sources judgement",
    "Policy": "identity figures",
    "PrincipleCount": "principle count",
    "Pushing": "acceptance repeat",
    "Rate": "kept n rate interval",
    "RateComparison": "with without difference",
    "RateRatio": "value interval before after beforeDays afterDays undefinedBecause",
    "ReasonCount": "reason count",
    "Relationship": "id customerKey segment reps acts",
    "Score": (
        "kept breached n notRecorded rate principle interval evidenceLevel previous change trend reasons signals"
    ),
    "Scorecard": "from to asOf policy scores score guideIndex",
    "Signal": "customerKey principle verdict reason at person evidence",
    "StatedStandard": "principle since score gap",
    "Team": "id key name",
    "TrendPoint": "start kept breached",
    "Viewer": "key scopes",
}
"""By type, the fields that whoever sees the object sees."""


class Case(NamedTuple):
    """A question about somebody's field; `value` is where its answer is.

    Those who see it get a value, those for whom it is `blank` null without an error, all others null and FORBIDDEN.
    `unknown`: there is no such thing, and those who see everything are told so by null without an error.
    """

    field: str
    query: str
    value: str
    sees: frozenset[str]
    blank: frozenset[str] = frozenset()
    unknown: bool = False


def person(key: str, field: str, selection: str, sees: frozenset[str]) -> Case:
    """A field of a person."""
    return Case(f"Person.{field}", f'person(key: "{key}") {{ {selection} }}', f"person.{field}", sees)


def example(leader: str, to: str, sees: frozenset[str], blank: frozenset[str] = frozenset()) -> Case:
    """What a person models to a team."""
    query = f'person(key: "{leader}") {{ example(team: "{to}", period: {PERIOD}) {{ {EXAMPLE} }} }}'
    return Case("Person.example", query, "person.example", sees, blank)


def team(key: str, field: str, selection: str, sees: frozenset[str], blank: frozenset[str] = frozenset()) -> Case:
    """A field of a team."""
    return Case(f"Team.{field}", f'team(key: "{key}") {{ {selection} }}', f"team.{field}", sees, blank)


def relationship(key: str, field: str, selection: str, sees: frozenset[str], blank: frozenset[str]) -> Case:
    """A field of a relationship."""
    query = f'relationship(customer: "{key}") {{ {selection} }}'
    return Case(f"Relationship.{field}", query, f"relationship.{field}", sees, blank)


NONE: frozenset[str] = frozenset()
SEE_PERSON = {
    "rik": OVER_NORTH | {"rik"},
    "rosa": OVER_NORTH | {"rosa"},
    "sam": OVER_SOUTH | {"sam"},
    "ann": OVER_NORTH,
    "bob": OVER_SOUTH,
    "cleo": OVER_ALL,
    "dan": EVERYTHING | {"dan"},
}
SEE_TEAM = {"company": OVER_ALL, "north": OVER_NORTH | {"rik", "rosa"}, "south": OVER_SOUTH | {"sam"}}
LEAD_TEAM = {"company": OVER_ALL, "north": OVER_NORTH, "south": OVER_SOUTH}
SEE_RELATIONSHIP = {
    "acme": OVER_NORTH | OVER_SOUTH | {"rik", "sam"},
    "globex": OVER_NORTH | {"rosa"},
    "initech": OVER_NORTH,
}
PLAIN_PERSON, PLAIN_TEAM, PLAIN_RELATIONSHIP = "PLAIN:Person", "PLAIN:Team", "PLAIN:Relationship"

RULED: list[Case] = [
    # Persons: oneself, whom one leads now, everybody for who sees everything.
    *(Case("Query.person", f'person(key: "{p}") {{ PLAIN:Person }}', "person", sees) for p, sees in SEE_PERSON.items()),
    *(person(p, "scorecard", CARD, sees) for p, sees in SEE_PERSON.items()),
    *(person(p, "memberships", "memberships { PLAIN:Membership }", sees) for p, sees in SEE_PERSON.items()),
    *(person(p, "relationships", "relationships { edges { node { PLAIN:Relationship } } }", sees)
      for p, sees in SEE_PERSON.items()),
    # Teams: looked at by who is in them or leads them, or one above; figures and members by who leads.
    *(Case("Query.team", f'team(key: "{t}") {{ PLAIN:Team }}', "team", sees) for t, sees in SEE_TEAM.items()),
    *(team(t, "scorecard", CARD, sees) for t, sees in LEAD_TEAM.items()),
    *(team(t, "members", "members { PLAIN:Membership }", sees) for t, sees in LEAD_TEAM.items()),
    *(team(t, "leaders", "leaders { PLAIN:Person }", sees) for t, sees in LEAD_TEAM.items()),
    team("company", "parent", "parent { PLAIN:Team }", NONE, OVER_ALL),
    team("north", "parent", "parent { PLAIN:Team }", OVER_ALL),
    team("south", "parent", "parent { PLAIN:Team }", OVER_ALL),
    *(team(t, "children", "children { PLAIN:Team }", sees) for t, sees in SEE_TEAM.items()),
    # What a leader models and what the customers are worth: for who leads the team; the leader must be seen too.
    *(team(t, "equity", "equity { PLAIN:CustomerEquity }", sees) for t, sees in LEAD_TEAM.items()),
    *(team(t, "examples", f"examples(period: {PERIOD}) {{ {EXAMPLE} }}", sees) for t, sees in LEAD_TEAM.items()),
    example("cleo", "company", OVER_ALL),
    example("ann", "north", OVER_NORTH),
    example("bob", "south", OVER_SOUTH),
    example("dan", "north", EVERYTHING),
    example("rik", "north", NONE, OVER_NORTH),  # who never led has none
    example("ann", "south", NONE, OVER_ALL),
    # Relationships: who has acts in them, and who leads these.
    *(Case("Query.relationship", f'relationship(customer: "{c}") {{ PLAIN:Relationship }}', "relationship", sees)
      for c, sees in SEE_RELATIONSHIP.items()),
    *(relationship(c, "signals", "signals { edges { node { PLAIN:Signal } } }", sees, NONE)
      for c, sees in SEE_RELATIONSHIP.items()),
    relationship("acme", "customerName", "customerName", EVERYTHING, SEE_RELATIONSHIP["acme"] - EVERYTHING),
    # The audit log: who may read it, whatever cards they may see.
    Case("Query.auditLog", "auditLog { edges { node { PLAIN:AuditEntry } } }", "auditLog", AUDITORS),
    Case("Query.auditEntry", "auditEntry(index: 0) { PLAIN:AuditEntry }", "auditEntry", AUDITORS),
    Case("Query.auditEntry", "auditEntry(index: 1000000) { index }", "auditEntry", NONE, unknown=True),
    # What nobody but those who see everything can tell from what is forbidden.
    Case("Query.person", 'person(key: "nobody") { key }', "person", NONE, unknown=True),
    Case("Query.team", 'team(key: "nowhere") { key }', "team", NONE, unknown=True),
    Case("Query.relationship", 'relationship(customer: "none") { customerKey }', "relationship", NONE, unknown=True),
]  # fmt: skip

BY_THEIR_OWN_TESTS = {
    "Act.data",  # personal fields
    "ActExplanation.signals",
    "Query.acts",
    "Query.explainAct",
    "Query.node",
    "Query.policy",
    "Query.principles",
    "Query.teams",
    "Query.viewer",
    "Subscription.scorecardChanged",
    "Viewer.teams",
}
"""Lists that hold what each may see, and what is answered in more ways than by a value or null."""

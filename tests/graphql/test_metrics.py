"""The times of GraphQL requests: every request counts once, by how it ended, and no client names a label."""

from collections.abc import Mapping

from services.graphql.metrics import outcome_of
from tests.graphql.gateway import JSON, Asker

NEVER_FOLDED = "0:999"


def counted(asker: Asker) -> Mapping[str, float]:
    """How many requests there were by outcome."""
    return {
        sample.labels["outcome"]: sample.value
        for family in asker.registry.collect()
        for sample in family.samples
        if sample.name == "exemplar_query_seconds_count"
    }


def test_a_request_counts_by_how_it_ended(asker: Asker) -> None:
    """Answers, refusals of each kind and what is not GraphQL at all are told apart."""
    asker.post("query QuiteUnusual { viewer { key } }")
    asker.post("{ viewer { key } }", who="nobody")
    asker.post("{ nonsense }")
    asker.post("{ viewer { key } }", exemplar_wait_for=NEVER_FOLDED)
    asker.post("{" + "a { " * 11 + "b" + " }" * 11 + "}")
    asker.post("mutation { nothing }")
    asker.client.post("/graphql", content=b"{", headers={"content-type": JSON})
    asker.client.get("/graphql", headers={"accept": "text/html"})
    expected = {"answered": 1, "unauthenticated": 1, "bad_user_input": 1, "not_yet": 1, "limit": 1, "refused": 2}
    assert counted(asker) == expected


def test_an_export_counts_too(company: Asker) -> None:
    """By how it ended, as the question does that it asks."""
    table = "/export/scorecards.csv?from=2026-01-01&to=2026-02-01"
    for asked, who in (("&team=north", "admin"), ("&team=north", "nobody"), ("", "admin")):
        company.client.get(table + asked, headers={"authorization": f"Bearer {who}"})
    assert counted(company) == {"answered": 1, "unauthenticated": 1, "refused": 1}


def test_what_a_client_may_not_see_counts_as_forbidden(company: Asker) -> None:
    """An answer with a refused field counts by that field's code."""
    company.ask('{ person(key: "sam") { key scorecard(period: {from: "2026-01-01", to: "2026-02-01"}) { asOf } } }')
    rik = company.person("rik")
    company.ask('{ person(key: "nobody-there") { key } }', who=rik)
    assert counted(company) == {"answered": 1, "forbidden": 1}


def test_what_went_wrong_here_is_never_hidden_by_another_error() -> None:
    """One internal error among others makes the answer an internal one, for the alert."""
    found = [{"extensions": {"code": code}} for code in ("FORBIDDEN", "INTERNAL")]
    assert outcome_of({"data": None, "errors": found}) == "internal"
    assert outcome_of({"data": {}, "errors": found[:1]}) == "forbidden"
    assert outcome_of({"data": {}}) == "answered"

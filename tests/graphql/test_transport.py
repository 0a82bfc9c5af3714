"""GraphQL over HTTP: media types, statuses, what is ill-formed, GET, the page for people."""

from typing import Any

import pytest

from services.graphql.transport import BODY_AT_MOST
from tests.graphql.gateway import GRAPHQL, JSON, Asker

QUERY = "{ viewer { key } }"
PROBLEM = "application/problem+json"


def _raw(asker: Asker, content: bytes, **headers: str) -> Any:
    sent = {"content-type": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}
    return asker.client.post("/graphql", content=content, headers=sent)


@pytest.mark.parametrize("accept", ["*/*", JSON, f"{JSON}; charset=utf-8", "application/*", f"text/html, {JSON};q=0.5"])
def test_json_is_the_answer_unless_more_is_asked_for(asker: Asker, accept: str) -> None:
    """`application/json` is answered wherever the newer type is not named."""
    response = asker.post(QUERY, accept=accept)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json; charset=utf-8")


def test_the_newer_media_type_is_answered_where_it_is_named(asker: Asker) -> None:
    """It wins over JSON of the same weight."""
    response = asker.post(QUERY, accept=f"{JSON}, {GRAPHQL}")
    assert response.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert asker.post(QUERY, accept=f"{GRAPHQL};q=0.1, {JSON}").headers["content-type"].startswith(JSON)


def test_another_type_is_not_acceptable(asker: Asker) -> None:
    """An answer that cannot be given is 406."""
    response = asker.post(QUERY, accept="text/csv")
    assert (response.status_code, response.headers["content-type"]) == (406, PROBLEM)


@pytest.mark.parametrize(
    ("query", "variables", "status"),
    [
        (QUERY, None, 200),
        ('{ person(key: "nobody") { key } }', None, 200),
        ("{ nothing }", None, 400),
        ("{ viewer {", None, 400),
        ("query ($key: String!) { person(key: $key) { key } }", {}, 400),
        ("query ($key: String!) { person(key: $key) { key } }", {"key": 7}, 400),
        ("mutation { viewer { key } }", None, 400),
        ("subscription { viewer { key } }", None, 400),
    ],
)
def test_statuses_tell_what_happened(asker: Asker, query: str, variables: dict[str, Any] | None, status: int) -> None:
    """Under the newer type a request that did not run is 400; under JSON whatever is well-formed is 200."""
    assert asker.post(query, variables, accept=GRAPHQL).status_code == status
    response = asker.post(query, variables)
    assert response.status_code == (400 if query.startswith(("mutation", "subscription")) else 200)
    if response.status_code == 200 and status == 400:
        assert "data" not in response.json()
        assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"BAD_USER_INPUT"}


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'[{"query": "{ viewer { key } }"}]', {}, 400),
        (b"{}", {}, 400),
        (b'{"query": 7}', {}, 400),
        (b'{"query": ""}', {}, 400),
        (b'{"query": "{a}", "variables": []}', {}, 400),
        (b'{"query": "{a}", "variables": "{}"}', {}, 400),
        (b'{"query": "{a}", "operationName": 1}', {}, 400),
        (b'{"query": "{a}", "extensions": 1}', {}, 400),
        (b'{"query": "\xff"}', {}, 400),
        (b'{"query": "{a}", "query": "{b}"}', {}, 400),
        (b'{"query": "{a}", "variables": {"x": NaN}}', {}, 400),
        (b'{"query": "{a}", "variables": ' + b'{"x":' * 20_000 + b"1" + b"}" * 20_000 + b"}", {}, 413),
        (b'{"query": "{a}", "variables": ' + b'{"x":' * 9_000 + b"1" + b"}" * 9_000 + b"}", {}, 400),
        (b'{"query": "{a}"}', {"content_type": "text/plain"}, 415),
        (b'{"query": "{a}"}', {"content_type": "application/json; charset=latin-1"}, 415),
        (b'{"query": "{a}"}', {"content_type": ""}, 415),
        (b'{"query": "{a}"}', {"content_encoding": "gzip"}, 415),
        (b'{"query": "' + b"a" * BODY_AT_MOST + b'"}', {}, 413),
    ],
)
def test_what_is_ill_formed_is_a_problem(asker: Asker, content: bytes, headers: dict[str, str], status: int) -> None:
    """400, 413 and 415 are problem+json, and never quote what was sent."""
    response = _raw(asker, content, **headers)
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM)
    assert response.json()["status"] == status


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"{", "the body: not JSON, at character 1"),
        (b'{"query": "{a}", "query": "{b}"}', "the body: a member name is there twice in an object"),
        (b'{"query": "{a}", "variables": {"x": NaN}}', "the body: NaN and Infinity are not JSON"),
    ],
)
def test_what_is_ill_formed_is_told_in_words(asker: Asker, content: bytes, detail: str) -> None:
    """Which part of the request it is, and what is wrong with it."""
    assert _raw(asker, content).json()["detail"] == detail


def test_a_body_without_length_is_not_read_beyond_the_limit(asker: Asker) -> None:
    """A stream that says no length is cut off at the limit."""
    response = asker.client.post("/graphql", content=iter([b"x" * 40_000] * 3), headers={"content-type": JSON})
    assert response.status_code == 413


def test_a_query_may_be_asked_with_get(asker: Asker) -> None:
    """Query, variables and name of the operation go into the URL."""
    parameters = {
        "query": "query A { viewer { key } } query B($k: String!) { person(key: $k) { key } }",
        "operationName": "B",
        "variables": '{"k": "nobody"}',
    }
    response = asker.client.get("/graphql", params=parameters, headers={"authorization": "Bearer admin"})
    assert response.json()["data"] == {"person": None}


@pytest.mark.parametrize(
    ("parameters", "status"),
    [({}, 400), ({"query": "mutation { x }"}, 405), ({"query": "{a}", "variables": "{"}, 400)],
)
def test_get_is_for_queries_alone(asker: Asker, parameters: dict[str, str], status: int) -> None:
    """A mutation is not allowed, and what is ill-formed is 400."""
    response = asker.client.get("/graphql", params=parameters)
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM)


def test_browsers_get_a_page_that_works_offline(asker: Asker) -> None:
    """GraphiQL comes with all its files from this server."""
    response = asker.client.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    files = [part.split('"')[0] for attribute in ("src=", "href=") for part in response.text.split(f'{attribute}"')[1:]]
    assert files
    for file in files:
        assert file.startswith(("/static/graphiql/", "data:"))
        if file.startswith("/"):
            assert asker.client.get(file).status_code == 200


def test_no_operation_of_that_name(asker: Asker) -> None:
    """A name that no operation has is the client's mistake."""
    for both in ("query A { viewer { key } } query B { __typename }", "query A { __typename } subscription B { x }"):
        refused = asker.post(both, accept=GRAPHQL)
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")
        assert "`operationName` says which" in refused.json()["errors"][0]["message"]
    body = {"query": "query A { viewer { key } }", "operationName": "B"}
    response = asker.client.post("/graphql", json=body)
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_a_bad_credential_is_401(asker: Asker, accept: str) -> None:
    """Nothing is read; the answer is GraphQL's, and says how to authenticate."""
    response = asker.post(QUERY, who="stranger", accept=accept)
    assert (response.status_code, response.headers["www-authenticate"]) == (
        401,
        'Bearer realm="exemplar", error="invalid_token"',
    )
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in response.json()


def test_other_methods_are_not_allowed(asker: Asker) -> None:
    """PUT and DELETE are 405."""
    assert asker.client.put("/graphql").status_code == 405
    assert asker.client.delete("/graphql").status_code == 405

"""Signing in and out: a cookie that no script can read, the way back, and forms of this server only."""

from pathlib import Path

import pytest

from services.events.credentials import Credential
from services.graphql.app import Allowed
from services.graphql.rates import Rates
from services.graphql.sign_in import COOKIE, SECURE_COOKIE
from services.kit.errors import Unavailable
from tests.fixed_clock import FixedClock
from tests.graphql.company import found_company
from tests.graphql.dashboard.conftest import Closed
from tests.graphql.dashboard.visitor import OWN, Visitor, text_of
from tests.graphql.gateway import Asker

TEAM = "/dashboard/team?team=north&period=year"


def test_who_is_not_signed_in_is_sent_to_do_so_and_back(closed: Asker) -> None:
    """The page leads to the form, the form takes a key, and leads to the page that was asked for."""
    visitor = Visitor(closed)
    sent_on = visitor.get(TEAM)
    assert sent_on.status_code == 303
    form = visitor.get(sent_on.headers["location"])
    assert form.status_code == 200
    assert 'name="next" value="/dashboard/team?team=north&amp;period=year"' in form.text
    done = visitor.send("/dashboard/sign-in", {"credential": " ann ", "next": TEAM})
    assert (done.status_code, done.headers["location"]) == (303, TEAM)
    assert "North" in visitor.page(TEAM)


def test_the_cookie_is_for_this_server_alone(closed: Asker) -> None:
    """HttpOnly, SameSite=Lax, for the session; Secure and bound to the host, but on plain HTTP on this machine."""
    here = Visitor(closed).send("/dashboard/sign-in", {"credential": "ann"}).headers["set-cookie"]
    assert here == f"{COOKIE}=ann; HttpOnly; Path=/; SameSite=lax"
    visitor = Visitor(closed)
    for address, headers in (
        ("https://localhost/dashboard/sign-in", OWN),
        ("http://exemplar.example/dashboard/sign-in", OWN),
    ):
        kept = visitor.client.post(address, data={"credential": "ann"}, headers=headers).headers["set-cookie"]
        assert kept == f"{SECURE_COOKIE}=ann; HttpOnly; Path=/; SameSite=lax; Secure"


def test_a_cookie_for_plain_http_is_not_heeded_elsewhere(closed: Asker) -> None:
    """Where cookies are bound to the host, one that another host of the domain may have set counts for nothing."""
    visitor = Visitor(closed)
    cookies = {"cookie": f"{COOKIE}=ann"}
    assert visitor.client.get("https://exemplar.example/dashboard", headers=cookies).status_code == 303
    bound = {"cookie": f"{SECURE_COOKIE}=ann"}
    assert visitor.client.get("https://exemplar.example/dashboard", headers=bound).status_code == 200


@pytest.mark.parametrize(
    ("credential", "status", "says"),
    [
        ("nobody", 401, "not known here"),
        ("", 400, "neither a key"),
        ("a b", 400, "neither a key"),
        ("x" * 3801, 400, "at most 3,800"),
        ("ann; Path=/", 400, "neither a key"),
    ],
)
def test_what_is_no_good_credential_is_told(closed: Asker, credential: str, status: int, says: str) -> None:
    """The form comes again, says what is wrong, keeps the way back, and never shows what was typed."""
    answer = Visitor(closed).send("/dashboard/sign-in", {"credential": credential, "next": TEAM})
    assert answer.status_code == status
    assert says in text_of(answer)
    assert "set-cookie" not in answer.headers
    assert "period=year" in answer.text
    assert not credential or f'"{credential}"' not in answer.text


def test_a_revoked_credential_leads_back_to_the_form(closed: Asker) -> None:
    """The cookie is taken away, the form says why, and the way back is kept."""
    visitor = Visitor(closed, "ann")
    assert visitor.get(TEAM).status_code == 200
    del closed.credentials["ann"]
    sent_on = visitor.get(TEAM)
    assert sent_on.status_code == 303
    assert "Max-Age=0" in sent_on.headers["set-cookie"]
    form = visitor.get(sent_on.headers["location"])
    assert "the key was revoked, or the token has ended" in text_of(form)
    assert "period=year" in form.text


def test_signing_out_takes_the_cookie_away(ann: Visitor) -> None:
    """After it pages lead to the form."""
    left = ann.send("/dashboard/sign-out", {"leave": "yes"})
    assert (left.status_code, left.headers["location"]) == (303, "/dashboard/sign-in?why=out")
    assert "Max-Age=0" in left.headers["set-cookie"]
    ann.client.cookies.delete(COOKIE)
    assert ann.get("/dashboard").status_code == 303


@pytest.mark.parametrize("address", ["/dashboard/sign-in", "/dashboard/sign-out", "/dashboard/theme"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"x_nothing": "of the kind"},
    ],
)
def test_forms_of_other_pages_do_nothing(ann: Visitor, address: str, headers: dict[str, str]) -> None:
    """A form that another page sends, or that nobody says where it is from, is refused and changes no cookie."""
    answer = ann.send(address, {"credential": "ann", "theme": "dark"}, **headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_an_origin_of_ours_is_enough_for_older_browsers(closed: Asker) -> None:
    """Where a browser does not say from where it fetches, its Origin tells."""
    answer = Visitor(closed).send("/dashboard/sign-in", {"credential": "ann"}, origin="http://localhost")
    assert answer.status_code == 303


def test_a_database_that_is_away_is_no_wrong_key(tmp_path: Path, clock: FixedClock) -> None:
    """Nobody is told that their key is wrong while that cannot be looked up."""

    def away(authorization: str | None) -> Credential:
        raise Unavailable("the database does not answer")

    asker = Asker(tmp_path, clock, authenticate=away)
    visitor = Visitor(asker, "ann")
    for answer in (visitor.send("/dashboard/sign-in", {"credential": "ann"}), visitor.get("/dashboard")):
        assert answer.status_code == 503
        assert "cannot be read now" in text_of(answer)
        assert "set-cookie" not in answer.headers
    asker.close()


def test_who_tries_many_credentials_has_to_wait(tmp_path: Path, clock: FixedClock) -> None:
    """At the form as anywhere: after so many bad ones from an address 429, and a good one still signs in."""
    asker = found_company(Closed(tmp_path, clock, failures=Rates(0.1, 2)))
    asker.person("ann")
    visitor = Visitor(asker)
    tried = [visitor.send("/dashboard/sign-in", {"credential": "nobody"}) for _ in range(3)]
    assert [answer.status_code for answer in tried] == [401, 401, 429]
    assert tried[-1].headers["retry-after"] == "10"
    assert visitor.send("/dashboard/sign-in", {"credential": "ann"}).status_code == 303
    asker.close()


def test_open_mode_needs_no_sign_in(company: Asker) -> None:
    """Pages are shown to everybody, and the form says that there is nothing to do."""
    visitor = Visitor(company)
    assert "Open: no sign-in needed" in visitor.page("/dashboard")
    assert "No sign-in is needed" in visitor.page("/dashboard/sign-in")


def test_a_proxy_says_who_it_is(tmp_path: Path, clock: FixedClock) -> None:
    """By the header of the setting, with or without `Bearer`, and by no other; nobody can sign out here then."""
    asker = Closed(tmp_path, clock, Allowed(proxy_token_header="x-forwarded-access-token"))
    found_company(asker).person("ann")
    visitor = Visitor(asker)
    for token in ("ann", "Bearer ann"):
        page = visitor.get("/dashboard", x_forwarded_access_token=token)
        assert page.status_code == 200
        assert "Sign out" not in text_of(page)
    assert visitor.get("/dashboard", x_forwarded_user="ann").status_code == 303
    asker.close()


def test_a_header_authorization_works_too(closed: Asker) -> None:
    """A program fetches a table with its key; a wrong one is told by the status, not by a form."""
    visitor = Visitor(closed)
    assert visitor.get("/dashboard/team/principles.csv?team=north", authorization="Bearer ann").status_code == 200
    refused = visitor.get("/dashboard/team/principles.csv?team=north", authorization="Bearer nobody")
    assert refused.status_code == 401
    assert "invalid_token" in refused.headers["www-authenticate"]


def test_the_theme_is_kept_and_the_page_gone_back_to(ann: Visitor) -> None:
    """A theme that was chosen is in every page; one that there is not changes nothing."""
    sent = ann.send("/dashboard/theme", {"theme": "dark", "next": TEAM})
    assert (sent.status_code, sent.headers["location"]) == (303, TEAM)
    assert '<html lang="en" data-theme="dark">' in ann.get(TEAM).text
    ann.send("/dashboard/theme", {"theme": "plaid", "next": TEAM})
    assert '<html lang="en" data-theme="dark">' in ann.get(TEAM).text


def test_scripts_of_our_pages_may_ask_with_the_cookie(ann: Visitor) -> None:
    """At /graphql the cookie counts for a page of this server, and for no other."""
    question = {"json": {"query": "{ viewer { key } }"}}
    for headers in (OWN, {"origin": "http://localhost"}):
        answer = ann.client.post("/graphql", headers=headers, **question)  # type: ignore[arg-type]  # JSON of any type
        assert answer.json()["data"] == {"viewer": {"key": "ann"}}
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {}):
        answer = ann.client.post("/graphql", headers=headers, **question)  # type: ignore[arg-type]  # as above
        assert answer.status_code == 401

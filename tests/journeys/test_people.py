"""People sign in by the tokens of their company's issuer, on both interfaces of a real server."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from services.graphql.sign_in import COOKIE
from tests.events.ingress.token_issuer import AUDIENCE, ISSUER, TokenIssuer
from tests.serving import Answer, Server, run, serving

PROXY = "X-Forwarded-Access-Token"
TEAM = "/dashboard/team?team=north"
CARD = """{ viewer { key scopes } person(key: "rik") { scorecard(period: {from: "2026-01-01", to: "2026-02-01"}) {
  score(principle: NO_PRESSURE) { breached signals { edges { node { evidence { data disputes { actId } } } } } }
} } }"""


def event(name: str, subject: str, act_id: str, **data: Any) -> dict[str, Any]:
    """An act of the first days of 2026."""
    return {
        "specversion": "1.0",
        "id": act_id,
        "source": "/crm",
        "type": f"exemplar.{name}.v1",
        "subject": subject,
        "time": "2026-01-05T09:00:00Z",
        "data": data,
    }


def dispute(disputed: str, by: str) -> dict[str, Any]:
    """A dispute of an act with acme."""
    return event(
        "act.disputed", "acme", f"no-{disputed}-{by}", disputes_source="/crm", disputes_id=disputed, reason="no", by=by
    )


class Site:
    """A server that has people's tokens, and what they ask."""

    def __init__(self, server: Server, issuer: TokenIssuer) -> None:
        self.server = server
        self.issuer = issuer

    def token(self, person: str, **claims: Any) -> str:
        """The credential of a person."""
        now = int(time.time())
        good: dict[str, Any] = {"sub": person, "iat": now, "exp": now + 600}
        return f"Bearer {self.issuer.token('k1', **good | claims)}"

    def ask(self, credential: str, wait_for: str = "") -> Any:
        """What the card of a rep shows to someone."""
        return self.server.query(CARD, wait_for, authorization=credential)

    def breached(self, credential: str) -> int | None:
        """What a card counts, if it may be seen."""
        person = self.ask(credential)["data"]["person"]
        return None if person is None else int(person["scorecard"]["score"]["breached"])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"jwt_issuer": ISSUER}, "EXEMPLAR_JWT_AUDIENCE"),
        ({"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_jwks_url": "http://a.b/c"}, "EXEMPLAR_JWT_JWKS_URL"),
    ],
)
def test_settings_that_do_not_fit_stop_the_start(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    """The server ends with 2, naming the variable."""
    ended = run(tmp_path / "data", ["serve", "--port", "0"], **settings)
    assert ended.returncode == 2
    assert named in ended.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Ann leads Rik in north, Bob leads Sam in south; Rik pressed acme, whom Sam knows too."""
    issuer, folder = TokenIssuer(), tmp_path_factory.mktemp("people") / "data"
    issuer.add("k1", "ES256")
    settings = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_jwks_url": issuer.url, "proxy_token_header": PROXY}
    with serving(folder, **settings) as server:
        made = run(folder, ["keys", "create", "--name", "ops", "--scope", "admin"]).stdout.strip()
        people = (
            ("north", "ann", "leader"),
            ("north", "rik", "rep"),
            ("south", "bob", "leader"),
            ("south", "sam", "rep"),
        )
        joined = [event("team.joined", t, p, person=p, role=r) for t, p, r in people]
        pressed = event("urgency.pressed", "acme", "push", rep="rik", tactic="deadline", text="today only")
        served = event("service.given", "acme", "serve", rep="sam", kind="advice")
        answer = server.post(*joined, pressed, served, authorization=f"Bearer {made}")
        assert answer.status == 202, answer.body
        site = Site(server, issuer)
        assert "errors" not in site.ask(f"Bearer {made}", answer.json()["position"])
        yield site
    issuer.close()


def test_tokens_read_what_their_person_may_see(site: Site) -> None:
    """A rep their own card, their leader too, others not; a claim `scope` replaces the right to read."""
    assert site.ask(site.token("rik"))["data"]["viewer"] == {"key": "rik", "scopes": ["cards:read"]}
    assert [site.breached(site.token(who)) for who in ("rik", "ann", "bob", "sam")] == [1, 1, None, None]
    assert site.breached(site.token("rik", scope="openid")) is None
    assert site.breached(site.token("sam", scope="admin")) == 1


def test_a_person_disputes_their_own_acts_by_token(site: Site) -> None:
    """In their own name; nothing else can be posted, by whatever scope a token carries."""
    server = site.server
    assert server.post(dispute("push", "sam"), authorization=site.token("sam")).status == 403
    assert server.post(dispute("push", "ann"), authorization=site.token("rik")).status == 403
    assert server.post(dispute("serve", "rik"), authorization=site.token("rik")).status == 403
    other = event("service.given", "acme", "more", rep="rik", kind="advice")
    assert server.post(other, authorization=site.token("rik", scope="acts:write")).status == 403
    taken = server.post(dispute("push", "rik"), authorization=site.token("rik", scope=""))
    assert taken.status == 202, taken.body
    seen = site.ask(site.token("rik"), taken.json()["position"])
    (signal,) = seen["data"]["person"]["scorecard"]["score"]["signals"]["edges"]
    (act,) = signal["node"]["evidence"]
    assert (act["data"]["text"], act["disputes"]) == ("today only", [{"actId": "no-push-rik"}])


def test_a_token_that_is_not_good_is_refused_on_both_interfaces(site: Site) -> None:
    """401 with the challenge of RFC 6750, quoting nothing of the token; without a credential, without an error."""
    good = site.token("rik")
    bad = good[:-6] + "AAAAAA"
    answers: list[tuple[Answer, bool]] = []
    for credential in (bad, site.token("rik", exp=int(time.time()) - 60), "Bearer exk_none", ""):
        headers = {"authorization": credential} if credential else {}
        query = site.server.ask(
            "POST", "/graphql", b'{"query":"{viewer{key}}"}', content_type="application/json", **headers
        )
        answers += [(site.server.post(dispute("push", "rik"), **headers), bool(credential)), (query, bool(credential))]
    for answer, presented in answers:
        assert answer.status == 401
        challenge = 'Bearer realm="exemplar"' + (', error="invalid_token"' if presented else "")
        assert answer.headers["www-authenticate"] == challenge
        assert good[7:50].encode() not in answer.body


def test_a_token_signs_in_to_the_dashboard(site: Site) -> None:
    """By the form, which keeps it in a cookie until it ends; then the way leads to the form again and back."""
    server = site.server
    form = {"content_type": "application/x-www-form-urlencoded", "origin": server.url}
    for token, status in ((site.token("ann"), 303), (site.token("ann", exp=int(time.time()) - 60), 401)):
        sent = urlencode({"credential": token.removeprefix("Bearer "), "next": TEAM}).encode()
        answer = server.ask("POST", "/dashboard/sign-in", sent, **form)
        assert answer.status == status
        assert ("set-cookie" in answer.headers) == (status == 303)
    good, ended = (f"{COOKIE}={site.token('ann', exp=int(time.time()) + left)[7:]}" for left in (600, -60))
    page = server.ask("GET", TEAM, cookie=good)
    assert (page.status, b"<h1>north</h1>" in page.body) == (200, True)
    refused = server.ask("GET", TEAM, cookie=ended)
    assert (refused.status, "why=ended" in refused.headers["location"]) == (303, True)


def test_a_proxy_hands_on_the_token_of_who_is_at_the_dashboard(site: Site) -> None:
    """In the header of the setting; what it hands on is checked like any token, and a name in a header is nothing."""
    server = site.server
    token = site.token("ann")[7:]
    assert server.ask("GET", TEAM, x_forwarded_access_token=token).status == 200
    assert server.ask("GET", TEAM, x_forwarded_access_token=token[:-6] + "AAAAAA").status == 303
    assert server.ask("GET", TEAM, x_forwarded_user="ann").status == 303
    question = b'{"query":"{viewer{key}}"}'
    foreign = {"content_type": "application/json", "x_forwarded_access_token": token, "origin": "https://evil.example"}
    assert server.ask("POST", "/graphql", question, **foreign).status == 401

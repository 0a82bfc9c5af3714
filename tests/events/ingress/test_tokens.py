"""Tokens of people, checked by the keys of a real issuer on this machine."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.events import issuer as issuing
from services.events.credentials import Credential, Keyring, create_key
from services.events.issuer import Issuer, read_keys
from services.events.tokens import TOKEN_CHARACTERS, Tokens, open_tokens
from services.kit.errors import Misconfigured, Unauthenticated, Unavailable
from services.kit.instants import SECOND
from tests.events.ingress.parts import Parts
from tests.events.ingress.token_issuer import (
    AUDIENCE,
    ISSUER,
    NOW,
    TokenIssuer,
    claimed,
    clock,
    private_key,
    public_jwk,
)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


@dataclass
class Reader:
    """Tokens on an issuer, with clocks that a test moves."""

    issuer: TokenIssuer
    seconds: float = 100.0
    now: int = NOW * SECOND
    within: float = 60.0
    tokens: Tokens = field(init=False)

    def __post_init__(self) -> None:
        keys = Issuer(self.issuer.url, lambda: self.seconds, self.within)
        self.tokens = Tokens(ISSUER, AUDIENCE, keys, lambda: self.now)

    def person(self, token: str) -> str | None:
        """Whose the token is."""
        return self.tokens.read(token).credential.person

    def refuses(self, token: str) -> bool:
        """Whether the token is not good; what is said quotes nothing of it."""
        with pytest.raises(Unauthenticated) as raised:
            self.tokens.read(token)
        return raised.value.presented and not any(part and part in str(raised.value) for part in token.split("."))


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    """An issuer without keys yet."""
    made = TokenIssuer()
    yield made
    made.close()


@pytest.fixture
def reader(issuer: TokenIssuer) -> Reader:
    """A reader of its tokens."""
    return Reader(issuer)


def raw(header: dict[str, Any], claims: Any, signature: bytes = b"x") -> str:
    """A token put together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("says_algorithm", [True, False])
def test_a_good_token_is_its_subjects(reader: Reader, algorithm: str, says_algorithm: bool) -> None:
    """With every asymmetric algorithm, whether the key says which it is for or its kind alone tells."""
    unsaid: dict[str, Any] = {} if says_algorithm else {"alg": None, "use": None}
    reader.issuer.add("k1", algorithm, **unsaid)
    found = reader.tokens.read(reader.issuer.token("k1"))
    assert found.credential == Credential("person:ana", frozenset({"cards:read"}), (), "ana")
    assert found.seconds == 3600


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ("", set()),
        ("audit:read", {"audit:read"}),
        ("openid profile cards:read", {"cards:read"}),
        ("admin acts:write", {"admin", "acts:write"}),
        ("CARDS:READ cards:read\tadmin", set()),
    ],
)
def test_a_claim_scope_replaces_cards_read(reader: Reader, scope: str, scopes: set[str]) -> None:
    """Also an empty one; what is no scope of ours is left out; sources come by no token."""
    reader.issuer.add("k1")
    credential = reader.tokens.read(reader.issuer.token("k1", scope=scope)).credential
    assert (credential.scopes, credential.sources) == (frozenset(scopes), ())
    assert credential.may_write("urn:any") == ("admin" in scopes)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": NOW - 30},
        {"exp": "2999"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"nbf": NOW + 31},
        {"nbf": "soon"},
        {"iat": NOW + 31},
        {"iss": None},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"aud": None},
        {"aud": "exemplar2"},
        {"aud": "exempla"},
        {"aud": ["other"]},
        {"aud": []},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\n"},
        {"sub": "x" * 129},
        {"sub": "\ud800"},
        {"sub": "public"},
        {"sub": "unattributed"},
        {"scope": ["admin"]},
        {"scope": 1},
    ],
    ids=str,
)
def test_claims_that_are_not_good_are_refused(reader: Reader, claims: dict[str, Any]) -> None:
    """Expired, not good yet, of another issuer, for another audience, of nobody, or simply not there."""
    reader.issuer.add("k1")
    assert reader.refuses(reader.issuer.token("k1", **claims))


def test_clocks_may_differ_a_little(reader: Reader) -> None:
    """By 30 seconds; among several audiences ours is enough."""
    reader.issuer.add("k1")
    token = reader.issuer.token("k1", exp=NOW - 29, nbf=NOW + 30, iat=NOW + 30, aud=["other", AUDIENCE])
    assert reader.person(token) == "ana"


def test_no_symmetric_algorithm_and_none_is_taken(reader: Reader) -> None:
    """Neither with the public key as the secret, nor without a signature, nor with a secret that is published."""
    jwk = reader.issuer.add("k1", alg=None)
    reader.issuer.keys.append({"kty": "oct", "kid": "k2", "alg": "HS256", "k": "c2VjcmV0" * 8})
    public = reader.issuer.private["k1"][0].public_key()
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.PKCS1),
        jwk["n"].encode(),
        json.dumps(jwk).encode(),
    ]
    for secret in secrets:
        signed = raw({"alg": "HS256", "kid": "k1", "typ": "JWT"}, claimed()).rpartition(".")[0]
        mac = jwt.get_algorithm_by_name("HS256").sign(signed.encode(), secret)
        assert reader.refuses(f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}")
    assert reader.refuses(jwt.encode(claimed(), "secret" * 8, "HS256", {"kid": "k2"}))
    for none in ("none", "None", "NONE", "", None):
        assert reader.refuses(raw({"alg": none, "kid": "k1"}, claimed(), b""))
        assert reader.refuses(raw({"alg": none, "kid": "k1"}, claimed()))


def test_a_key_is_for_its_own_algorithm_alone(reader: Reader) -> None:
    """Not for another of its kind if it says which, and never for one of another kind."""
    reader.issuer.add("rsa")
    reader.issuer.add("p256", "ES256", alg=None)
    key = reader.issuer.private["rsa"][0]
    for other in ("RS512", "PS256"):
        assert reader.refuses(jwt.encode(claimed(), key, other, {"kid": "rsa"}))
    curve = private_key("ES384")
    assert reader.refuses(jwt.encode(claimed(), curve, "ES384", {"kid": "p256"}))
    for algorithm, kid in (
        ("ES256", "rsa"),
        ("EdDSA", "rsa"),
        ("RS256", "p256"),
        ("EdDSA", "p256"),
        ("ES256K", "p256"),
    ):
        assert reader.refuses(raw({"alg": algorithm, "kid": kid}, claimed(), b"x" * 64))


def test_a_key_that_says_another_kind_of_algorithm_is_no_key() -> None:
    """Nor one for encryption, a private one, a short one, or one that is broken."""
    good = public_jwk(private_key("RS256"), "RS256")
    short = public_jwk(rsa.generate_private_key(65537, 1024), "RS256")
    bad: list[Any] = [
        good | {"alg": "ES256"},
        good | {"alg": "HS256"},
        good | {"alg": "RSA-OAEP"},
        good | {"use": "enc"},
        good | {"key_ops": ["encrypt"]},
        good | {"d": "AQAB"},
        good | {"n": "!"},
        good | {"kty": ["RSA"]},
        {"kty": "RSA"},
        short,
        "key",
        None,
    ]
    for jwk in bad:
        assert not read_keys(json.dumps({"keys": [jwk]}).encode()), jwk
    assert read_keys(json.dumps({"keys": [*bad, good]}).encode())


def test_what_a_token_says_of_keys_of_its_own_is_not_looked_at(reader: Reader, issuer: TokenIssuer) -> None:
    """Neither a key in the header nor an address of keys, and a `kid` is a name and nothing else."""
    thief = TokenIssuer()
    jwk = thief.add("k1")
    issuer.add("k1")
    headers: list[dict[str, Any]] = [
        {"jwk": jwk},
        {"jku": thief.url},
        {"x5u": thief.url},
        {"x5c": ["AAAA"]},
        *({"kid": kid} for kid in ("../k1", "/dev/null", thief.url, "k1' OR '1'='1", "k1\x00", "", "x" * 5000)),
    ]
    for header in headers:
        assert reader.refuses(thief.token("k1", header)), header
    assert thief.fetches == 0
    assert issuer.fetches == 1
    thief.close()


def test_other_kinds_of_tokens_are_refused(reader: Reader) -> None:
    """What is signed for another purpose, or carries what must be understood and is not."""
    reader.issuer.add("k1")
    kinds: list[Any] = [{"typ": "dpop+jwt"}, {"typ": "logout+jwt"}, {"typ": 1}]
    for header in (*kinds, {"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": True}):
        assert reader.refuses(reader.issuer.token("k1", header))
    assert reader.person(reader.issuer.token("k1", {"typ": "at+jwt"})) == "ana"


def test_what_is_no_token_is_refused(reader: Reader) -> None:
    """Altered, torn, not JSON, not objects, deep, or huge: all the same answer, and nobody asks the issuer twice."""
    reader.issuer.add("k1")
    good = reader.issuer.token("k1")
    header, _, signature = good.split(".")
    deep = base64.urlsafe_b64encode(b'{"kid":"k1","alg":"RS256","a":' + b"[" * 4000).decode().rstrip("=")
    bad = [
        "..",
        "a.b.c",
        good[:-4],
        good + "A",
        raw({"alg": "RS256", "kid": "k1"}, claimed(sub="bob")),
        f"{header}.{base64.urlsafe_b64encode(json.dumps(claimed(sub='bob')).encode()).decode().rstrip('=')}.{signature}",
        raw({"alg": "RS256", "kid": "k1"}, [1]),
        raw({"alg": ["RS256"], "kid": "k1"}, claimed()),
        raw({"alg": "RS256", "kid": ["k1"]}, claimed()),
        f"{deep}.e30.e30",
        reader.issuer.token("k1", pad="x" * TOKEN_CHARACTERS),
    ]
    for token in bad:
        assert reader.refuses(token), token[:80]
    assert reader.issuer.fetches <= 1


def test_a_token_without_kid_is_good_where_there_is_one_key(reader: Reader) -> None:
    """With several there is no telling, and none is tried."""
    reader.issuer.add("k1")
    token = jwt.encode(claimed(), reader.issuer.private["k1"][0], "RS256")
    assert reader.person(token) == "ana"
    reader.issuer.add("k2")
    assert Reader(reader.issuer).refuses(token)


def test_a_new_key_is_fetched_when_a_token_names_it(reader: Reader) -> None:
    """Rotation: at once where the last fetch is long enough ago; a flood of unknown keys makes one fetch."""
    reader.issuer.add("k1")
    assert reader.person(reader.issuer.token("k1")) == "ana"
    reader.issuer.add("k2")
    for _ in range(50):
        assert reader.refuses(reader.issuer.token("k2"))
    assert reader.issuer.fetches == 1
    reader.seconds += issuing.PAUSE_SECONDS
    assert reader.person(reader.issuer.token("k2")) == "ana"
    assert reader.person(reader.issuer.token("k1")) == "ana"
    for number in range(50):
        assert reader.refuses(reader.issuer.token("k2", {"kid": f"k{number + 3}"}))
    assert reader.issuer.fetches == 2


def test_a_key_that_was_taken_back_is_refused_soon(reader: Reader) -> None:
    """The keys are fetched again every 5 minutes, beside the requests."""
    reader.issuer.add("k1")
    reader.issuer.add("k2")
    token = reader.issuer.token("k1")
    assert reader.person(token) == "ana"
    reader.issuer.withdraw("k1")
    reader.seconds += issuing.FRESH_SECONDS + 1
    assert reader.person(token) == "ana"  # by the key that is known, while the others are on their way
    reader.seconds += issuing.PAUSE_SECONDS
    assert reader.refuses(reader.issuer.token("k1", {"kid": "k3"}))  # this one waits for its own fetch
    assert reader.refuses(token)


def test_known_keys_stay_good_while_the_issuer_is_away(reader: Reader) -> None:
    """For a day; what only the issuer could say is told to come again meanwhile, and not that it is wrong."""
    reader.issuer.add("k1")
    token, unknown = reader.issuer.token("k1"), reader.issuer.token("k1", {"kid": "k2"})
    assert reader.person(token) == "ana"
    for broken in (
        (503, b""),
        (302, b""),
        (200, b"no JSON"),
        (200, b"[]"),
        (200, b'{"keys": 1}'),
        (200, b"x" * 300_000),
    ):
        reader.issuer.answer = broken
        reader.seconds += issuing.FRESH_SECONDS + 1
        with pytest.raises(Unavailable):
            reader.tokens.read(unknown)
        assert reader.person(token) == "ana"
    reader.issuer.close()
    reader.seconds = 100 + issuing.KEPT_SECONDS
    assert reader.person(token) == "ana"
    reader.seconds += issuing.PAUSE_SECONDS
    with pytest.raises(Unavailable):
        reader.tokens.read(token)


@pytest.mark.parametrize("drips", [False, True])
def test_an_issuer_that_hangs_holds_up_one_request(issuer: TokenIssuer, drips: bool) -> None:
    """For some seconds, also if something arrives now and then; those who come meanwhile are told at once."""
    issuer.add("k1")
    issuer.drips, issuer.hangs_seconds = drips, 0.0 if drips else 2.0
    reader = Reader(issuer, within=0.3)
    with pytest.raises(Unavailable):
        reader.tokens.read(reader.issuer.token("k1"))
    for _ in range(50):
        with pytest.raises(Unavailable):
            reader.tokens.read(reader.issuer.token("k1"))
    for thread in threading.enumerate():
        if thread.name == "jwks":
            thread.join(30)
            assert not thread.is_alive()
    assert issuer.fetches == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/keys",
        "http://127.0.0.1.issuer.example/keys",
        "http://localhost@issuer.example/keys",
        "https://user:password@issuer.example/keys",
        "file:///etc/passwd",
        "ftp://localhost/keys",
        "https:///keys",
        "https://issuer.example:port/keys",
        "keys",
    ],
)
def test_keys_come_over_https_or_from_this_machine(url: str) -> None:
    """Any other address is refused at the start, by the name of its setting."""
    with pytest.raises(Misconfigured, match="EXEMPLAR_JWT_JWKS_URL"):
        open_tokens(ISSUER, AUDIENCE, url, clock)


def test_the_three_settings_go_together() -> None:
    """One or two of them are a mistake; without any there are no tokens."""
    assert open_tokens("", "", "", clock) is None
    assert open_tokens(ISSUER, AUDIENCE, "http://[::1]:1/keys", clock) is not None
    for settings, missing in (
        ((ISSUER, "", "https://issuer.example"), "AUDIENCE"),
        (("", AUDIENCE, "https://issuer.example"), "ISSUER"),
        ((ISSUER, AUDIENCE, ""), "JWKS_URL"),
    ):
        with pytest.raises(Misconfigured, match=missing):
            open_tokens(*settings, clock)


def test_a_keyring_takes_tokens_beside_keys(parts: Parts, reader: Reader) -> None:
    """A token is remembered for a minute, and no longer than it is good; where there is an issuer, nothing is open."""
    seconds = [100.0]
    keyring = Keyring(parts.control, True, lambda: seconds[0], reader.tokens.read)
    reader.issuer.add("k1")
    assert not keyring.is_open()
    header = f"Bearer {reader.issuer.token('k1')}"
    brief = f"Bearer {reader.issuer.token('k1', exp=NOW + 20)}"
    assert keyring.admit(header).person == keyring.admit(brief).person == "ana"
    assert keyring.remembered(header) is not None
    assert keyring.admit(f"Bearer {create_key(parts.control, 'ops', ['admin'], 0)}").name == "ops"
    seconds[0] += 20
    assert keyring.remembered(brief) is None
    assert keyring.remembered(header) is not None
    seconds[0] += 40
    assert keyring.remembered(header) is None
    with pytest.raises(Unauthenticated):
        Keyring(parts.control, False).admit(header)


def test_a_token_ends_when_it_expires(parts: Parts, reader: Reader) -> None:
    """By half a minute later, by which clocks may differ; keys beside it are told apart."""
    seconds = [100.0]
    keyring = Keyring(parts.control, False, lambda: seconds[0], reader.tokens.read)
    reader.issuer.add("k1")
    brief = f"Bearer {reader.issuer.token('k1', exp=NOW + 20)}"
    headers = [brief, f"Bearer {reader.issuer.token('k1')}", f"Bearer {create_key(parts.control, 'ops', ['admin'], 0)}"]
    for header in headers:
        keyring.admit(header)
    for passed in (0, 49):
        seconds[0] += passed
        reader.now += passed * SECOND
        assert keyring.ended(headers) == set()
    seconds[0] += 1
    reader.now += SECOND
    assert keyring.ended(headers) == {brief}


def test_a_token_of_which_nobody_can_say_more_has_not_ended(parts: Parts, reader: Reader) -> None:
    """While the issuer's keys cannot be had, it is looked at again."""
    keyring = Keyring(parts.control, False, lambda: reader.seconds, reader.tokens.read)
    reader.issuer.add("k1")
    header = f"Bearer {reader.issuer.token('k1')}"
    keyring.admit(header)
    reader.issuer.answer = (500, b"")
    reader.seconds += issuing.KEPT_SECONDS + 1
    assert keyring.ended([header]) == set()
    reader.issuer.withdraw("k1")
    reader.issuer.answer = None
    reader.seconds += issuing.PAUSE_SECONDS
    assert keyring.ended([header]) == {header}

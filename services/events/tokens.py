"""Tokens of people: JWTs that an issuer signed, read as the credential of the person in `sub` (RFC 7519, RFC 8725).

The signature is PyJWT's work, by a key of the issuer's and an algorithm that this key is for. Nothing in a token says
where a key is to be found but `kid`, an entry of that list.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jwt
from jwt.exceptions import PyJWTError

from services.events.credentials import CARDS_READ, SCOPES, Credential, is_person
from services.events.issuer import Issuer
from services.kit.errors import Misconfigured, Unauthenticated
from services.kit.instants import SECOND

TOKEN_CHARACTERS = 8192
SKEW_SECONDS = 30  # by which the issuer's clock and ours may differ
NAME_PREFIX = "person:"  # no key's name has a colon: who is in the log under it came by a token
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_OPTIONS: Any = {
    "require": ["exp", "iss", "aud", "sub"],
    # By our own clock, below.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class Token(NamedTuple):
    """Whose a token is, and for how many seconds from now."""

    credential: Credential
    seconds: float


class Tokens:
    """Reads tokens. Safe to use from any thread. `issuer` and `audience` are compared as they are."""

    def __init__(self, issuer: str, audience: str, keys: Issuer, clock: Callable[[], int]) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._clock = clock

    def read(self, token: str) -> Token:
        """Whose the token is. Raises Unauthenticated if it is not good, Unavailable if the issuer would have to say."""
        if len(token) > TOKEN_CHARACTERS:
            raise _refused("is too long")
        try:
            return self._token(self._claims(token))
        except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _refused("is not good") from error

    def _claims(self, token: str) -> Mapping[str, Any]:
        header = jwt.get_unverified_header(token)
        if "crit" in header or str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise _refused("is of another kind")
        key = self._keys.find(header.get("kid"))
        algorithm = header.get("alg")
        if key is None or not isinstance(algorithm, str) or algorithm not in key:
            raise _refused("is signed by none of the issuer's keys")
        return jwt.decode(
            token,
            key[algorithm],
            algorithms=[algorithm],
            issuer=self._issuer,
            audience=self._audience,
            options=_OPTIONS,
        )

    def _token(self, claims: Mapping[str, Any]) -> Token:
        now = self._clock()
        expires = _instant(claims["exp"])
        if expires + SKEW_SECONDS * SECOND <= now:
            raise _refused("has expired")
        if any(_instant(claims[name]) - SKEW_SECONDS * SECOND > now for name in ("nbf", "iat") if name in claims):
            raise _refused("is not good yet")
        return Token(credential_of(claims), (expires - now) / SECOND)


def credential_of(claims: Mapping[str, Any]) -> Credential:
    """The credential of a person, from the claims of a token that is good. Raises Unauthenticated.

    Without a claim `scope` it may read cards. Scopes that are not ours are left out. No token has sources, so that
    without `admin` it can post nothing but disputes of the person's own acts.
    """
    person, scope = claims["sub"], claims.get("scope", CARDS_READ)
    if not isinstance(person, str) or not is_person(person):
        raise _refused("is of nobody: its `sub` is not the key of a person")
    if not isinstance(scope, str):
        raise _refused("has a claim `scope` that is not a string")
    return Credential(NAME_PREFIX + person, frozenset(scope.split(" ")) & frozenset(SCOPES), (), person)


def open_tokens(issuer: str, audience: str, jwks_url: str, clock: Callable[[], int]) -> Tokens | None:
    """The reader of tokens that the settings ask for, None if they name no issuer. Raises Misconfigured."""
    given = {"ISSUER": issuer, "AUDIENCE": audience, "JWKS_URL": jwks_url}
    if not any(given.values()):
        return None
    if missing := [name for name, value in given.items() if not value]:
        raise Misconfigured(f"EXEMPLAR_JWT_{missing[0]} is missing: tokens need issuer, audience and JWKS address")
    return Tokens(issuer, audience, Issuer(jwks_url), clock)


def _instant(claim: object) -> int:
    """A NumericDate in microseconds."""
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        raise _refused("has an instant that is not a number")
    return int(claim * SECOND)


def _refused(why: str) -> Unauthenticated:
    """The error. It says what is wrong with the token and quotes nothing of it."""
    return Unauthenticated(f"the token {why}", presented=True)

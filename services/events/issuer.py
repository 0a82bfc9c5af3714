"""The keys by which an issuer's tokens are checked: fetched from its JWKS address and remembered (RFC 7517).

The fetches are few, whatever tokens arrive, and never many at the same time; while the issuer is away, the keys that
are known stay good for a day. A key says itself which algorithms it is for; a token only ever chooses among these.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import msgspec
import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from services.kit.errors import Misconfigured, Unavailable

PAUSE_SECONDS = 10.0  # between two fetches, also when tokens name keys that nobody knows
FRESH_SECONDS = 300.0  # after this long the keys are fetched again, so that one taken back is not used for long
KEPT_SECONDS = 86_400.0  # for this long they are used while the issuer does not answer
FETCH_SECONDS = 4.0  # the longest that a fetch takes, and a request waits for it; one at a time does
JWKS_BYTES = 256 * 1024
JWKS_KEYS = 100
RSA_BITS = 2048
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ALGORITHMS: Mapping[tuple[str, str | None], frozenset[str]] = {
    ("RSA", None): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
"""By the type of a key and its curve: the algorithms it may be for. All are asymmetric; there are no others."""

_log = structlog.get_logger(__name__)

Key = Mapping[str, PyJWK]
"""A public key, by the algorithms that it is for."""


class _Fetched(NamedTuple):
    keys: Mapping[str | None, Key]
    at: float


class Issuer:
    """The keys of an issuer. Safe to use from any thread; nothing is fetched before a key is asked for.

    `url` is https, or http on this machine. No redirect is followed and no proxy used. `within`: seconds for a fetch.
    Raises Misconfigured.
    """

    def __init__(
        self, url: str, monotonic: Callable[[], float] = time.monotonic, within: float = FETCH_SECONDS
    ) -> None:
        self._address = _checked(url)
        self._monotonic = monotonic
        self._within = within
        self._lock = threading.Lock()
        self._fetched: _Fetched | None = None
        self._next_fetch = float("-inf")
        self._answered = False  # the latest fetch has ended, and well

    def find(self, kid: str | None) -> Key | None:
        """The key of this id, or the only key there is if a token names none; None if there is no such key.

        A key not met before is looked for at the issuer, unless that was done a moment ago. Raises Unavailable where
        only the issuer could say, and does not.
        """
        found = self._known(kid)
        if found is not None:
            if self._age() > FRESH_SECONDS:
                self._start_fetch()  # beside the request, which goes on with the key there is
            return found
        fetch = self._start_fetch()
        if fetch is not None:
            fetch.join(self._within)
            found = self._known(kid)
        if found is None and not self._answered:
            raise Unavailable("the issuer of tokens does not answer: ask again", retry_after=2)
        return found

    def _known(self, kid: str | None) -> Key | None:
        fetched = self._fetched
        if fetched is None or self._age() > KEPT_SECONDS:
            return None
        if kid is None:
            return next(iter(fetched.keys.values())) if len(fetched.keys) == 1 else None
        return fetched.keys.get(kid)

    def _age(self) -> float:
        return self._monotonic() - self._fetched.at if self._fetched else float("inf")

    def _start_fetch(self) -> threading.Thread | None:
        """Begin a fetch in a thread of its own, unless one began a moment ago."""
        with self._lock:
            now = self._monotonic()
            if now < self._next_fetch:
                return None
            self._next_fetch = now + PAUSE_SECONDS
            self._answered = False
        thread = threading.Thread(target=self._fetch, args=(now,), name="jwks", daemon=True)
        thread.start()
        return thread

    def _fetch(self, now: float) -> None:
        try:
            keys = read_keys(_get(self._address, self._within))
        except (OSError, HTTPException, ValueError) as error:
            _log.warning("the keys of the issuer of tokens cannot be fetched", reason=type(error).__name__)
            return
        with self._lock:
            if self._fetched is None or self._fetched.at <= now:
                self._fetched, self._answered = _Fetched(keys, now), True


def read_keys(document: bytes) -> Mapping[str | None, Key]:
    """The keys of a JWKS that signatures may be checked by, by id. Raises ValueError if it is none.

    Left out: what is symmetric, private, too short, for encryption, or of a kind that is not known here.
    """
    try:
        listed = msgspec.json.decode(document, type=dict[str, Any]).get("keys")
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(listed, list):
        raise ValueError("no `keys`")
    found: dict[str | None, Key] = {}
    for jwk in listed[:JWKS_KEYS]:
        if isinstance(jwk, dict) and (key := _key(jwk)):
            kid = jwk.get("kid")
            found.setdefault(kid if isinstance(kid, str) else None, key)
    return found


def _key(jwk: dict[str, Any]) -> Key:
    """The key, by the algorithms that it is for; empty if it is not for checking signatures."""
    operations = jwk.get("key_ops", ["verify"])
    if "d" in jwk or jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return {}
    kind = str(jwk.get("kty")), str(jwk["crv"]) if "crv" in jwk else None
    algorithms = _ALGORITHMS.get(kind, frozenset())
    if "alg" in jwk:
        algorithms = algorithms & {str(jwk["alg"])}
    try:
        key = {algorithm: PyJWK(jwk, algorithm) for algorithm in algorithms}
    except (PyJWTError, ValueError, TypeError):
        return {}
    too_short = kind[0] == "RSA" and any(each.key.key_size < RSA_BITS for each in key.values())
    return {} if too_short else key


def _checked(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError as error:
        raise Misconfigured("EXEMPLAR_JWT_JWKS_URL is not a URL") from error
    secure = address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOOPBACK)
    if not secure or not address.hostname or address.username is not None or port == 0:
        raise Misconfigured("EXEMPLAR_JWT_JWKS_URL must be https://…, or http:// on localhost, 127.0.0.1 or [::1]")
    return address


def _get(address: SplitResult, within: float) -> bytes:
    """What is at the address. Raises OSError, HTTPException or ValueError if it is not answered well, in time."""
    host, port = str(address.hostname), address.port
    connection: HTTPConnection
    if address.scheme == "https":
        context = ssl.create_default_context()
        connection = HTTPSConnection(host, port, timeout=within, context=context)
    else:
        connection = HTTPConnection(host, port, timeout=within)
    # The time-out of a socket begins anew with each byte: this one does not.
    cutting = threading.Timer(within, _cut, [connection])
    cutting.daemon = True
    cutting.start()
    try:
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request("GET", path, headers={"accept": "application/jwk-set+json, application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise HTTPException(f"status {response.status}")
        body = response.read(JWKS_BYTES + 1)
    finally:
        cutting.cancel()
        connection.close()
    if len(body) > JWKS_BYTES:
        raise ValueError("too large")
    return body


def _cut(connection: HTTPConnection) -> None:
    """End what is under way on a connection, from another thread."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)

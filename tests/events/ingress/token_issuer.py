"""An issuer of tokens on this machine: real keys, their public halves published over HTTP as a JWKS."""

import json
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from services.kit.instants import SECOND

ISSUER = "https://issuer.example"
AUDIENCE = "exemplar"
NOW = 1_790_000_000
"""The second at which the tests' clocks stand."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: those who asked have gone, which is what is tested."""


class TokenIssuer:
    """Publishes what `keys` holds (the public JWKs) and counts the fetches; `close` it."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.private: dict[str, tuple[Any, str]] = {}
        self.fetches = 0
        self.closed = False
        self.answer: tuple[int, bytes] | None = None  # instead of the keys
        self.hangs_seconds = 0.0  # before it answers
        self.drips = False  # a byte now and then, without end
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"

    def add(self, kid: str, algorithm: str = "RS256", *, publish: bool = True, **members: Any) -> dict[str, Any]:
        """A new key of the kind that the algorithm needs; members that are None are left out of its JWK."""
        self.private[kid] = private_key(algorithm), algorithm
        jwk = public_jwk(self.private[kid][0], algorithm)
        named = {"kid": kid, "alg": algorithm, "use": "sig"} | members
        jwk |= {name: value for name, value in named.items() if value is not None}
        if publish:
            self.keys.append(jwk)
        return jwk

    def withdraw(self, kid: str) -> None:
        """Publish the key no more."""
        self.keys = [key for key in self.keys if key.get("kid") != kid]

    def token(self, kid: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token signed by the key, good for an hour unless told otherwise; claims that are None are left out."""
        key, algorithm = self.private[kid]
        return signed(claimed(**claims), key, algorithm, {"kid": kid} | (header or {}))

    def close(self) -> None:
        """Answer no more."""
        self.closed = True
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """The keys, or what is to be answered instead."""
                issuer.fetches += 1
                time.sleep(issuer.hangs_seconds)
                if issuer.drips:
                    self._drip()
                    return
                status, body = issuer.answer or (200, json.dumps({"keys": issuer.keys}).encode())
                self.send_response(status)
                self.send_header("location", issuer.url)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _drip(self) -> None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                with suppress(OSError):
                    while not issuer.closed:
                        self.wfile.write(b"x: y\r\n")
                        time.sleep(0.02)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        return Handler


def private_key(algorithm: str) -> Any:
    """A fresh private key for the algorithm."""
    if algorithm.startswith("ES"):
        curves: dict[str, ec.EllipticCurve] = {
            "ES256": ec.SECP256R1(),
            "ES384": ec.SECP384R1(),
            "ES512": ec.SECP521R1(),
        }
        return ec.generate_private_key(curves[algorithm])
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def public_jwk(key: Any, algorithm: str) -> dict[str, Any]:
    """The public half of a key as a JWK."""
    as_dict: Any = get_default_algorithms()[algorithm]
    jwk: dict[str, Any] = as_dict.to_jwk(key.public_key(), as_dict=True)
    return {name: value for name, value in jwk.items() if name not in ("alg", "key_ops")}


def signed(claims: dict[str, Any], key: Any, algorithm: str, header: dict[str, Any]) -> str:
    """A token with these claims, whatever they are."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), key, algorithm, header)


def claimed(**claims: Any) -> dict[str, Any]:
    """Claims, good ones but for those given."""
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ana", "exp": NOW + 3600, "iat": NOW}
    return {name: value for name, value in (good | claims).items() if value is not None}


def clock() -> int:
    """It stands still."""
    return NOW * SECOND

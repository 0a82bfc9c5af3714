"""Where the credential of somebody at a browser comes from: what they send, what a proxy adds, the dashboard's cookie.

The cookie holds the credential itself, out of reach of scripts. A browser sends it whoever wrote the page that asks,
and a proxy adds its header likewise: where an answer could be read or something changed by a foreign page, neither
counts unless the request comes from a page of this server.
"""

import re
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from services.kit.serving import LOOPBACK_NAMES

COOKIE = "exemplar-sign-in"
SECURE_COOKIE = f"__Host-{COOKIE}"  # of this host alone: no other host of the domain can set one of this name
COOKIE_CHARACTERS = 3800  # with its attributes a cookie has at most 4096
_CREDENTIAL = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
_SCHEME = re.compile(r"Bearer +", re.ASCII | re.IGNORECASE)


class SignIn:
    """Reads who is at a browser. `proxy_header` is the name of a header in which a proxy hands on a person's token."""

    def __init__(self, proxy_header: str = "") -> None:
        self._proxy_header = proxy_header

    def of_page(self, connection: HTTPConnection) -> str | None:
        """The header Authorization of a request for a page, which is shown to whoever asks and changes nothing."""
        return connection.headers.get("authorization") or self._added(connection)

    def of_script(self, connection: HTTPConnection) -> str | None:
        """The header Authorization of a request that a script may have made."""
        return connection.headers.get("authorization") or self.of_own_page(connection)

    def of_own_page(self, connection: HTTPConnection) -> str | None:
        """What browser or proxy add of themselves, if a page of this server asks."""
        return self._added(connection) if is_own_page(connection) else None

    def by_proxy(self, connection: HTTPConnection) -> bool:
        """Whether a proxy says who it is: then nobody can sign out here."""
        return bool(self._proxy_header and connection.headers.get(self._proxy_header))

    def _added(self, connection: HTTPConnection) -> str | None:
        if self._proxy_header and (token := connection.headers.get(self._proxy_header)):
            return bearer(token)
        kept = connection.cookies.get(_cookie(connection))
        return bearer(kept) if kept else None


def address_of(connection: HTTPConnection) -> str | None:
    """Where a request comes from: with a proxy before the server, from that."""
    return connection.client.host if connection.client else None


def bearer(credential: str) -> str:
    """The header Authorization that presents a key or a token."""
    return "Bearer " + _SCHEME.sub("", credential.strip(), count=1)


def is_credential(text: str) -> bool:
    """Whether the text could be a key or a token, and a cookie could hold it."""
    return len(text) <= COOKIE_CHARACTERS and bool(_CREDENTIAL.fullmatch(text))


def is_own_page(connection: HTTPConnection) -> bool:
    """Whether a page of this server made the request: by `Sec-Fetch-Site`, without it by `Origin`; neither is no."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = connection.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()


def keep(response: Response, connection: HTTPConnection, credential: str) -> None:
    """Have the browser keep the credential until it is closed.

    SameSite is Lax, not Strict: who opens a link from a mail or a chat is signed in, and what changes anything looks at
    where it comes from (`is_own_page`).
    """
    response.set_cookie(
        _cookie(connection), credential, path="/", secure=is_secure(connection), httponly=True, samesite="lax"
    )


def forget(response: Response, connection: HTTPConnection) -> None:
    """Have the browser forget the credential."""
    response.delete_cookie(_cookie(connection), path="/", secure=is_secure(connection), httponly=True, samesite="lax")


def is_secure(connection: HTTPConnection) -> bool:
    """Whether cookies are for encrypted connections only: they are, but for plain HTTP on the machine itself."""
    host = urlsplit(f"//{connection.headers.get('host', '')}").netloc.rpartition("@")[2]
    name = host if host.endswith("]") else re.sub(r":\d+$", "", host)
    return connection.url.scheme in ("https", "wss") or name.lower() not in LOOPBACK_NAMES


def _cookie(connection: HTTPConnection) -> str:
    return SECURE_COOKIE if is_secure(connection) else COOKIE

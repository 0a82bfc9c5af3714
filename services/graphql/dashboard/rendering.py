"""Pages as responses: templates, the headers that every page carries, and compression.

Whatever is put into a template is escaped, but for charts, which say themselves that they are markup.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from services.graphql.dashboard.assets import Assets
from services.graphql.dashboard.links import SIGN_IN, page_link, path_of
from services.kit.serving import accepts_gzip

TEMPLATES = Path(__file__).parent / "templates"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "vary": "accept-encoding, cookie",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
THEMES = ("system", "light", "dark")
THEME_COOKIE = "exemplar-theme"
WORTH_COMPRESSING = 1024  # bytes; below, one packet holds it anyway
LEVEL = 5  # of a page of 90 kB, a sixth of the time of level 9 for a fiftieth more


class Renderer:
    """Makes responses. Safe to call from any thread."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            asset=assets.link, page_link=page_link, path_of=path_of, sign_in=SIGN_IN, themes=THEMES
        )

    def page(
        self,
        request: Request,
        template: str,
        context: Mapping[str, Any],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A page of HTML. A HEAD gets its headers."""
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        own = {"theme": theme_of(request), "address": address, "visit": None, "account": None}
        html = self._environment.get_template(template).render({**own, **context})
        return compressed(request, html.encode(), "text/html; charset=utf-8", status, headers or {})


def theme_of(request: Request) -> str:
    """The theme that somebody has chosen; that of their system by default."""
    kept = request.cookies.get(THEME_COOKIE, "")
    return kept if kept in THEMES else THEMES[0]


def compressed(
    request: Request, body: bytes, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The response with this body, made smaller where the browser takes that, with the headers of every page.

    No page holds a secret beside what an address can have it show, so that its length tells nothing (BREACH).
    """
    given = {**HEADERS, **(headers or {})}
    if len(body) >= WORTH_COMPRESSING and accepts_gzip(request):
        body, given["content-encoding"] = gzip.compress(body, LEVEL, mtime=0), "gzip"
    return Response(body, status, given, media_type)

"""`/audit/…`: the transparency log as C2SP tlog-tiles has it, for whoever may read the audit log."""

import gzip
from collections.abc import Callable

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.events.credentials import AUDIT_READ, Credential
from services.kit.errors import Forbidden, Invalid, NotFound
from services.kit.serving import accepts_gzip
from services.projections.audit.reading import served_bundle, served_checkpoint, served_tile
from services.projections.audit.tiles import MOST_LEVELS, Piece, parse_piece

_BYTES, _TEXT = "application/octet-stream", "text/plain; charset=utf-8"
_FOR_EVER = "private, max-age=31536000, immutable"  # private: a credential may have been needed
_NOW = "no-cache"


def create_audit(audit: Engine, admit: Callable[[str | None], Credential]) -> list[BaseRoute]:
    """The routes of the transparency log; `audit` is an engine on its area, and `admit` says who asks."""
    served = _Served(audit, admit)
    return [
        Route("/audit/checkpoint", served.checkpoint, methods=["GET"]),
        Route("/audit/tile/entries/{piece:path}", served.bundle, methods=["GET"]),
        Route("/audit/tile/{level}/{piece:path}", served.tile, methods=["GET"]),
    ]


class _Served:
    """Each is called in a thread."""

    def __init__(self, audit: Engine, admit: Callable[[str | None], Credential]) -> None:
        self._audit = audit
        self._admit = admit

    def checkpoint(self, request: Request) -> Response:
        self._check(request)
        return _answer(served_checkpoint(self._audit), _TEXT, _NOW)

    def tile(self, request: Request) -> Response:
        self._check(request)
        level = request.path_params["level"]
        if level not in _LEVELS:
            raise NotFound("there is no such level")
        return _answer(served_tile(self._audit, int(level), _piece(request)), _BYTES, _FOR_EVER)

    def bundle(self, request: Request) -> Response:
        self._check(request)
        entries = served_bundle(self._audit, _piece(request))
        if not accepts_gzip(request):
            return _answer(entries, _BYTES, _FOR_EVER, {"vary": "accept-encoding"})
        packed = gzip.compress(entries, 6, mtime=0)
        return _answer(packed, _BYTES, _FOR_EVER, {"vary": "accept-encoding", "content-encoding": "gzip"})

    def _check(self, request: Request) -> None:
        if not self._admit(request.headers.get("authorization")).has(AUDIT_READ):
            raise Forbidden(f"the audit log is for who has {AUDIT_READ}")


_LEVELS = frozenset(map(str, range(MOST_LEVELS)))


def _piece(request: Request) -> Piece:
    try:
        return parse_piece(request.path_params["piece"])
    except Invalid as error:
        raise NotFound(str(error)) from error


def _answer(body: bytes, media_type: str, cache: str, more: dict[str, str] | None = None) -> Response:
    headers = {"cache-control": cache, "x-content-type-options": "nosniff", **(more or {})}
    return Response(body, 200, headers, media_type)

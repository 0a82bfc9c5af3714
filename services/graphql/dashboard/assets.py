"""The dashboard's style sheet, scripts and icon: read once, compressed once, named by what is in them."""

import gzip
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from services.graphql.dashboard.links import ROOT
from services.kit.problems import problem
from services.kit.serving import accepts_gzip

STATIC = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class _Asset(NamedTuple):
    plain: bytes
    compressed: bytes
    media_type: str


class Assets:
    """All files below `static`. Their common version is in their path, so that modules find each other beside them."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._files = {path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in _TYPES}
        self.version = sha256(b"".join(file.plain for file in self._files.values())).hexdigest()[:16]

    def link(self, name: str) -> str:
        """The address of a file. Raises KeyError if there is none of this name."""
        assert self._files[name]
        return f"{ROOT}/static/{self.version}/{name}"

    def text(self, name: str) -> str:
        """What is in a file."""
        return self._files[name].plain.decode()

    async def serve(self, request: Request) -> Response:
        """Answer with a file: to be kept for ever under its own version, not at all under another."""
        found = self._files.get(request.path_params["name"])
        if found is None:
            return problem(404)
        headers = {
            "cache-control": FOREVER if request.path_params["version"] == self.version else "no-store",
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        if accepts_gzip(request):
            return Response(found.compressed, 200, headers | {"content-encoding": "gzip"}, found.media_type)
        return Response(found.plain, 200, headers, found.media_type)


def _read(path: Path) -> _Asset:
    plain = path.read_bytes()
    return _Asset(plain, gzip.compress(plain, mtime=0), _TYPES[path.suffix])

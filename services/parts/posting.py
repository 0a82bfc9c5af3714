"""The ways from the dashboard to the events service: within the process, or over HTTP to one of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

from services.events.api import EVENTS
from services.graphql.dashboard.posting import REPLY_BYTES, Posts, Reply
from services.kit.errors import Misconfigured, Unavailable
from services.kit.settings import Settings

WITHIN_SECONDS = 12.0  # the events service answers within that, or not at all
AT_ONCE = 8
_EVENT = "application/cloudevents+json"


class Inside:
    """Posts to the app that answers posts in this process, as any client's come to it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def post(self, event: bytes, authorization: str | None) -> Reply:
        """As `Posts` says."""
        parts: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": event, "more_body": False}

        async def send(message: Message) -> None:
            parts.append(message)

        await self._app(_scope(event, authorization), receive, send)
        return Reply(parts[0]["status"], b"".join(part.get("body", b"") for part in parts[1:]))


class OverHttp:
    """Posts to the events service at an address. Follows no redirect and uses no proxy. Raises Misconfigured."""

    def __init__(self, url: str, within: float = WITHIN_SECONDS) -> None:
        parts = urlsplit(url)
        try:
            self._host, self._port = parts.hostname, parts.port
        except ValueError as error:
            raise Misconfigured("EXEMPLAR_EVENTS_URL: the port is none") from error
        if parts.scheme not in ("http", "https") or not self._host or parts.query or parts.username:
            raise Misconfigured("EXEMPLAR_EVENTS_URL: an address such as https://events.example.com")
        self._connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._path = parts.path.rstrip("/") + EVENTS
        self._within = within
        self._threads = ThreadPoolExecutor(AT_ONCE, "posting")

    async def post(self, event: bytes, authorization: str | None) -> Reply:
        """As `Posts` says."""
        asking = asyncio.get_running_loop().run_in_executor(self._threads, self._post, event, authorization)
        try:
            return await asyncio.wait_for(asking, self._within)
        except (TimeoutError, OSError, HTTPException) as error:
            raise Unavailable("the events service does not answer") from error

    def _post(self, event: bytes, authorization: str | None) -> Reply:
        connection = self._connect(str(self._host), self._port, timeout=self._within)
        try:
            connection.request("POST", self._path, event, dict(_headers(authorization)))
            response = connection.getresponse()
            return Reply(response.status, response.read(REPLY_BYTES))
        finally:
            connection.close()


def posts_of(settings: Settings) -> Posts | None:
    """The way to an events service of its own; None where the settings name none."""
    return OverHttp(settings.events_url) if settings.events_url else None


def _headers(authorization: str | None) -> list[tuple[str, str]]:
    headers = [("content-type", _EVENT)]
    return headers if authorization is None else [*headers, ("authorization", authorization)]


def _scope(event: bytes, authorization: str | None) -> Message:
    headers = [("host", "localhost"), ("content-length", str(len(event))), *_headers(authorization)]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": EVENTS,
        "raw_path": EVENTS.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": None,
        "server": None,
    }

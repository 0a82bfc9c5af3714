"""A visitor of the dashboard: asks for pages of a gateway in process, and reads them without a browser."""

import re
from html import unescape

from httpx2 import Response
from starlette.testclient import TestClient

from services.graphql.sign_in import COOKIE
from tests.graphql.gateway import Asker

OWN = {"sec-fetch-site": "same-origin"}


class Visitor:
    """Somebody at a browser: their cookies are kept, and redirects are shown rather than followed."""

    def __init__(self, asker: Asker, who: str | None = None) -> None:
        made = TestClient(asker.app, base_url="http://localhost", follow_redirects=False)
        self.client = asker.on_close.enter_context(made)
        if who is not None:
            self.client.cookies.set(COOKIE, who)

    def get(self, address: str, **headers: str) -> Response:
        """The response to a request for an address."""
        return self.client.get(address, headers=_named(headers))

    def page(self, address: str) -> str:
        """The text of a page that is there."""
        response = self.get(address)
        assert response.status_code == 200, response.text
        return text_of(response)

    def send(self, address: str, fields: dict[str, str], **headers: str) -> Response:
        """The response to a form that a page of this server sends, unless the headers say otherwise."""
        return self.client.post(address, data=fields, headers=_named(headers) or OWN)


def text_of(response: Response) -> str:
    """The words of a page, as a reader has them: without markup, each run of white space a space."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", response.text, flags=re.DOTALL)
    return re.sub(r"[\s\u00a0]+", " ", unescape(re.sub(r"<[^>]*>", " ", body))).strip()


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}

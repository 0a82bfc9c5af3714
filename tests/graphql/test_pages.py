"""The plain pages: the front page and the documentation, from this server alone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

import services.graphql
from services.graphql.pages import pages

DOCS = Path(__file__).parents[2] / "docs"
STATIC = Path(services.graphql.__file__).parent / "static"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """A browser on the pages."""
    app = Starlette(routes=[*pages(DOCS), Mount("/static", StaticFiles(directory=STATIC))])
    with TestClient(app) as opened:
        yield opened


def test_front_page_leads_everywhere(client: TestClient) -> None:
    """The front page leads to the dashboard, GraphiQL, the documentation and the catalogue."""
    page = client.get("/")
    assert page.status_code == 200
    for target in ("/dashboard", "/graphql", "/docs", "/v1/schemas", "/openapi.json", "/asyncapi.json", "/metrics"):
        assert f'href="{target}"' in page.text


def test_every_document_is_listed_and_rendered(client: TestClient) -> None:
    """Each Markdown file of the documentation is listed by its title and shown as a page, with its tables."""
    listed = re.findall(r'href="(/docs/[a-z0-9/-]+)"', client.get("/docs").text)
    files = {f"/docs/{path.relative_to(DOCS).with_suffix('').as_posix()}" for path in DOCS.rglob("*.md")}
    assert set(listed) == files
    for link in listed:
        page = client.get(link)
        assert page.status_code == 200
        assert "<h1>" in page.text
    assert "<table>" in client.get("/docs/policy").text


def test_links_between_documents_work(client: TestClient) -> None:
    """A link from one document to another leads to its page."""
    for path in DOCS.rglob("*.md"):
        page = client.get(f"/docs/{path.relative_to(DOCS).with_suffix('').as_posix()}").text
        for target in re.findall(r'href="(/docs/[^"#]+)', page):
            assert client.get(target).status_code == 200, f"{path.name} links to {target}"


@pytest.mark.parametrize("name", ["../README", "..%2f..%2fpyproject", "nothing", "design%2F..%2Fimporting", "a.b"])
def test_nothing_else_is_shown(client: TestClient, name: str) -> None:
    """What is no document of the folder is 404, whatever path is asked for."""
    assert client.get(f"/docs/{name}").status_code == 404


def test_pages_come_from_this_server_alone(client: TestClient) -> None:
    """No page loads anything from another server."""
    for link in ("/", "/docs", "/docs/policy"):
        page = client.get(link).text
        assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]*\.(?:js|css|png|svg)"', page)
    assert client.get("/static/pages.css").status_code == 200

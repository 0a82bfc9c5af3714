"""The plain pages for people: the front page, and the documentation rendered from Markdown, all from this server."""

import re
from functools import partial
from pathlib import Path

from markdown_it import MarkdownIt
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.kit.problems import problem

_STATIC = Path(__file__).parent / "static"
_NAME = re.compile(r"(?:design/)?[a-z0-9-]+", re.ASCII)
_LINK_TO_MARKDOWN = re.compile(r'href="(?:\.\./)?(?:docs/)?((?:design/)?[a-z0-9-]+)\.md(#[^"]*)?"')
_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Exemplar</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/pages.css">
</head>
<body>
<nav>
<a href="/">Exemplar</a> <a href="/dashboard">Dashboard</a> <a href="/docs">Documentation</a>
<a href="/graphql">GraphiQL</a>
</nav>
<main>
{body}
</main>
</body>
</html>
"""


def pages(docs: Path) -> list[Route]:
    """`/` and `/docs…`; `docs` is the folder of the Markdown files."""
    return [
        Route("/", _front),
        Route("/docs", partial(_contents, docs)),
        Route("/docs/{name:path}", partial(_document, docs)),
    ]


async def _front(_request: Request) -> Response:
    return HTMLResponse((_STATIC / "front.html").read_text(encoding="utf-8"))


async def _contents(docs: Path, _request: Request) -> Response:
    found = sorted(docs.glob("*.md")) + sorted(docs.glob("design/*.md"))
    lines = [f"- [{_title(path)}](/docs/{path.relative_to(docs).with_suffix('').as_posix()})" for path in found]
    return _page("Documentation", "# Documentation\n\n" + "\n".join(lines))


async def _document(docs: Path, request: Request) -> Response:
    name = request.path_params["name"].removesuffix(".md")
    path = docs / f"{name}.md"
    if not _NAME.fullmatch(name) or not path.is_file():
        return problem(404, "there is no such page: see /docs")
    return _page(_title(path), path.read_text(encoding="utf-8"))


def _page(title: str, markdown: str) -> Response:
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    body = _LINK_TO_MARKDOWN.sub(r'href="/docs/\1\2"', body)
    return HTMLResponse(_FRAME.format(title=title, body=body))


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").lstrip().split("\n", 1)[0]
    return first.lstrip("# ").strip() or path.stem

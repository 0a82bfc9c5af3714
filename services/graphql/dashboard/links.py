"""Addresses of the dashboard's pages.

Keys are the company's own and may hold anything, `/`, `?` and `..` too: they go into the query, never into the path,
where browsers and servers would each read them in their own way.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

ROOT = "/dashboard"
TEAMS = "teams"
SIGN_IN = f"{ROOT}/sign-in"
_LOCAL = re.compile(rf"{ROOT}(?:[/?][!-~]*)?", re.ASCII)


def path_of(page: str) -> str:
    """The path of a page; the page of teams is the dashboard itself."""
    return ROOT if page == TEAMS else f"{ROOT}/{page}"


def page_link(page: str, parameters: Mapping[str, str | None] | None = None, **more: str | None) -> str:
    """The address of a page with these parameters; those that are None or empty are left out."""
    return with_query(path_of(page), {**(parameters or {}), **more})


def figure_link(page: str, figure: str, kind: str, parameters: Mapping[str, str | None]) -> str:
    """The address of a page's figure as a file: `kind` is csv or svg."""
    return with_query(f"{ROOT}/{page}/{figure}.{kind}", parameters)


def with_query(path: str, parameters: Mapping[str, str | None]) -> str:
    """The path with a query of these parameters; those that are None or empty are left out."""
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{path}?{query}" if query else path


def local(address: str | None) -> str:
    """The address if it is one of a page here, to go on to after signing in; else the dashboard's first page."""
    if not address or not _LOCAL.fullmatch(address) or "\\" in address:
        return ROOT
    parts = urlsplit(address)
    inside = not (parts.scheme or parts.netloc) and ".." not in parts.path and "//" not in parts.path
    return address if inside and parts.path not in (SIGN_IN, f"{ROOT}/sign-out", f"{ROOT}/theme") else ROOT

"""Addresses: keys may hold anything, and nobody is sent elsewhere after signing in."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.graphql.dashboard.links import ROOT, local, page_link

keys = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=128)


@given(keys)
def test_a_key_comes_back_as_it_was(key: str) -> None:
    """`/`, `?`, `#`, `..` and every other sign of a key are kept in an address, and are no part of its path."""
    parts = urlsplit(page_link("team", team=key))
    assert (parts.path, parse_qs(parts.query, keep_blank_values=True)) == ("/dashboard/team", {"team": [key]})


@given(keys)
def test_an_address_of_ours_is_gone_back_to(key: str) -> None:
    """Whoever has to sign in comes back to the page that they asked for."""
    address = page_link("team", team=key)
    assert local(address) == address


@pytest.mark.parametrize(
    "address",
    [
        *(None, "", "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/graphql"),
        *(
            "/dashboardevil",
            "/dashboard/../graphql",
            "/dashboard//evil.example",
            "/dashboard\\evil",
            "/dashboard/%0d\n",
        ),
        *("/dashboard/sign-in?next=/dashboard", "/dashboard/sign-out", "/dashboard/\u0085", " /dashboard"),
    ],
)
def test_no_other_address_is_gone_to(address: str | None) -> None:
    """Another host, a page that is none of the dashboard's, what is no address: the first page instead."""
    assert local(address) == ROOT

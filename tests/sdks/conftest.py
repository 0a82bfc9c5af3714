"""A real server for the SDKs to post to."""

from collections.abc import Iterator

import pytest

from tests.serving import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for each SDK, on an empty folder."""
    with serving(tmp_path_factory.mktemp("server") / "data") as running:
        yield running

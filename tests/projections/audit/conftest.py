"""A tree to number, on each dialect in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.projections.audit.trees import Tree


@pytest.fixture
def tree(tree_url: URL, tmp_path: Path) -> Iterator[Tree]:
    """An empty log and tree."""
    made = Tree(tmp_path, tree_url)
    yield made
    made.close()


@pytest.fixture
def sqlite_tree(tmp_path: Path) -> Iterator[Tree]:
    """An empty log and tree in SQLite, for what no dialect changes."""
    made = Tree(tmp_path)
    yield made
    made.close()

"""A gateway for each test, and the small company that most of them ask about."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixed_clock import FixedClock
from tests.graphql.company import company_in
from tests.graphql.gateway import Asker


@pytest.fixture
def asker(tmp_path: Path, clock: FixedClock) -> Iterator[Asker]:
    """A gateway over an empty world, at 2026-03-02 09:00 UTC."""
    made = Asker(tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
def company(tmp_path: Path, clock: FixedClock) -> Iterator[Asker]:
    """A gateway over the small company of `found_company`."""
    made = Asker(company_in(tmp_path, clock), clock)
    yield made
    made.close()

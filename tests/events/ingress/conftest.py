"""The parts that each test of the ingress gets afresh."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.events.ingress.parts import Parts, make_parts
from tests.fixed_clock import FixedClock


@pytest.fixture
def parts(tmp_path: Path, clock: FixedClock) -> Iterator[Parts]:
    """Log, vault and control area in a folder of their own."""
    made = make_parts(tmp_path, clock)
    yield made
    made.close()

"""The small company behind a gateway that asks for credentials, and somebody who leads a team of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.events.credentials import Credential
from services.kit.errors import Unauthenticated
from tests.fixed_clock import FixedClock
from tests.graphql.company import company_in
from tests.graphql.dashboard.visitor import Visitor
from tests.graphql.gateway import Asker


class Closed(Asker):
    """A gateway at which nobody is let in without a credential."""

    def _authenticate(self, authorization: str | None) -> Credential:
        if authorization is None:
            raise Unauthenticated("a credential is needed")
        return super()._authenticate(authorization)


@pytest.fixture
def closed(tmp_path: Path, clock: FixedClock) -> Iterator[Asker]:
    """The small company at 2026-03-02 09:00 UTC; Ann leads north, Rik is a rep there, `admin` may all."""
    made = Closed(company_in(tmp_path, clock), clock)
    for key in ("ann", "rik", "rosa", "cleo"):
        made.person(key)
    yield made
    made.close()


@pytest.fixture
def ann(closed: Asker) -> Visitor:
    """North's leader, signed in."""
    return Visitor(closed, "ann")


@pytest.fixture
def rik(closed: Asker) -> Visitor:
    """A rep of north, signed in."""
    return Visitor(closed, "rik")

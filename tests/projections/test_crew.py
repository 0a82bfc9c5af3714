"""Processes that help: what is told of one that ends before it was given anything to do."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.kit.errors import Unavailable
from services.projections.crew import Crew, Job
from tests.waiting import wait_until


@contextmanager
def no_tools() -> Iterator[None]:
    """What a helper cannot work without."""
    raise Unavailable("no broker answers")
    yield


def nothing(_tools: None) -> Iterator[str]:
    """A job."""
    yield "done"


def test_why_a_helper_could_not_begin_is_told() -> None:
    """It is raised where the jobs are given, also when the helper is gone by then."""

    def jobs() -> Iterator[Job[None]]:
        wait_until(lambda: not multiprocessing.active_children())
        yield nothing

    with Crew(1, no_tools) as crew, pytest.raises(Unavailable, match="no broker answers"):
        list(crew.work(jobs()))

"""The ten questions of docs/questions.md, asked of the made-up year as they stand there."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.demo.year import year
from tests.fixed_clock import FixedClock
from tests.graphql.gateway import Asker

UNTIL = date(2026, 1, 1)
PAGE = (Path(__file__).parents[2] / "docs" / "questions.md").read_text()
QUESTIONS = re.findall(r"^## (\d+)\. .*?```graphql\n(.*?)```.*?```json\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """A gateway over the made-up year, on the day after it."""
    asker = Asker(tmp_path_factory.mktemp("year"), FixedClock("2026-01-02T00:00:00Z"))
    asker.world.append(list(year(until=UNTIL)))
    asker.world.fold()
    yield asker
    asker.close()


def test_there_are_ten() -> None:
    """Each question has its query and its variables."""
    assert [int(number) for number, _, _ in QUESTIONS] == list(range(1, 11))


@pytest.mark.parametrize(("number", "query", "variables"), QUESTIONS)
def test_a_question_is_answered_with_figures(demo: Asker, number: str, query: str, variables: str) -> None:
    """The query is answered without error, and with numbers: the year has something to say to each question."""
    found = list(_numbers(demo.data(query, json.loads(variables))))
    assert any(found), number


def _numbers(value: Any) -> Iterator[float]:
    """All numbers in an answer."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _numbers(inner)
    elif isinstance(value, int | float):
        yield value

"""Requests that take long: whether it is they, or the database that does not answer."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.graphql.pulse import Pulse
from services.kit.errors import Unavailable
from tests.fixed_clock import FixedClock
from tests.graphql.gateway import GRAPHQL, Asker

SOON = 0.01
NEVER = 20.0


async def for_ever() -> None:
    """What a database does that stands still."""
    await asyncio.Event().wait()


def test_requests_end_once_it_is_known_that_the_database_is_away() -> None:
    """Those that wait at once, and those that come until it answers again."""
    away = True
    pulse = Pulse(lambda: not away, SOON)

    async def ask() -> None:
        async with pulse.limit(NEVER):
            await for_ever()

    async def main() -> None:
        nonlocal away
        for ended in await asyncio.gather(ask(), ask(), return_exceptions=True):
            assert isinstance(ended, Unavailable)
        with pytest.raises(Unavailable):
            await ask()
        with pytest.raises(Unavailable):
            pulse.check()
        away = False
        async with asyncio.timeout(NEVER):
            while True:
                try:
                    pulse.check()
                except Unavailable:
                    await asyncio.sleep(SOON)
                else:
                    break

    asyncio.run(main())


def test_a_database_that_answers_is_not_away_however_slow_a_request_is() -> None:
    """It is asked, and the request runs until its time is over."""
    asked = threading.Event()

    def answers() -> bool:
        asked.set()
        return True

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with Pulse(answers, SOON).limit(20 * SOON):
                await for_ever()

    asyncio.run(main())
    assert asked.is_set()


def test_a_request_that_is_answered_meanwhile_shows_that_the_database_is_there() -> None:
    """Whatever came of the question, which a machine that is busy may have kept from it."""
    asked, answered, asked_again = threading.Event(), threading.Event(), threading.Event()

    def answers() -> bool:
        if asked.is_set():
            asked_again.set()
            return True
        asked.set()
        answered.wait(NEVER)
        return False

    async def main() -> None:
        pulse = Pulse(answers, SOON)
        async with pulse.limit(NEVER):
            await asyncio.to_thread(asked.wait, NEVER)
            async with pulse.limit(NEVER):
                pass
            answered.set()
            assert await asyncio.to_thread(asked_again.wait, NEVER)

    asyncio.run(main())


def test_quick_requests_ask_nothing() -> None:
    """Nothing is asked of a database on behalf of who is answered soon."""
    pulse = Pulse(lambda: pytest.fail("it was asked"))

    async def main() -> None:
        async with pulse.limit(NEVER):
            pass

    asyncio.run(main())


@pytest.fixture
def standing_still(tmp_path: Path, clock: FixedClock) -> Iterator[Asker]:
    """A gateway whose database stands still."""
    released = threading.Event()

    def model() -> Engine:
        released.wait(NEVER)
        raise Unavailable("the test is over")

    asker = Asker(tmp_path, clock, model=model, database_answers=lambda: False)
    yield asker
    released.set()
    asker.close()


def test_a_query_is_told_that_the_database_does_not_answer(standing_still: Asker) -> None:
    """Not that it asked for too much: UNAVAILABLE and, where a status tells, 503 with Retry-After."""
    answer = standing_still.post("{ viewer { key } }", accept=GRAPHQL)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["errors"][0] == {
        "message": "the database does not answer",
        "extensions": {"code": "UNAVAILABLE"},
    }

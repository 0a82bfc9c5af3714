"""What the intake keeps of those who wait."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Collection, Sequence

import pytest

from services.events.credentials import OPEN
from services.events.intake import Intake
from services.events.known import KnownAct
from services.events.recording import Request
from services.kit.errors import Unavailable
from tests.events.ingress.parts import Parts, event


class HungKnown:
    """A read model that does not answer, for as long as the test lasts."""

    def __init__(self) -> None:
        self.end = threading.Event()

    def find(self, pairs: Collection[tuple[str, str]]) -> Sequence[KnownAct]:
        """Wait."""
        self.end.wait()
        return []


class Events(list[object]):
    """Events of which a test can see whether they are still kept."""


async def _given_up(intake: Intake, waited: float = 0.0) -> weakref.ref[Events]:
    """Post events, and give up; what was posted."""
    events = Events([event()])
    with pytest.raises(Unavailable):
        await intake.record(Request(events, OPEN), waited)
    return weakref.ref(events)


def test_nothing_is_kept_of_who_was_answered(parts: Parts) -> None:
    """Where the read model hangs, those who wait behind are answered in time, and what they posted is let go of."""
    parts.known = known = HungKnown()

    async def post() -> list[Events | None]:
        intake = Intake(parts.recording, 0.05)
        await _given_up(intake)  # it is at the read model for good
        waiting = [await _given_up(intake) for _ in range(3)]
        await asyncio.sleep(0)  # the loop lets go of the last timer
        gc.collect()
        kept = [events() for events in waiting]
        known.end.set()
        await intake.close()
        return kept

    assert asyncio.run(post()) == [None, None, None]


def test_each_has_its_own_time(parts: Parts) -> None:
    """Where the read model hangs, whoever came later is answered later: each after the whole time, by one clock."""
    parts.known = known = HungKnown()

    async def waited(intake: Intake) -> float:
        began = asyncio.get_running_loop().time()
        await _given_up(intake)
        return asyncio.get_running_loop().time() - began

    async def post() -> list[float]:
        intake = Intake(parts.recording, 0.2)
        posted = []
        for _ in range(4):
            posted.append(asyncio.create_task(waited(intake)))
            await asyncio.wait(posted, timeout=0.06)
        found = await asyncio.gather(*posted)
        known.end.set()
        await intake.close()
        return found

    assert all(0.19 < seconds < 5 for seconds in asyncio.run(post()))


def test_what_was_waited_before_counts(parts: Parts) -> None:
    """Whoever has waited for something else of ours before is answered sooner, and before those who came first."""
    parts.known = known = HungKnown()

    async def post() -> float:
        loop, intake = asyncio.get_running_loop(), Intake(parts.recording, 60)
        first = asyncio.create_task(_given_up(intake))
        await asyncio.sleep(0)
        began = loop.time()
        await asyncio.gather(_given_up(intake, 59.8), _given_up(intake, 59.9))
        assert not first.done()
        first.cancel()
        known.end.set()
        await intake.close()
        return loop.time() - began

    assert 0.19 < asyncio.run(post()) < 30

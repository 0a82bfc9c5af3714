"""What one credential may take at once, so that whatever it asks, others are answered."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from services.events.vault.protocol import Vault
from services.graphql.answering import READS_EACH, REQUESTS_EACH, Answer, Gateway, Question
from services.graphql.errors import TimedOut
from services.graphql.example_loaders import ExampleLoaders
from services.graphql.loaders import Reading
from services.graphql.rates import Turns
from services.graphql.schema import create_schema
from services.kit.database import reading as opened
from services.projections.leadership.periods import Period
from services.projections.queries.leading import ExampleKey
from tests.graphql.gateway import Asker

Value = TypeVar("Value")
NAME = Question('{ person(key: "rik") { name } }', authorization="Bearer admin")
WHO = Question("{ viewer { key } }", authorization="Bearer admin")


class StuckVault:
    """A vault that answers nothing until it is let, and counts who waits for it."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.released = threading.Event()
        self.asked = 0
        self._lock = threading.Lock()

    def keys_for(self, persons: Collection[str]) -> Mapping[str, bytes | None]:
        """See Vault."""
        return self._vault.keys_for(persons)

    def existing_keys(self, persons: Collection[str]) -> Mapping[str, bytes | None]:
        """See Vault."""
        with self._lock:
            self.asked += 1
        self.released.wait(30)
        return self._vault.existing_keys(persons)

    def destroy(self, persons: Collection[str]) -> None:
        """See Vault."""
        self._vault.destroy(persons)


def _stuck(company: Asker, seconds: float = 3.0) -> tuple[StuckVault, Gateway]:
    vault = StuckVault(company.world.vault)
    sources = replace(company.backing.sources, vault=vault)
    return vault, Gateway(create_schema(), replace(company.backing, sources=sources, ask_seconds=seconds))


async def _asked(vault: StuckVault) -> None:
    """Wait until as many wait for the vault as may."""
    async with asyncio.timeout(30):
        while vault.asked < READS_EACH:
            await asyncio.sleep(0)


def _codes(answers: list[Answer]) -> list[str | None]:
    return [answer.code for answer in answers]


def test_slow_reads_of_one_credential_hold_nobody_up(company: Asker) -> None:
    """However many slow requests one credential has, another one's are answered, and so is what threads do besides."""
    vault, gateway = _stuck(company)
    rik = company.person("rik")

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        slow = [asyncio.create_task(gateway.answer(NAME)) for _ in range(40)]
        await _asked(vault)
        assert (await gateway.answer(WHO._replace(authorization=f"Bearer {rik}"))).code is None
        assert await asyncio.to_thread(lambda: "ready") == "ready"
        answers = list(await asyncio.gather(*slow))
        assert Counter(_codes(answers)) == {"TIMEOUT": REQUESTS_EACH, "RATE_LIMITED": 40 - REQUESTS_EACH}
        refused = next(answer for answer in answers if answer.code == "RATE_LIMITED").body["errors"][0]
        assert refused["message"] == "a credential has 16 requests under way at once; ask again in 1 s"
        assert refused["extensions"]["retryAfter"] == 1
        assert vault.asked == READS_EACH
        vault.released.set()

    asyncio.run(main())


def test_who_waits_for_a_turn_gets_it(company: Asker) -> None:
    """Requests beyond the bound wait, and are answered once those before them are."""
    vault, gateway = _stuck(company, seconds=30)

    async def main() -> None:
        slow = [asyncio.create_task(gateway.answer(NAME)) for _ in range(2 * REQUESTS_EACH)]
        await _asked(vault)
        vault.released.set()
        assert _codes(list(await asyncio.gather(*slow))) == [None] * len(slow)

    asyncio.run(main())


def test_turns_go_by_who_came_first() -> None:
    """Of the same one so many have a turn at once, the next in their order; others do not wait; nothing is kept."""
    turns, order = Turns(2), list[str]()

    async def take(who: str, name: str, until: asyncio.Event) -> None:
        async with turns.of(who):
            order.append(name)
            await until.wait()

    async def main() -> None:
        first, later = asyncio.Event(), asyncio.Event()
        tasks = [asyncio.create_task(take("ann", name, first if name == "a" else later)) for name in "abcd"]
        tasks.append(asyncio.create_task(take("bob", "B", later)))
        for _ in range(3):
            await asyncio.sleep(0)
        assert order == ["a", "b", "B"]
        first.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert order == ["a", "b", "B", "c"]
        later.set()
        await asyncio.gather(*tasks)
        assert order[-1] == "d"

    asyncio.run(main())
    assert not turns._turns  # noqa: SLF001  # what is kept of those who are gone shows nowhere else


def test_what_takes_long_ends_with_the_request(company: Asker) -> None:
    """The association of signals looks before each principle whether anybody still waits, and the opening of acts."""
    reading, checks = Reading(), list[int]()

    def check() -> None:
        checks.append(len(checks))
        if len(checks) == 3:
            reading.end_soon()
        reading.check()

    async def read(query: Callable[[Connection], list[Value]]) -> list[Value]:
        with opened(company.world.stores.model()) as connection:
            return query(connection)

    async def work(work: Callable[[], list[Value]]) -> list[Value]:
        return work()

    async def main() -> None:
        world = company.world
        loaders = ExampleLoaders(read, work, check, world.policy, world.catalogue)
        period = Period(date(2026, 1, 1), date(2026, 3, 1), company.backing.clock())
        with pytest.raises(TimedOut):
            await loaders.associations.load((period, ExampleKey("ann", "north")))

    asyncio.run(main())
    assert len(checks) == 3

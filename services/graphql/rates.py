"""How often a credential may ask, and how much at once: so that nobody's questions keep others waiting for long.

How often: a bucket of tokens each, filled at a steady rate, so that bursts are served. How much at once: turns.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from ipaddress import IPv6Network
from threading import Lock
from weakref import WeakValueDictionary

from services.graphql.errors import TooOften

REMEMBERED = 10_000  # who was longest away is forgotten first, and then begins with a full bucket
CREDENTIAL_MAY = "a credential may ask {:g} times a second"
ADDRESS_MAY = "credentials from this address were not good, and {:g} a second may be"


class Rates:
    """`a_second` tokens flow into each bucket, which holds at most `burst`. Safe to call from any thread.

    `rule` is what those are told who are refused, with the place of `a_second` in it.
    """

    def __init__(
        self, a_second: float, burst: int, clock: Callable[[], float] = time.monotonic, rule: str = CREDENTIAL_MAY
    ) -> None:
        self._a_second = a_second
        self._burst = float(burst)
        self._clock = clock
        self._rule = rule.format(a_second)
        self._lock = Lock()
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # tokens, and when that was so

    def take(self, who: Hashable) -> None:
        """Take a token of theirs. Raises TooOften with the seconds until there is one again."""
        with self._lock:
            now = self._clock()
            tokens = self._tokens(who, now)
            taken = tokens >= 1
            self._buckets[who] = (tokens - taken, now)
            self._buckets.move_to_end(who)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        if not taken:
            raise TooOften(self._rule, (1 - tokens) / self._a_second)

    def spent(self, who: Hashable) -> bool:
        """Whether `take` would refuse them now."""
        with self._lock:
            return self._tokens(who, self._clock()) < 1

    def _tokens(self, who: Hashable, now: float) -> float:
        tokens, since = self._buckets.get(who, (self._burst, now))
        return min(self._burst, tokens + (now - since) * self._a_second)


def neighbours(address: str) -> str:
    """What counts as one address: an IPv4 address, and the 64 bits of an IPv6 one that whoever has it may vary."""
    return str(IPv6Network((address.partition("%")[0], 64), strict=False)) if ":" in address else address


class Turns:
    """At most so many things of the same one at once; the next ones wait, in the order in which they came."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self._turns: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, who: Hashable) -> asyncio.Semaphore:
        """To be entered by `async with`. It is the same one for as long as anybody holds it."""
        turn = self._turns.get(who)
        if turn is None:
            turn = self._turns[who] = asyncio.Semaphore(self.at_once)
        return turn

"""How often a credential may ask: a bucket of tokens each, filled at a steady rate, so that bursts are served."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from services.graphql.errors import TooOften

REMEMBERED = 10_000  # who was longest away is forgotten first, and then begins with a full bucket


class Rates:
    """`a_second` tokens flow into each bucket, which holds at most `burst`. Safe to call from any thread."""

    def __init__(self, a_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second = a_second
        self._burst = float(burst)
        self._clock = clock
        self._lock = Lock()
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # tokens, and when that was so

    def take(self, who: Hashable) -> None:
        """Take a token of theirs. Raises TooOften with the seconds until there is one again."""
        with self._lock:
            now = self._clock()
            tokens, since = self._buckets.pop(who, (self._burst, now))
            tokens = min(self._burst, tokens + (now - since) * self._a_second)
            taken = tokens >= 1
            self._buckets[who] = (tokens - taken, now)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        if not taken:
            raise TooOften((1 - tokens) / self._a_second, self._a_second)

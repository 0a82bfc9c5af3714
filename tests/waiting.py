"""Waiting in tests for what other threads and processes bring about: by looking, never by a guess of how long."""

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return as soon as it holds; fails once the time is over."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"it did not come about in {seconds:.0f} s"
        time.sleep(0.02)

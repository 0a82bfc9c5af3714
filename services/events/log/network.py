"""What Kafka's client does much more often than need be: it wakes its thread, and words errors that nobody reads."""

import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka.net.compat import KafkaNetClient


class TogetherNetwork(KafkaNetClient):  # type: ignore[misc]  # the client has no types
    """A producer's network, whose thread is woken once for all records that are handed on together.

    By itself the client wakes it for each partition, whereupon it takes the interpreter and looks at all of them.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._held = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wake the thread at the end of this only. What waits for metadata wakes it by another way."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.wakeup()

    def wakeup(self) -> None:
        """Wake the thread, now or at the end."""
        if not self._held:
            super().wakeup()


class WordlessSelector(selectors.DefaultSelector):
    """Python's own selector, but that it words no error for a file that is not registered.

    The client asks for one before each wait, to see whether it is; up to Python 3.12 the words, which describe the
    connection, took a quarter of what its thread does for a small request.
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """See BaseSelector."""
        self._keys[fileobj] = key = super().register(fileobj, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """See BaseSelector."""
        self._keys.pop(fileobj, None)
        return super().unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """See BaseSelector."""
        self._keys[fileobj] = key = super().modify(fileobj, events, data)
        return key

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        """See BaseSelector. Raises a KeyError without words."""
        return self._keys[fileobj]

    def close(self) -> None:
        """See BaseSelector."""
        self._keys.clear()
        super().close()

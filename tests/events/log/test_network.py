"""The client's network, where it is told to do less."""

import selectors
import socket

import pytest

from services.events.log.network import WordlessSelector


def test_a_selector_without_words_selects_like_any() -> None:
    """What is registered, changed and removed is told and selected as by Python's own, and the rest is a KeyError."""
    here, there = socket.socketpair()
    with here, there, WordlessSelector() as selector:
        with pytest.raises(KeyError):
            selector.get_key(here)
        selector.register(here, selectors.EVENT_READ, "reader")
        assert selector.get_key(here).data == "reader"
        assert selector.select(0) == []
        there.send(b"x")
        assert [(key.fileobj, key.data) for key, _ in selector.select(0)] == [(here, "reader")]
        selector.modify(here, selectors.EVENT_READ | selectors.EVENT_WRITE, "both")
        assert selector.get_key(here).data == "both"
        assert [events for _, events in selector.select(0)] == [selectors.EVENT_READ | selectors.EVENT_WRITE]
        selector.unregister(here)
        with pytest.raises(KeyError):
            selector.get_key(here)
        assert selector.select(0) == []

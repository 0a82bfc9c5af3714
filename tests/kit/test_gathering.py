"""The transport that writes an answer's head and body together."""

import asyncio
from collections.abc import Iterable

import pytest

from services.kit.gathering import Gathering


class _Recorded(asyncio.Transport):
    """A transport that keeps what it is told to do."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.told.append(b"".join(list_of_data))

    def write_eof(self) -> None:
        self.told.append("eof")

    def close(self) -> None:
        self.told.append("closed")

    def abort(self) -> None:
        self.told.append("aborted")

    def is_closing(self) -> bool:
        return "closed" in self.told or "aborted" in self.told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ((b"head", b"body"), [b"headbody"]),
        ((b"alone",), [b"alone"]),
        ((b"one", b"two", b"three"), [b"onetwo", b"three"]),
        ((b"head", b""), [b"head"]),
        ((b"", b"head", b"body"), [b"headbody"]),
    ],
)
def test_what_is_written_in_one_turn_goes_in_pairs(written: list[bytes], told: list[bytes]) -> None:
    """Two writes are handed on together, and one alone by the end of the turn, all in their order."""
    transport = _Recorded()

    async def write() -> None:
        gathering = Gathering(transport, asyncio.get_running_loop())
        for data in written:
            gathering.write(data)
        await asyncio.sleep(0)

    asyncio.run(write())
    assert transport.told == told


@pytest.mark.parametrize(
    ("ending", "told"),
    [("write_eof", [b"last", "eof"]), ("close", [b"last", "closed"]), ("abort", ["aborted"])],
)
def test_an_end_comes_behind_what_is_held(ending: str, told: list[object]) -> None:
    """Who closes has written all before; who aborts writes nothing any more."""
    transport = _Recorded()

    async def write() -> None:
        gathering = Gathering(transport, asyncio.get_running_loop())
        gathering.write(b"last")
        getattr(gathering, ending)()
        await asyncio.sleep(0)

    asyncio.run(write())
    assert transport.told == told

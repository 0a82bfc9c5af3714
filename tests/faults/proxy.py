"""A TCP proxy that makes a network fail on purpose: between a service and its broker, or its database.

It cuts, resets, delays and swallows; and it knows enough of the two protocols to act at a certain message: the answer
to a produce, the COMMIT of a transaction. It runs in a thread of its own; its methods may be called from any thread.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from typing import Protocol

_CHUNK = 2**16
_PRODUCE = 0  # the API key of Kafka's Produce
_SSL, _GSS = 80877103, 80877104  # what a PostgreSQL client may ask for before its start-up message


class Verdict(Enum):
    """What becomes of a message: it goes on, it is lost, or the connection breaks in its place."""

    PASS = "pass"
    LOSE = "lose"
    RESET = "reset"


Watch = Callable[[str], Verdict]
"""Called in the proxy's thread for every message, by its name; "" is a message of no special kind."""


class Framing(Protocol):
    """Cuts the bytes of one connection into messages and names them, up to the server and down from it."""

    def up(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """Messages that are complete with these bytes, each with its name."""
        ...

    def down(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """As `up`, from the server."""
        ...


class KafkaFraming:
    """Names requests `produce` and their answers `produced`, by their correlation ids."""

    def __init__(self) -> None:
        self._asked, self._answered = bytearray(), bytearray()
        self._producing: set[int] = set()

    def up(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """See Framing."""
        for frame in _frames(self._asked, data):
            key, _, correlation = struct.unpack_from(">hhi", frame, 4)
            if key == _PRODUCE:
                self._producing.add(correlation)
            yield "produce" if key == _PRODUCE else "", frame

    def down(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """See Framing."""
        for frame in _frames(self._answered, data):
            (correlation,) = struct.unpack_from(">i", frame, 4)
            is_produce = correlation in self._producing
            self._producing.discard(correlation)
            yield "produced" if is_produce else "", frame


class PostgresFraming:
    """Names the client's `begin` (of a transaction that writes), `commit`, and the answer to the latter `committed`."""

    def __init__(self) -> None:
        self._said = bytearray()
        self._started = self._writes = False

    def up(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """See Framing."""
        self._said += data
        while (size := self._size()) and len(self._said) >= size:
            message = bytes(self._said[:size])
            del self._said[:size]
            if not self._started:
                self._started = struct.unpack_from(">i", message, 4)[0] not in (_SSL, _GSS)
                yield "", message
            else:
                yield self._name(message[5:]), message

    def down(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """See Framing."""
        yield "committed" if self._writes and b"COMMIT\0" in data else "", data

    def _name(self, text: bytes) -> str:
        if text.startswith(b"BEGIN"):
            self._writes = b"READ ONLY" not in text
            return "begin" if self._writes else ""
        return "commit" if self._writes and text == b"COMMIT\0" else ""

    def _size(self) -> int:
        """Of the message that begins the buffer; 0 while that cannot be told."""
        lead = 1 if self._started else 0  # messages after the start have a byte for their type
        if len(self._said) < lead + 4:
            return 0
        return int(struct.unpack_from(">i", self._said, lead)[0]) + lead


def _frames(buffer: bytearray, data: bytes) -> Iterator[bytes]:
    buffer += data
    while len(buffer) >= 4 and len(buffer) >= (size := 4 + struct.unpack_from(">i", buffer)[0]):
        frame = bytes(buffer[:size])
        del buffer[:size]
        yield frame


def _pass(_name: str) -> Verdict:
    return Verdict.PASS


class Proxy:
    """Listens on a free port of 127.0.0.1 and goes between its clients and the server there at `port`."""

    def __init__(self, framing: Callable[[], Framing]) -> None:
        self._framing = framing
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listening.getsockname()[1]
        self.target = 0
        self.watch: Watch = _pass
        self.latency: Callable[[], float] = lambda: 0.0
        self._refusing = self._swallowing = False
        self._thread = threading.Thread(target=self._run, name=f"proxy-{self.port}", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break all connections, and let none come about."""
        self._refusing = True
        self.reset()

    def reset(self) -> None:
        """Break all connections that there are, by RST on both sides."""
        self._call(lambda: self._each(_Connection.reset))

    def silence(self) -> None:
        """Whatever is sent from now on arrives nowhere; connections stay open, and dead, even after healing."""
        self._swallowing = True
        self._call(lambda: self._each(_Connection.deafen))

    def heal(self) -> None:
        """Be a plain proxy again."""
        self._refusing = self._swallowing = False
        self.watch = _pass
        self.latency = lambda: 0.0

    def close(self) -> None:
        """Break everything, for good."""
        self.cut()
        self._call(self._loop.stop)
        self._thread.join(5)
        self._listening.close()

    def _each(self, action: "Callable[[_Connection], None]") -> None:
        for connection in tuple(self._connections):
            action(connection)

    def _call(self, action: Callable[[], object]) -> None:
        done = threading.Event()

        def run() -> None:
            action()
            done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait(5)

    def _run(self) -> None:
        serving = self._loop.create_task(self._serve())
        self._loop.run_forever()
        serving.cancel()
        self._loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(self._loop), return_exceptions=True))
        self._loop.close()

    async def _serve(self) -> None:
        self._listening.setblocking(False)
        while True:
            client, _ = await self._loop.sock_accept(self._listening)
            if self._refusing:
                _break(client)
                continue
            connection = _Connection(self, self._loop, client, self._framing())
            self._connections.add(connection)
            if self._swallowing:
                connection.deafen()
            self._loop.create_task(connection.run(self._connections.discard))


class _Connection:
    def __init__(self, proxy: Proxy, loop: asyncio.AbstractEventLoop, client: socket.socket, framing: Framing) -> None:
        self._proxy = proxy
        self._loop = loop
        self._framing = framing
        self._client = client
        self._server = socket.socket()
        self._deaf = self._broken = False
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self, ended: Callable[["_Connection"], None]) -> None:
        """Carry messages until one side ends."""
        try:
            for end in (self._client, self._server):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.sock_connect(self._server, ("127.0.0.1", self._proxy.target))
            up, down = asyncio.Queue[tuple[float, bytes]](), asyncio.Queue[tuple[float, bytes]]()
            self._tasks = [
                self._loop.create_task(work)
                for work in (
                    self._read(self._client, self._framing.up, up),
                    self._write(self._server, up),
                    self._read(self._server, self._framing.down, down),
                    self._write(self._client, down),
                )
            ]
            if not self._broken:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass
        finally:
            self.reset()
            await asyncio.gather(*self._tasks, return_exceptions=True)  # nothing waits for a socket that is closed
            _break(self._client)
            _break(self._server)
            ended(self)

    def deafen(self) -> None:
        """Carry nothing any more, and stay open."""
        self._deaf = True

    def reset(self) -> None:
        """Break both sides."""
        self._broken = True
        for task in self._tasks:
            task.cancel()

    async def _read(
        self,
        end: socket.socket,
        cut: Callable[[bytes], Iterator[tuple[str, bytes]]],
        out: "asyncio.Queue[tuple[float, bytes]]",
    ) -> None:
        with suppress(OSError):
            while data := await self._loop.sock_recv(end, _CHUNK):
                for name, message in cut(data):
                    verdict = Verdict.LOSE if self._deaf else self._proxy.watch(name)
                    if verdict is Verdict.RESET:
                        return
                    if verdict is Verdict.PASS:
                        out.put_nowait((time.monotonic() + self._proxy.latency(), message))
        while not out.empty():  # what one side said last reaches the other before the end does
            await asyncio.sleep(0.01)

    async def _write(self, end: socket.socket, out: "asyncio.Queue[tuple[float, bytes]]") -> None:
        with suppress(OSError):
            while True:
                due, message = await out.get()
                if (left := due - time.monotonic()) > 0:
                    await asyncio.sleep(left)
                if not self._deaf:
                    await self._loop.sock_sendall(end, message)


def _break(end: socket.socket) -> None:
    """Close with RST in place of FIN, as a peer that is gone does."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()

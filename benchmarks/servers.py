"""Servers to measure, each a process of its own."""

import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from benchmarks.measuring import cpu_of, peak_of
from services.kit.settings import PREFIX, Settings, load_settings

STOP_SECONDS = 15
_READY = re.compile(r"ready on http://([^:/]+):(\d+)")


class Server(NamedTuple):
    """A server that answers."""

    host: str
    port: int
    pid: int

    def cpu(self) -> float:
        """CPU-seconds taken so far."""
        return cpu_of(self.pid)

    def peak(self) -> float:
        """The most memory that was resident, in MB."""
        return peak_of(self.pid)


@contextmanager
def exemplar(folder: Path) -> Iterator[Server]:
    """`exemplar serve` on the files of this folder."""
    with service("serve", load_settings(data_dir=folder)) as server:
        yield server


@contextmanager
def service(command: str, settings: Settings) -> Iterator[Server]:
    """`exemplar` with this command, under these settings."""
    given = settings.model_dump(mode="json", include=settings.model_fields_set)
    environment = {f"{PREFIX}{name.upper()}": str(value) for name, value in given.items()}
    with _serving(["-m", "services", command, "--port", "0"], environment) as server:
        yield server


@contextmanager
def bare_route() -> Iterator[Server]:
    """A Starlette route that answers 202 and does nothing."""
    with _serving(["-m", "benchmarks.bare"], {}) as server:
        yield server


@contextmanager
def bare_ingress(broker: str, topic: str) -> Iterator[Server]:
    """An ASGI app that sends what is posted to the topic, which is there, and does nothing else."""
    with _serving(["-m", "benchmarks.bare_ingress", broker, topic], {}) as server:
        yield server


def bare_libraries() -> float:
    """The peak of memory (MB) of a process that only imports the libraries of `exemplar events`."""
    return int(subprocess.check_output([sys.executable, "-m", "benchmarks.bare_libraries"], text=True)) * 1024 / 1e6


@contextmanager
def default_graphql(folder: Path) -> Iterator[Server]:
    """The gateway's schema with the library's own settings, on the files of this folder."""
    with _serving(["-m", "benchmarks.default_graphql", str(folder)], {}) as server:
        yield server


@contextmanager
def _serving(arguments: Sequence[str], environment: dict[str, str]) -> Iterator[Server]:
    with subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    ) as process:
        emptying = Thread(target=deque, args=(process.stderr, 0), daemon=True)  # or its messages would fill the pipe
        try:
            server = _ready(process, deque(maxlen=20))
            emptying.start()
            yield server
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            if emptying.ident is not None:
                emptying.join()


def _ready(process: subprocess.Popen[str], said: deque[str]) -> Server:
    """The server, once it says that it answers."""
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if ready := _READY.search(line):
            return Server(ready[1], int(ready[2]), process.pid)
    raise RuntimeError(f"a server did not start:\n{''.join(said)}")

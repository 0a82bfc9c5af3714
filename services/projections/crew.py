"""Processes that help with a rebuild: each does one job after the other, and ends with the process that began it.

Python folds on one core a process. A helper is started afresh (never forked, which would share connections), makes its
own connections, and tells of each job bit by bit over a pipe.
"""

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any, Generic, NamedTuple, TypeVar

from services.kit import collector
from services.kit.errors import Conflict, Corrupt, ExemplarError, Invalid, Misconfigured, Unavailable
from services.kit.logs import configure_logs

T = TypeVar("T")
Job = Callable[[T], Iterator[Any]]
"""Works with what the helper has at hand, and tells as it goes. To be pickled, as all that it tells."""

_RAISED: tuple[type[ExemplarError], ...] = (Conflict, Corrupt, Misconfigured, Invalid, Unavailable)


class _Ended(NamedTuple):
    """A job is done, or failed: with an error of a kind of ours, or, with a traceback, another one."""

    kind: str = ""
    failure: str = ""


class _Helper(NamedTuple):
    process: BaseProcess
    pipe: Connection


class Crew(Generic[T]):
    """So many processes; `prepare` makes what their jobs work with, in each of them. Killed when the block ends."""

    def __init__(self, size: int, prepare: Callable[[], AbstractContextManager[T]]) -> None:
        self._size = size
        self._prepare = prepare
        self._helpers: list[_Helper] = []

    def __enter__(self) -> "Crew[T]":
        try:
            for _ in range(self._size):
                self._helpers.append(_started(self._prepare))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for process, pipe in self._helpers:
            process.kill()  # it holds nothing that outlives it: what it has not committed is rolled back
            process.join()
            pipe.close()

    def work(self, jobs: Iterable[Job[T]]) -> Iterator[Any]:
        """Have all jobs done, each by whoever is free; what they tell, as it comes. Raises what a job raises."""
        waiting = iter(jobs)
        busy: list[_Helper] = []
        for helper in self._helpers:
            _begin(helper, waiting, busy)
        while busy:
            ready = wait([helper.pipe for helper in busy])
            for helper in [helper for helper in busy if helper.pipe in ready]:
                told = _told(helper)
                if not isinstance(told, _Ended):
                    yield told
                    continue
                busy.remove(helper)
                _check(told)
                _begin(helper, waiting, busy)


def _started(prepare: Callable[[], AbstractContextManager[T]]) -> _Helper:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_help, args=(theirs, prepare), name="helper", daemon=True)
    process.start()
    theirs.close()
    return _Helper(process, ours)


def _begin(helper: _Helper, jobs: Iterator[Job[T]], busy: list[_Helper]) -> None:
    """Give a helper the next job, if there is one."""
    job = next(jobs, None)
    if job is not None:
        try:
            helper.pipe.send(job)
        except OSError:
            _check(_told(helper))  # it ended before it had a job, and has said why
        busy.append(helper)


def _told(helper: _Helper) -> Any:
    try:
        return helper.pipe.recv()
    except (EOFError, OSError) as error:
        raise _gone(helper) from error


def _gone(helper: _Helper) -> Unavailable:
    helper.process.join()
    return Unavailable(f"a helping process has ended by itself (exit code {helper.process.exitcode}): out of memory?")


def _check(ended: _Ended) -> None:
    for kind in _RAISED:
        if kind.__name__ == ended.kind:
            raise kind(ended.failure)
    if ended.failure:
        raise RuntimeError(f"a helping process has failed:\n{ended.failure}")


# ---- in a helper ----


def _help(pipe: Connection, prepare: Callable[[], AbstractContextManager[T]]) -> None:
    """Do jobs until killed, or until whoever gives them is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt reaches the whole group: who began us ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, name="parent", daemon=True).start()
    configure_logs("warning")
    collector.spare()
    try:
        with prepare() as tools:
            while True:
                job: Job[T] = pipe.recv()
                for told in job(tools):
                    pipe.send(told)
                pipe.send(_Ended())
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001  # it is told, and raised again where the job was given
        kind = next((kind for kind in _RAISED if isinstance(error, kind)), None)
        pipe.send(_Ended(kind.__name__, str(error)) if kind else _Ended("", traceback.format_exc()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)

"""Whether a log can be reached, looked at beside those who use it: who asks for readiness must never wait for it."""

from threading import Event, Thread

import structlog

from services.events.log.protocol import LogReader
from services.kit.errors import ExemplarError, Unavailable

LOOK_SECONDS = 3.0
LOOKS_IN_VAIN = 2  # no answer to one alone passes: a broker is restarted, a partition has no leader for a moment

_log = structlog.get_logger(__name__)


class LogWatch:
    """Looks at a log every so many seconds, in a thread and on connections of its own, however many ask.

    It is away after the second look in vain, with what the last one gave, and back after the first that is not. That it
    is gone or another one is said by those who answer, and believed at once.
    """

    def __init__(self, reader: LogReader, pause: float = LOOK_SECONDS) -> None:
        self._reader = reader
        self._pause = pause
        self._in_vain = 0
        self._away: str | None = None
        self._closing = Event()
        self._thread = Thread(target=self._run, name="log-watch", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises Unavailable, at once, while the log is away or is another one than it was."""
        if away := self._away:
            raise Unavailable(away)

    def close(self) -> None:
        """Look no more."""
        self._closing.set()
        self._thread.join(self._pause)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._look()
            self._closing.wait(self._pause)
        self._reader.close()

    def _look(self) -> None:
        try:
            self._reader.identity()
        except Unavailable as error:
            self._in_vain += 1
            if self._in_vain >= LOOKS_IN_VAIN:
                self._tell(f"the log is away: {error}")
        except ExemplarError as error:
            self._tell(str(error))
        else:
            self._in_vain = 0
            self._tell(None)

    def _tell(self, away: str | None) -> None:
        if (away is None) != (self._away is None):
            _log.warning("the log is back" if away is None else "the log is away", reason=away)
        self._away = away

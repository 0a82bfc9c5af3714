"""Opening a log by its URL: the only place that knows which adapters there are.

The Kafka adapter is imported when a URL asks for it: its client takes 8 MB and 0.17 s that one machine does not need.
"""

from collections.abc import Callable

from services.events.log import sqlite
from services.events.log.access import KafkaAccess
from services.events.log.protocol import Log, LogReader
from services.kit import instants
from services.kit.errors import Misconfigured

_KAFKA = "kafka://"
_SQLITE = "sqlite:///"


def open_log(
    url: str, partitions: int | None, access: KafkaAccess | None = None, clock: Callable[[], int] = instants.now
) -> Log:
    """The log of a URL: `sqlite:///FILE`, made if there is none, or `kafka://HOST:PORT,…/TOPIC` (see `create_log`).

    Without `partitions` no file is made either; a log that exists keeps its own. Raises Misconfigured, Corrupt or
    Unavailable.
    """
    if url.startswith(_KAFKA):
        from services.events.log import kafka

        return kafka.open_log(url, access or KafkaAccess())
    if not url.startswith(_SQLITE):
        raise Misconfigured("EXEMPLAR_LOG_URL must be sqlite:///FILE or kafka://HOST:PORT,HOST:PORT/TOPIC")
    return sqlite.open_log(url, partitions, clock)


def open_reader(url: str, partitions: int, access: KafkaAccess | None = None) -> LogReader:
    """A reader of the log of a URL. Raises as `open_log` does."""
    return open_log(url, partitions, access).reader()


def create_log(url: str, partitions: int, access: KafkaAccess | None = None) -> None:
    """Make what `open_log` does not make by itself: the topic, where there is none. Raises as it does."""
    if url.startswith(_KAFKA):
        from services.events.log import kafka

        kafka.create_topic(url, partitions, access or KafkaAccess())

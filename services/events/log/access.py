"""How the brokers of a log are reached: apart from the adapter, so that naming it does not import a Kafka client."""

from pathlib import Path
from typing import NamedTuple


class KafkaAccess(NamedTuple):
    """Encryption, login and group: empty or None leaves it to the default. A password is never in a URL."""

    protocol: str = "PLAINTEXT"
    mechanism: str = ""
    username: str = ""
    password: str = ""
    cafile: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    group: str = ""  # of the processes that share the partitions; by default `TOPIC-projections`

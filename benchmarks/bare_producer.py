"""The least that kafka-python can do with records: send them, and see that each was given an offset."""

from collections.abc import Mapping, Sequence

from kafka import KafkaProducer

from benchmarks.measuring import used
from services.events.log.protocol import NewRecord

TUNED: Mapping[str, object] = {
    "linger_ms": 20,
    "batch_size": 256 * 2**10,
    "compression_type": "zstd",
    "metrics_enabled": False,
}
FLUSH_SECONDS = 60


def produce(
    broker: str, topic: str, records: Sequence[NewRecord], settings: Mapping[str, object]
) -> tuple[float, float]:
    """Seconds and CPU-seconds of this process from the first send to the last acknowledgement, by all replicas."""
    producer = KafkaProducer(bootstrap_servers=broker, acks="all", enable_idempotence=True, **settings)
    producer.partitions_for(topic)  # connected, and knows the topic
    with used() as taken:
        sent = [
            producer.send(topic, record.value, key=(record.key or "").encode(), headers=list(record.headers))
            for record in records
        ]
        producer.flush(FLUSH_SECONDS)
    if not all(future.succeeded() and future.value.offset >= 0 for future in sent):
        raise RuntimeError("a record was not acknowledged")
    producer.close()
    return taken.wall, taken.cpu

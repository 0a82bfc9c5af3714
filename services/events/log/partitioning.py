"""Which partition a key belongs to: the same answer in every size of Exemplar, and in every Kafka client.

The log that a company starts with can so be moved to Kafka later without an act changing its partition.
"""

from functools import lru_cache

from kafka.partitioner.default import murmur2

_POSITIVE = 0x7FFFFFFF  # Kafka's toPositive: the sign bit is cut off, not the absolute value taken


@lru_cache(maxsize=65_536)
def partition_for(key: str, partitions: int) -> int:
    """The partition, from 0, of a key in a log of so many partitions: Kafka's murmur2 of the key's UTF-8 bytes."""
    return int((murmur2(key.encode()) & _POSITIVE) % partitions)

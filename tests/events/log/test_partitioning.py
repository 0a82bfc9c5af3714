"""The partition of a key is the one that every Kafka client gives it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_pythons_murmur2

from services.events.log.partitioning import murmur2, partition_for

# The vectors of Apache Kafka's own UtilsTest.testMurmur2 (signed 32-bit numbers, as Java prints them).
KAFKAS_OWN = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), KAFKAS_OWN.items())
@pytest.mark.parametrize("partitions", [1, 2, 3, 12, 1024])
def test_partition_is_kafkas(key: str, hashed: int, partitions: int) -> None:
    """Kafka takes murmur2 of the key without its sign bit, modulo the partitions."""
    assert partition_for(key, partitions) == (hashed & 0x7FFFFFFF) % partitions


@given(st.binary(max_size=70))
def test_hash_is_that_of_a_kafka_client(data: bytes) -> None:
    """Any bytes get the hash that kafka-python gives them."""
    assert murmur2(data) == kafka_pythons_murmur2(data)


@pytest.mark.parametrize("key", ["", "public", "Zoë", "客户-7", "🦊" * 64])
def test_any_key_has_a_partition(key: str) -> None:
    """Any string that UTF-8 can hold falls into one of the partitions."""
    assert 0 <= partition_for(key, 12) < 12


def test_keys_spread_over_all_partitions() -> None:
    """A thousand customers reach each of twelve partitions."""
    assert {partition_for(f"customer-{n}", 12) for n in range(1000)} == set(range(12))

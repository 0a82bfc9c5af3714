"""The trace of a post reaches whoever reads the log with a Kafka client of their own."""

import json
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from starlette.testclient import TestClient

from services.events.log.access import KafkaAccess
from services.events.log.kafka import create_topic, open_log
from tests.events.ingress.parts import Parts, event

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
STRUCTURED = {"content-type": "application/cloudevents+json"}
TYPE = ("content-type", b"application/cloudevents+json; charset=UTF-8")
POSTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"traceparent": PARENT, "tracestate": "rojo=1"}),
    ({"traceparent": OTHER}, {}),
    ({"traceparent": OTHER}, {"traceparent": PARENT}),
    ({}, {"traceparent": "nonsense", "tracestate": "rojo=1"}),
]
HEADERS = [
    [TYPE, ("traceparent", PARENT.encode()), ("tracestate", b"rojo=1")],
    [TYPE, ("traceparent", OTHER.encode())],
    [TYPE, ("traceparent", PARENT.encode())],
    [TYPE],
]


def post_all(parts: Parts) -> None:
    """Post an event with each of the traces, all of one customer."""
    with TestClient(parts.app(), "http://localhost") as client:
        for number, (attributes, headers) in enumerate(POSTS):
            body = json.dumps(event(id=str(number), **attributes))
            assert client.post("/v1/events", content=body, headers=STRUCTURED | headers).status_code == 202


@pytest.mark.kafka
def test_a_kafka_consumer_sees_the_trace(parts: Parts, kafka_bootstrap: str) -> None:
    """The post's own trace, else the event's, is in the record's headers behind the content type; a bad one is not."""
    url = f"kafka://{kafka_bootstrap}/trace-{uuid.uuid4().hex}"
    create_topic(url, 1, KafkaAccess())
    log = open_log(url, KafkaAccess())
    parts.writer.close()
    parts.writer = log.writer()
    post_all(parts)
    with closing(KafkaConsumer(bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest")) as consumer:
        consumer.assign([TopicPartition(log.topic, 0)])
        found: list[Any] = []
        while len(found) < len(POSTS):
            found += [message for messages in consumer.poll(5_000).values() for message in messages]
    assert [message.headers for message in found] == HEADERS


def test_the_log_of_one_machine_keeps_the_trace_too(parts: Parts, tmp_path: Path) -> None:
    """It is beside the record in the log's file, for who moves the log to Kafka later."""
    post_all(parts)
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as log:
        kept = [json.loads(headers) for (headers,) in log.execute("SELECT headers FROM records ORDER BY place")]
    assert [[name for name, _ in headers] for headers in kept] == [[name for name, _ in each] for each in HEADERS]

"""One study through the topics: what came of it and what was said, in the order of the log."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.cloudevents import open_envelope
from schemas.config import Config
from schemas.refusal import Refused
from streams.kafka.connection import librdkafka_settings
from streams.partitioner import partition_of
from streams.shard_topics import shard_topics

_ANSWER_S = 15.0
_BATCH_N = 5_000


class NoTrace(Exception):
    """The topics cannot be read; the message says why."""


class Step(NamedTuple):
    """One record about the study: when the broker had it, where it lies, and what it says."""

    arrived_at: datetime
    topic: str
    offset: int
    message: dict[str, Any]


def steps(config: Config, site: str, study: str) -> list[Step]:
    """All of them, in the order in which the broker had them. Raises NoTrace.

    Reads the site's partition of five topics from their beginning: seconds for weeks of studies.
    """
    names = shard_topics(config)
    topics = (*names.merged[:3], names.outcomes, names.incidents)
    consumer = Consumer(
        librdkafka_settings(config)
        | {"log_level": 2}  # an error is told once, by us
        | {"group.id": f"{config.prefix}.trace", "enable.auto.commit": False}
        | {"enable.partition.eof": False, "isolation.level": "read_committed"}
    )
    try:
        found = [
            step
            for topic in topics
            for step in _of_topic(consumer, _place(consumer, topic, site), site, study)
        ]
    except KafkaException as error:
        raise NoTrace(
            f"the broker {config.broker} does not answer: {error.args[0].str()}"
        ) from None
    finally:
        consumer.close()
    return sorted(found, key=lambda step: (step.arrived_at, step.topic, step.offset))


def _place(consumer: Consumer, topic: str, site: str) -> TopicPartition:
    """Where the topic has the site: it may have another number of partitions than configured."""
    partitions_n = len(consumer.list_topics(topic, _ANSWER_S).topics[topic].partitions)
    if not partitions_n:
        raise NoTrace(f"there is no topic {topic}: no worker has run yet, or `prefix` is another")
    return TopicPartition(topic, partition_of(site, partitions_n))


def _of_topic(consumer: Consumer, place: TopicPartition, site: str, study: str) -> Iterator[Step]:
    first, end = consumer.get_watermark_offsets(place, _ANSWER_S)
    consumer.assign([TopicPartition(place.topic, place.partition, first)])
    key = orjson.dumps(study)
    position = first
    while position < end:
        records = consumer.consume(_BATCH_N, timeout=1.0)
        for record in records:
            value = record.value()
            if value is not None and _may_name(value, key) and (step := _step(record, site, study)):
                yield step
        reached = consumer.position([place])[0].offset
        if reached <= position and not records:
            return  # what is left are transaction markers
        position = max(position, reached)


def _may_name(value: bytes, key: bytes) -> bool:
    """Whether it is worth decoding: a producer may have written the key with escapes."""
    return key in value or b"\\" in value or b'"data_base64"' in value


def _step(record: Any, site: str, study: str) -> Step | None:
    envelope = open_envelope(record.value(), record.headers() or ())
    if isinstance(envelope, Refused):
        return None
    try:
        message = orjson.loads(record.value() if envelope is None else envelope.body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(message, dict):
        return None
    if envelope is not None:
        message["type"] = envelope.type
    if message.get("site") != site or study not in (message.get("study"), *_examples(message)):
        return None
    at = datetime.fromtimestamp(record.timestamp()[1] / 1000, UTC)
    return Step(at, record.topic(), record.offset(), message)


def _examples(message: dict[str, Any]) -> list[Any]:
    evidence = message.get("evidence")
    examples = evidence.get("examples") if isinstance(evidence, dict) else None
    return examples if isinstance(examples, list) else []

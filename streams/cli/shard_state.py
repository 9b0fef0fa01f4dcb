"""The state of every shard as it was at its last checkpoint, read by a command."""

import asyncio

from aiokafka.errors import CorruptRecordException, KafkaError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.config import Config
from streams.cli.arguments import BadInput
from streams.kafka.changelog import last_values
from streams.kafka.connection import librdkafka_settings, no_answer
from streams.kafka.incident_log import ANSWER_S
from streams.pipeline import Pipeline
from streams.shard import META_KEY
from streams.shard_topics import shard_topics
from streams.state import UnreadableState


def shards_of(config: Config) -> list[Pipeline]:
    """Every shard, restored to be looked at only. Raises BadInput and MissingSecret."""
    if config.broker == "embedded":
        raise BadInput(
            "broker is embedded: its state ends with the worker, which alone can read it. Set "
            "broker to a Kafka"
        )
    try:
        return asyncio.run(_read(config))
    except CorruptRecordException:
        raise BadInput(
            f"the state on {config.broker} has wrong checksums. On a worker's embedded broker "
            "that is always so; on a Kafka, its log is damaged"
        ) from None
    except (KafkaError, OSError) as error:
        raise BadInput(no_answer(config.broker, error)) from None
    except UnreadableState as error:
        raise BadInput(str(error)) from None


async def _read(config: Config) -> list[Pipeline]:
    topic = shard_topics(config).state
    shards_n = await asyncio.to_thread(partitions_n, config, topic)
    shards = []
    for partition in range(shards_n):
        state = await last_values(config, topic, partition)
        state.pop(META_KEY, None)
        shard = Pipeline(config, partition)
        shard.restore(state.items())
        shards.append(shard)
    return shards


def partitions_n(config: Config, topic: str) -> int:
    """As many as there are; a topic that is not there is never asked for, lest it be created."""
    client = AdminClient(librdkafka_settings(config) | {"log_level": 2})
    try:
        there = client.list_topics(timeout=ANSWER_S).topics
    except KafkaException as error:
        reason = error.args[0].str()
        raise BadInput(f"the broker does not answer: {config.broker}: {reason}") from None
    if topic not in there:
        raise BadInput(
            f"there is no topic {topic}: no worker has run yet, or the configuration's prefix is "
            "another"
        )
    return len(there[topic].partitions)

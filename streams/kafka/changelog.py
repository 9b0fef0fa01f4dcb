"""Restore: the changelog of a partition, read to its end by a consumer of its own.

Groupless, `read_committed`, with an explicit seek and "earliest" as reset: `assign` and
`seek_to_beginning` with the default reset silently read nothing, by a race in aiokafka. Read only
after the partition's producer has fenced the former owner, else its last checkpoint may be missed.
"""

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.config import Config
from streams.kafka.connection import aiokafka_settings


async def read_changelog(
    config: Config, topic: str, partition: int, *, check_crcs: bool = True
) -> AsyncIterator[tuple[bytes, bytes | None]]:
    """All records of the partition that are committed now, oldest first; None is a tombstone.

    `check_crcs` is off where the embedded broker is read again: its transaction markers have none
    that is right.
    """
    place = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(
        group_id=None,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=50,
        check_crcs=check_crcs,
        **aiokafka_settings(config),
    )
    await consumer.start()
    try:
        consumer.assign([place])
        consumer.seek(place, (await consumer.beginning_offsets([place]))[place])
        end = (await consumer.end_offsets([place]))[place]
        while await consumer.position(place) < end:
            fetched = await consumer.getmany(place, timeout_ms=200, max_records=5000)
            for record in fetched.get(place, ()):
                yield record.key, record.value  # type: ignore[misc]
    finally:
        await consumer.stop()


async def last_values(
    config: Config, topic: str, partition: int, *, check_crcs: bool = True
) -> dict[bytes, bytes]:
    """The state that the changelog stands for: the last value of every key."""
    state: dict[bytes, bytes] = {}
    async for key, value in read_changelog(config, topic, partition, check_crcs=check_crcs):
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value
    return state

"""A checkpoint is one Kafka transaction of one partition: all of it becomes visible, or nothing.

Starting the producer fences whoever held the partition before: a worker that was paused longer
than its session and woke up cannot write any more, by the broker's own word. Any exception in a
checkpoint is fatal for the worker: what was to be written is in no one's memory any more, and a
fresh start restores the last checkpoint. Never retry here.
"""

from collections.abc import Iterable

from aiokafka import AIOKafkaProducer

from schemas.cloudevents import headers_of
from schemas.config import Config
from schemas.deadletter import DeadLetter
from schemas.decoding import encode
from schemas.incident import Incident
from schemas.messages import Effect
from schemas.notification import Notification
from schemas.outcome import Outcome
from schemas.reply import Reply
from schemas.series import SeriesPoint
from streams.kafka.broker_clock import BrokerClock
from streams.kafka.connection import aiokafka_settings
from streams.kafka.transaction import send_rows
from streams.row import Row
from streams.shard import Checkpoint
from streams.shard_topics import ShardTopics

TRANSACTION_TIMEOUT_MS = 10_000
BATCH_BYTES = 512 * 1024

Message = Effect | DeadLetter


class PartitionWriter:
    """The one transactional producer of a partition; `group` is the consumer group."""

    def __init__(
        self, config: Config, partition: int, topics: ShardTopics, clock: BrokerClock
    ) -> None:
        self._partition = partition
        self._topics = {
            Incident: topics.incidents,
            Outcome: topics.outcomes,
            SeriesPoint: topics.series,
            Notification: topics.notifications,
            Reply: topics.replies,
            DeadLetter: topics.deadletters,
        }
        self._state = topics.state
        self._clock = clock
        self._producer = AIOKafkaProducer(
            transactional_id=f"{config.prefix}-{partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_batch_size=BATCH_BYTES,
            **aiokafka_settings(config),
        )

    async def start(self) -> None:
        """Fence the former owner; its open transaction is aborted before this returns."""
        await self._producer.start()

    async def write(self, checkpoint: Checkpoint) -> None:
        """One transaction; returns when the broker has committed it."""
        async with self._producer.transaction():
            for topic, rows in self._rows(checkpoint).items():
                await send_rows(self._producer, topic, self._partition, rows, self._clock)

    def _rows(self, checkpoint: Checkpoint) -> dict[str, list[Row]]:
        rows: dict[str, list[Row]] = {}
        messages: Iterable[Message] = (*checkpoint.effects, *checkpoint.deadletters)
        for message in messages:
            key = message.site.encode() if message.site is not None else None
            row = Row(key, encode(message), headers_of(message))
            rows.setdefault(self._topics[type(message)], []).append(row)
        rows[self._state] = [Row(key, value) for key, value in checkpoint.changes]
        return rows

    async def stop(self) -> None:
        """Close without another word to the transaction coordinator."""
        await self._producer.stop()

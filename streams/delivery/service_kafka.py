"""The service's side of Kafka: a group member that reads the outbox, a producer per partition.

The producer is transactional for the fence, as a shard's is: a worker that was paused and wakes up
cannot write over what the next one has told since, or an alert that is over would burn again.
Offsets are committed by the group's own rule, after the transaction.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaError

from schemas.config import Config
from streams.delivery.service_acts import Acts
from streams.delivery.service_edge import Arrival, Opened, Rows, TakenAway, topics_for
from streams.delivery.service_trouble import POSITION
from streams.engine import Engine
from streams.kafka.broker_clock import BrokerClock
from streams.kafka.changelog import last_values
from streams.kafka.checkpoint import BATCH_BYTES, TRANSACTION_TIMEOUT_MS
from streams.kafka.connection import aiokafka_settings
from streams.kafka.transaction import send_rows

log = logging.getLogger("radvigil.delivery")

ANSWER_S = 15.0
CLOSE_S = 2.0
FETCHED_N = 500
COMMIT_S = 1.0
SESSION_S = 10.0
"""At least: this member shares its loop with the pipeline, whose turns can be long."""
Taken = Callable[[], Awaitable[None]]


class KafkaWriter:
    """Writes for one partition; `start` shuts out the former owner."""

    def __init__(self, config: Config, partition: int, consumer: AIOKafkaConsumer) -> None:
        self._place = TopicPartition(topics_for(config).outbox, partition)
        self._consumer = consumer
        self._clock = BrokerClock()
        self._committed_s = -COMMIT_S
        self._offset: int | None = None
        self._producer = AIOKafkaProducer(
            transactional_id=f"{config.prefix}-delivery-{partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_batch_size=BATCH_BYTES,
            **aiokafka_settings(config),
        )

    async def start(self) -> None:
        """Shut out the former owner."""
        await asyncio.wait_for(self._producer.start(), ANSWER_S)

    async def write(self, rows: Rows) -> None:
        """One transaction."""
        async with self._producer.transaction():
            for (topic, partition), of_place in rows.items():
                await send_rows(self._producer, topic, partition, of_place, self._clock)

    async def commit(self, offset: int) -> None:
        """At most once a second; what is left over is committed by `close`."""
        self._offset = offset
        if time.monotonic() - self._committed_s >= COMMIT_S:
            await self._commit()

    async def close(self) -> None:
        """The last commit, and the end of the producer."""
        await self._commit()
        try:
            await asyncio.wait_for(self._producer.stop(), CLOSE_S)
        except (KafkaError, OSError, TimeoutError) as error:
            log.info("a producer of delivery did not close: %r", error)

    async def _commit(self) -> None:
        if self._offset is None:
            return
        offset, self._offset = self._offset, None
        self._committed_s = time.monotonic()
        try:
            await asyncio.wait_for(self._consumer.commit({self._place: offset}), CLOSE_S)
        except (KafkaError, OSError, TimeoutError) as error:
            log.info("an offset of the outbox was not committed, a later one will be: %r", error)


class KafkaBroker(ConsumerRebalanceListener):
    """A member of the group `<prefix>.delivery` while it is entered.

    `taken` is awaited before partitions are given up, so that their last words are written.
    """

    def __init__(self, config: Config, engine: Engine, taken: Taken) -> None:
        self._config = config
        self._topics = topics_for(config)
        self._taken = taken
        self._given: frozenset[int] = frozenset()
        self._consumer = AIOKafkaConsumer(
            group_id=f"{config.prefix}.delivery",
            group_instance_id=_instance(config),
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            check_crcs=False,  # the embedded broker's transaction markers have none that is right
            session_timeout_ms=round(max(SESSION_S, engine.session_s) * 1000),
            heartbeat_interval_ms=round(engine.heartbeat_s * 1000),
            metadata_max_age_ms=5000,
            **aiokafka_settings(config),
        )
        self._acts = Acts(config, self._topics.commands)

    async def __aenter__(self) -> Self:
        await asyncio.wait_for(self._acts.start(), ANSWER_S)
        await asyncio.wait_for(self._consumer.start(), ANSWER_S)
        self._consumer.subscribe([self._topics.outbox], listener=self)
        return self

    async def __aexit__(self, *error: object) -> None:
        for consumer in (self._consumer, self._acts):
            try:
                await asyncio.wait_for(consumer.stop(), CLOSE_S)
            except (KafkaError, OSError, TimeoutError) as failed:
                log.info("a consumer of delivery did not close: %r", failed)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Give everything up; the next assignment is taken over anew."""
        self._given = frozenset()
        self._acts.leave()
        await self._taken()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """These are ours; they are opened by whoever asks for `given`."""
        self._given = frozenset(place.partition for place in assigned)

    def given(self) -> Collection[int]:
        """The partitions that are ours at present."""
        return self._given

    async def open(self, partition: int) -> Opened:
        """Take a partition over."""
        writer = KafkaWriter(self._config, partition, self._consumer)
        try:
            await writer.start()
            values = await last_values(self._config, self._topics.log, partition, check_crcs=False)
            end = await self._go_to_the_first_undone(partition)
            acts_at = await self._acts.follow(partition, values.get(POSITION))
        except IllegalStateError:  # aiokafka's word for a partition that is not assigned
            await writer.close()
            raise TakenAway from None
        except BaseException:
            await writer.close()
            raise
        return Opened(writer, values, end, acts_at)

    async def fetch(self, partitions: Collection[int], wait_s: float) -> list[Arrival]:
        """What came, waiting at most so long."""
        places = [self._place(partition) for partition in partitions]
        if not places:  # none would mean all
            await asyncio.sleep(wait_s)
            return []
        fetched: Mapping[Any, Any] = await self._consumer.getmany(
            *places, timeout_ms=round(wait_s * 1000), max_records=FETCHED_N
        )
        return [
            Arrival(place.partition, record.offset, record.value)
            for place, records in fetched.items()
            for record in records
        ]

    async def acts(self) -> list[Arrival]:
        """Commands that came."""
        return await self._acts.fetch()

    async def position(self, partition: int) -> int:
        """Up to where it was fetched; 0 where it is not ours any more."""
        if partition not in self._given:
            return 0
        try:
            return int(await self._consumer.position(self._place(partition)))
        except IllegalStateError:
            return 0

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._topics.outbox, partition)

    async def _go_to_the_first_undone(self, partition: int) -> int:
        """An explicit seek: the offset that was fetched before the fence may be too old.

        Beyond the end it is of a topic that was recreated; what was told is known by the log.
        """
        place = self._place(partition)
        async with asyncio.timeout(ANSWER_S):
            committed = await self._consumer.committed(place)
            first = (await self._consumer.beginning_offsets([place]))[place]
            end = (await self._consumer.end_offsets([place]))[place]
        done = committed or 0
        self._consumer.seek(place, done if first <= done <= end else first)
        return int(end)


def _instance(config: Config) -> str | None:
    """Static membership, where the worker has it: a restart moves nothing."""
    name = config.kafka.instance
    return None if name is None else f"{name}-delivery"

"""A consumer group of its own over one of the monitor's topics, read in rounds.

What `radvigil tickets` and `radvigil worklist` stand on, and any other consumer that has to tell
somebody: nothing is committed before it was told, a broker that is away is waited for, and a round
that is broken off is read again. docs/CONSUMERS.md has the rules.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.config import Config
from streams.kafka.connection import aiokafka_settings

ANSWER_S = 15.0
SESSION_MS = 10_000
PAUSE_S = 5.0
# Alive is told by heartbeats: a receiver that is away for a night is waited for.
_LONGEST_ROUND_MS = 2**31 - 1

Turn = Callable[[AIOKafkaConsumer], Coroutine[Any, Any, None]]


class Follower(ConsumerRebalanceListener):
    """A member of the group `<prefix>.<service>.<name>`.

    `turn` reads one round and tells it; it is cancelled where partitions are taken away, after
    which `forget` is called, and once more for those that are given.
    """

    def __init__(
        self,
        config: Config,
        topic: str,
        service: str,
        name: str,
        turn: Turn,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self.group = f"{config.prefix}.{service}.{name}"
        self.ready = False
        self.partitions: tuple[int, ...] = ()
        self._topic = topic
        self._broker = aiokafka_settings(config)
        slot = config.kafka.instance  # static membership: a restart moves nothing
        self._instance = None if slot is None else f"{slot}-{service}-{name}"
        self._turn = turn
        self._forget = forget
        self._turning: asyncio.Task[None] | None = None
        self._log = logging.getLogger(f"radvigil.{service}")

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set. A broker that is away or a lost partition is no end."""
        stopped = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                session = asyncio.create_task(self._session(stopping))
                await asyncio.wait({session, stopped}, return_when=asyncio.FIRST_COMPLETED)
                await _end(session)
                if not stopping.is_set():
                    await asyncio.wait({stopped}, timeout=PAUSE_S)
        finally:
            await _end(stopped)

    async def committed_note(self, place: TopicPartition) -> str:
        """What was written beside the offset of a partition when it was committed last."""
        admin = AIOKafkaAdminClient(**self._broker)
        try:
            await asyncio.wait_for(admin.start(), ANSWER_S)
            committed = await admin.list_consumer_group_offsets(self.group, partitions=[place])
        finally:
            await admin.close()
        known = committed.get(place)
        return (known and known.metadata) or ""

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Stop in the middle of whatever it is: it is read again from where it was committed."""
        self.ready, self.partitions = False, ()
        if self._turning is not None:
            await _end(self._turning)
        self._forget()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """They are read from where they were committed."""
        self.ready = True
        self.partitions = tuple(sorted(place.partition for place in assigned))

    async def _session(self, stopping: asyncio.Event) -> None:
        try:
            if await asyncio.wait_for(self._has_topic(), ANSWER_S):
                await self._follow(stopping)
            else:
                self._log.warning("no topic %s yet: `radvigil topics --create`", self._topic)
        except (KafkaError, OSError, TimeoutError) as error:
            self._log.warning("%s cannot be read, again soon: %r", self._topic, error)
        except Exception as error:
            self._log.error("%s failed, again soon", self.group, exc_info=error)

    async def _follow(self, stopping: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(
            group_id=self.group,
            group_instance_id=self._instance,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            check_crcs=False,  # the embedded broker's transaction markers have none that is right
            session_timeout_ms=SESSION_MS,
            max_poll_interval_ms=_LONGEST_ROUND_MS,
            **self._broker,
        )
        try:
            await asyncio.wait_for(consumer.start(), ANSWER_S)
            consumer.subscribe([self._topic], listener=self)
            while not stopping.is_set():
                self._turning = asyncio.create_task(self._turn(consumer))
                await asyncio.wait({self._turning})
                if not self._turning.cancelled():
                    self._turning.result()
        finally:
            await self.on_partitions_revoked([])
            await consumer.stop()

    async def _has_topic(self) -> bool:
        """By listing first: to ask for a topic that is not there may create it, wrongly."""
        admin = AIOKafkaAdminClient(**self._broker)
        try:
            await admin.start()
            return self._topic in await admin.list_topics()
        finally:
            await admin.close()


async def commit(
    consumer: AIOKafkaConsumer, place: TopicPartition, offset: int, note: str = ""
) -> None:
    """Everything before `offset` is told."""
    await asyncio.wait_for(consumer.commit({place: (offset, note)}), ANSWER_S)


async def _end(task: "asyncio.Task[Any]") -> None:
    """Cancel it and wait; what it had to say is said by whoever awaits it."""
    task.cancel()
    await asyncio.wait({task})

"""The commands of the partitions that delivery has: some are about its own incidents.

Read without a group: where to go on is kept in the notify-log, in the transaction that has what was
made of them, so each is obeyed once. Without a position nothing of these lives, and what people did
before is not about it: they are read from their end.
"""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.config import Config
from streams.delivery.service_edge import Arrival
from streams.kafka.connection import aiokafka_settings

ANSWER_S = 15.0
_FETCHED_N = 500


class Acts:
    """A reader of the commands; raises what the broker raises."""

    def __init__(self, config: Config, topic: str) -> None:
        self._topic = topic
        self._at: dict[int, int] = {}
        self._consumer = AIOKafkaConsumer(
            group_id=None,
            isolation_level="read_committed",
            enable_auto_commit=False,
            check_crcs=False,  # the embedded broker's transaction markers have none that is right
            **aiokafka_settings(config),
        )

    async def start(self) -> None:
        """Connect."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    def leave(self) -> None:
        """No partition is ours any more."""
        self._at = {}

    async def follow(self, partition: int, kept: bytes | None) -> int:
        """Read a partition too, from what was kept, else from its end; says from where."""
        place = TopicPartition(self._topic, partition)
        async with asyncio.timeout(ANSWER_S):
            first = (await self._consumer.beginning_offsets([place]))[place]
            end = (await self._consumer.end_offsets([place]))[place]
        wanted = end if kept is None else int(kept)
        self._at[partition] = max(first, wanted) if wanted <= end else first
        self._consumer.assign([TopicPartition(self._topic, one) for one in self._at])
        for one, at in self._at.items():  # an assignment forgets where the others were
            self._consumer.seek(TopicPartition(self._topic, one), at)
        return self._at[partition]

    async def fetch(self) -> list[Arrival]:
        """What came."""
        if not self._at:
            return []
        fetched = await self._consumer.getmany(timeout_ms=0, max_records=_FETCHED_N)
        arrived = [
            Arrival(place.partition, record.offset, record.value)
            for place, records in fetched.items()
            for record in records
            if place.partition in self._at
        ]
        self._at |= {one.partition: one.offset + 1 for one in arrived}
        return arrived

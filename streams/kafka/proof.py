"""The watermark's proof: the ends of the inputs, asked after noting the time.

What is appended after `t0` carries a time of at least `t0`. So once everything below the ends that
were asked for after `t0` is in the queue, an input is proved empty up to `t0`, idle partitions
included. The ends are high watermarks (`read_uncommitted`), although inputs are read committed: a
record of an open transaction is older than the proof and comes later.

A re-keyed input is proved in two steps: the re-keyer has committed past the ends of the source,
asked after `t0`; then the ends of the copy.
"""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.config import Config
from streams.kafka.connection import aiokafka_settings

ANSWER_S = 5.0


class Prover:
    """Asks the broker where topics begin and end, by a consumer of its own, without a group."""

    def __init__(self, config: Config) -> None:
        settings = aiokafka_settings(config)
        self._consumer = AIOKafkaConsumer(
            group_id=None, enable_auto_commit=False, metadata_max_age_ms=5000, **settings
        )
        self._admin = AIOKafkaAdminClient(**settings)

    async def start(self) -> None:
        """Connect; raises when there is no broker."""
        await self._consumer.start()
        await self._admin.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()
        await self._admin.close()

    async def ends(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset after the last record of each, now."""
        return await asyncio.wait_for(self._consumer.end_offsets(list(places)), ANSWER_S)

    async def beginnings(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset of the oldest record that is still kept."""
        return await asyncio.wait_for(self._consumer.beginning_offsets(list(places)), ANSWER_S)

    async def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """What a group has committed: of a re-keyed source, how far the re-keyer is."""
        listed = await asyncio.wait_for(self._admin.list_consumer_group_offsets(group), ANSWER_S)
        return {place: committed.offset for place, committed in listed.items()}


class RekeyedProof:
    """When everything that a source held at some time has reached its copy.

    `partitions` of the source; asked again at every tick, one question at a time is open.
    """

    def __init__(self, prover: Prover, source: str, partitions: int, *, group: str) -> None:
        self._prover = prover
        self._group = group
        self._places = [TopicPartition(source, number) for number in range(partitions)]
        self._open: tuple[int, Mapping[TopicPartition, int]] | None = None

    async def proved_us(self, t0_us: int) -> int | None:
        """A time up to which the source is copied, None while that is not known."""
        if self._open is None:
            self._open = t0_us, await self._prover.ends(self._places)
        asked_us, ends = self._open
        committed = await self._prover.committed(self._group)
        if any(committed.get(place, 0) < end for place, end in ends.items()):
            return None
        self._open = None
        return asked_us

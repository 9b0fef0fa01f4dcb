"""The re-keying agent's hands: a chunk of a source becomes records of its copy, in a transaction.

The source's offset is committed in the same transaction, so a message is copied once, whatever
crashes. One producer for each source partition; starting it fences the former owner, and only then
is the committed offset read.
"""

import asyncio
import logging
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer, TopicPartition

from schemas.config import Config
from streams.connection import aiokafka_settings
from streams.merge import Chunk, Merge, Place
from streams.proof import Prover
from streams.rekey import rekey
from streams.shard_topics import ShardTopics

log = logging.getLogger("radvigil.rekeyer")

STOP_S = 5.0
TRANSACTION_TIMEOUT_MS = 10_000


class _Source:
    """One source partition: what was copied, and who writes."""

    def __init__(self, place: TopicPartition, producer: AIOKafkaProducer, committed: int) -> None:
        self.place = place
        self.producer = producer
        self.queue = Merge([place.topic], [Place(committed)])


class Rekeyer:
    """All source partitions of this worker."""

    def __init__(
        self, config: Config, topics: ShardTopics, prover: Prover, *, partitions: int
    ) -> None:
        self._config = config
        self._copies = {source: copy for copy, source in topics.rekeyed.items()}
        self._prover = prover
        self._partitions = partitions
        self._sources: dict[TopicPartition, _Source] = {}

    async def open(self, places: Iterable[TopicPartition]) -> None:
        """Fence the former owners and go on where they committed."""
        await self.release()
        producers = {place: self._producer(place) for place in places}
        if not producers:
            return
        await asyncio.gather(*(producer.start() for producer in producers.values()))
        committed = await self._prover.committed()
        for place, producer in producers.items():
            start = max(0, committed.get(place, 0))
            self._sources[place] = _Source(place, producer, start)

    def _producer(self, place: TopicPartition) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            transactional_id=f"{self._config.prefix}-rekey-{place.topic}-{place.partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            linger_ms=5,
            **aiokafka_settings(self._config),
        )

    async def release(self) -> None:
        """Give everything up."""
        sources, self._sources = self._sources, {}
        for source in sources.values():
            try:
                await asyncio.wait_for(source.producer.stop(), STOP_S)
            except Exception as error:  # a fenced or stuck producer; the process outlives it
                log.warning("the producer for %s did not close: %r", source.place, error)

    async def take(self, chunk: Chunk) -> int | None:
        """Copy a chunk; the offset to seek to where it does not join on to what was copied."""
        place = TopicPartition(chunk.topic, chunk.partition)
        source = self._sources.get(place)
        if source is None:
            return None
        seek = source.queue.offer(chunk)
        if seek is not None or source.queue.wanted(place.topic) != chunk.end:
            return seek
        records = [arrival.record for arrival in source.queue.ready()]
        async with source.producer.transaction():
            for record in records:
                copied = rekey(record, place.topic, place.partition, self._partitions)
                await source.producer.send(
                    self._copies[place.topic],
                    key=copied.key,
                    value=copied.value,
                    partition=copied.partition,
                    headers=copied.headers,
                )
            await source.producer.send_offsets_to_transaction(
                {place: chunk.end}, self._config.prefix
            )
        return None

    def wanted(self) -> dict[tuple[str, int], int]:
        """The offset that each source partition is to be fetched from."""
        return {
            (place.topic, place.partition): source.queue.wanted(place.topic)
            for place, source in self._sources.items()
        }

"""What a rebalance gives to a worker, and takes from it: shards and re-keyed sources together."""

import asyncio
from collections.abc import Collection

from aiokafka import TopicPartition

from streams.rekeyer import Rekeyer
from streams.shard_topics import ShardTopics
from streams.shards import Shards


class UnevenAssignment(Exception):
    """The inputs of a shard were given to different workers: its events would never meet."""


class Assignment:
    """The consumer's view of the worker: where to start, where to pause, what is durable."""

    def __init__(self, topics: ShardTopics, shards: Shards, rekeyer: Rekeyer) -> None:
        self._topics = topics
        self._shards = shards
        self._rekeyer = rekeyer

    async def open(self, places: Collection[tuple[str, int]]) -> None:
        """Take over what was assigned. Raises UnevenAssignment."""
        by_topic = {
            name: {p for topic, p in places if topic == name} for name in self._topics.merged
        }
        partitions = by_topic[self._topics.merged[0]]
        if any(of_topic != partitions for of_topic in by_topic.values()):
            self._shards.fail(UnevenAssignment(f"{by_topic}"))
            return
        sources = set(self._topics.rekeyed.values())
        await asyncio.gather(
            self._shards.open(partitions),
            self._rekeyer.open(TopicPartition(*place) for place in places if place[0] in sources),
        )

    async def release(self) -> None:
        """Give everything up, after a last checkpoint."""
        await asyncio.gather(self._shards.release(), self._rekeyer.release())

    def full(self) -> set[tuple[str, int]]:
        """Where fetching should pause."""
        return self._shards.full()

    def wanted(self) -> dict[tuple[str, int], int]:
        """Where each place is to be fetched from."""
        return self._shards.wanted() | self._rekeyer.wanted()

    def committable(self) -> dict[tuple[str, int], int]:
        """What checkpoints made durable; the re-keyer commits for itself."""
        return self._shards.committable()

"""What a rebalance gives to a worker, and takes from it: shards, and the re-keyers with them."""

import asyncio
from collections.abc import Callable, Collection, Iterable

from streams.kafka.rekeyer import Rekeyer, run_all
from streams.kafka.shards import Shards
from streams.shard_topics import ShardTopics

STOP_S = 5.0


class UnevenAssignment(Exception):
    """The inputs of a shard were given to different workers: its events would never meet."""


class Assignment:
    """The consumer's view of the worker: where to start, where to pause, what is durable.

    `rekeyers` makes the re-keyers; they run where partition 0 is.
    """

    def __init__(
        self, topics: ShardTopics, shards: Shards, rekeyers: Callable[[], Iterable[Rekeyer]]
    ) -> None:
        self._topics = topics
        self._shards = shards
        self._rekeyers = rekeyers
        self._rekeying: asyncio.Task[None] | None = None

    async def open(self, places: Collection[tuple[str, int]]) -> None:
        """Take over what was assigned. An uneven assignment ends the worker."""
        by_topic = {name: {p for of, p in places if of == name} for name in self._topics.merged}
        partitions = by_topic[self._topics.merged[0]]
        if any(of_topic != partitions for of_topic in by_topic.values()):
            self._shards.fail(UnevenAssignment(f"{by_topic}"))
            return
        await self._stop_rekeying()
        await self._shards.open(partitions)
        if 0 in partitions and self._topics.rekeyed:
            self._rekeying = asyncio.create_task(self._rekey())

    async def _rekey(self) -> None:
        try:
            await run_all(self._rekeyers())
        except Exception as error:
            self._shards.fail(error)

    async def release(self) -> None:
        """Give everything up, after a last checkpoint."""
        await self._stop_rekeying()
        await self._shards.release()

    async def _stop_rekeying(self) -> None:
        rekeying, self._rekeying = self._rekeying, None
        if rekeying is not None:
            rekeying.cancel()
            await asyncio.wait([rekeying], timeout=STOP_S)

    def full(self) -> set[tuple[str, int]]:
        """Where fetching should pause."""
        return self._shards.full()

    def wanted(self) -> dict[tuple[str, int], int]:
        """Where each place is to be fetched from."""
        return self._shards.wanted()

    def committable(self) -> dict[tuple[str, int], int]:
        """What checkpoints made durable."""
        return self._shards.committable()

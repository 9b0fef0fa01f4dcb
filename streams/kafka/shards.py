"""The partitions that a worker owns, from fence to last checkpoint; knows Kafka, not Faust.

Opening a partition is always the same: fence the former owner, read the changelog, check it
against the inputs, start at the shard's own next offsets. So a rebalance, a crash and a worker that
starts anew are one path. The first failure ends the worker (`failed`): nothing is retried.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Set

from aiokafka import TopicPartition

from schemas.config import Config
from streams.clock import seconds_to_us
from streams.engine import Engine
from streams.kafka.broker_clock import BrokerClock
from streams.kafka.changelog import last_values
from streams.kafka.checkpoint import PartitionWriter
from streams.kafka.proof import Prover, RekeyedProof
from streams.kafka.recreated import Offsets, Recreated
from streams.kafka.retention import Retention
from streams.merge import Chunk
from streams.rekey import rekeyer_group, restored
from streams.shard import Shard, UnfitState
from streams.shard_topics import ShardTopics
from streams.telemetry import Telemetry

log = logging.getLogger("radvigil.shards")

RELEASE_S = 10.0
EARLY_CHECKPOINT = 20_000  # effects of one shard


class _Owned:
    """A live shard, its writer, and what is committed."""

    def __init__(self, shard: Shard, writer: PartitionWriter) -> None:
        self.shard = shard
        self.writer = writer
        self.lock = asyncio.Lock()
        self.written_s = 0.0
        self.next_offsets: dict[str, int] = {}
        self.noticed: dict[str, int] = {}
        self.warned = False


class Shards:
    """All live shards of this worker."""

    def __init__(
        self,
        config: Config,
        topics: ShardTopics,
        prover: Prover,
        telemetry: Telemetry,
        *,
        engine: Engine,
        clock: BrokerClock,
        partitions: int,
    ) -> None:
        self._config = config
        self._topics = topics
        self._prover = prover
        self._telemetry = telemetry
        self._engine = engine
        self.clock = clock
        self._partitions = partitions
        self._owned: dict[int, _Owned] = {}
        self._rekeyed = {
            copy: RekeyedProof(prover, source, partitions, group=rekeyer_group(config.prefix))
            for copy, source in topics.rekeyed.items()
        }
        self._opening: asyncio.Future[list[None]] | None = None
        self._retention = Retention(prover, telemetry, clock)
        self._recreated = Recreated(f"Delete {topics.state} as well")
        self.due = asyncio.Event()  # a checkpoint should not wait for its timer
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, error: BaseException) -> None:
        """End the worker: what is in memory is not to be trusted any more."""
        if not self.failed.done():
            self.failed.set_exception(error)

    async def open(self, partitions: Iterable[int]) -> None:
        """Take over partitions; returns when their shards are ready, or were lost again."""
        await self.release()
        self._opening = asyncio.gather(*(self._open(one) for one in sorted(partitions)))
        try:
            await self._opening
        except asyncio.CancelledError:
            log.info("a rebalance interrupted the restore")
        except Exception as error:
            self.fail(error)
            raise
        finally:
            self._opening = None

    async def _open(self, partition: int) -> None:
        began_s = time.monotonic()
        writer = PartitionWriter(self._config, partition, self._topics, self.clock)
        try:
            await writer.start()
            state = await last_values(self._config, self._topics.state, partition)
            shard = Shard(self._config, partition, self._topics, partitions=self._partitions)
            records = shard.restore(state.items())
            await self._check(shard)
        except BaseException:
            await writer.stop()
            raise
        self._owned[partition] = _Owned(shard, writer)
        took_s = time.monotonic() - began_s
        log.info("partition %d: restored %d records in %.2f s", partition, records, took_s)
        self._telemetry.restored(partition, took_s, records)

    async def _check(self, shard: Shard) -> None:
        """State and inputs must fit: a recreated topic would be skipped as a repeat for good."""
        places = [TopicPartition(name, shard.partition) for name in self._topics.merged]
        wanted = {place: shard.merge.wanted(place.topic) for place in places}
        self._recreated.check(wanted, await self._prover.ends(places))

    async def release(self) -> None:
        """Give everything up: a last checkpoint where the broker still takes it, then nothing."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        owned, self._owned = self._owned, {}
        await asyncio.gather(*(self._release(partition, one) for partition, one in owned.items()))

    async def _release(self, partition: int, one: _Owned) -> None:
        try:
            await asyncio.wait_for(self._write(partition, one), RELEASE_S)
        except Exception as error:  # the next owner starts from the checkpoint before
            log.warning("no last checkpoint of partition %d: %r", partition, error)
        try:
            await asyncio.wait_for(one.writer.stop(), RELEASE_S)
        except Exception as error:  # a fenced or stuck producer; the process outlives it
            log.warning("the producer of partition %d did not close: %r", partition, error)
        self._telemetry.released(partition)

    async def take(self, chunk: Chunk) -> int | None:
        """Handle a fetched chunk; the offset to seek to where it does not join on."""
        one = self._owned.get(chunk.partition)
        if one is None:
            return None
        if chunk.topic in self._topics.rekeyed:
            chunk = restored(chunk)
        now_us = self.clock.latest_us()
        if (first := await self._retention.tell(one.shard, chunk, now_us)) is not None:
            return first
        if self._owned.get(chunk.partition) is not one:
            return None
        seek = one.shard.offer(chunk, now_us)
        await self._advance(chunk.partition, one)
        return seek

    async def _advance(self, partition: int, one: _Owned) -> None:
        while self._owned.get(partition) is one and one.shard.advance():
            if one.shard.undecided > EARLY_CHECKPOINT:
                self.due.set()
            await asyncio.sleep(0)

    async def checkpoint(self) -> None:
        """One transaction for each partition that has something to say; a failure is final."""
        self.due.clear()
        try:
            await asyncio.gather(*(self._write(p, one) for p, one in self._owned.items()))
        except Exception as error:
            self.fail(error)

    async def _write(self, partition: int, one: _Owned) -> None:
        async with one.lock:
            began_s = time.monotonic()
            stale = self.clock.awaited or began_s - one.written_s > self._engine.refresh_s
            checkpoint = one.shard.checkpoint(refresh=stale)
            if checkpoint is None:
                return
            await one.writer.write(checkpoint)
            one.written_s = began_s
            one.next_offsets = checkpoint.next_offsets
        self._tell(partition, one, checkpoint.records, time.monotonic() - began_s)
        self._telemetry.published(checkpoint.effects)

    def _tell(self, partition: int, one: _Owned, records: int, seconds: float) -> None:
        self._telemetry.checkpointed(partition, seconds, records)
        self._telemetry.handled(one.shard.take_counts())
        self._telemetry.sizes(partition, one.shard.pipeline.sizes(), one.shard.state_bytes)
        self._telemetry.live(partition, one.shard.pipeline.live())
        for what, n in one.shard.noticed().items():
            if n > one.noticed.get(what, 0):
                self._telemetry.noticed(what, n - one.noticed.get(what, 0))
                one.noticed[what] = n
        self._warn_of_misplaced(partition, one)

    def _warn_of_misplaced(self, partition: int, one: _Owned) -> None:
        """Once per partition: the metric counts on, and a line for each would drown the log."""
        if one.shard.misplaced and not one.warned:
            one.warned = True
            log.warning(
                "partition %d holds events of sites that belong to other partitions: what is of "
                "one site does not meet. Key by site with the murmur2 partitioner, or set rekey",
                partition,
            )

    async def prove(self) -> None:
        """Raise the watermark as far as the broker's word allows; raises when it gives none."""
        t0_us = self._now_us()
        if t0_us is None or not self._owned:
            return
        proved_us: dict[str, int | None] = dict.fromkeys(self._topics.merged, t0_us)
        for copy, proof in self._rekeyed.items():
            proved_us[copy] = await proof.proved_us(t0_us)
        owned = dict(self._owned)
        wanted = {TopicPartition(*place): offset for place, offset in self.wanted().items()}
        ends = await self._prover.ends([place for place in wanted if proved_us[place.topic]])
        for place in ends.keys() - self._suspects(wanted, ends):
            at_us = proved_us[place.topic]
            assert at_us is not None, "only the ends of proved inputs were asked for"
            owned[place.partition].shard.merge.prove(place.topic, ends[place], at_us)
        for partition, one in owned.items():
            await self._advance(partition, one)
            one.shard.observe_lag(t0_us)
            self._tell_lag(partition, one, ends, t0_us)

    def _suspects(self, wanted: Offsets, ends: Offsets) -> Set[TopicPartition]:
        try:
            return self._recreated.suspects(wanted, ends)
        except UnfitState as error:
            self.fail(error)
            return ends.keys()

    def _tell_lag(
        self, partition: int, one: _Owned, ends: Mapping[TopicPartition, int], t0_us: int
    ) -> None:
        merge, watermark_us = one.shard.merge, one.shard.pipeline.watermark_us
        unread = (
            max(0, end - merge.wanted(place.topic))
            for place, end in ends.items()
            if place.partition == partition
        )
        lag_us = t0_us - seconds_to_us(self._config.clock.lateness_s) - watermark_us
        if watermark_us > 0:
            waiting = merge.queued() + sum(unread)
            self._telemetry.behind(partition, waiting, max(0, lag_us) / 1e6, watermark_us)

    def _now_us(self) -> int | None:
        return self.clock.earliest_us(time.monotonic())

    def full(self) -> set[tuple[str, int]]:
        """Where fetching should pause."""
        return {(name, p) for p, one in self._owned.items() for name in one.shard.merge.full()}

    def wanted(self) -> dict[tuple[str, int], int]:
        """The offset that each input of each live shard is to be fetched from."""
        return {
            (name, partition): one.shard.merge.wanted(name)
            for partition, one in self._owned.items()
            for name in self._topics.merged
        }

    def committable(self) -> dict[tuple[str, int], int]:
        """What checkpoints have made durable: a hint for the group, and for lag displays."""
        return {
            (name, partition): offset
            for partition, one in self._owned.items()
            for name, offset in one.next_offsets.items()
        }

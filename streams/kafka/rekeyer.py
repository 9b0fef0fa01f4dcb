"""The re-keyer: copies a source topic in the order of its append times, each event once.

One re-keyer for each source, at the worker that owns partition 0. One, because the order counts:
copied by several workers, an older study would arrive behind a newer one, and its result would be
called missing. It merges the source's partitions strictly (streams/merge.py), so a copy is as much
in the order of time as a topic that was keyed by site to begin with.

Records and the offsets that they stand for are one transaction. Starting the producer fences the
former owner; only then is the committed offset read. Where retention was faster, a loss marker
takes the place of the records (streams/loss_marker.py): merged and committed like them, told once.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.config import Config
from streams.clock import from_us
from streams.kafka.broker_clock import BrokerClock
from streams.kafka.connection import aiokafka_settings
from streams.kafka.proof import Prover
from streams.kafka.recreated import Recreated
from streams.kafka.retention import Deleted, Retention
from streams.kafka.transaction import send_rows
from streams.loss_marker import Marker, SourceLoss, marker
from streams.merge import Arrival, Chunk, Merge, Place
from streams.rekey import mark, rekey, rekeyer_group
from streams.row import Row
from streams.telemetry import Telemetry

POLL_MS = 100
FETCHED_MAX = 5000
HANDED_MAX = 5000
TRANSACTION_TIMEOUT_MS = 10_000
BATCH_BYTES = 512 * 1024


class Rekeyer:
    """Copies `source` to `copy` until cancelled; both have `partitions`."""

    def __init__(
        self,
        config: Config,
        source: str,
        copy: str,
        *,
        prover: Prover,
        clock: BrokerClock,
        telemetry: Telemetry,
    ) -> None:
        settings = aiokafka_settings(config)
        self._source = source
        self._copy = copy
        self._group = rekeyer_group(config.prefix)
        self._partitions = config.kafka.partitions
        self._places = [TopicPartition(source, number) for number in range(self._partitions)]
        self._prover = prover
        self._recreated = Recreated(f"Delete the consumer group {self._group}")
        self._clock = clock
        self._retention = Retention(prover, telemetry, clock)
        self._producer = AIOKafkaProducer(
            transactional_id=f"{self._group}-{source}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_batch_size=BATCH_BYTES,
            **settings,
        )
        self._consumer = AIOKafkaConsumer(
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=POLL_MS,
            **settings,
        )

    async def run(self) -> None:
        """Fence, go on where the former owner committed, and copy."""
        try:
            await self._producer.start()
            await self._consumer.start()
            merge = await self._begin()
            committed: tuple[Place, ...] = ()
            while True:
                await self._fetch(merge)
                await self._prove(merge)
                committed = await self._copy_ready(merge, committed)
        finally:
            await self._consumer.stop()
            await self._producer.stop()

    async def _begin(self) -> Merge:
        offsets = await self._prover.committed(self._group)
        beginnings = await self._prover.beginnings(self._places)
        starts = [
            committed if (committed := offsets.get(place, -1)) >= 0 else beginnings[place]
            for place in self._places
        ]
        self._consumer.assign(self._places)
        for place, start in zip(self._places, starts, strict=True):
            self._consumer.seek(place, start)
        names = [str(place.partition) for place in self._places]
        return Merge(names, [Place(start) for start in starts])

    async def _fetch(self, merge: Merge) -> None:
        full = merge.full()
        open_places = [place for place in self._places if str(place.partition) not in full]
        fetched = await self._consumer.getmany(
            *open_places, timeout_ms=POLL_MS, max_records=FETCHED_MAX
        )
        for place in open_places:
            name = str(place.partition)
            start, end = merge.wanted(name), await self._consumer.position(place)
            if end > start:
                chunk = Chunk(name, place.partition, start, end, fetched.get(place, []))
                if (marked := await self._marked(chunk, place)) is not None:
                    merge.offer(marked, self._clock.latest_us())

    async def _marked(self, chunk: Chunk, place: TopicPartition) -> Chunk | None:
        """The chunk, behind a marker where records were deleted before it.

        None while nobody can say how many, or by when they had been appended.
        """
        deleted = await self._retention.before(chunk, place, chunk.start)
        if deleted is None:
            return chunk
        if not isinstance(deleted, Deleted):
            self._consumer.seek(place, deleted)
            return None
        self._retention.say(place, deleted.n)
        loss = SourceLoss(
            topic=place.topic,
            partition=place.partition,
            offset=chunk.start,
            lost_n=deleted.n,
            until=from_us(deleted.until_us),
        )
        return chunk._replace(records=[marker(loss), *chunk.records])

    async def _prove(self, merge: Merge) -> None:
        t0_us = self._now_us()
        if t0_us is not None:
            wanted = {place: merge.wanted(str(place.partition)) for place in self._places}
            ends = await self._prover.ends(self._places)
            for place in ends.keys() - self._recreated.suspects(wanted, ends):
                merge.prove(str(place.partition), ends[place], t0_us)

    def _now_us(self) -> int | None:
        return self._clock.earliest_us(time.monotonic())

    async def _copy_ready(self, merge: Merge, committed: tuple[Place, ...]) -> tuple[Place, ...]:
        """One transaction, unless nothing has moved; where the source stands after it."""
        ready = merge.take(HANDED_MAX)
        places = merge.places()
        if places == committed:
            return committed
        async with self._producer.transaction():
            for partition, rows in self._rows(ready).items():
                await send_rows(self._producer, self._copy, partition, rows, self._clock)
            offsets = dict(zip(self._places, (one.next_offset for one in places), strict=True))
            await self._producer.send_offsets_to_transaction(offsets, self._group)
        return places

    def _rows(self, ready: Iterable[Arrival]) -> dict[int, list[Row]]:
        rows: dict[int, list[Row]] = defaultdict(list)
        for arrival in ready:
            if isinstance(arrival.record, Marker):
                for number in range(self._partitions):
                    rows[number].append(mark(arrival, self._source))
                continue
            partition, row = rekey(arrival, self._source, self._partitions)
            rows[partition].append(row)
        return rows


async def run_all(rekeyers: Iterable[Rekeyer]) -> None:
    """All of them, until cancelled or one fails."""
    async with asyncio.TaskGroup() as group:
        for rekeyer in rekeyers:
            group.create_task(rekeyer.run())

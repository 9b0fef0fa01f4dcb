"""Faust's consumer, fetching and handing out whole chunks instead of single records.

Faust 0.15.3 spends about 65 us on every record; a chunk costs that once. This overrides private
methods of exactly that version: tests/unit/test_bulk_consumer.py fails when the pin moves.
`RADVIGIL_ENGINE='{"plain_agents": true}'` switches back to Faust's own way, slower and as safe.

What makes it safe is that a chunk knows the offsets it stands for, from the consumer's position
before and after the fetch: a shard takes what joins on and has the rest sought back to. Fetched
records that a rebalance drops are past every other check.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.events import Event
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from faust.types.tuples import Message

from streams.kafka.intake import Intake
from streams.merge import Chunk

log = logging.getLogger("radvigil.consumer")

FAUST = "0.15.3"
POLL_S = 0.2
COMMIT_S = 10.0


class Delivery(Message):
    """A chunk on its way through an agent's channel; `done` when the agent has handled it."""

    __slots__ = ("chunk", "done")

    def __init__(self, chunk: Chunk, generation_id: int) -> None:
        super().__init__(
            chunk.topic,
            chunk.partition,
            chunk.start,
            0.0,
            0,
            None,
            None,
            None,
            None,
            tp=TP(chunk.topic, chunk.partition),
            generation_id=generation_id,
        )
        self.chunk = chunk
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Thread(AIOKafkaConsumerThread):
    """The thread that fetches: read committed, and a commit that cannot crash the worker.

    Faust works on two calls of this thread at a time, and one that nobody waits for any more goes
    on. `_positions_lock` keeps fetches and seeks apart: positions read before a fetch are its own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._positions_lock = asyncio.Lock()

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        return consumer

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        consumer = self._ensure_consumer()
        ours = {
            TopicPartition(*place): OffsetAndMetadata(offset, "")
            for place, offset in offsets.items()
            if place in self.assignment()
        }
        try:
            await asyncio.wait_for(consumer.commit(ours), COMMIT_S)
        except (KafkaError, TimeoutError) as error:
            log.info("offsets were not committed, a later commit will be: %r", error)
            return False
        return True

    async def seek_all(self, offsets: Mapping[TP, int]) -> None:
        await self.call_thread(self._seek_all, offsets)

    async def _seek_all(self, offsets: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        async with self._positions_lock:
            for place, offset in offsets.items():
                if place in self.assignment():
                    consumer.seek(TopicPartition(*place), offset)


Positions = tuple[Any, dict[Any, int]]
"""An assignment, and how far each of its partitions is handed out."""


class _ChunkThread(_Thread):
    """The same, returning chunks."""

    _handed: Positions = (None, {})

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109
        max_records: int | None = None,
    ) -> Any:
        fetch = super()._fetch_records
        async with self._positions_lock:
            before = _positions(consumer)
            fetched = await fetch(consumer, active_partitions, timeout, max_records)
            after = _positions(consumer)
            handed, self._handed = self._handed, after
        return _chunks(handed, before, fetched, after)


def _positions(consumer: AIOKafkaConsumer) -> Positions:
    subscription = consumer._subscription.subscription
    assignment = None if subscription is None else subscription.assignment
    if assignment is None:
        return None, {}
    states = {place: assignment.state_value(place) for place in assignment.tps}
    return assignment, {p: s._position for p, s in states.items() if s._position is not None}


def _chunks(
    handed: Positions, before: Positions, fetched: Mapping[Any, Any], after: Positions
) -> list[Chunk]:
    """What was fetched, each with the range it stands for.

    Where a rebalance came in between, a chunk stands for its records alone. One without a record
    or an offset tells of a jump since the last fetch: what aiokafka wanted is gone from the log.
    """
    known = before[1] if before[0] is after[0] else {}
    left = handed[1] if handed[0] is after[0] else {}
    chunks = []
    for place, position in after[1].items():
        records = fetched.get(place, ())
        start, end = known.get(place, position), position
        if records:
            first = records[0].offset
            start = min(known.get(place, first), first)
            end = max(position, records[-1].offset + 1)
        if end > start or left.get(place) != start:
            chunks.append(Chunk(place.topic, place.partition, start, end, records))
    return chunks


class PlainConsumer(Consumer):
    """Faust's consumer with our order of revocation, start offsets and commits."""

    transport: "ShardTransport"
    _thread: _Thread

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Last checkpoint, then the commit, then Faust's part, which forgets what to commit."""
        offsets = self._committable()
        await self.transport.intake.release()
        if offsets:
            await self._commit(offsets)
        await super().on_partitions_revoked(revoked)

    async def perform_seek(self) -> None:
        """Start where the shards' own state says; elsewhere at the committed offset."""
        await super().perform_seek()
        await self.seek_all(self.transport.intake.wanted())

    async def seek_all(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Fetch from these offsets next."""
        places = {TP(*place): offset for place, offset in offsets.items()}
        await self._thread.seek_all(places)
        self._read_offset.update({place: offset or None for place, offset in places.items()})

    def _committable(self) -> dict[TP, int]:
        return {TP(*p): offset for p, offset in self.transport.intake.committable().items()}

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit what checkpoints made durable: a hint, the changelog is what counts."""
        offsets = {
            place: offset
            for place, offset in self._committable().items()
            if self._committed_offset.get(place) != offset
        }
        if not offsets or not await self._commit(offsets):
            return False
        self._committed_offset.update(offsets)
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust looks for stuck agents by single records; the telemetry tells the lag instead."""


class BulkConsumer(PlainConsumer):
    """Chunks go into the agents' channels whole."""

    def _new_consumer_thread(self) -> _Thread:
        return _ChunkThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109
    ) -> Any:
        places = (active_partitions or set()) - {TP(*p) for p in self.transport.intake.full()}
        if not places:  # an empty set would mean all of them
            await asyncio.sleep(0.02)
            return []
        return await self._thread.getmany(places, timeout)

    async def _drain_messages(self, fetcher: Any) -> None:
        while not (self.should_stop or fetcher.should_stop):
            fetched, _ = await self._wait_next_records(POLL_S)
            chunks: Any = fetched or ()
            deliveries = (self._deliver(chunk) for chunk in chunks)
            await self._handled([one for one in deliveries if one is not None])
            await asyncio.sleep(0)

    def _deliver(self, chunk: Chunk) -> Delivery | None:
        conductor: Any = self.app.topics
        channels = conductor._tp_index.get(TP(chunk.topic, chunk.partition))
        if not channels or not self.flow_active:
            return None  # the next assignment starts where the shards' state says
        delivery = Delivery(chunk, self.app.consumer_generation_id)
        for channel in channels:
            channel.queue.put_nowait(Event(self.app, None, chunk, None, delivery))
        return delivery

    async def _handled(self, deliveries: Iterable[Delivery]) -> None:
        """Wait for the agents; a suspended flow has dropped what they did not get to."""
        suspended: asyncio.Future[Any] = asyncio.ensure_future(self.suspend_flow.wait())
        try:
            for delivery in deliveries:
                either: set[asyncio.Future[Any]] = {delivery.done, suspended}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            suspended.cancel()


class ShardTransport(Transport):
    """Faust's transport with the consumer of choice and the place where chunks go."""

    def __init__(self, url: Any, app: Any, *, intake: Intake, plain: bool) -> None:
        super().__init__(url, app)
        self.intake = intake
        self.Consumer = PlainConsumer if plain else BulkConsumer  # type: ignore[misc]

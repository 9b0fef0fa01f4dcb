"""A worker's shard with a broker of our own around it: inputs, retention, fetches, crashes."""

import time
from collections import Counter, defaultdict
from typing import Any

from aiokafka import TopicPartition

from schemas.messages import Effect
from streams.engine import Engine
from streams.kafka.broker_clock import BrokerClock
from streams.kafka.shards import Shards, _Owned
from streams.merge import Chunk
from streams.shard import Checkpoint
from streams.shard_topics import shard_topics
from tests.property.test_merge import Written
from tests.unit.rekeying import Noticed
from tests.unit.test_shard import CONFIG, NOON_MS, shard


class Broker:
    """The inputs of one partition, and its time in seconds after noon."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Written]] = defaultdict(list)
        self.beginnings: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.now_s = 0.0

    def add(self, topic: str, value: bytes) -> int:
        """Append a record; its offset."""
        stamp_ms = NOON_MS + round(self.now_s * 1000)
        self.logs[topic].append(Written(self.ends[topic], stamp_ms, value=value))
        self.ends[topic] += 1
        return self.ends[topic] - 1

    def control(self, topic: str) -> None:
        """A transaction's marker: an offset without a record."""
        self.ends[topic] += 1

    def delete(self, topic: str) -> None:
        """Retention takes all that there is now."""
        self.beginnings[topic] = self.ends[topic]

    def recreate(self, topic: str) -> None:
        """The topic begins anew."""
        self.logs[topic], self.beginnings[topic], self.ends[topic] = [], 0, 0


class Prover:
    """Says where the inputs begin and end, as often as asked."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.asked_n = 0
        self.error: Exception | None = None

    async def ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: self._broker.ends[place.topic] for place in places}

    async def beginnings(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked_n += 1
        if self.error is not None:
            raise self.error
        return {place: self._broker.beginnings[place.topic] for place in places}


class Now(BrokerClock):
    """The broker's time as the test says it."""

    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self._broker = broker

    def earliest_us(self, monotonic_s: float) -> int | None:
        return (NOON_MS + round(self._broker.now_s * 1000)) * 1000

    def shown_after_us(self, monotonic_s: float) -> int | None:
        return self.earliest_us(monotonic_s)


class Writer:
    """Its checkpoints become visible, and the broker says when it took them."""

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker

    async def write(self, checkpoint: Checkpoint) -> None:
        self._worker.keep(checkpoint)
        self._worker.acknowledge()


class Worker:
    """Reads, checkpoints and dies when it is told to. `told`: the effects that became visible."""

    def __init__(self, broker: Broker, clock: BrokerClock | None = None) -> None:
        self.broker = broker
        self.clock = clock or Now(broker)
        self.prover = Prover(broker)
        self.noticed = Noticed()
        self.told: list[Effect] = []
        self._state: dict[bytes, bytes] = {}
        self.start()

    def start(self) -> None:
        """As after a crash: from the last checkpoint."""
        prover: Any = self.prover
        self.shards = Shards(
            CONFIG,
            shard_topics(CONFIG),
            prover,
            self.noticed,
            engine=Engine(),
            clock=self.clock,
            partitions=1,
        )
        self.shard = shard()
        self.shard.restore(self._state.items())
        writer: Any = Writer(self)
        self.shards._owned[0] = _Owned(self.shard, writer)
        self._positions = {name: self.shard.merge.wanted(name) for name in self.shard.topics}

    async def fetch(self, topic: str, n: int = 100, *, between: bool = False) -> None:
        """One fetch. `between`: the consumer moved to what is left before it asked for more."""
        start = position = self._positions[topic]
        if position < self.broker.beginnings[topic]:
            position = self.broker.beginnings[topic]
            start = position if between else start
        records = [one for one in self.broker.logs[topic] if one.offset >= position]
        end = self.broker.ends[topic] if len(records) <= n else records[n].offset
        self._positions[topic] = end
        seek = await self.shards.take(Chunk(topic, 0, start, end, records[:n]))
        if seek is not None:
            self._positions[topic] = seek

    async def read(self) -> None:
        """Everything there is, then what its end proves."""
        for topic in self.shard.topics:
            for _ in range(3):  # a gap is taken when it comes again
                await self.fetch(topic)
        await self.shards.prove()

    def checkpoint(self) -> None:
        """What was decided becomes visible, with the state that belongs to it."""
        one = self.shard.checkpoint(refresh=True)
        assert one is not None
        self.keep(one)

    def acknowledge(self) -> None:
        """The broker takes a record that is sent now."""
        now_s = time.monotonic()
        self.clock.acknowledged(NOON_MS + round(self.broker.now_s * 1000), now_s, now_s)

    def keep(self, one: Checkpoint) -> None:
        """What it tells, and the state that it leaves."""
        self.told += one.effects
        for key, value in one.changes:
            if value is None:
                self._state.pop(key, None)
            else:
                self._state[key] = value

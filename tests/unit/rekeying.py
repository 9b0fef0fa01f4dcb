"""A re-keyer with a broker of our own around it: a source, retention, transactions, crashes."""

import asyncio
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas.config import Config
from schemas.kafka import Kafka
from streams.kafka import rekeyer
from streams.kafka.broker_clock import BrokerClock
from streams.kafka.rekeyer import Rekeyer
from streams.loss_marker import SourceLoss, loss_of
from streams.rekey import Source, source_of
from streams.row import Row
from streams.telemetry import Silent
from tests.property.test_merge import Written
from tests.unit.test_sites import study_of

RAW, COPY, GROUP = "radvigil.studies.v1", "radvigil.studies.v1.keyed", "radvigil-rekey"
PARTITIONS = 3


async def turn() -> None:
    """Let the other tasks go on."""
    passed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(passed.set_result, None)
    await passed


class Broker:
    """A source with records, and what a re-keyer made of it."""

    def __init__(self) -> None:
        self.source: dict[int, list[Written]] = defaultdict(list)
        self.beginnings: Counter[int] = Counter()
        self.committed: dict[TopicPartition, int] = {}
        self.copied: list[tuple[int, Row]] = []
        self.transactions = 0
        self.begun: dict[int, int] = {}  # where each partition began when copying began
        self.log: list[str] = []
        self.now_ms = 10_000
        self.error: Exception | None = None  # its answer, instead of where a topic begins

    def add(self, partition: int, at_ms: int, site: str) -> None:
        value = study_of(site, f"{site}-{at_ms}")
        self.source[partition].append(Written(self.end(partition), at_ms, value=value))

    def end(self, partition: int) -> int:
        """The offset after the last record."""
        records = self.source[partition]
        return records[-1].offset + 1 if records else 0

    def delete(self, partition: int) -> None:
        """Retention takes all that the partition holds now."""
        self.beginnings[partition] = self.end(partition)

    def sources(self) -> list[Source]:
        """Where the copies came from, in their order; markers left out."""
        rows = [row for _, row in self.copied if loss_of(as_read(row)) is None]
        return [source for row in rows if (source := source_of(as_read(row)))]

    def losses(self, partition: int) -> list[SourceLoss]:
        """What a partition of the copy was told of."""
        rows = [row for number, row in self.copied if number == partition]
        return [loss for row in rows if (loss := loss_of(as_read(row)))]


def as_read(row: Row) -> Written:
    return Written(0, 0, row.key, row.value, row.headers)


class Consumer:
    def __init__(self, broker: Broker) -> None:
        self._broker, self._next = broker, dict[TopicPartition, int]()

    async def start(self) -> None:
        self._broker.log.append("read")

    async def stop(self) -> None:
        self._broker.log.append("stopped reading")

    def assign(self, places: list[TopicPartition]) -> None:
        self._next = dict.fromkeys(places, -1)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._next[place] = offset

    async def position(self, place: TopicPartition) -> int:
        return self._next[place]

    async def getmany(self, *places: TopicPartition, **_: Any) -> dict[TopicPartition, Any]:
        await turn()
        fetched = {}
        for place in places:
            beginning = self._broker.beginnings[place.partition]
            if self._next[place] < beginning:  # it moves there, and fetches the next time
                self._next[place] = beginning
                continue
            source = self._broker.source[place.partition]
            fetched[place] = [one for one in source if one.offset >= self._next[place]]
            self._next[place] = max(self._next[place], self._broker.end(place.partition))
        return fetched


class Producer:
    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.unseen: list[tuple[int, Row]] = []

    async def start(self) -> None:
        self.broker.log.append("fence")

    async def stop(self) -> None:
        self.broker.log.append("stopped writing")

    @asynccontextmanager
    async def transaction(self) -> Any:
        self.unseen, self._offsets = [], self.broker.committed
        yield
        await turn()  # where it is cancelled, nothing of it has happened
        self.broker.copied += self.unseen
        self.broker.committed = self._offsets
        self.broker.begun = self.broker.begun or dict(self.broker.beginnings)
        self.broker.transactions += 1

    async def send_offsets_to_transaction(
        self, offsets: dict[TopicPartition, int], group: str
    ) -> None:
        assert group == GROUP
        self._offsets = offsets


class Now(BrokerClock):
    """The broker's time as the test says it: what comes later has a later stamp."""

    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self._broker = broker

    def earliest_us(self, monotonic_s: float) -> int | None:
        return self._broker.now_ms * 1000

    def shown_after_us(self, monotonic_s: float) -> int | None:
        return self.earliest_us(monotonic_s)


class Prover:
    """Says where the source ends, and what was committed; only after the fence."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: self._broker.end(place.partition) for place in places}

    async def beginnings(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        if self._broker.error is not None:
            raise self._broker.error
        return {place: self._broker.beginnings[place.partition] for place in places}

    async def committed(self, group: str) -> dict[TopicPartition, int]:
        assert (group, self._broker.log[0]) == (GROUP, "fence")
        return dict(self._broker.committed)


class Noticed(Silent):
    """Keeps what was noticed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def noticed(self, what: str, n: int) -> None:
        self.counts[what] += n


class Copying:
    """A re-keyer at work on a broker; `stop` cancels it wherever it is."""

    def __init__(self, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
        self.noticed = Noticed()
        broker.log = []
        monkeypatch.setattr(rekeyer, "AIOKafkaConsumer", lambda **_: Consumer(broker))
        monkeypatch.setattr(rekeyer, "AIOKafkaProducer", lambda **_: Producer(broker))
        monkeypatch.setattr(rekeyer, "send_rows", _sent)
        config = Config(kafka=Kafka(partitions=PARTITIONS))
        prover: Any = Prover(broker)
        copier = Rekeyer(
            config, RAW, COPY, prover=prover, clock=Now(broker), telemetry=self.noticed
        )
        self._running = asyncio.create_task(copier.run())

    async def turns(self, n: int) -> None:
        """Let it go on for a while."""
        for _ in range(n):
            await turn()
        assert not self._running.done()

    async def stop(self) -> None:
        """End it."""
        self._running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._running


async def _sent(producer: Producer, topic: str, partition: int, rows: Any, _: Any) -> None:
    assert topic == COPY
    producer.unseen += [(partition, row) for row in rows]


async def copy(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Run a re-keyer until it has copied all there is; what it noticed."""
    copying = Copying(broker, monkeypatch)
    await copying.turns(200)
    await copying.stop()
    return copying.noticed.counts

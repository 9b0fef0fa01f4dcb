"""Re-keying: each message goes to its site's partition, with the place and time it came from."""

import asyncio
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas.config import Config, Kafka
from streams import rekeyer
from streams.broker_clock import BrokerClock
from streams.merge import Arrival, Chunk
from streams.partitioner import partition_of
from streams.rekey import HEADER, Source, rekey, restored, source_of
from streams.rekeyer import Rekeyer
from streams.row import Row
from streams.telemetry import Silent
from tests.property.test_merge import Written
from tests.unit.test_shard import study
from tests.unit.test_sites import study_of

RAW, COPY, GROUP = "radvigil.studies.v1", "radvigil.studies.v1.keyed", "radvigil-rekey"
PARTITIONS = 3


def arrival(value: bytes | None, partition: int = 2, **more: Any) -> Arrival:
    return Arrival(partition, Written(41, 1_234, value=value, **more), 1_234_567)


def test_it_goes_to_the_partition_of_its_site_with_the_site_as_key() -> None:
    partition, row = rekey(arrival(study("a")), RAW, 6)

    assert partition == partition_of("north", 6)
    assert (row.key, row.value) == (b"north", study("a"))


def test_where_it_came_from_and_when_travels_with_it() -> None:
    _, row = rekey(arrival(study("a"), headers=[("ce_id", b"1")]), RAW, 6)

    copied = Written(7, 99_999, value=row.value, headers=row.headers)

    assert row.headers[0] == ("ce_id", b"1")
    assert source_of(copied) == Source(RAW, 2, 41, 1_234)


def test_a_producer_cannot_make_up_where_a_message_came_from() -> None:
    forged = Source("elsewhere", 0, 1, 5).header()

    _, row = rekey(arrival(study("a"), headers=[forged]), RAW, 6)

    assert [name for name, _ in row.headers] == [HEADER]
    assert source_of(Written(0, 0, value=b"", headers=row.headers)) == Source(RAW, 2, 41, 1_234)


@pytest.mark.parametrize("value", [None, b"", b"{", b'{"site": 7}', b"\xff"])
def test_what_names_no_site_keeps_its_place_so_that_a_shard_can_refuse_it(
    value: bytes | None,
) -> None:
    partition, row = rekey(arrival(value, partition=5), RAW, 3)

    assert partition == 5 % 3
    assert row.value == value


def test_a_copy_is_dated_by_its_source_and_keeps_its_own_offset() -> None:
    source = Source("a/b", 1, 2, 777)
    records = [Written(4, 9_000, value=b"x", headers=[source.header()]), Written(5, 8, value=b"y")]

    chunk = restored(Chunk(COPY, 0, 4, 6, records))

    assert [(one.offset, one.timestamp, one.value) for one in chunk.records] == [
        (4, 777, b"x"),
        (5, 8, b"y"),
    ]
    assert source_of(chunk.records[0]) == source


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
        self.log: list[str] = []

    def add(self, partition: int, at_ms: int, site: str) -> None:
        records = self.source[partition]
        records.append(Written(len(records), at_ms, value=study_of(site, f"{site}-{at_ms}")))


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
            fetched[place] = self._broker.source[place.partition][self._next[place] :]
            self._next[place] += len(fetched[place])
        return fetched


class Producer:
    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    async def start(self) -> None:
        self.broker.log.append("fence")

    async def stop(self) -> None:
        self.broker.log.append("stopped writing")

    @asynccontextmanager
    async def transaction(self) -> Any:
        yield
        self.broker.transactions += 1

    async def send_offsets_to_transaction(
        self, offsets: dict[TopicPartition, int], group: str
    ) -> None:
        assert group == GROUP
        self.broker.committed = offsets


class Prover:
    """Says where the source ends, and what was committed; only after the fence."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: len(self._broker.source[place.partition]) for place in places}

    async def beginnings(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: self._broker.beginnings[place.partition] for place in places}

    async def committed(self, group: str) -> dict[TopicPartition, int]:
        assert (group, self._broker.log[0]) == (GROUP, "fence")
        return dict(self._broker.committed)


async def copy(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Run a re-keyer until it has copied all there is; what it noticed."""

    async def sent(producer: Producer, topic: str, partition: int, rows: Any, _: Any) -> None:
        assert topic == COPY
        producer.broker.copied += [(partition, row) for row in rows]

    broker.log = []
    monkeypatch.setattr(rekeyer, "AIOKafkaConsumer", lambda **_: Consumer(broker))
    monkeypatch.setattr(rekeyer, "AIOKafkaProducer", lambda **_: Producer(broker))
    monkeypatch.setattr(rekeyer, "send_rows", sent)
    clock = BrokerClock()
    clock.acknowledged(10_000, 0.0)
    config = Config(kafka=Kafka(partitions=PARTITIONS))
    prover: Any = Prover(broker)
    noticed = Noticed()
    copier = Rekeyer(config, RAW, COPY, prover=prover, clock=clock, telemetry=noticed)
    running = asyncio.create_task(copier.run())
    for _ in range(200):
        await turn()
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return noticed.counts


class Noticed(Silent):
    """Keeps what was noticed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def noticed(self, what: str, n: int) -> None:
        self.counts[what] += n


async def test_it_copies_in_the_order_of_append_times_and_commits_with_the_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = Broker()
    for partition, at_ms, site in [(0, 30, "a"), (0, 60, "a"), (1, 10, "a"), (2, 45, "a")]:
        broker.add(partition, at_ms, site)

    await copy(broker, monkeypatch)

    sources = [source_of(SimpleNamespace(headers=row.headers)) for _, row in broker.copied]  # type: ignore[arg-type]
    assert [source.append_ms for source in sources if source] == [10, 30, 45, 60]
    assert {partition for partition, _ in broker.copied} == {partition_of("a", PARTITIONS)}
    assert {place.partition: n for place, n in broker.committed.items()} == {0: 2, 1: 1, 2: 1}
    assert broker.log == ["fence", "read", "stopped reading", "stopped writing"]


async def test_the_next_owner_goes_on_where_the_last_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = Broker()
    broker.add(0, 10, "a")
    await copy(broker, monkeypatch)
    broker.add(0, 20, "b")
    broker.add(1, 15, "c")

    await copy(broker, monkeypatch)

    assert [row.key for _, row in broker.copied] == [b"a", b"c", b"b"]


async def test_where_nothing_moves_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker()
    broker.add(0, 10, "a")
    await copy(broker, monkeypatch)
    before = broker.transactions

    await copy(broker, monkeypatch)

    assert len(broker.copied) == 1
    assert broker.transactions <= before + 1  # a fresh owner states where it stands, once


async def test_what_retention_took_of_the_source_is_counted_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker()
    broker.add(0, 10, "a")
    broker.beginnings[1] = 3  # before it had begun to copy: nothing that anybody waits for
    assert await copy(broker, monkeypatch) == {}
    broker.beginnings[0] = 4

    assert await copy(broker, monkeypatch) == {"lost": 3}
    assert f"3 records of {RAW}/0 are gone by retention, unread" in caplog.text

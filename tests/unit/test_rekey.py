"""Re-keying: each message goes to its site's partition, with the place and time it came from."""

from typing import Any

import pytest
from aiokafka.errors import KafkaError

from streams import loss_marker
from streams.clock import to_us
from streams.merge import Arrival, Chunk
from streams.partitioner import partition_of
from streams.rekey import HEADER, Source, rekey, restored, source_of
from tests.property.test_merge import Written
from tests.unit.rekeying import COPY, PARTITIONS, RAW, Broker, Copying, copy
from tests.unit.test_shard import study


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


def test_a_producer_cannot_make_up_where_a_message_came_from_or_a_loss() -> None:
    forged = [Source("elsewhere", 0, 1, 5).header(), (loss_marker.HEADER, loss_marker.VERSION)]

    _, row = rekey(arrival(study("a"), headers=forged), RAW, 6)

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


async def test_it_copies_in_the_order_of_append_times_and_commits_with_the_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = Broker()
    for partition, at_ms, site in [(0, 30, "a"), (0, 60, "a"), (1, 10, "a"), (2, 45, "a")]:
        broker.add(partition, at_ms, site)

    await copy(broker, monkeypatch)

    assert [source.append_ms for source in broker.sources()] == [10, 30, 45, 60]
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


async def test_what_retention_took_of_the_source_is_said_counted_and_told_to_every_partition(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker()
    for at_ms in (10, 20, 30):
        broker.add(1, at_ms, "b")
    broker.delete(1)  # before it had begun to copy: nothing that anybody waits for
    broker.add(0, 40, "a")
    assert await copy(broker, monkeypatch) == {}
    broker.add(2, 50, "c")
    for at_ms in (60, 70, 80):
        broker.add(0, at_ms, "a")
    broker.delete(0)
    broker.add(0, 90, "a")

    assert await copy(broker, monkeypatch) == {"lost": 3}

    assert f"3 records of {RAW}/0 are gone by retention, unread" in caplog.text
    assert [source.append_ms for source in broker.sources()] == [40, 50, 90]
    ((told,),) = {tuple(broker.losses(number)) for number in range(PARTITIONS)}
    assert (told.topic, told.partition, told.offset, told.lost_n) == (RAW, 0, 1, 3)
    assert to_us(told.until) == 90_000
    assert await copy(broker, monkeypatch) == {}
    assert len(broker.losses(0)) == 1


async def test_where_nothing_is_left_the_loss_ends_when_it_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = Broker()
    await copy(broker, monkeypatch)
    broker.add(2, 50, "c")
    broker.delete(2)

    assert await copy(broker, monkeypatch) == {"lost": 1}

    (told,) = broker.losses(0)
    assert to_us(told.until) == broker.now_ms * 1000


@pytest.mark.parametrize("error", [KafkaError(), TimeoutError()])
async def test_while_the_broker_does_not_say_what_is_gone_nothing_behind_it_is_copied(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker()
    await copy(broker, monkeypatch)
    broker.add(0, 50, "a")
    broker.delete(0)
    broker.add(0, 60, "b")
    copying = Copying(broker, monkeypatch)
    await copying.turns(1)
    broker.error = error
    await copying.turns(50)
    assert broker.copied == []

    broker.error = None
    await copying.turns(50)
    await copying.stop()

    assert [loss.lost_n for loss in broker.losses(0)] == [1]
    assert [source.append_ms for source in broker.sources()] == [60]


async def test_an_offset_without_a_record_is_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker()
    await copy(broker, monkeypatch)
    broker.add(0, 10, "a")
    broker.add(0, 20, "a")
    del broker.source[0][0]  # a transaction's marker, say

    assert await copy(broker, monkeypatch) == {}

    assert [source.append_ms for source in broker.sources()] == [20]

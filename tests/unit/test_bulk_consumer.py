"""The pin: what we override of Faust and aiokafka is as it was when it was read.

A failure here means that the pin has moved. Read the new version's consumer with
streams/kafka/bulk_consumer.py beside it, run the chaos suite, and only then change these numbers.
"""

import asyncio
import hashlib
import inspect
from importlib.metadata import version
from typing import Any

import pytest
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.kafka.bulk_consumer import FAUST, _chunks, _ChunkThread
from tests.property.test_merge import Written

READ = {
    Consumer._drain_messages: "44a2500309e8",
    Consumer._wait_next_records: "6218e1969a63",
    Consumer.on_partitions_revoked: "d04b7ae72c6f",
    Consumer.perform_seek: "0e8c130ff4b0",
    Consumer.force_commit: "cc094614d22c",
    AIOKafkaConsumerThread._fetch_records: "39a2c6c79fc1",
    AIOKafkaConsumerThread._create_worker_consumer: "c2701bfc3e6f",
    AIOKafkaConsumerThread._commit: "932852ce7a23",
    Recovery._resume_streams: "d986a6710c1a",
    Fetcher.fetched_records: "be4348896b9b",
    FetchResult.getall: "3e717e30de50",
}


def fingerprint(function: Any) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]


def test_faust_is_the_version_that_was_read() -> None:
    assert version("faust-streaming") == FAUST


@pytest.mark.parametrize("function", READ, ids=lambda function: function.__qualname__)
def test_what_is_overridden_or_relied_on_has_not_changed(function: Any) -> None:
    assert fingerprint(function) == READ[function]


class Place:
    """A topic and partition that can be a key."""

    topic, partition = "studies", 3


PLACE = Place()


def ranges(before: Any, fetched: Any, after: Any, handed: Any = None) -> list[tuple[int, int, int]]:
    """`handed`: how far the last fetch came, where `before` does not say it."""
    chunks = _chunks(handed or before, before, fetched, after)
    return [(c.start, c.end, len(c.records)) for c in chunks]


def test_a_chunk_stands_for_the_offsets_between_two_positions() -> None:
    one = object()
    records = [Written(5, 0), Written(6, 0)]

    assert ranges((one, {PLACE: 5}), {PLACE: records}, (one, {PLACE: 9})) == [(5, 9, 2)]


def test_control_records_alone_make_an_empty_chunk() -> None:
    one = object()

    assert ranges((one, {PLACE: 5}), {}, (one, {PLACE: 6})) == [(5, 6, 0)]


def test_nothing_fetched_is_no_chunk() -> None:
    one = object()

    assert ranges((one, {PLACE: 5}), {}, (one, {PLACE: 5})) == []


def test_across_a_rebalance_a_chunk_stands_for_its_records_alone() -> None:
    records = [Written(7, 0)]

    assert ranges((object(), {PLACE: 5}), {PLACE: records}, (object(), {PLACE: 8})) == [(7, 8, 1)]


def test_a_seek_back_during_the_fetch_is_seen() -> None:
    one = object()
    records = [Written(2, 0)]

    assert ranges((one, {PLACE: 5}), {PLACE: records}, (one, {PLACE: 3})) == [(2, 3, 1)]


@pytest.mark.parametrize("handed", [{PLACE: 5}, {}], ids=["known", "reset meanwhile"])
def test_a_jump_between_two_fetches_is_told_where_nothing_is_fetched(handed: Any) -> None:
    one = object()

    assert ranges((one, {PLACE: 90}), {}, (one, {PLACE: 90}), (one, handed)) == [(90, 90, 0)]


def test_where_an_assignment_begins_is_told() -> None:
    one = object()

    assert ranges((one, {PLACE: 5}), {}, (one, {PLACE: 5}), (object(), {PLACE: 5})) == [(5, 5, 0)]


def test_what_has_no_place_yet_is_told_when_it_has() -> None:
    one = object()

    assert ranges((one, {}), {}, (one, {}), (one, {PLACE: 5})) == []
    assert ranges((one, {}), {}, (one, {PLACE: 90}), (one, {})) == [(90, 90, 0)]


class Fetched:
    """A consumer whose fetches take the next ten records, some time after they were asked for."""

    class State:
        _position = 0

    class Assignment:
        tps = [PLACE]

        def __init__(self, state: Any) -> None:
            self._state = state

        def state_value(self, _place: Any) -> Any:
            return self._state

    def __init__(self) -> None:
        self.state = self.State()
        self._subscription: Any = self
        self.subscription: Any = self
        self.assignment = self.Assignment(self.state)

    async def fetch(self, *_: Any) -> dict[Any, list[Written]]:
        turn = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turn.set_result, None)
        await turn
        start = self.state._position
        self.state._position += 10
        return {PLACE: [Written(offset, 0) for offset in range(start, start + 10)]}


async def test_a_fetch_that_nobody_waits_for_hides_no_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes its records along; the next chunk must not claim their offsets as empty."""
    consumer: Any = Fetched()
    monkeypatch.setattr(
        AIOKafkaConsumerThread, "_fetch_records", lambda _self, *rest: consumer.fetch(*rest)
    )
    thread = _ChunkThread.__new__(_ChunkThread)
    thread._positions_lock = asyncio.Lock()

    both = await asyncio.gather(*(thread._fetch_records(consumer, set()) for _ in range(2)))

    assert [(c.start, c.end, len(c.records)) for [c] in both] == [(0, 10, 10), (10, 20, 10)]

"""Restore: the last value of every key, nothing of what is over, all of what is committed now."""

import pytest
from aiokafka import AIOKafkaProducer

from schemas.config import Config
from streams.kafka.changelog import last_values, read_changelog
from streams.kafka.embedded import EmbeddedBroker

TOPIC = "small.state.v1"
CONFIG = Config(prefix="small")


@pytest.fixture(scope="module")
def config() -> Config:
    broker = EmbeddedBroker([TOPIC])
    found = Config(prefix="small", broker=broker.address)
    KEPT.append(broker)
    return found


KEPT: list[EmbeddedBroker] = []  # it lives as long as somebody holds it


async def write(config: Config, partition: int, *records: tuple[bytes, bytes | None]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=config.broker)
    await producer.start()
    try:
        for key, value in records:
            await producer.send_and_wait(TOPIC, value, key, partition=partition)
    finally:
        await producer.stop()


async def test_the_last_value_of_every_key_and_no_tombstone(config: Config) -> None:
    await write(config, 0, (b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None), (b"c", b"3"))

    assert await last_values(config, TOPIC, 0) == {b"a": b"2", b"c": b"3"}


async def test_what_is_written_again_after_a_tombstone_is_there(config: Config) -> None:
    await write(config, 1, (b"a", b"1"), (b"a", None), (b"a", b"2"))

    assert await last_values(config, TOPIC, 1) == {b"a": b"2"}
    assert [record async for record in read_changelog(config, TOPIC, 1)] == [
        (b"a", b"1"),
        (b"a", None),
        (b"a", b"2"),
    ]


async def test_an_empty_partition_is_no_state_and_no_waiting(config: Config) -> None:
    assert await last_values(config, TOPIC, 2) == {}

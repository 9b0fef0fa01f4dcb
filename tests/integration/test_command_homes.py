"""Commands about the monitor itself: every shard gets them, and the one that knows replies last."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from schemas.command import Command
from schemas.config import Config
from schemas.decoding import encode
from schemas.kafka import Kafka
from schemas.reply import Reply
from streams.kafka.command_sender import CommandSender
from streams.kafka.embedded import PARTITIONS, EmbeddedBroker
from tests.integration.fleet import Reader

AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
COMMAND = Command(
    command_id="c", site="radvigil", action="acknowledge", actor="kim", at=AT, incident="i"
)
REPLY = Reply(
    command_id="c",
    site="radvigil",
    action="acknowledge",
    accepted=False,
    reason="unknown_incident",
    at=AT,
)


@pytest.fixture
def config() -> Iterator[Config]:
    broker = EmbeddedBroker(["radvigil.commands.v1", "radvigil.replies.v1"])
    yield Config(broker=broker.address, kafka=Kafka(partitions=PARTITIONS, replication=1))
    del broker


def replies(config: Config, told: dict[int, Reply]) -> None:
    producer = Producer({"bootstrap.servers": config.broker, "log_level": 2})
    for partition, reply in told.items():
        producer.produce("radvigil.replies.v1", encode(reply), "radvigil", partition=partition)
    assert producer.flush(20) == 0


@pytest.mark.parametrize("knows", [0, 2, None])
async def test_every_shard_is_asked_and_the_one_that_knows_is_heard(
    config: Config, knows: int | None
) -> None:
    told: dict[int, Any] = dict.fromkeys(range(PARTITIONS), REPLY)
    if knows is not None:
        told[knows] = replace(REPLY, accepted=True, reason="ok")

    async with CommandSender(config, "radvigil") as sender:
        await sender.send(COMMAND)
        replies(config, told)
        reply = await sender.reply("c", 20)

    reader = Reader(config.broker)
    rows = reader.rows("radvigil.commands.v1")
    reader.close()
    assert sorted(row.partition for row in rows) == list(range(PARTITIONS))
    assert reply is not None
    assert reply.accepted == (knows is not None)


async def test_a_sites_command_goes_to_its_own_shard_only(config: Config) -> None:
    async with CommandSender(config, "north") as sender:
        await sender.send(replace(COMMAND, site="north"))

    reader = Reader(config.broker)
    rows = reader.rows("radvigil.commands.v1")
    reader.close()
    assert len(rows) == 1

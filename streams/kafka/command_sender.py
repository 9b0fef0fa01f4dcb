"""A command onto its topic, and the reply to it from the topic of replies.

What is about the monitor itself goes to every shard (command_homes.py), and all of them reply.

The end of the replies is noted before the command is sent, so its reply cannot be missed. No
consumer group is joined, and the reply is read once the worker has committed it.
"""

import asyncio
import time
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.command import Command
from schemas.config import Config
from schemas.decoding import encode
from schemas.reply import Reply
from schemas.topics import INPUTS
from streams.command_homes import homes
from streams.kafka.connection import aiokafka_settings, no_answer
from streams.shard_topics import shard_topics

ANSWER_S = 15.0
_POLL_S = 0.5
_decode = msgspec.json.Decoder(Reply).decode


class NotSent(Exception):
    """The command could not be sent; the message says why and what to do."""


class CommandSender:
    """Commands of one site. Entering and `send` raise NotSent.

    `of_delivery`: about an incident that only delivery knows, and no shard.
    """

    def __init__(self, config: Config, site: str, *, of_delivery: bool = False) -> None:
        self._broker = config.broker
        self._settings = aiokafka_settings(config)
        self._site = site
        self._of_delivery = of_delivery
        commands = next(spec for spec in INPUTS if spec.stem == "commands")
        self._topics = {
            "commands": commands.name(config.prefix),
            "replies": shard_topics(config).replies,
        }
        self._places: dict[str, list[TopicPartition]] = {}
        self._producer = AIOKafkaProducer(acks="all", **self._settings)
        self._replies = AIOKafkaConsumer(
            group_id=None,
            isolation_level="read_committed",
            auto_offset_reset="latest",
            enable_auto_commit=False,
            check_crcs=False,  # the embedded broker's transaction markers have none that is right
            **self._settings,
        )

    async def __aenter__(self) -> "CommandSender":
        try:
            await asyncio.wait_for(self._start(), ANSWER_S)
        except (KafkaError, OSError, TimeoutError) as error:
            await self.__aexit__()
            raise NotSent(no_answer(self._broker, error)) from None
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await _stop(self._producer)
        await _stop(self._replies)

    async def send(self, command: Command) -> None:
        """Returns when every copy of the topic has it."""
        key, value = command.site.encode(), encode(command)
        sending = [
            self._producer.send_and_wait(place.topic, value, key, partition=place.partition)
            for place in self._places["commands"]
        ]
        try:
            await asyncio.wait_for(asyncio.gather(*sending), ANSWER_S)
        except (KafkaError, OSError, TimeoutError) as error:
            why = type(error).__name__
            raise NotSent(f"the broker {self._broker} did not take it: {why}") from None

    async def reply(self, command_id: str, timeout_s: float) -> Reply | None:
        """The reply to a command that was sent; None if there is none in time.

        Of several the first that accepts; a rejection counts once every shard has replied.
        """
        deadline_s = time.monotonic() + timeout_s
        rejections: list[Reply] = []
        while (left_s := deadline_s - time.monotonic()) > 0:
            fetched = await self._replies.getmany(timeout_ms=round(min(left_s, _POLL_S) * 1000))
            for record in (one for records in fetched.values() for one in records):
                reply = _read(record.value)
                if reply is None or reply.command_id != command_id:
                    continue
                if self._of_delivery and reply.reason == "unknown_incident":
                    continue
                if self._of_delivery:
                    return reply
                rejections.append(reply)
                if reply.accepted or len(rejections) == len(self._places["replies"]):
                    return reply
        return rejections[-1] if rejections else None

    async def replies(self, command_ids: set[str], timeout_s: float) -> dict[str, Reply]:
        """The replies to commands that were sent, each of one shard; those that come in time."""
        deadline_s = time.monotonic() + timeout_s
        found: dict[str, Reply] = {}
        while len(found) < len(command_ids) and (left_s := deadline_s - time.monotonic()) > 0:
            fetched = await self._replies.getmany(timeout_ms=round(min(left_s, _POLL_S) * 1000))
            told = [_read(record.value) for records in fetched.values() for record in records]
            found |= {one.command_id: one for one in told if one and one.command_id in command_ids}
        return found

    async def _start(self) -> None:
        self._places = await self._find_places()
        await self._producer.start()
        await self._replies.start()
        replies = self._places["replies"]
        self._replies.assign(replies)
        for place, end in (await self._replies.end_offsets(replies)).items():
            self._replies.seek(place, end)

    async def _find_places(self) -> dict[str, list[TopicPartition]]:
        """By listing first: to ask for a topic that is not there may create it, wrongly."""
        admin = AIOKafkaAdminClient(**self._settings)
        try:
            await admin.start()
            there = await admin.list_topics()
            for topic in self._topics.values():
                if topic not in there:
                    raise NotSent(
                        f"there is no topic {topic}: `radvigil topics --create` makes it, or the "
                        "configuration's prefix is another"
                    )
            described = await admin.describe_topics(list(self._topics.values()))
        finally:
            await admin.close()
        partitions_n = {one["topic"]: len(one["partitions"]) for one in described}
        return {
            stem: [TopicPartition(topic, home) for home in homes(self._site, partitions_n[topic])]
            for stem, topic in self._topics.items()
        }


async def _stop(client: Any) -> None:
    """A client that is just looking for a lost broker ends by a cancellation of its own."""
    try:
        await client.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise


def _read(value: bytes | None) -> Reply | None:
    """A reply; None for a message of a later version, or of somebody else."""
    try:
        return None if value is None else _decode(value)
    except msgspec.DecodeError:
        return None

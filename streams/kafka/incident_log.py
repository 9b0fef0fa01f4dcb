"""The incidents topic, read like any consumer would: committed records only, and no group."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.config import Config
from schemas.incident import Incident
from streams.kafka.connection import aiokafka_settings, no_answer
from streams.shard_topics import shard_topics

ANSWER_S = 15.0
_decode = msgspec.json.Decoder(Incident).decode


class NoIncidents(Exception):
    """The topic cannot be read; the message says why and what to do."""


class IncidentLog:
    """Every transition in the topic, oldest first within a site; then what comes.

    `unreadable` counts messages of a later version of the contract, or of somebody else.
    """

    def __init__(self, config: Config) -> None:
        self.topic = shard_topics(config).incidents
        self.unreadable = 0
        self._broker = config.broker
        self._settings = aiokafka_settings(config)
        self._consumer = AIOKafkaConsumer(
            group_id=None,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            check_crcs=False,  # the embedded broker's transaction markers have none that is right
            **self._settings,
        )
        self._ends: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> "IncidentLog":
        try:
            await asyncio.wait_for(self._start(), ANSWER_S)
        except (KafkaError, OSError, TimeoutError) as error:
            await self._consumer.stop()
            raise NoIncidents(no_answer(self._broker, error)) from None
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def _start(self) -> None:
        places = await self._places()
        await self._consumer.start()
        self._consumer.assign(places)
        # An explicit seek: without it the default reset can win, and nothing is read.
        for place, offset in (await self._consumer.beginning_offsets(places)).items():
            self._consumer.seek(place, offset)
        self._ends = dict(await self._consumer.end_offsets(places))

    async def _places(self) -> list[TopicPartition]:
        """By listing first: to ask for a topic that is not there may create it, wrongly."""
        admin = AIOKafkaAdminClient(**self._settings)
        try:
            await admin.start()
            if self.topic not in await admin.list_topics():
                raise NoIncidents(
                    f"there is no topic {self.topic}: `radvigil topics --create` makes it, or the "
                    "configuration's prefix is another"
                )
            (described,) = await admin.describe_topics([self.topic])
        finally:
            await admin.close()
        return [TopicPartition(self.topic, one["partition"]) for one in described["partitions"]]

    async def __aexit__(self, *error: object) -> None:
        await self._consumer.stop()

    async def written(self) -> AsyncIterator[Incident]:
        """What was in the topic when it was opened."""
        while await self._is_behind():
            for incident in await self.next(0.2):
                yield incident

    async def next(self, timeout_s: float) -> list[Incident]:
        """What came, waiting at most so long."""
        fetched = await self._consumer.getmany(timeout_ms=round(timeout_s * 1000))
        found = (self._incident(record.value) for records in fetched.values() for record in records)
        return [incident for incident in found if incident is not None]

    async def _is_behind(self) -> bool:
        for place, end in self._ends.items():
            if await self._consumer.position(place) < end:
                return True
        return False

    def _incident(self, value: bytes | None) -> Incident | None:
        if value is None:
            return None  # a tombstone: somebody's deletion, not a transition
        try:
            return _decode(value)
        except msgspec.DecodeError:
            self.unreadable += 1
            return None

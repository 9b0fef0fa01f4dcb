"""The desk's side of Kafka: a member of the group `<prefix>.worklist.NAME`, over the outcomes.

What is read is told in a round: of each study and model the newest revision, in order. The offset
of a notice is committed when the worklist has taken it, or it was given up. Killed in between, it
is told again, and the worklist knows it.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.config import Config
from schemas.outcome import Outcome
from schemas.worklist import Worklist
from streams.connection import aiokafka_settings
from streams.shard_topics import shard_topics
from streams.worklist.desk.clerk import Clerk
from streams.worklist.desk.telemetry import Telemetry

log = logging.getLogger("radvigil.worklist")

ANSWER_S = 15.0
SESSION_MS = 10_000
PAUSE_S = 5.0
_WAIT_MS, _FETCHED_N = 500, 2_000
# Alive is told by heartbeats: a worklist that is away for a night is waited for.
_LONGEST_ROUND_MS = 2**31 - 1
_decode = msgspec.json.Decoder(Outcome).decode


class Read(NamedTuple):
    """An outcome, and where it stands."""

    outcome: Outcome
    offset: int


class Desk(ConsumerRebalanceListener):
    """Follows the outcomes topic for one worklist."""

    def __init__(
        self, config: Config, settings: Worklist, clerk: Clerk, telemetry: Telemetry
    ) -> None:
        self.group = f"{config.prefix}.worklist.{settings.name}"
        self.ready = False
        self.partitions: tuple[int, ...] = ()
        self._topic = shard_topics(config).outcomes
        self._broker = aiokafka_settings(config)
        self._name = settings.name
        slot = config.kafka.instance  # static membership: a restart moves nothing
        self._instance = None if slot is None else f"{slot}-worklist-{settings.name}"
        self._clerk = clerk
        self._telemetry = telemetry
        self._turn: asyncio.Task[None] | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set. A broker that is away or a lost partition is no end."""
        stopped = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                session = asyncio.create_task(self._session(stopping))
                await asyncio.wait({session, stopped}, return_when=asyncio.FIRST_COMPLETED)
                await _end(session)
                if not stopping.is_set():
                    await asyncio.wait({stopped}, timeout=PAUSE_S)
        finally:
            await _end(stopped)

    async def _session(self, stopping: asyncio.Event) -> None:
        try:
            if await asyncio.wait_for(self._has_topic(), ANSWER_S):
                await self._follow(stopping)
            else:
                log.warning("there is no topic %s yet: `radvigil topics --create`", self._topic)
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("%s: the outcomes cannot be read, again soon: %r", self._name, error)
        except Exception as error:
            log.error("%s: the desk failed, again soon", self._name, exc_info=error)

    async def _follow(self, stopping: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(
            group_id=self.group,
            group_instance_id=self._instance,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            check_crcs=False,  # the embedded broker's transaction markers have none that is right
            session_timeout_ms=SESSION_MS,
            max_poll_interval_ms=_LONGEST_ROUND_MS,
            **self._broker,
        )
        try:
            await asyncio.wait_for(consumer.start(), ANSWER_S)
            consumer.subscribe([self._topic], listener=self)
            while not stopping.is_set():
                self._turn = asyncio.create_task(self._round(consumer))
                await asyncio.wait({self._turn})
                if not self._turn.cancelled():
                    self._turn.result()
        finally:
            await self.on_partitions_revoked([])
            await consumer.stop()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Stop in the middle of whatever it is: it is read again from where it was committed."""
        self.ready, self.partitions = False, ()
        if self._turn is not None:
            await _end(self._turn)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """They are read from where they were committed."""
        self.ready = True
        self.partitions = tuple(sorted(place.partition for place in assigned))

    async def _round(self, consumer: AIOKafkaConsumer) -> None:
        fetched = await consumer.getmany(timeout_ms=_WAIT_MS, max_records=_FETCHED_N)
        rounds = {place: newest(records, self._clerk) for place, records in fetched.items()}
        left = sum(map(len, rounds.values()))
        self._telemetry.waiting(left)
        for place, found in rounds.items():
            for read in found:
                await self._clerk.tell(
                    read.outcome, f"{place.topic}/{place.partition}@{read.offset}"
                )
                await self._commit(consumer, place, read.offset + 1)
                left -= 1
                self._telemetry.waiting(left)
            await self._commit(consumer, place, fetched[place][-1].offset + 1)

    async def _commit(self, consumer: AIOKafkaConsumer, place: TopicPartition, offset: int) -> None:
        await asyncio.wait_for(consumer.commit({place: offset}), ANSWER_S)

    async def _has_topic(self) -> bool:
        """By listing first: to ask for a topic that is not there may create it, wrongly."""
        admin = AIOKafkaAdminClient(**self._broker)
        try:
            await admin.start()
            return self._topic in await admin.list_topics()
        finally:
            await admin.close()


def newest(records: Iterable[Any], clerk: Clerk) -> list[Read]:
    """What is to be told of a partition's records: the newest of each study and model, in order."""
    found: dict[tuple[str, str], Read] = {}
    unreadable_n = 0
    for record in records:
        told = _outcome(record.value)
        if told is None:
            unreadable_n += record.value is not None
        elif clerk.wants(told):
            found.pop((told.study, told.model), None)
            found[told.study, told.model] = Read(told, record.offset)
    if unreadable_n:
        log.warning("%d messages are no outcomes of this version", unreadable_n)
    return list(found.values())


async def _end(task: "asyncio.Task[Any]") -> None:
    """Cancel it and wait; what it had to say is said by whoever awaits it."""
    task.cancel()
    await asyncio.wait({task})


def _outcome(value: bytes | None) -> Outcome | None:
    try:
        return None if value is None else _decode(value)
    except msgspec.DecodeError:
        return None

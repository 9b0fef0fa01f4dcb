"""The desk's side of Kafka: a member of the group `<prefix>.tickets.NAME`.

What is read is told in a round: the newest state of each incident, oldest change first. The offset
is committed when the tracker has taken the whole round, the ledger of creations with it and before
each creation. A round that is left in the middle is read again, and what was done is found done.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.config import Config
from schemas.incident import Incident
from schemas.tickets import Tickets
from streams.connection import aiokafka_settings
from streams.shard_topics import shard_topics
from streams.ticket_desk.clerk import Clerk
from streams.ticket_desk.telemetry import Silent, Telemetry
from streams.tickets._ledger import Ledger

log = logging.getLogger("radvigil.tickets")

ANSWER_S = 15.0
SESSION_MS = 10_000
PAUSE_S = 5.0
ROUND_N = 10_000
"""Incidents of a round, at most."""
_FETCHED_N = 500
_FIRST_MS, _FURTHER_MS = 500, 50
# Alive is told by heartbeats: a tracker that is away for a night is waited for.
_LONGEST_ROUND_MS = 2**31 - 1
_decode = msgspec.json.Decoder(Incident).decode


class NoTopic(Exception):
    """There is nothing to read; the message says what to do."""


class Round:
    """What one partition brought: from where to where, and the newest of each incident."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.newest: dict[str, Incident] = {}
        self.unreadable = 0

    def take(self, records: Iterable[Any]) -> None:
        """Take records, in order."""
        for record in records:
            self.end = record.offset + 1
            incident = _incident(record.value)
            if incident is None:
                self.unreadable += record.value is not None
                continue
            self.newest.pop(incident.incident, None)
            self.newest[incident.incident] = incident


class Desk(ConsumerRebalanceListener):
    """Follows the incidents topic for one tracker."""

    def __init__(
        self, config: Config, settings: Tickets, clerk: Clerk, telemetry: Telemetry | None = None
    ) -> None:
        self.group = f"{config.prefix}.tickets.{settings.name}"
        self.ready = False
        self.partitions: tuple[int, ...] = ()
        self._topic = shard_topics(config).incidents
        self._broker = aiokafka_settings(config)
        self._name = settings.name
        slot = config.kafka.instance  # static membership: a restart moves nothing
        self._instance = None if slot is None else f"{slot}-tickets-{settings.name}"
        self._clerk = clerk
        self._telemetry = telemetry or Silent()
        self._ledgers: dict[TopicPartition, Ledger] = {}
        self._turn: asyncio.Task[None] | None = None
        self._consumer: AIOKafkaConsumer | None = None

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
            await self._follow(stopping)
        except NoTopic as error:
            log.warning("%s", error)
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("%s: the incidents cannot be read, again soon: %r", self._name, error)
        except Exception as error:
            log.error("%s: the desk failed, again soon", self._name, exc_info=error)

    async def _follow(self, stopping: asyncio.Event) -> None:
        await asyncio.wait_for(self._find_topic(), ANSWER_S)
        consumer = self._consumer = AIOKafkaConsumer(
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
        """Stop in the middle of whatever it is: it will be found where it was left."""
        self.ready, self.partitions = False, ()
        if self._turn is not None:
            await _end(self._turn)
        self._clerk.forget()
        self._ledgers = {}

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """They are read from where they were committed."""
        self.ready = True
        self.partitions = tuple(sorted(place.partition for place in assigned))
        self._ledgers = {}

    async def _round(self, consumer: AIOKafkaConsumer) -> None:
        rounds = await self._read(consumer)
        left = sum(len(one.newest) for one in rounds.values())
        for place, one in rounds.items():
            ledger = await self._ledger(place)
            write = partial(self._commit, consumer, place, one.start, ledger)
            for incident in one.newest.values():
                self._telemetry.waiting(self._name, left)
                await self._clerk.tell(incident, ledger, write)
                left -= 1
            await self._commit(consumer, place, one.end, ledger)
            if one.unreadable:
                log.warning("%d messages are no incidents of this version", one.unreadable)
        self._telemetry.waiting(self._name, left)

    async def _read(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, Round]:
        """What there is now, up to a bound."""
        rounds: dict[TopicPartition, Round] = {}
        wait_ms = _FIRST_MS
        while fetched := await consumer.getmany(timeout_ms=wait_ms, max_records=_FETCHED_N):
            for place, records in fetched.items():
                rounds.setdefault(place, Round(records[0].offset)).take(records)
            if sum(len(one.newest) for one in rounds.values()) >= ROUND_N:
                break
            wait_ms = _FURTHER_MS
        return rounds

    async def _ledger(self, place: TopicPartition) -> Ledger:
        if place not in self._ledgers:
            admin = AIOKafkaAdminClient(**self._broker)
            try:
                await asyncio.wait_for(admin.start(), ANSWER_S)
                committed = await admin.list_consumer_group_offsets(self.group, partitions=[place])
            finally:
                await admin.close()
            known = committed.get(place)
            self._ledgers[place] = self._clerk.ledger((known and known.metadata) or "")
        return self._ledgers[place]

    async def _commit(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, offset: int, ledger: Ledger
    ) -> None:
        written = ledger.written(self._clerk.now_us())
        await asyncio.wait_for(consumer.commit({place: (offset, written)}), ANSWER_S)

    async def _find_topic(self) -> None:
        """By listing first: to ask for a topic that is not there may create it, wrongly."""
        admin = AIOKafkaAdminClient(**self._broker)
        try:
            await admin.start()
            there = await admin.list_topics()
        finally:
            await admin.close()
        if self._topic not in there:
            raise NoTopic(f"there is no topic {self._topic} yet: `radvigil topics --create`")


async def _end(task: "asyncio.Task[Any]") -> None:
    """Cancel it and wait; what it had to say is said by whoever awaits it."""
    task.cancel()
    await asyncio.wait({task})


def _incident(value: bytes | None) -> Incident | None:
    try:
        return None if value is None else _decode(value)
    except msgspec.DecodeError:
        return None

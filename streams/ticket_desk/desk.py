"""The desk's side of Kafka: a member of the group `<prefix>.tickets.NAME`.

What is read is told in a round: the newest state of each incident, oldest change first. The offset
is committed when the tracker has taken the whole round, the ledger of creations with it and before
each creation. A round that is left in the middle is read again, and what was done is found done.
"""

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.config import Config
from schemas.incident import Incident
from schemas.tickets import Tickets
from streams.kafka.follower import Follower, commit
from streams.shard_topics import shard_topics
from streams.ticket_desk.clerk import Clerk
from streams.ticket_desk.telemetry import Silent, Telemetry
from streams.tickets._ledger import Ledger

log = logging.getLogger("radvigil.tickets")

ROUND_N = 10_000
"""Incidents of a round, at most."""
_FETCHED_N = 500
_FIRST_MS, _FURTHER_MS = 500, 50
_decode = msgspec.json.Decoder(Incident).decode


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


class Desk:
    """Follows the incidents topic for one tracker."""

    def __init__(
        self, config: Config, settings: Tickets, clerk: Clerk, telemetry: Telemetry | None = None
    ) -> None:
        topic = shard_topics(config).incidents
        self.follower = Follower(config, topic, "tickets", settings.name, self._round, self._forget)
        self._name = settings.name
        self._clerk = clerk
        self._telemetry = telemetry or Silent()
        self._ledgers: dict[TopicPartition, Ledger] = {}

    def _forget(self) -> None:
        """What was in hand will be found where it was left."""
        self._clerk.forget()
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
            written = await self.follower.committed_note(place)
            self._ledgers[place] = self._clerk.ledger(written)
        return self._ledgers[place]

    async def _commit(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, offset: int, ledger: Ledger
    ) -> None:
        await commit(consumer, place, offset, ledger.written(self._clerk.now_us()))


def _incident(value: bytes | None) -> Incident | None:
    try:
        return None if value is None else _decode(value)
    except msgspec.DecodeError:
        return None

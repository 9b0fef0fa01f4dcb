"""The desk's side of Kafka: a member of the group `<prefix>.worklist.NAME`, over the outcomes.

What is read is told in a round: of each study and model the newest revision, in order. The offset
of a notice is committed when the worklist has taken it, or it was given up. Killed in between, it
is told again, and the worklist knows it.
"""

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer

from schemas.config import Config
from schemas.outcome import Outcome
from schemas.worklist import Worklist
from streams.kafka.follower import Follower, commit
from streams.shard_topics import shard_topics
from streams.worklist.desk.clerk import Clerk
from streams.worklist.desk.telemetry import Telemetry

log = logging.getLogger("radvigil.worklist")

_WAIT_MS, _FETCHED_N = 500, 2_000
_decode = msgspec.json.Decoder(Outcome).decode


class Read(NamedTuple):
    """An outcome, and where it stands."""

    outcome: Outcome
    offset: int


class Desk:
    """Follows the outcomes topic for one worklist."""

    def __init__(
        self, config: Config, settings: Worklist, clerk: Clerk, telemetry: Telemetry
    ) -> None:
        topic = shard_topics(config).outcomes
        self.follower = Follower(config, topic, "worklist", settings.name, self._round)
        self._clerk = clerk
        self._telemetry = telemetry

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
                await commit(consumer, place, read.offset + 1)
                left -= 1
                self._telemetry.waiting(left)
            await commit(consumer, place, fetched[place][-1].offset + 1)


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


def _outcome(value: bytes | None) -> Outcome | None:
    try:
        return None if value is None else _decode(value)
    except msgspec.DecodeError:
        return None

"""Reads the topics into a view, like any consumer: committed records only, and no group.

How live the view is follows the monitor's own law: note the time, ask the broker for the ends,
and when everything below them is read, the view is as of that time. A broker that is away is waited
for and read on from where it was; what is not there yet is looked for again.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Incident
from schemas.notification import Notification
from schemas.outcome import Outcome
from schemas.reply import Reply
from schemas.series import SeriesPoint
from schemas.web import WebSettings
from streams.clock import seconds_to_us
from streams.kafka.connection import aiokafka_settings
from streams.web.freshness import Reading
from streams.web.view import Told, View

log = logging.getLogger("radvigil.web")

_STATE = "state"
_ANSWER_S = 10.0
_POLL_MS = 250
_BATCH_N = 500  # the page may share its loop with a worker: no long turns
_ASK_S = 2.0
_LOOK_S = 15.0
_PAUSE_S = 2.0
_DAY_S = 86_400.0
_STATE_S = 7_200.0
_TYPES: dict[str, type[Told]] = {
    "incidents": Incident,
    "outcomes": Outcome,
    "series": SeriesPoint,
    "commands": Command,
    "replies": Reply,
    "notifications": Notification,
}
_DETAILS = ("outcomes", "series")


def _now_us() -> int:
    return time.time_ns() // 1000


class Reader:
    """Feeds `view` until it is cancelled; `reading` says how far it is."""

    def __init__(
        self, settings: WebSettings, view: View, clock_us: Callable[[], int] = _now_us
    ) -> None:
        self.reading = Reading()
        self._view = view
        self._clock_us = clock_us
        self._settings: dict[str, Any] = {}
        self._stems: dict[str, str] = {}
        self._decode: dict[str, msgspec.json.Decoder[Told] | None] = {}
        self._back_s = {
            stem: _DAY_S * (settings.detail_days if stem in _DETAILS else settings.days)
            for stem in _TYPES
        } | {_STATE: _STATE_S}
        self._next: dict[TopicPartition, int] = {}
        self._begun: dict[TopicPartition, int] = {}
        self._goal: tuple[int, dict[TopicPartition, int]] | None = None

    async def run(self, config: Config) -> None:
        """For ever. What fails is told and tried again: a page must not stop a worker."""
        self._settings = aiokafka_settings(config)
        self._stems = {f"{config.prefix}.{stem}.v1": stem for stem in (*_TYPES, _STATE)}
        decoders = {stem: msgspec.json.Decoder(kind) for stem, kind in _TYPES.items()}
        self._decode = {topic: decoders.get(stem) for topic, stem in self._stems.items()}
        while True:
            try:
                await self._session()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("the page cannot read: %r", error)
            except Exception as error:
                log.error("the page failed to read", exc_info=error)
            await asyncio.sleep(_PAUSE_S)

    async def _session(self) -> None:
        consumer = AIOKafkaConsumer(
            group_id=None,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            check_crcs=False,  # the embedded broker's transaction markers have none that is right
            **self._settings,
        )
        try:
            await asyncio.wait_for(consumer.start(), _ANSWER_S)
            looked_s = asked_s = -_LOOK_S
            while True:
                now_s = time.monotonic()
                if now_s - looked_s >= _LOOK_S:
                    await self._look(consumer)
                    looked_s = now_s
                if now_s - asked_s >= _ASK_S:
                    await self._ask(consumer)
                    asked_s = now_s
                await self._read(consumer)
        finally:
            await consumer.stop()

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Assign what there is now; a partition that is new is read from where it matters."""
        partitions = await asyncio.wait_for(self._partitions(), _ANSWER_S)
        places = {
            TopicPartition(topic, number) for topic, n in partitions.items() for number in range(n)
        }
        if places and places != set(consumer.assignment()):
            consumer.assign(list(places))
            starts = await self._starts(consumer, places - self._next.keys())
            self._begun |= starts
            self._next |= starts
            # An explicit seek: without it the default reset can win, and nothing is read.
            for place in places:
                consumer.seek(place, self._next[place])
        if partitions:
            self.reading = self.reading._replace(partitions=max(partitions.values()))

    async def _partitions(self) -> dict[str, int]:
        """By listing first: to ask for a topic that is not there may create it, wrongly."""
        admin = AIOKafkaAdminClient(**self._settings)
        try:
            await admin.start()
            there = sorted(self._stems.keys() & set(await admin.list_topics()))
            described = await admin.describe_topics(there) if there else []
        finally:
            await admin.close()
        return {one["topic"]: len(one["partitions"]) for one in described}

    async def _starts(
        self, consumer: AIOKafkaConsumer, places: set[TopicPartition]
    ) -> dict[TopicPartition, int]:
        if not places:
            return {}
        first = await asyncio.wait_for(consumer.beginning_offsets(list(places)), _ANSWER_S)
        now_us = self._clock_us()
        wanted = {
            place: (now_us - seconds_to_us(self._back_s[self._stems[place.topic]])) // 1000
            for place in places
        }
        # The ends first: what comes while we ask lies behind them, and is read.
        ends = await asyncio.wait_for(consumer.end_offsets(list(places)), _ANSWER_S)
        found = await _offsets(consumer, wanted)
        # None: nothing is so new. But the embedded broker, which knows no times, says so of
        # everything, and then all is read: it keeps little.
        old = [place for place, offset in found.items() if offset is None]
        timed = await _offsets(consumer, dict.fromkeys(old, 0))
        found |= {place: ends[place] for place in old if timed[place] is not None}
        return {place: max(start, found[place] or 0) for place, start in first.items()}

    async def _ask(self, consumer: AIOKafkaConsumer) -> None:
        """Set the next goal once the last one is reached: what is there now."""
        if self._goal is None and consumer.assignment():
            asked_us = self._clock_us()
            ends = await asyncio.wait_for(
                consumer.end_offsets(list(consumer.assignment())), _ANSWER_S
            )
            self._goal = asked_us, dict(ends)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        if not consumer.assignment():
            await asyncio.sleep(_POLL_MS / 1000)
            return
        fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH_N)
        for place, records in fetched.items():
            decoder = self._decode[place.topic]
            for record in records:
                if decoder is None:
                    self._take_state(place.partition, record.key, record.value)
                elif record.value is not None:
                    self._take(decoder, record.value)
        await self._advance(consumer)
        await asyncio.sleep(0)

    async def _advance(self, consumer: AIOKafkaConsumer) -> None:
        for place in consumer.assignment():
            self._next[place] = await consumer.position(place)
        if self._goal is None:
            return
        asked_us, ends = self._goal
        left = sum(max(0, end - self._next.get(place, 0)) for place, end in ends.items())
        if left == 0:
            self.reading = self.reading._replace(heard_us=asked_us, share=1.0)
            self._goal = None
        elif self.reading.share < 1:
            whole = sum(end - self._begun.get(place, 0) for place, end in ends.items())
            heard_us = self._clock_us()
            self.reading = self.reading._replace(heard_us=heard_us, share=1 - left / max(whole, 1))

    def _take(self, decoder: msgspec.json.Decoder[Told], value: bytes) -> None:
        try:
            self._view.take(decoder.decode(value))
        except msgspec.DecodeError:  # of a later version, or of somebody else
            self._view.unreadable += 1

    def _take_state(self, partition: int, key: bytes | None, value: bytes | None) -> None:
        try:
            self._view.take_state(partition, key, value)
        except msgspec.DecodeError:
            self._view.unreadable += 1


async def _offsets(
    consumer: AIOKafkaConsumer, times_ms: dict[TopicPartition, int]
) -> dict[TopicPartition, int | None]:
    """The first offsets that are so new; None where nothing is."""
    if not times_ms:
        return {}
    found = await asyncio.wait_for(consumer.offsets_for_times(times_ms), _ANSWER_S)
    return {place: None if at is None else at.offset for place, at in found.items()}

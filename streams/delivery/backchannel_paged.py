"""Which incidents stand behind PagerDuty's key: its webhooks name the key and no site.

Read from the outbox as any consumer can, all partitions, in every worker, because a webhook reaches
whichever worker the load balancer chooses.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Collection, Sequence

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from schemas.config import Config
from schemas.notification import Notification
from streams.delivery.service_edge import topics_for
from streams.kafka.connection import aiokafka_settings
from streams.notifiers.pagerduty import dedup_key

log = logging.getLogger("radvigil.delivery")

KEYS_N = 50_000
_POLL_MS = 500
_PAUSE_S = 2.0
_decode = msgspec.json.Decoder(Notification).decode


class Paged:
    """Dedup keys and their incidents, of the receivers with these names; the oldest give way."""

    def __init__(self, receivers: Collection[str]) -> None:
        self.is_complete = False
        """Whether all that was in the outbox at the start has been read."""
        self._receivers = frozenset(receivers)
        self._incidents: OrderedDict[str, tuple[tuple[str, str], ...]] = OrderedDict()

    def take(self, told: Notification) -> None:
        """A notification of the outbox."""
        if told.receiver not in self._receivers:
            return
        found = tuple((incident.incident, incident.site) for incident in told.incidents)
        key = dedup_key(told.key)
        self._incidents[key] = found
        self._incidents.move_to_end(key)
        if len(self._incidents) > KEYS_N:
            self._incidents.popitem(last=False)

    def find(self, key: str) -> Sequence[tuple[str, str]]:
        """The incidents, each with its site, that were told under a dedup key."""
        return self._incidents.get(key, ())

    async def follow(self, config: Config) -> None:
        """Read the outbox until cancelled; a broker that is away is waited for."""
        while True:
            try:
                await self._read(config)
            except (KafkaError, ConsumerStoppedError, OSError, TimeoutError) as error:
                log.info("the outbox cannot be read for PagerDuty's webhooks: %r", error)
            await asyncio.sleep(_PAUSE_S)

    async def _read(self, config: Config) -> None:
        topics = topics_for(config)
        consumer = AIOKafkaConsumer(
            group_id=None,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            check_crcs=False,  # the embedded broker's transaction markers have none that is right
            **aiokafka_settings(config),
        )
        await consumer.start()
        try:
            places = [TopicPartition(topics.outbox, one) for one in range(topics.partitions)]
            consumer.assign(places)
            for place, first in (await consumer.beginning_offsets(places)).items():
                consumer.seek(place, first)
            ends = await consumer.end_offsets(places)
            while True:
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for record in records:
                        self._take(record.value)
                if not self.is_complete:
                    at = {place: await consumer.position(place) for place in places}
                    self.is_complete = all(at[place] >= end for place, end in ends.items())
        finally:
            await consumer.stop()

    def _take(self, value: bytes | None) -> None:
        try:
            told = None if value is None else _decode(value)
        except msgspec.DecodeError:  # of a later version, or of somebody else
            return
        if told is not None:
            self.take(told)

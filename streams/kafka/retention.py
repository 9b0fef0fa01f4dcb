"""What retention deleted before it was read: found, put in its place, and said.

Offsets are missing after every transaction of a producer, and where one was aborted: only the
beginning of the log tells what was deleted. It only ever rises, so one that is asked for after a
fetch and lies at or below the place that was wanted proves that nothing was.

By when it had been appended, the first record says that is left. Where none is, the broker's clock
must have been heard after it was gone: any time from before would let a result be lost later than
that, and its study be called missing.
"""

import logging
import time
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka.broker_clock import BrokerClock
from streams.kafka.proof import Prover
from streams.merge import Chunk, first_offset
from streams.shard import Shard
from streams.telemetry import Telemetry

log = logging.getLogger("radvigil.retention")


class Deleted(NamedTuple):
    """`n` records at most, appended by `until_us`."""

    n: int
    until_us: int


class Retention:
    """Finds what is gone between what was read of a topic and what came next."""

    def __init__(self, prover: Prover, telemetry: Telemetry, clock: BrokerClock) -> None:
        self._prover = prover
        self._telemetry = telemetry
        self._clock = clock
        self._all_gone: dict[TopicPartition, tuple[int, float]] = {}  # the end, and when found

    async def tell(self, shard: Shard, chunk: Chunk, latest_us: int | None = None) -> int | None:
        """Tell a shard what was deleted before the chunk; where to fetch first if that cannot be.

        `latest_us` clamps stamps of topics that carry their producers' times.
        """
        place = TopicPartition(chunk.topic, shard.partition)
        deleted = await self.before(chunk, place, shard.merge.wanted(chunk.topic))
        if not isinstance(deleted, Deleted):
            return deleted
        until_us = deleted.until_us if latest_us is None else min(deleted.until_us, latest_us)
        if shard.lost(chunk.topic, deleted.n, until_us):
            self.say(place, deleted.n)
        return None

    async def before(
        self, chunk: Chunk, place: TopicPartition, wanted: int
    ) -> Deleted | int | None:
        """What was deleted from `wanted` on, before the chunk; None where nothing was.

        Or the offset to fetch first, where the broker does not say what is gone, or nothing yet by
        when that had been appended.
        """
        if first_offset(chunk) <= wanted:
            return None
        try:
            beginning = (await self._prover.beginnings([place]))[place]
            n = min(beginning, first_offset(chunk)) - wanted
            if n <= 0:
                return None
            if not chunk.records and chunk.end < (await self._prover.ends([place]))[place]:
                return chunk.end  # what is left there tells by when
        except (KafkaError, TimeoutError) as error:
            log.info("not known what is gone of %s/%d: %r", *place, error)
            return wanted
        if chunk.records:
            return Deleted(n, chunk.records[0].timestamp * 1000)
        until_us = self._all_gone_by_us(chunk.end, place)
        return wanted if until_us is None else Deleted(n, until_us)

    def _all_gone_by_us(self, end: int, place: TopicPartition) -> int | None:
        """By when all before the end had been appended; None while the broker has not said."""
        found_end, found_s = self._all_gone.get(place, (-1, 0.0))
        if found_end != end:
            found_s = time.monotonic()
            self._all_gone[place] = end, found_s
        until_us = self._clock.shown_after_us(found_s)
        if until_us is not None:
            del self._all_gone[place]
        return until_us

    def say(self, place: TopicPartition, n: int) -> None:
        """Records of a topic's partition were deleted before they were read."""
        log.error(
            "%d records of %s/%d are gone by retention, unread: what may have been among them is "
            "not known. Keep inputs longer than workers may be away or behind",
            n,
            place.topic,
            place.partition,
        )
        self._telemetry.noticed("lost", n)

"""What retention deleted before it was read: found, put in its place, and said.

Offsets are missing after every transaction of a producer, and where one was aborted: only the
beginning of the log tells what was deleted. It only ever rises, so one that is asked for after a
fetch and lies at or below the place that was wanted proves that nothing was.
"""

import logging
from collections.abc import Callable

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.merge import Chunk, first_offset
from streams.proof import Prover
from streams.shard import Shard
from streams.telemetry import Telemetry

log = logging.getLogger("radvigil.retention")


class Retention:
    """Tells a shard of what is gone between what it has read and what it gets next.

    `now_us` is the broker's time, None while that is not known.
    """

    def __init__(
        self, prover: Prover, telemetry: Telemetry, now_us: Callable[[], int | None]
    ) -> None:
        self._prover = prover
        self._telemetry = telemetry
        self._now_us = now_us

    async def tell(self, shard: Shard, chunk: Chunk, latest_us: int | None = None) -> int | None:
        """Tell of all that was deleted before the chunk; where to fetch first if that cannot be.

        It cannot where the broker does not say what is gone, or nothing yet by when that had been
        appended. `latest_us` clamps stamps of topics that carry their producers' times.
        """
        topic = chunk.topic
        if first_offset(chunk) <= (wanted := shard.merge.wanted(topic)):
            return None
        place = TopicPartition(topic, shard.partition)
        try:
            n = deleted_n(chunk, wanted, (await self._prover.beginnings([place]))[place])
            if n and not chunk.records and chunk.end < (await self._prover.ends([place]))[place]:
                return chunk.end  # what is left there tells by when
        except (KafkaError, TimeoutError) as error:
            log.info("not known what is gone of %s/%d: %r", *place, error)
            return wanted
        if not n:
            return None
        until_us = chunk.records[0].timestamp * 1000 if chunk.records else self._now_us()
        if until_us is None:
            return wanted
        until_us = until_us if latest_us is None else min(until_us, latest_us)
        if shard.lost(topic, n, until_us):
            tell_lost(self._telemetry, place, n)
        return None


def deleted_n(chunk: Chunk, wanted: int, beginning: int) -> int:
    """How many offsets before the chunk's first record are gone from a log that begins there."""
    return max(0, min(beginning, first_offset(chunk)) - wanted)


def tell_lost(telemetry: Telemetry, place: TopicPartition, n: int) -> None:
    """Records of a topic's partition were deleted before they were read."""
    log.error(
        "%d records of %s/%d are gone by retention, unread: what may have been among them is not "
        "known. Keep inputs longer than workers may be away or behind",
        n,
        place.topic,
        place.partition,
    )
    telemetry.noticed("lost", n)

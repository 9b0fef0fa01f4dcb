"""Saying that retention took what nobody had read: in the log, and as a count."""

import logging

from aiokafka import TopicPartition

from streams.telemetry import Telemetry

log = logging.getLogger("radvigil.retention")


def tell_lost(telemetry: Telemetry, place: TopicPartition, n: int) -> None:
    """Records of a topic's partition were deleted before they were read."""
    log.error(
        "%d records of %s/%d are gone by retention, unread: what may have been among them is not "
        "known. Keep inputs longer than workers may be away",
        n,
        place.topic,
        place.partition,
    )
    telemetry.noticed("lost", n)

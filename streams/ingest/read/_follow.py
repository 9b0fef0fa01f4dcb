"""Reads a server again and again; when it, or the sink, is away, waits and goes on where it was."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from streams.delivery.retry import wait_s
from streams.ingest.listen import Acknowledge
from streams.ingest.read._contract import Away, Reader
from streams.ingest.read._position import Place

log = logging.getLogger("radvigil.ingest")

LONGEST_WAIT_S = 60.0
Sleep = Callable[[float], Awaitable[None]]


async def once(reader: Reader, place: Place, safe: Acknowledge) -> None:
    """Everything that is new. Raises Away and what the sink raises."""
    async for batch in reader.unread(place.read()):
        await safe(batch.translated)
        place.keep(batch.position)


async def follow(
    reader: Reader,
    place: Place,
    safe: Acknowledge,
    every_s: float,
    *,
    sleep: Sleep = asyncio.sleep,
    draw: Callable[[], float] = random.random,
) -> None:
    """Until it is cancelled. Raises Refused, and nothing for what may pass."""
    failed_n = 0
    while True:
        try:
            await once(reader, place, safe)
        except (Away, KafkaError) as error:
            failed_n += 1
            if failed_n == 1:
                log.warning("not read, and tried again until it is: %s", _named(error))
            await sleep(min(LONGEST_WAIT_S, wait_s(failed_n, min(1.0, every_s), draw)))
            continue
        if failed_n:
            log.warning("read again after %d tries that failed", failed_n)
            failed_n = 0
        await sleep(every_s)


def _named(error: Exception) -> str:
    if isinstance(error, KafkaError):
        return f"the broker did not take the events ({type(error).__name__})"
    return f"the server does not answer ({error})"

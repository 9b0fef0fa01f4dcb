"""The hospital's events, sent to the broker at the moment at which each would arrive.

The simulator's times are its own, so every event is moved by the distance between its clock and
ours. Where this machine cannot keep up, the hospital's clock stops for as long: events that were
stamped in time and sent late would be outages of the demo's own making.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from schemas.config import Config
from schemas.decoding import encode
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from schemas.topics import INPUTS
from streams.clock import from_us, to_us
from streams.kafka.connection import aiokafka_settings
from streams.simulate import Arrival

BEHIND_US = 200_000
Event = Study | Prediction | Report
Send = Callable[[str, bytes, bytes], Awaitable[object]]


class Feed:
    """Plays arrivals in real time; `sent_n` counts them. `send` takes topic, key and value."""

    def __init__(
        self,
        prefix: str,
        send: Send,
        *,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._topics = {spec.message: spec.name(prefix) for spec in INPUTS}
        self._send = send
        self._clock_us = clock_us
        self._sleep = sleep
        self.sent_n = 0

    async def play(self, arrivals: Iterable[Arrival], start_us: int) -> None:
        """Send them all; what would arrive at `start_us` is sent now."""
        shift_us = self._clock_us() - start_us
        for event, arrived_us in arrivals:
            ahead_us = arrived_us + shift_us - self._clock_us()
            if ahead_us > 0:
                await self._sleep(ahead_us / 1e6)
            elif ahead_us < -BEHIND_US:
                shift_us -= ahead_us
            value = encode(moved(event, shift_us))
            await self._send(self._topics[type(event)], event.site.encode(), value)
            self.sent_n += 1


def moved(event: Event, shift_us: int) -> Event:
    """The event with all its times so much later."""
    times = ("at", "requested_at", "started_at") if isinstance(event, Prediction) else ("at",)
    stamps = {name: getattr(event, name) for name in times}
    return replace(
        event,
        **{name: from_us(to_us(at) + shift_us) for name, at in stamps.items() if at is not None},
    )


async def play(config: Config, arrivals: Iterable[Arrival], start_us: int) -> None:
    """Play to the broker of a configuration."""
    producer = AIOKafkaProducer(linger_ms=5, **aiokafka_settings(config))
    await producer.start()
    try:
        feed = Feed(config.prefix, lambda topic, key, value: producer.send(topic, value, key))
        await feed.play(arrivals, start_us)
    finally:
        await producer.stop()

"""Where translated events go: lines on stdout, or the topics of the deployment."""

import sys
from collections.abc import Iterable
from typing import Protocol, Self

from aiokafka import AIOKafkaProducer

from schemas.config import Config
from schemas.decoding import encode
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from schemas.topics import INPUTS
from streams.kafka.connection import aiokafka_settings

Event = Study | Prediction | Report


class Sink(Protocol):
    """Takes events; returns when they are as safe as it can make them."""

    async def send(self, events: Iterable[Event]) -> None:
        """Raises what the broker raises; then none of them counts as sent."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *error: object) -> None: ...


class Lines:
    """One event a line, for `radvigil replay` or another program."""

    async def send(self, events: Iterable[Event]) -> None:
        """Write them."""
        for event in events:
            sys.stdout.buffer.write(encode(event) + b"\n")
        sys.stdout.buffer.flush()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None


class Topics:
    """The input topics, keyed by site with Kafka's default partitioner, acknowledged by all."""

    def __init__(self, config: Config) -> None:
        self._names = {spec.message: spec.name(config.prefix) for spec in INPUTS}
        self._producer = AIOKafkaProducer(
            acks="all", enable_idempotence=True, linger_ms=5, **aiokafka_settings(config)
        )

    async def send(self, events: Iterable[Event]) -> None:
        """Send them and wait until the broker has them."""
        sent = [
            await self._producer.send(self._names[type(event)], encode(event), event.site.encode())
            for event in events
        ]
        for acknowledged in sent:
            await acknowledged

    async def __aenter__(self) -> Self:
        try:
            await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._producer.stop()

"""A monitor as the edge runs it: shards, checkpoints, crashes, and time that is proved in steps.

A checkpoint publishes effects and state together, as one transaction does. A crash loses all since
the last one; a new pipeline takes up the state, in any order, and reads on from there.
"""

from random import Random
from typing import NamedTuple

from msgspec import Struct

from schemas.config import Config
from schemas.decoding import Refused, decode_event
from schemas.messages import Effect
from streams.clock import seconds_to_us
from streams.pipeline import Pipeline
from tests.simulation.delivery import Delivery

_AFTERWARDS_US = 45 * 86_400_000_000  # longer than resolved incidents are kept


class Trouble(Struct, frozen=True, kw_only=True):
    """What happens to the monitor, as a share of the deliveries."""

    ticks: float = 0.0
    checkpoints: float = 0.0
    crashes: float = 0.0


class Said(NamedTuple):
    """All that a monitor published, and its state at the end."""

    effects: list[Effect]
    state: dict[bytes, bytes]


def watch(config: Config, deliveries: list[Delivery], trouble: Trouble, rng: Random) -> Said:
    """One shard from its first delivery until long after its last."""
    shard = _Shard(config, rng)
    offset = 0
    while offset < len(deliveries):
        event, arrived_us = deliveries[offset]
        if rng.random() < trouble.ticks:
            shard.tick_before(arrived_us)
        offset += 1
        if isinstance(event, bytes):
            assert isinstance(decode_event(event), Refused), f"poison was taken: {event[:80]!r}"
        else:
            shard.uncommitted += shard.pipeline.handle(event, arrived_us)
        if rng.random() < trouble.checkpoints:
            shard.checkpoint(offset)
        if rng.random() < trouble.crashes:
            offset = shard.crash()
    shard.run_on(deliveries[-1].arrived_us if deliveries else 0)
    shard.checkpoint(offset)
    return Said(shard.published, shard.changelog)


class _Shard:
    """The pipeline of one partition, and what the broker has of it."""

    def __init__(self, config: Config, rng: Random) -> None:
        self._config = config
        self._rng = rng
        self._lateness_us = seconds_to_us(config.clock.lateness_s)
        self._committed = 0
        self.pipeline = Pipeline(config)
        self.uncommitted: list[Effect] = []
        self.published: list[Effect] = []
        self.changelog: dict[bytes, bytes] = {}

    def tick_before(self, arrived_us: int) -> None:
        """Time that may be proved before the next arrival: any up to its own proof."""
        proof_us = arrived_us - self._lateness_us
        watermark_us = max(self.pipeline.watermark_us, proof_us - 3_600_000_000)
        if watermark_us < proof_us:
            self._tick(self._rng.randrange(watermark_us, proof_us + 1))

    def checkpoint(self, offset: int) -> None:
        """Publish effects and changed state together."""
        self.published += self.uncommitted
        self.uncommitted = []
        self._committed = offset
        for key, value in self.pipeline.changes():
            if value is None:
                self.changelog.pop(key, None)
            else:
                self.changelog[key] = value

    def crash(self) -> int:
        """Lose what is not committed, start again; where to read on from."""
        records = list(self.changelog.items())
        self._rng.shuffle(records)
        self.uncommitted = []
        self.pipeline = Pipeline(self._config)
        self.pipeline.restore(records)
        return self._committed

    def run_on(self, last_us: int) -> None:
        """After the last delivery from deadline to deadline, and far beyond the last."""
        end_us = last_us + _AFTERWARDS_US
        while (deadline_us := self.pipeline.deadline()) is not None and deadline_us < end_us:
            self._tick(deadline_us)
            later_us = self.pipeline.deadline()
            assert later_us is None or later_us > deadline_us, "the deadline stood still"
            if self._rng.random() < 0.1:
                break
        self._tick(end_us)

    def _tick(self, watermark_us: int) -> None:
        self.uncommitted += self.pipeline.tick(watermark_us)
        again = self.pipeline.tick(watermark_us)
        assert not again, "ticking twice said something new"

"""A monitor as the edge runs it: shards, checkpoints, crashes, and time that is proved in steps.

A checkpoint publishes effects and state together, as one transaction does. A crash loses all since
the last one; a new pipeline takes up the state, in any order, and reads on from there.
"""

from random import Random
from typing import NamedTuple

from msgspec import Struct

from schemas.config import Config
from schemas.decoding import Refused, decode_event
from schemas.messages import Effect, Event
from streams.clock import seconds_to_us
from streams.pipeline import Pipeline
from tests.simulation.delivery import Delivery, Loss
from tests.simulation.retention import Retention

_AFTERWARDS_US = 45 * 86_400_000_000  # longer than resolved incidents are kept


class Trouble(Struct, frozen=True, kw_only=True):
    """What happens to the monitor, as a share of the deliveries.

    `rows`: after so many what was read is handled, all at once, at 1 one by one.
    """

    rows: float = 1.0
    ticks: float = 0.0
    checkpoints: float = 0.0
    crashes: float = 0.0
    losses: float = 0.0


class Said(NamedTuple):
    """All that a monitor published, its state at the end, and what there was for it to read."""

    effects: list[Effect]
    state: dict[bytes, bytes]
    read: list[Delivery]


def watch(config: Config, deliveries: list[Delivery], trouble: Trouble, rng: Random) -> Said:
    """One shard from its first delivery until long after its last."""
    shard = _Shard(config, rng)
    retention = Retention(rng, rekeyed=rng.random() < 0.3)
    log, offset, furthest = list(deliveries), 0, 0
    while offset < len(log):
        if rng.random() < trouble.ticks and not isinstance(log[offset].event, Loss):
            shard.tick_before(log[offset].arrived_us)
        if rng.random() < trouble.losses and offset == furthest:
            log = retention.takes(log, offset)
        log[offset] = shard.take(log[offset])
        offset += 1
        furthest = max(furthest, offset)
        if rng.random() < trouble.rows:
            shard.handle()
        if rng.random() < trouble.checkpoints:
            shard.checkpoint(offset)
        if rng.random() < trouble.crashes:
            offset = shard.crash()
            if trouble.losses and rng.random() < 0.3 and not retention.rekeyed:
                log = retention.takes(log, offset, crashed=True)
                furthest = offset
    shard.run_on(log[-1].arrived_us if log else 0)
    shard.checkpoint(offset)
    return Said(shard.published, shard.changelog, log)


class _Shard:
    """The pipeline of one partition, and what the broker has of it."""

    def __init__(self, config: Config, rng: Random) -> None:
        self._config = config
        self._rng = rng
        self._lateness_us = seconds_to_us(config.clock.lateness_s)
        self._committed = 0
        self.pipeline = Pipeline(config)
        self._row: list[tuple[Event, int]] = []
        self.uncommitted: list[Effect] = []
        self.published: list[Effect] = []
        self.changelog: dict[bytes, bytes] = {}

    def take(self, delivery: Delivery) -> Delivery:
        """Read it; as it is to be read again, had nothing gone wrong."""
        event, arrived_us = delivery
        if isinstance(event, Loss):
            return Delivery(self._lose(event), arrived_us)
        if isinstance(event, bytes):
            assert isinstance(decode_event(event), Refused), f"poison was taken: {event[:80]!r}"
        else:
            self._row.append((event, arrived_us))
        return delivery

    def handle(self) -> None:
        """Handle what was read."""
        row, self._row = self._row, []
        self.uncommitted += self.pipeline.handle_all(row)

    def _lose(self, loss: Loss) -> Loss:
        """None is lost to a monitor that had not begun: it is only older than that."""
        self.handle()
        proved_us = max(loss.proved_us, self.pipeline.watermark_us)
        self._tick(proved_us)
        from_us = max(loss.since_us, proved_us)
        n = loss.n if proved_us > 0 else 0
        self.uncommitted += self.pipeline.lost(
            loss.feed, n, from_us, max(loss.until_us, from_us), rekeyed=loss.rekeyed
        )
        return loss._replace(proved_us=proved_us)

    def tick_before(self, arrived_us: int) -> None:
        """Time that may be proved before the next arrival: any up to its own proof."""
        self.handle()
        proof_us = arrived_us - self._lateness_us - 1
        watermark_us = max(self.pipeline.watermark_us, proof_us - 3_600_000_000)
        if watermark_us < proof_us:
            self._tick(self._rng.randrange(watermark_us, proof_us + 1))

    def checkpoint(self, offset: int) -> None:
        """Publish effects and changed state together."""
        self.handle()
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
        self._row = []
        records = list(self.changelog.items())
        self._rng.shuffle(records)
        self.uncommitted = []
        self.pipeline = Pipeline(self._config)
        self.pipeline.restore(records)
        return self._committed

    def run_on(self, last_us: int) -> None:
        """After the last delivery from deadline to deadline, and far beyond the last."""
        self.handle()
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

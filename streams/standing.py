"""Whether a worker does its work: its partitions are restored, and none is blind.

Kept apart from the metrics because it is asked by a machine that acts on the answer: a worker that
is not ready gets no traffic of an update, and nobody is woken by it.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from streams.telemetry import Silent

SILENT_S = 30.0  # the engine tells every partition's lag every second or so


class _Word(NamedTuple):
    """The last that was told of a partition."""

    lag_s: float
    told_s: float


class Standing(Silent):
    """Listens to the worker's telemetry; `clock` is monotonic, in seconds."""

    def __init__(self, stale_after_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._partitions: dict[int, _Word] = {}

    def restored(self, partition: int, seconds: float, records: int) -> None:
        """The partition is worked on from now."""
        self._partitions[partition] = _Word(0.0, self._clock())

    def released(self, partition: int) -> None:
        """The partition is another worker's."""
        self._partitions.pop(partition, None)

    def behind(self, partition: int, events: int, lag_s: float, watermark_us: int) -> None:
        """The partition's lag."""
        if partition in self._partitions:
            self._partitions[partition] = _Word(lag_s, self._clock())

    @property
    def partitions(self) -> list[int]:
        """The partitions that are worked on."""
        return sorted(self._partitions)

    def obstacles(self) -> list[str]:
        """Why the worker is not ready, a sentence each; none when it is."""
        if not self._partitions:
            return ["no partition is restored: waiting for the broker or for an assignment"]
        now_s = self._clock()
        return [
            obstacle
            for partition, word in sorted(self._partitions.items())
            if (obstacle := self._obstacle(partition, word, now_s - word.told_s)) is not None
        ]

    def _obstacle(self, partition: int, word: _Word, silent_s: float) -> str | None:
        if word.lag_s > self._stale_after_s:
            return f"partition {partition} is {word.lag_s:.0f} s behind"
        if silent_s > SILENT_S:
            return f"partition {partition} has proved nothing for {silent_s:.0f} s"
        return None

"""The broker's clock, by its own word: a worker whose clock is wrong must move nothing.

The broker stamped a record of ours (`message.timestamp.type=LogAppendTime`) and then acknowledged
it. So when the acknowledgement came, the broker's clock showed at least that stamp, and it has gone
on since: a lower bound, which is far too low where the acknowledgement waited for a worker that was
stopped. And when the record was sent, the clock showed at most that stamp: an upper bound for all
that had been appended before. The latest acknowledgement counts, not the highest: a broker's clock
may be set back.
"""

import math
from collections.abc import Callable


class BrokerClock:
    """Broker time from acknowledged append times and a monotonic clock."""

    def __init__(self) -> None:
        self._anchor: tuple[int, float] | None = None
        self._sent_s = -math.inf
        self.awaited = False  # somebody asked for more than is known: a record should be sent

    def acknowledged(self, append_ms: int, sent_s: float, monotonic_s: float) -> None:
        """A record that was sent at `sent_s` and appended at `append_ms` was acknowledged now.

        `append_ms` are milliseconds since the epoch, the others seconds of the monotonic clock.
        """
        self._anchor = (append_ms, monotonic_s)
        self._sent_s = sent_s
        self.awaited = False

    def earliest_us(self, monotonic_s: float) -> int | None:
        """The broker's clock shows at least this, whole milliseconds, in microseconds.

        None before the first acknowledgement. Whole milliseconds because append times are: a
        finer value would lie above the stamp of a record that is appended right now.
        """
        if self._anchor is None:
            return None
        append_ms, since_s = self._anchor
        return (append_ms + int(max(0.0, monotonic_s - since_s) * 1000)) * 1000

    def shown_after_us(self, monotonic_s: float) -> int | None:
        """What it showed after that: nothing that was appended before has a later stamp.

        None, and `awaited`, where no record was sent since and acknowledged.
        """
        if self._anchor is None or self._sent_s < monotonic_s:
            self.awaited = True
            return None
        return self._anchor[0] * 1000

    def latest_us(self) -> int | None:
        """Clamps the stamps of records; None: they are the broker's own, and need none."""
        return None


class OwnClock(BrokerClock):
    """Ours in its place, where the broker leaves the stamps to producers; `now_us` reads it."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        super().__init__()
        self._now_us = now_us

    def earliest_us(self, monotonic_s: float) -> int:
        """Now."""
        return self._now_us()

    def shown_after_us(self, monotonic_s: float) -> int:
        """Now."""
        return self._now_us()

    def latest_us(self) -> int:
        """Now: nothing was appended later."""
        return self._now_us()

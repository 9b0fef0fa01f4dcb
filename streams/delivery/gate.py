"""Whether a receiver may be sent something now: its breaker, its pace, its pauses.

A gate belongs to a receiver and not to a partition: the outboxes of one process share it.
"""

from streams.clock import NEVER_US, seconds_to_us
from streams.delivery.breaker import Breaker
from streams.delivery.bucket import Bucket
from streams.delivery.retry import LONGEST_S
from streams.notifiers import Pace, Result, Retry, Unknown

AT_ONCE = 4


class Gate:
    """Lets requests through to one receiver, `AT_ONCE` under way at a time."""

    def __init__(self, pace: Pace) -> None:
        self.breaker = Breaker()
        self._bucket = Bucket(pace)
        self._paused_until_us = 0
        self._under_way_n = 0

    @property
    def failing_since_us(self) -> int | None:
        """When the present run of failures began; None while it works."""
        return self.breaker.failing_since_us

    def free_at_us(self) -> int:
        """From when on the next request may go; NEVER_US until one that is under way is done."""
        if self._under_way_n >= AT_ONCE:
            return NEVER_US
        return max(self.breaker.free_at_us(), self._bucket.free_at_us(), self._paused_until_us)

    def begin(self, now_us: int) -> None:
        """A request goes."""
        self._under_way_n += 1
        self.breaker.tries()
        self._bucket.take(now_us)

    def end(self, result: Result, now_us: int) -> None:
        """It is done. A pause that the receiver asks for holds for all that is to be sent there."""
        self._under_way_n -= 1
        if isinstance(result, Retry) and result.after_s is not None:
            pause_us = seconds_to_us(min(result.after_s, LONGEST_S))
            self._paused_until_us = max(self._paused_until_us, now_us + pause_us)
        if isinstance(result, Unknown) or (isinstance(result, Retry) and not result.anew):
            self.breaker.failed(now_us)
        else:
            self.breaker.worked()

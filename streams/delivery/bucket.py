"""A token bucket, as one number: when the next token is due (GCRA, ITU-T I.371).

A few requests may go at once; after that they go at the pace.
"""

from streams.notifiers import Pace


class Bucket:
    """So many a second, so many at once."""

    def __init__(self, pace: Pace) -> None:
        self._interval_us = round(1e6 / pace.per_s)
        self._ahead_us = (pace.at_once - 1) * self._interval_us
        self._due_us = 0

    def free_at_us(self) -> int:
        """From when on there is a token."""
        return self._due_us - self._ahead_us

    def take(self, now_us: int) -> None:
        """Use one.

        >>> bucket = Bucket(Pace(per_s=1.0, at_once=2))
        >>> bucket.take(10_000_000), bucket.free_at_us() <= 10_000_000
        (None, True)
        >>> bucket.take(10_000_000), bucket.free_at_us()
        (None, 11000000)
        """
        self._due_us = max(self._due_us, now_us) + self._interval_us

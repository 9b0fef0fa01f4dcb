"""What one series has of the promise, and the pace for which its votes are armed."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from detectors import Promise
from streams.budget import AHEAD
from streams.pace import DAY_US

Grant: TypeAlias = Callable[[bool], float]
"""The days between two false alarms, for a series that can keep a promise or cannot."""


class Share(Struct, omit_defaults=True):
    """`days` between two false alarms, None before it is granted; `given` is a real share.

    streams/budget.py has the argument for `per_day`, the pace that the votes are armed for.
    """

    days: float | None = None
    per_day: float = 0.0
    given: bool = False
    since_us: int | None = None
    since_n: int = 0
    """The observations of the day that is under way."""

    def settle(self, grant: Grant, *, is_promised: bool, per_day: float) -> None:
        """A reference was learnt at this pace. A share is granted once, and stays."""
        if self.days is None or (is_promised and not self.given):
            self.days = grant(is_promised)
            self.given = is_promised
        self.per_day = AHEAD * per_day

    def falls_behind(self, n: int, newest_us: int) -> bool:
        """Whether the series has become faster than its votes are armed for; then no more.

        `n` observations more have come until `newest_us`. A pace is known after a day.
        """
        since_us = newest_us if self.since_us is None else self.since_us
        if newest_us - since_us < DAY_US:
            self.since_us, self.since_n = since_us, self.since_n + n
            return False
        per_day = (self.since_n + n) * DAY_US / (newest_us - since_us)
        self.since_us, self.since_n = newest_us, 0
        if self.days is None or per_day <= self.per_day:
            return False
        self.per_day = AHEAD * per_day
        return True

    @property
    def promise(self) -> Promise:
        """What the votes are held to together."""
        assert self.days is not None
        return Promise(self.days, self.per_day)

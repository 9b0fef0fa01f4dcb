"""What one series has of the promise, and the pace for which its votes are armed."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from detectors import Promise
from streams.budget import AHEAD

Grant: TypeAlias = Callable[[bool], float]
"""The days between two false alarms, for a series that can keep a promise or cannot."""


class Share(Struct, omit_defaults=True):
    """`days` between two false alarms, None before it is granted; `given` is a real share.

    streams/budget.py has the argument for `per_day`, the pace that the votes are armed for.
    """

    days: float | None = None
    per_day: float = 0.0
    given: bool = False

    def settle(self, grant: Grant, *, is_promised: bool, per_day: float) -> None:
        """A reference was learnt at this pace. A share is granted once, and stays."""
        if self.days is None or (is_promised and not self.given):
            self.days = grant(is_promised)
            self.given = is_promised
        self.per_day = AHEAD * per_day

    def falls_behind(self, per_day: float | None) -> bool:
        """Whether the series has become faster than its votes are armed for; then no more."""
        if per_day is None or per_day <= self.per_day:
            return False
        self.per_day = AHEAD * per_day
        return True

    @property
    def promise(self) -> Promise:
        """What the votes are held to together."""
        assert self.days is not None
        return Promise(self.days, self.per_day)

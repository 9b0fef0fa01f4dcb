"""A breaker: who fails five times in a row is left alone for half a minute, then tried once.

M. Nygard, "Release It!", 2007. Nothing is discarded while it is open; it only waits.
"""

from streams.clock import NEVER_US

FAILURES_N = 5
OPEN_US = 30_000_000


class Breaker:
    """Closed, open until a time, or half open with one probe under way."""

    def __init__(self) -> None:
        self.failing_since_us: int | None = None
        """When the present run of failures began; None while it works."""
        self._failures_n = 0
        self._opened_us: int | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether it is left alone at present, or being probed."""
        return self._opened_us is not None

    def free_at_us(self) -> int:
        """From when on it may be tried; NEVER_US while a probe is under way."""
        if self._opened_us is None:
            return 0
        return NEVER_US if self._probing else self._opened_us + OPEN_US

    def tries(self) -> None:
        """A try begins."""
        self._probing = self._opened_us is not None

    def worked(self) -> None:
        """An answer came, whatever it said."""
        self._failures_n, self._opened_us, self.failing_since_us = 0, None, None
        self._probing = False

    def failed(self, now_us: int) -> None:
        """No answer came, or one that says later."""
        self._failures_n += 1
        if self.failing_since_us is None:
            self.failing_since_us = now_us
        if self._failures_n >= FAILURES_N:
            self._opened_us = now_us
        self._probing = False

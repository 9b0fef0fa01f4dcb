"""When time alone does something to a case: the same time for the same case is kept once only."""

from heapq import heappop, heappush

from streams.clock import NEVER_US


class Timers:
    """Times, each with a fingerprint. Some may have been overtaken: the case itself knows.

    `earliest_us` is the first of them, NEVER_US if there is none; it is asked for each event.
    """

    def __init__(self) -> None:
        self.earliest_us = NEVER_US
        self._heap: list[tuple[int, str]] = []
        self._set: set[tuple[int, str]] = set()

    def __len__(self) -> int:
        return len(self._heap)

    def set(self, at_us: int, fingerprint: str) -> None:
        """Look at the case then."""
        timer = (at_us, fingerprint)
        if timer not in self._set:
            self._set.add(timer)
            heappush(self._heap, timer)
            self.earliest_us = self._heap[0][0]

    def next(self) -> tuple[int, str] | None:
        """The earliest one."""
        return self._heap[0] if self._heap else None

    def pop(self) -> tuple[int, str]:
        """The earliest one, which is forgotten."""
        timer = heappop(self._heap)
        self._set.remove(timer)
        self.earliest_us = self._heap[0][0] if self._heap else NEVER_US
        return timer


class Retention(Timers):
    """When resolved cases are to be closed: one time each, however often they were resolved."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[str, int] = {}

    def set(self, at_us: int, fingerprint: str) -> None:
        """Look at the case then, unless that is to be done before."""
        if at_us < self._waiting.get(fingerprint, NEVER_US):
            self._waiting[fingerprint] = at_us
            super().set(at_us, fingerprint)

    def pop(self) -> tuple[int, str]:
        """The earliest one, which is forgotten."""
        at_us, fingerprint = super().pop()
        if self._waiting.get(fingerprint) == at_us:
            del self._waiting[fingerprint]
        return at_us, fingerprint

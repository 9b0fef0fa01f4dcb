"""When time alone does something to a case: the same time for the same case is kept once only."""

from heapq import heappop, heappush

from streams.clock import NEVER_US


class Timers:
    """Times, each with a fingerprint. Some may have been overtaken: the case itself knows."""

    def __init__(self) -> None:
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

    def next(self) -> tuple[int, str] | None:
        """The earliest one."""
        return self._heap[0] if self._heap else None

    def earliest_us(self) -> int:
        """The time of it; NEVER_US if there is none."""
        return self._heap[0][0] if self._heap else NEVER_US

    def pop(self) -> tuple[int, str]:
        """The earliest one, which is forgotten."""
        timer = heappop(self._heap)
        self._set.remove(timer)
        return timer


class Retention:
    """When resolved cases are to be closed: one time each, however often they were resolved."""

    def __init__(self) -> None:
        self._timers = Timers()
        self._waiting: dict[str, int] = {}

    def set(self, at_us: int, fingerprint: str) -> None:
        """Look at the case then, unless that is to be done before."""
        if at_us < self._waiting.get(fingerprint, NEVER_US):
            self._waiting[fingerprint] = at_us
            self._timers.set(at_us, fingerprint)

    def earliest_us(self) -> int:
        """When to look at the next one, perhaps too early; NEVER_US if there is none."""
        return self._timers.earliest_us()

    def pop(self) -> tuple[int, str]:
        """The earliest one, which is forgotten."""
        at_us, fingerprint = self._timers.pop()
        if self._waiting.get(fingerprint) == at_us:
            del self._waiting[fingerprint]
        return at_us, fingerprint

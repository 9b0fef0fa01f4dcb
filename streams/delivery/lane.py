"""The order in which one receiver is told: what is ready by severity, then by arrival."""

from heapq import heappop, heappush

from streams.clock import NEVER_US

Id = tuple[str, str, str]


class Lane:
    """Ids that wait for a time, and ids that are ready. An id may stand here more than once."""

    def __init__(self) -> None:
        self._later: list[tuple[int, int, int, Id]] = []
        self._ready: list[tuple[int, int, Id]] = []

    def put(self, at_us: int, rank: int, order: int, id_: Id) -> None:
        """Ready from `at_us` on; the lower rank goes first, then the lower order."""
        heappush(self._later, (at_us, rank, order, id_))

    def take(self, now_us: int) -> Id | None:
        """The next that is ready."""
        while self._later and self._later[0][0] <= now_us:
            _, rank, order, id_ = heappop(self._later)
            heappush(self._ready, (rank, order, id_))
        return heappop(self._ready)[2] if self._ready else None

    def next_at_us(self) -> int:
        """From when on something is ready; 0 if something is."""
        if self._ready:
            return 0
        return self._later[0][0] if self._later else NEVER_US

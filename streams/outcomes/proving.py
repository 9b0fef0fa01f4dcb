"""Settlements on their way from what arrived to what is proved.

An outcome is told at once. What is concluded from outcomes, an outage, is concluded in the order
in which they became true: when proved time reaches them. So it does not depend on the order of
arrival, and an outage may be seen to be over at the moment when it is seen to have begun.
"""

from heapq import heappop, heappush

from streams.clock import NEVER_US
from streams.outcomes.study_record import Settlement


class Proving:
    """The settlements of one shard that proved time has not reached; the studies remember them."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, str, str, str, int, Settlement]] = []
        self._starts: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._first: set[tuple[str, str, str]] = set()  # whose first outcome waits here

    def add(self, s: Settlement) -> None:
        """Keep it until proved time reaches it."""
        heappush(self._waiting, (s.at_us, s.start_us, s.site, s.study, s.model, s.revision, s))
        if s.revision == 1:
            self._first.add((s.site, s.study, s.model))
            heappush(self._starts.setdefault((s.site, s.model), []), (s.start_us, s.study))

    def earliest_us(self) -> int:
        """When proved time reaches the next."""
        return self._waiting[0][0] if self._waiting else NEVER_US

    def reached(self, now_us: int) -> Settlement | None:
        """The first of those that are dated `now_us` or before; it waits no longer."""
        if not self._waiting or self._waiting[0][0] > now_us:
            return None
        s = heappop(self._waiting)[-1]
        if s.revision == 1:
            self._first.discard((s.site, s.study, s.model))
            self.oldest_us(s.site, s.model)
        return s

    def oldest_us(self, site: str, model: str) -> int:
        """When the oldest study started that is settled, but only after proved time."""
        starts = self._starts.get((site, model), [])
        while starts and (site, starts[0][1], model) not in self._first:
            heappop(starts)
        return starts[0][0] if starts else NEVER_US

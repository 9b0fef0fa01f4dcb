"""Settlements on their way from what arrived to what is proved.

An outcome is told at once. What is concluded from outcomes, an outage, is concluded in the order
in which they became true: when proved time reaches them. So it does not depend on the order of
arrival, and an outage may be seen to be over at the moment when it is seen to have begun.
"""

from heapq import heappop, heappush

from streams.clock import NEVER_US
from streams.study_record import Settlement


class Proving:
    """The settlements of one shard that proved time has not reached; the studies remember them."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, str, str, str, int, Settlement]] = []

    def add(self, s: Settlement) -> None:
        """Keep it until proved time reaches it."""
        heappush(self._waiting, (s.at_us, s.start_us, s.site, s.study, s.model, s.revision, s))

    def earliest_us(self) -> int:
        """When proved time reaches the next."""
        return self._waiting[0][0] if self._waiting else NEVER_US

    def reached(self, now_us: int) -> Settlement | None:
        """The first of those that are dated `now_us` or before; it waits no longer."""
        if self._waiting and self._waiting[0][0] <= now_us:
            return heappop(self._waiting)[-1]
        return None

    def oldest_us(self, site: str, model: str) -> int:
        """When the oldest study started that is settled, but only after proved time."""
        starts = (
            entry[1]
            for entry in self._waiting
            if entry[5] == 1 and entry[4] == model and entry[2] == site
        )
        return min(starts, default=NEVER_US)

"""When each feed is next to be looked at: a heap that may hold times that no longer count."""

from heapq import heappop, heappush

from streams.clock import NEVER_US
from streams.silence.feed import FeedId

_ORDER = {"studies": 0, "predictions": 1, "reports": 2}  # of what is due at one time: causes first


class Due:
    """One time a feed; a new one replaces the old, which stays in the heap until it is reached."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, FeedId]] = []
        self._times: dict[FeedId, int] = {}

    def set(self, feed: FeedId, at_us: int) -> None:
        """Look at the feed then."""
        if self._times.get(feed) != at_us:
            self._times[feed] = at_us
            heappush(self._heap, (at_us, _ORDER[feed.type], feed))

    def cancel(self, feed: FeedId) -> None:
        """Do not look at it any more."""
        self._times.pop(feed, None)

    def earliest_us(self) -> int:
        """The next time, perhaps one that no longer counts; NEVER_US if there is none."""
        return self._heap[0][0] if self._heap else NEVER_US

    def reached(self, now_us: int) -> tuple[int, FeedId] | None:
        """The next feed to be looked at by then, and when; it has to be set anew."""
        while self._heap and self._heap[0][0] <= now_us:
            at_us, _, feed = heappop(self._heap)
            if self._times.get(feed) == at_us:
                del self._times[feed]
                return at_us, feed
        return None

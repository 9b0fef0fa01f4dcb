"""Which feeds' clocks go, and when each is next to be looked at.

A clock stands while the silence that explains it is told, or while a person has excused the feed.
"""

from streams.silence import partial
from streams.silence.due import Due
from streams.silence.episode import Episodes
from streams.silence.feed import HOUR_US, Feed, FeedId, FeedKey
from streams.silence.judge import Judge
from streams.silence.register import Feeds


class Clocks:
    """Those of the feeds of one shard."""

    def __init__(self, feeds: Feeds, episodes: Episodes, judge: Judge) -> None:
        self._feeds = feeds
        self._episodes = episodes
        self._judge = judge
        self._due = Due()
        self.standing: set[FeedKey] = set()

    def arrange(self, feed: Feed) -> None:
        """Let its clock stand or go, by what is known of it now."""
        if self._is_to_stand(feed):
            self.standing.add(feed.id)
            self._due.cancel(feed.id)
        else:
            self.standing.discard(feed.id)
            due_us = self._judge.due_us(feed, self._feeds.profile(feed.id))
            self._due.set(feed.id, min(due_us, (feed.hour + 1) * HOUR_US))

    def stop(self, site: str) -> None:
        """A silence is told: what it explains stands."""
        for feed in self._feeds.of(site):
            if feed.id not in self.standing and self._is_to_stand(feed):
                self.arrange(feed)

    def resume(self, site: str, at_us: int) -> None:
        """A silence has ended: what it explained begins anew."""
        for feed in self._feeds.of(site):
            if feed.id not in self.standing:
                self.arrange(feed)  # more may be expected of it again
            elif not self._is_to_stand(feed):
                self._begin_anew(feed, at_us)

    def forget(self, feed_id: FeedId) -> None:
        """The feed is gone."""
        self.standing.discard(feed_id)
        self._due.cancel(feed_id)

    def reached(self, now_us: int) -> tuple[int, Feed] | None:
        """The next feed whose clock goes that is to be looked at by then, and when."""
        while (reached := self._due.reached(now_us)) is not None:
            at_us, feed_id = reached
            if feed_id in self._feeds.known and feed_id not in self.standing:
                return at_us, self._feeds.known[feed_id]
        return None

    def earliest_us(self) -> int:
        """When the next is to be looked at, perhaps too early."""
        return self._due.earliest_us()

    def _is_to_stand(self, feed: Feed) -> bool:
        return feed.excused or self._episodes.explaining("silence", feed.id)

    def _begin_anew(self, feed: Feed, at_us: int) -> None:
        """Its clock goes again; the hour of that is not a whole one."""
        feed.counted_us, feed.carried = at_us, 0.0
        feed.hour = feed.spoilt_hour = at_us // HOUR_US
        feed.counts.clear()
        if not self._episodes.explaining("partial_silence", feed.id):
            partial.reset(feed.excursion)  # the silence was told: it is not told again as a part
        self._feeds.dirty[feed.id] = None
        self.arrange(feed)

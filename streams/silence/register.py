"""The feeds of one shard, by site, each with its profile."""

from collections import Counter
from collections.abc import Iterator

from streams.silence.feed import Feed, FeedId, FeedKey, new_feed
from streams.silence.profile import Profile
from streams.stage import Change


class Feeds:
    """At most so many of a site; what is one too many is counted."""

    def __init__(self, per_site: int, dropped: Counter[str]) -> None:
        self._per_site = per_site
        self._dropped = dropped
        self._profiles: dict[FeedId, Profile] = {}
        self._at_site: dict[str, dict[FeedId, None]] = {}
        self._dirty_profiles: dict[FeedId, None] = {}
        self.known: dict[FeedKey, Feed] = {}
        self.dirty: dict[FeedKey, None] = {}

    def meet(self, feed_id: FeedId, arrived_us: int) -> Feed | None:
        """A feed at its first arrival; None if its site has too many."""
        if len(self._at_site.get(feed_id.site, ())) >= self._per_site:
            self._dropped["feeds_overflow"] += 1
            return None
        self.add(new_feed(feed_id, arrived_us))
        self.add_profile(Profile(feed_id))
        self.closed(feed_id)
        return self.known[feed_id]

    def add(self, feed: Feed) -> None:
        """One that is new, or of a checkpoint."""
        self.known[feed.id] = feed
        self._at_site.setdefault(feed.id.site, {})[feed.id] = None

    def add_profile(self, profile: Profile) -> None:
        """Its profile."""
        self._profiles[profile.id] = profile

    def forget(self, feed_id: FeedId) -> None:
        """As if it had never come."""
        del self.known[feed_id], self._profiles[feed_id], self._at_site[feed_id.site][feed_id]
        if not self._at_site[feed_id.site]:
            del self._at_site[feed_id.site]
        self.closed(feed_id)

    def profile(self, feed_id: FeedId) -> Profile:
        """What is expected of a feed."""
        return self._profiles[feed_id]

    def of(self, site: str) -> list[Feed]:
        """Those of a site, in the order of their names."""
        return [self.known[feed_id] for feed_id in sorted(self._at_site.get(site, ()))]

    def closed(self, feed_id: FeedId) -> None:
        """An hour of it was closed: the feed and its profile are to be written."""
        self.dirty[feed_id] = self._dirty_profiles[feed_id] = None

    def changes(self) -> Iterator[Change]:
        """Records changed since the last call."""
        dirty, self.dirty = self.dirty, {}
        for feed_id in dirty:
            yield "feed/1", feed_id, self.known.get(feed_id)
        profiles, self._dirty_profiles = self._dirty_profiles, {}
        for feed_id in profiles:
            yield "profile/1", feed_id, self._profiles.get(feed_id)

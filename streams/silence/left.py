"""What can still be expected of a site while a scanner is silent: the rest of its studies.

The studies of the silent scanner, and in proportion the predictions on them and their reports, will
not come; that is told once, and is no partial silence of everything else.
"""

from collections.abc import Iterator

from streams.silence.episode import Episodes
from streams.silence.feed import FeedId
from streams.silence.profile import Profile
from streams.silence.register import Feeds
from streams.site_time import WEEK_HOURS


class Left:
    """Parts of the usual, by hour of the week."""

    def __init__(self, feeds: Feeds, episodes: Episodes) -> None:
        self._feeds = feeds
        self._episodes = episodes

    def part(self, feed_id: FeedId, weekhour: int) -> float:
        """The part of a feed's usual arrivals that is left, 0 to 1."""
        return self._part(feed_id.site, self._silent(feed_id), weekhour)

    def is_all(self, feed_id: FeedId) -> bool:
        """Whether nothing is missing from it."""
        return not self._silent(feed_id)

    def without(self, scanner: FeedId) -> Iterator[FeedId]:
        """A person says that a scanner is silent for good: expect no more of it, in any feed."""
        if not scanner.station or scanner not in self._feeds.known:
            return
        profiles = [self._feeds.profile(scanner)]
        parts = [self._part(scanner.site, profiles, hour) for hour in range(WEEK_HOURS)]
        for feed in self._feeds.of(scanner.site):
            if not feed.id.station:
                self._feeds.profile(feed.id).shrink(parts)
                yield feed.id

    def _silent(self, feed_id: FeedId) -> list[Profile]:
        """The scanners whose silence is told, if the feed depends on them."""
        if feed_id.station:
            return []
        lasting = self._episodes.lasting("silence", feed_id.site)
        scopes = [one.scope for one in lasting if one.scope.station]
        return [self._feeds.profile(scope) for scope in scopes if scope in self._feeds.known]

    def _part(self, site: str, silent: list[Profile], weekhour: int) -> float:
        studies = FeedId(site, "studies")
        if not silent or studies not in self._feeds.known:
            return 1.0
        usual = self._feeds.profile(studies).expected(weekhour)
        missing = sum(profile.expected(weekhour) for profile in silent)
        return max(0.0, 1 - missing / usual) if usual else 1.0

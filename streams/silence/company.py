"""The other feeds of a site, at the moment when the silence of one is to be told."""

from collections.abc import Container, Iterator

from streams.silence.feed import Feed, FeedId, FeedKey
from streams.silence.judge import Judge
from streams.silence.register import Feeds
from streams.silence.scope import SILENT_FROM, Other, cause, has, partial_cause


class Company:
    """Finds what a silence is the silence of: the rules are those of scope.py."""

    def __init__(self, feeds: Feeds, judge: Judge, standing: Container[FeedKey]) -> None:
        self._feeds = feeds
        self._judge = judge
        self._standing = standing

    def cause(self, feed: Feed, at_us: int) -> FeedId:
        """The scope of a complete silence."""
        return cause(feed.id, self._others(feed, at_us))

    def partial_cause(self, feed: Feed) -> FeedId:
        """The scope of a partial one."""
        return partial_cause(feed.id, self._leaning(feed))

    def are_back(self, scope: FeedId) -> bool:
        """Whether as many as usual come of what a partial silence is the silence of."""
        own = self._feeds.known.get(scope)
        feeds = [own] if own else [f for f in self._feeds.of(scope.site) if has(scope, f.id)]
        return not any(feed.excursion.statistic for feed in feeds)

    def _others(self, feed: Feed, at_us: int) -> Iterator[Other]:
        middle_us = (self._judge.silent_from_us(feed) + at_us) // 2
        for other in self._feeds.of(feed.id.site):
            if other is feed or other.id in self._standing:
                continue
            heard, profile = other.last_us > middle_us, self._feeds.profile(other.id)
            is_judged = bool(other.days) and profile.is_known and not heard
            silent = is_judged and self._judge.surprise(other, profile, at_us) >= SILENT_FROM
            yield Other(other.id, heard, silent)

    def _leaning(self, feed: Feed) -> Iterator[tuple[FeedId, bool]]:
        for other in self._feeds.of(feed.id.site):
            profile = self._feeds.profile(other.id)
            if other is not feed and other.days and profile.is_known:
                verdict = self._judge.partial(other, profile)
                yield other.id, verdict.statistic >= verdict.threshold / 2

"""What a silence is the silence of: the rules of common causes.

A scope is written as a feed: one feed; the predictions of all models; all feeds. It *has* the feeds
whose arrival ends its silence, and *explains* those of which nothing can be expected meanwhile:
without studies there is nothing to predict on and nothing to report.

When the silence of one feed is due, the others of the site are looked at. One is *heard* if it
arrived in the second half of that silence, and *silent* if it was not heard and its own silence has
a chance of less than 1 in 20. The widest of these scopes is told:

- all feeds, if none is heard and one of another type is silent;
- studies, for anything else, if the studies are silent;
- predictions of all models, for those of a model, if no other model is heard and one is silent;
- the feed itself.

While the silence of a scanner is told, so much less is expected of everything else (left.py).
Feeds whose silence is told already, or that a person has excused, are left out. For a partial
silence a feed leans towards one if its statistic is at half of its threshold, and the scope is the
studies if they lean, all models if all lean, else the feed.
"""

from collections.abc import Iterable
from typing import NamedTuple

from streams.silence.feed import FeedId

SILENT_FROM = 3.0  # surprise: ln 20


class Other(NamedTuple):
    """Another feed of the site at the moment when a silence is due."""

    id: FeedId
    heard: bool
    silent: bool


def everything(site: str) -> FeedId:
    """All feeds of a site."""
    return FeedId(site, "all feeds")


def has(scope: FeedId, feed: FeedId) -> bool:
    """Whether an arrival of the feed is one of the scope; both of one site."""
    if scope.type == "all feeds":
        return True
    if scope.model or scope.station:
        return scope == feed
    return scope.type == feed.type


def explains(scope: FeedId, feed: FeedId) -> bool:
    """Whether the silence of the scope lets expect that of the feed; both of one site."""
    is_source = scope.type == "studies" and not scope.station
    return is_source or has(scope, feed)


def cause(feed: FeedId, others: Iterable[Other]) -> FeedId:
    """What is silent, when the silence of a feed is due."""
    others = list(others)
    studies = FeedId(feed.site, "studies")
    silent_types = {other.id.type for other in others if other.silent}
    if silent_types - {feed.type} and not any(other.heard for other in others):
        return everything(feed.site)
    if any(other.silent for other in others if other.id == studies):
        return studies
    models = [other for other in others if other.id.type == "predictions"]
    is_shared = any(other.silent for other in models) and not any(other.heard for other in models)
    if feed.type == "predictions" and is_shared:
        return FeedId(feed.site, "predictions")
    return feed


def partial_cause(feed: FeedId, others: Iterable[tuple[FeedId, bool]]) -> FeedId:
    """What has lost arrivals, given which other feeds of the site lean towards it."""
    leaning = dict(others)
    studies = FeedId(feed.site, "studies")
    if leaning.get(studies):
        return studies
    models = [leans for other, leans in leaning.items() if other.type == "predictions"]
    if feed.type == "predictions" and models and all(models):
        return FeedId(feed.site, "predictions")
    return feed


def subject(scope: FeedId) -> str:
    """How an incident names it, beside its model.

    >>> subject(FeedId("north", "studies", "", "CT2"))
    'studies scanner.station=CT2'
    """
    return f"{scope.type} scanner.station={scope.station}" if scope.station else scope.type

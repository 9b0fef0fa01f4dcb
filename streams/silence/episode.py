"""One silence, from its opening until its incident is resolved."""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from schemas.incident import Evidence
from streams.silence.feed import FeedId
from streams.silence.scope import explains

Kind = Literal["silence", "partial_silence"]
EpisodeId = tuple[Kind, FeedId]


class Episode(Struct):
    """`by` is the feed that was due, of which the evidence speaks; `eased`: arrivals have come."""

    kind: Kind
    scope: FeedId
    by: FeedId
    since_us: int
    evidence: Evidence
    eased: bool = False

    @property
    def id(self) -> EpisodeId:
        """Its kind and scope: there is one of each at a time."""
        return self.kind, self.scope


class Episodes:
    """Those of one shard, by site."""

    def __init__(self) -> None:
        self._of_site: dict[str, dict[EpisodeId, Episode]] = {}
        self._dirty: dict[EpisodeId, None] = {}

    def begin(self, episode: Episode) -> None:
        """A silence is told, perhaps again before it was resolved."""
        self._of_site.setdefault(episode.scope.site, {})[episode.id] = episode
        self._dirty[episode.id] = None

    def ease(self, episode: Episode) -> None:
        """Arrivals have come."""
        episode.eased = True
        self._dirty[episode.id] = None

    def end(self, kind: Kind, scope: FeedId) -> Episode | None:
        """The incident is resolved; its episode, if there was one."""
        self._dirty[kind, scope] = None
        of_site = self._of_site.get(scope.site, {})
        episode = of_site.pop((kind, scope), None)
        if not of_site:
            self._of_site.pop(scope.site, None)
        return episode

    def of(self, site: str) -> list[Episode]:
        """Those of a site, in the order of their scopes."""
        of_site = self._of_site.get(site)
        return [of_site[key] for key in sorted(of_site)] if of_site else []

    def lasting(self, kind: Kind, site: str) -> list[Episode]:
        """Those of a site of which nothing has come yet."""
        return [one for one in self.of(site) if one.kind == kind and not one.eased]

    def explaining(self, kind: Kind, feed: FeedId) -> bool:
        """Whether one that lasts lets expect the silence of a feed."""
        if feed.site not in self._of_site:
            return False
        return any(explains(one.scope, feed) for one in self.lasting(kind, feed.site))

    def changes(self) -> Iterator[tuple[EpisodeId, Episode | None]]:
        """Changed since the last call; None for those that are over."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield key, self._of_site.get(key[1].site, {}).get(key)

    def restore(self, episodes: Iterable[Episode]) -> None:
        """Take up those of a checkpoint."""
        for one in episodes:
            self._of_site.setdefault(one.scope.site, {})[one.id] = one

    def __len__(self) -> int:
        return sum(map(len, self._of_site.values()))

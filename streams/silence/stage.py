"""Silence of the feeds of one shard: the stage.

An arrival costs a look-up and a count; everything else happens when proved time reaches the end of
an hour or the moment at which a silence would be told. Silence is judged by when events arrived at
the broker, in proved time: what has arrived before a deadline, or within the lateness granted after
it, has been taken when time passes it, so a monitor that is behind or restarted tells of none.

While a silence lasts, nothing is expected of the feeds that it explains: their clocks stand, and
begin anew when it ends. Only arrivals end it: when they show that the feed is back (again.py).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from msgspec import Struct

from schemas.config import Config
from schemas.incident import Incident
from schemas.prediction import Prediction
from schemas.silence import SilenceSettings
from streams.clock import seconds_to_us
from streams.finding import Finding
from streams.lost import Losses
from streams.silence import partial
from streams.silence.clocks import Clocks
from streams.silence.company import Company
from streams.silence.episode import Episode, Episodes, Kind
from streams.silence.feed import HOUR_US, Feed, FeedId, feeds_of
from streams.silence.judge import Judge, Verdict
from streams.silence.left import Left
from streams.silence.profile import Profile
from streams.silence.register import Feeds
from streams.silence.scope import explains, has, subject
from streams.silence.telling import Telling, gap_evidence, partial_evidence
from streams.stage import EVERYTHING, Change, Happened, Said, Takes

_WATCHED_AFTER = 8  # hours in which anything came
_DAY_S = 86_400


class Silence:
    """The feeds of one shard; `grant` gives the days that a feed may take for a false alarm."""

    takes: ClassVar[Takes] = EVERYTHING
    kinds: ClassVar[dict[str, type[Struct]]] = {
        "feed/1": Feed,
        "profile/1": Profile,
        "quiet/1": Episode,
    }

    def __init__(
        self,
        config: Config,
        settings: SilenceSettings,
        grant: Callable[[str], float],
        lost: Losses,
    ) -> None:
        self._telling = Telling(config.models, settings)
        self._grant = grant
        self._lost = lost
        self._forget_us = seconds_to_us(settings.forget_days * _DAY_S)
        self.dropped: Counter[str] = Counter()
        self._feeds = Feeds(settings.feeds_per_site, self.dropped)
        self._episodes = Episodes()
        self._left = Left(self._feeds, self._episodes)
        self._judge = Judge(config, self._left.part, lost)
        self._clocks = Clocks(self._feeds, self._episodes, self._judge)
        self._company = Company(self._feeds, self._judge, self._clocks.standing)

    def take(self, happened: Happened) -> Iterable[Said]:
        """Take one event: an arrival of its feeds."""
        event, arrived_us = happened.event, happened.arrived_us
        # A repetition arrives, but is no work; a failed answer is never `fresh`, but is work.
        counts = happened.fresh or (isinstance(event, Prediction) and event.status != "completed")
        said: Iterable[Said] = ()
        for key in feeds_of(event):
            feed = self._feeds.known.get(key) or self._meet(FeedId(*key), arrived_us)
            if feed is None:
                continue
            before_us, feed.last_us = feed.last_us, arrived_us
            self._feeds.dirty[key] = None
            if key in self._clocks.standing:
                said = [*said, *self._heard(feed, before_us, arrived_us)]
            elif counts:
                hour = arrived_us // HOUR_US
                feed.counts[hour] = feed.counts.get(hour, 0) + 1
        return said

    def tick(self, now_us: int) -> Iterable[Said]:
        """Close hours and tell of silences, each at its time."""
        said: list[Said] = []
        while (reached := self._clocks.reached(now_us)) is not None:
            at_us, feed = reached
            said += self._reached(feed, at_us)
        return said

    def earliest_us(self) -> int:
        """When the next hour ends or the next silence may be due."""
        return self._clocks.earliest_us()

    def over(self, incident: Incident) -> None:
        """An incident is over; if nothing has come, a person has excused what is silent."""
        if incident.kind not in ("silence", "partial_silence"):
            return
        kind: Kind = "silence" if incident.kind == "silence" else "partial_silence"
        for episode in self._episodes.of(incident.site):
            named = (episode.scope.model or None, subject(episode.scope))
            if episode.kind == kind and named == (incident.model, incident.subject):
                self._end(episode)

    def accept(self, site: str, model: str | None, subject_: str | None) -> None:
        """What is now is the normal: the feed named, or all that are silent, are learnt anew."""
        scopes = [episode.scope for episode in self._episodes.of(site)]
        if subject_ is not None:
            scopes += [feed.id for feed in self._feeds.of(site)]
        for scope in scopes:
            if model in (None, scope.model or None) and subject_ in (None, subject(scope)):
                self._forget_scope(scope)

    def begin_anew(self, site: str, model: str) -> Iterable[Said]:
        """A feed is no version's."""
        return ()

    def changes(self) -> Iterator[Change]:
        """What changed since the last call."""
        yield from self._feeds.changes()
        for (kind, scope), episode in self._episodes.changes():
            yield "quiet/1", (kind, *scope), episode

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint."""
        for record in records:
            match record:
                case Feed():
                    self._feeds.add(record)
                case Profile():
                    self._feeds.add_profile(record)
                case Episode():
                    self._episodes.restore([record])
        for feed in self._feeds.known.values():
            self._clocks.arrange(feed)

    def sizes(self) -> dict[str, int]:
        """How many feeds are known, and how many silences are told."""
        return {"feeds": len(self._feeds.known), "silences": len(self._episodes)}

    def _meet(self, feed_id: FeedId, arrived_us: int) -> Feed | None:
        feed = self._feeds.meet(feed_id, arrived_us)
        if feed is not None:
            self._clocks.arrange(feed)
        return feed

    def _heard(self, feed: Feed, before_us: int, arrived_us: int) -> Iterator[Finding]:
        """An arrival of a feed whose clock stands: perhaps what it belongs to is silent no more."""
        feed.excused = False
        lasting = self._episodes.lasting("silence", feed.id.site)
        told = [one for one in lasting if has(one.scope, feed.id)]
        profile = self._feeds.profile(feed.id)
        if told and self._judge.is_back(feed, profile, before_us, arrived_us):
            for episode in told:
                self._episodes.ease(episode)
                yield self._telling.eased(episode, arrived_us, feed.again_us)
        self._clocks.resume(feed.id.site, arrived_us)

    def _reached(self, feed: Feed, at_us: int) -> Iterator[Finding]:
        profile = self._feeds.profile(feed.id)
        if at_us >= (feed.hour + 1) * HOUR_US:
            yield from self._close(feed, profile, at_us)
        elif self._judge.due_us(feed, profile) <= at_us:
            statistic = self._judge.surprise(feed, profile, at_us)
            verdict = Verdict(statistic, self._judge.gap_threshold(feed, profile))
            yield self._silent(feed, verdict, at_us)
        if feed.id in self._feeds.known:
            self._clocks.arrange(feed)

    def _close(self, feed: Feed, profile: Profile, at_us: int) -> Iterator[Finding]:
        """The open hour has ended."""
        before = feed.excursion.statistic
        whole = self._left.is_all(feed.id)
        teaches = whole and not self._episodes.explaining("partial_silence", feed.id)
        self._judge.close(feed, profile, teaches)
        self._feeds.closed(feed.id)
        if not feed.days:
            if profile.active_hours >= _WATCHED_AFTER:
                feed.days = self._grant(feed.id.site)
            elif at_us - feed.last_us >= self._forget_us:
                self._forget(feed.id)
        elif (verdict := self._judge.cold(feed, profile, at_us)) is not None:
            yield self._silent(feed, verdict, at_us)
        elif profile.is_known:
            yield from self._partial(feed, profile, before, at_us)

    def _silent(self, feed: Feed, verdict: Verdict, at_us: int) -> Finding:
        """A silence is due: tell of it, or of the wider one that it is part of."""
        scope = self._company.cause(feed, at_us)
        since_us = max(feed.last_us, self._lost.until_us(feed.id.type))
        expected = self._judge.expected_between(self._feeds.profile(feed.id), since_us, at_us)
        evidence = gap_evidence(since_us, verdict, expected, at_us)
        return self._begin(Episode("silence", scope, feed.id, since_us, evidence), at_us)

    def _partial(
        self, feed: Feed, profile: Profile, before: float, at_us: int
    ) -> Iterator[Finding]:
        """An hour was judged: too little, or as many as usual again."""
        verdict = self._judge.partial(feed, profile)
        feed.excursion.statistic = min(verdict)  # so that it comes down again as fast as it went up
        if verdict.statistic == 0 < before:
            for episode in self._episodes.lasting("partial_silence", feed.id.site):
                if has(episode.scope, feed.id) and self._company.are_back(episode.scope):
                    self._episodes.ease(episode)
                    yield self._telling.eased(episode, at_us, at_us)
        explained = self._episodes.explaining("partial_silence", feed.id)
        if verdict.statistic >= verdict.threshold and not explained:
            scope, since_us = self._company.partial_cause(feed), feed.excursion.since_hour * HOUR_US
            evidence = partial_evidence(feed.excursion, verdict)
            episode = Episode("partial_silence", scope, feed.id, since_us, evidence)
            yield self._begin(episode, at_us)

    def _begin(self, episode: Episode, at_us: int) -> Finding:
        lasting = self._episodes.lasting(episode.kind, episode.scope.site)
        narrower = [one for one in lasting if explains(episode.scope, one.scope)]
        self._episodes.begin(episode)
        for feed in self._feeds.of(episode.scope.site) if episode.kind == "silence" else ():
            if has(episode.scope, feed.id):
                feed.again, feed.again_us = 0.0, 0
                self._feeds.dirty[feed.id] = None
        self._clocks.stop(episode.scope.site)
        return self._telling.holds(episode, at_us, len(narrower))

    def _end(self, episode: Episode) -> None:
        """Its incident is over. What has not been heard of is waited for, or judged afresh."""
        if not episode.eased and episode.kind == "silence":
            for feed_id in self._left.without(episode.scope):
                self._feeds.closed(feed_id)
        self._episodes.end(episode.kind, episode.scope)
        for feed in [] if episode.eased else self._feeds.of(episode.scope.site):
            if explains(episode.scope, feed.id):
                if episode.kind == "silence":
                    feed.excused = True
                    self._clocks.arrange(feed)
                else:
                    partial.reset(feed.excursion)
                self._feeds.dirty[feed.id] = None

    def _forget_scope(self, scope: FeedId) -> None:
        """Learn it anew; where less comes for good, also what follows from it."""
        less = self._episodes.explaining("partial_silence", scope)
        for episode in self._episodes.of(scope.site):
            if episode.scope == scope:
                self._end(episode)
        for feed in self._feeds.of(scope.site):
            if has(scope, feed.id) or (less and explains(scope, feed.id)):
                self._forget(feed.id)

    def _forget(self, feed_id: FeedId) -> None:
        self._feeds.forget(feed_id)
        self._clocks.forget(feed_id)

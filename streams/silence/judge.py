"""What is expected of a feed hour by hour, and whether its silence is more than chance.

A feed's time goes in hours since the epoch. What is expected within an hour, and the threshold, are
those at its beginning, so a deadline inside the hour follows exactly from the last arrival.
"""

from collections.abc import Callable
from typing import NamedTuple

from schemas.config import Config
from streams.clock import NEVER_US
from streams.lost import Losses
from streams.silence import again, partial
from streams.silence.feed import HOUR_US, Feed, FeedId
from streams.silence.gap import (
    COLD_SILENCE_US,
    cold_surprise,
    cold_threshold,
    reached_us,
    surprise,
)
from streams.silence.maintenance import MaintenanceHours
from streams.silence.profile import Profile
from streams.silence.thresholds import GAP, PARTIAL, threshold
from streams.site_time import SiteTimes

# Complete silence is told within hours, of which each counts; half a loss takes days in any case.
GAP_PART, PARTIAL_PART = 0.7, 0.3  # of how often a feed may cry in vain
_LONGEST_HOURS = 8 * 168


class Verdict(NamedTuple):
    """A statistic and the threshold that it has to reach."""

    statistic: float
    threshold: float


class Judge:
    """Knows each site's local week and maintenance, what is `left` to expect, and what was lost."""

    def __init__(self, config: Config, left: Callable[[FeedId, int], float], lost: Losses) -> None:
        self._times = SiteTimes(config)
        self._maintenance = MaintenanceHours(config)
        self._left = left
        self._lost = lost

    def expected(self, profile: Profile, hour: int) -> float:
        """Arrivals expected in an hour; none during maintenance, or where they may be lost."""
        site = profile.id.site
        if self._is_blind(profile.id, hour):
            return 0.0
        weekhour = self._times.of(site).weekhour(hour * HOUR_US)
        return profile.expected(weekhour) * self._left(profile.id, weekhour)

    def expected_between(self, profile: Profile, from_us: int, until_us: int) -> float:
        """Arrivals expected in a stretch of time; of a longer one than eight weeks, at its end."""
        last = until_us // HOUR_US
        begin_us = max(from_us, (last - _LONGEST_HOURS) * HOUR_US)
        total = 0.0
        for hour in range(begin_us // HOUR_US, last + 1):
            part_us = min(until_us, (hour + 1) * HOUR_US) - max(begin_us, hour * HOUR_US)
            total += self.expected(profile, hour) * part_us / HOUR_US
        return total

    def silent_from_us(self, feed: Feed) -> int:
        """From when on silence counts: not before the end of what was lost of the feed."""
        return max(feed.silent_from_us, self._lost.until_us(feed.id.type))

    def surprise(self, feed: Feed, profile: Profile, until_us: int) -> float:
        """Of the silence until a moment of the feed's open hour."""
        begin_us, from_us = feed.hour * HOUR_US, self.silent_from_us(feed)
        if from_us >= until_us:
            return 0.0
        carried = feed.carried if from_us < begin_us else 0.0
        part = (until_us - max(from_us, begin_us)) / HOUR_US
        return carried + surprise(self.expected(profile, feed.hour) * part, profile.dispersion)

    def gap_threshold(self, feed: Feed, profile: Profile) -> float:
        """The surprise at which silence is told."""
        return threshold(GAP, profile.per_hour, profile.dispersion, feed.days / GAP_PART)

    def due_us(self, feed: Feed, profile: Profile) -> int:
        """When silence is to be told, if that is within the open hour; else NEVER_US."""
        begin_us, from_us = feed.hour * HOUR_US, self.silent_from_us(feed)
        if not (feed.days and profile.is_known) or from_us >= begin_us + HOUR_US:
            return NEVER_US
        carried = feed.carried if from_us < begin_us else 0.0
        missing = self.gap_threshold(feed, profile) - carried
        expected = self.expected(profile, feed.hour)
        at_us = reached_us(max(begin_us, from_us), missing, expected, profile.dispersion)
        return at_us if at_us < begin_us + HOUR_US else NEVER_US

    def cold(self, feed: Feed, profile: Profile, at_us: int) -> Verdict | None:
        """Whether a feed whose week is not known yet is silent."""
        if not feed.days or profile.is_known:
            return None
        from_us = self.silent_from_us(feed)
        seen_us, silent_us = from_us - feed.first_us, at_us - from_us
        if silent_us < COLD_SILENCE_US:
            return None
        gathered = cold_surprise(profile.active_hours, seen_us, silent_us)
        needed = cold_threshold(profile.active_hours, seen_us, feed.days / GAP_PART)
        return Verdict(gathered, needed) if gathered >= needed else None

    def close(self, feed: Feed, profile: Profile, teaches: bool) -> None:
        """The open hour is over: what came in it is judged, and learnt from if it `teaches`."""
        hour, n = feed.hour, feed.counts.pop(feed.hour, 0)
        feed.carried = self.surprise(feed, profile, (hour + 1) * HOUR_US)
        feed.hour += 1
        if hour == feed.spoilt_hour or self._is_blind(feed.id, hour):
            return
        if feed.days and profile.is_known:
            expected = self.expected(profile, hour)
            partial.step(feed.excursion, hour, n, expected, profile.dispersion)
        if teaches:
            profile.learn(self._times.of(feed.id.site).weekhour(hour * HOUR_US), n)

    def is_back(self, feed: Feed, profile: Profile, before_us: int, at_us: int) -> bool:
        """Take an arrival of a feed whose silence is told, and the last before it: has it ended."""
        if feed.again_us:
            expected = self.expected_between(profile, before_us, at_us)
            feed.again = again.gained(feed.again, expected, profile.dispersion)
        if not feed.again:
            feed.again_us = at_us
        soon = self.expected_between(profile, feed.again_us, feed.again_us + again.SOON_US)
        return not profile.is_known or feed.again >= again.needed(soon)

    def partial(self, feed: Feed, profile: Profile) -> Verdict:
        """How far the feed is towards partial silence."""
        days = feed.days / PARTIAL_PART
        needed = threshold(PARTIAL, profile.per_hour, profile.dispersion, days)
        return Verdict(feed.excursion.statistic, needed)

    def _is_blind(self, feed_id: FeedId, hour: int) -> bool:
        """Whether what came in an hour says nothing: it neither teaches nor is judged."""
        if self._maintenance.touches(feed_id.site, hour):
            return True
        begin_us, last_us = hour * HOUR_US, (hour + 1) * HOUR_US - 1
        is_past_end = self._lost.is_past_end(last_us)
        return is_past_end or self._lost.touches(feed_id.type, begin_us, last_us)

"""What the monitor says of its own eyes: stamps that cannot be, and being behind.

Neither is about a model. A wild stamp names the site whose clock is wrong. Being behind is told
as `monitor_stale`, and while it lasts nothing is called missing, because no time is proved.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from schemas.config import Clock as ClockSettings
from schemas.incident import Evidence, IncidentKind
from streams.clock import length, seconds_to_us
from streams.finding import MONITOR_SITE, Finding, Signal

_SKEW_CALM_US = 300_000_000
_UPDATE_US = 300_000_000


class Skew(Struct, omit_defaults=True):
    """Wild stamps of one feed of a site, since they began."""

    site: str
    feed: str
    n: int = 0
    since_us: int = 0
    ahead_us: int = 0
    last_us: int = 0
    eased: bool = False


class SelfWatch:
    """Clock skew by site and feed, and the lag of this shard."""

    def __init__(self, clock: ClockSettings, partition: int) -> None:
        self._max_skew_s = clock.max_skew_s
        self._stale_after_us = seconds_to_us(clock.stale_after_s)
        self._partition = partition
        self.skewed: dict[tuple[str, str], Skew] = {}
        self._dirty: dict[tuple[str, str], None] = {}

    def wild_stamp(self, site: str, feed: str, at_us: int, arrived_us: int) -> Finding:
        """A stamp further ahead of its arrival than `max_skew_s`."""
        skew = self.skewed.setdefault((site, feed), Skew(site=site, feed=feed, since_us=arrived_us))
        self._dirty[site, feed] = None
        skew.n += 1
        skew.last_us = arrived_us
        skew.ahead_us = max(skew.ahead_us, at_us - arrived_us)
        skew.eased = False
        return self._skew_finding(skew, "holds", arrived_us)

    def sane_stamp(self, site: str, feed: str, arrived_us: int) -> Finding | None:
        """A good stamp: after a while without a wild one, the sign that the clock is right."""
        skew = self.skewed.get((site, feed))
        if skew is None or skew.eased or arrived_us < skew.last_us + _SKEW_CALM_US:
            return None
        skew.eased = True
        self._dirty[site, feed] = None
        return self._skew_finding(skew, "eased", arrived_us)

    def over(self, kind: IncidentKind, site: str, subject: str | None) -> None:
        """The incident has ended: what comes next is a new one."""
        key = (site, subject or "")
        if kind == "clock_skew" and self.skewed.pop(key, None) is not None:
            self._dirty[key] = None

    def lag(self, lag_us: int, now_us: int) -> Finding:
        """Whether the shard is behind its promise by more than `stale_after_s`."""
        stale = lag_us > self._stale_after_us
        where = f"on partition {self._partition}"
        blind = (
            f"The monitor is {length(lag_us)} behind {where}; "
            "until it has caught up nothing there is called missing"
        )
        return Finding(
            signal="holds" if stale else "eased",
            kind="monitor_stale",
            site=MONITOR_SITE,
            subject=f"partition-{self._partition}",
            at_us=now_us,
            since_us=now_us - (lag_us - self._stale_after_us) if stale else None,
            title=blind if stale else f"The monitor sees again {where}",
            severity="error",
            evidence=Evidence(
                detector="watermark",
                statistic=lag_us / 1e6,
                threshold=self._stale_after_us / 1e6,
            ),
            update_us=_UPDATE_US,
        )

    def changes(self) -> Iterator[tuple[tuple[str, str], Skew | None]]:
        """Skews changed since the last call; None for those that are over."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield key, self.skewed.get(key)

    def restore(self, skews: Iterable[Skew]) -> None:
        """Take up the skews of a checkpoint."""
        self.skewed.update(((skew.site, skew.feed), skew) for skew in skews)

    def _skew_finding(self, skew: Skew, signal: Signal, arrived_us: int) -> Finding:
        stamps = "1 stamp" if skew.n == 1 else f"{skew.n} stamps"
        wrong = "is wrong" if signal == "holds" else "was wrong"
        return Finding(
            signal=signal,
            kind="clock_skew",
            site=skew.site,
            subject=skew.feed,
            at_us=arrived_us,
            since_us=skew.since_us,
            title=f"A clock at {skew.site} {wrong}: {stamps} of {skew.feed} up to "
            f"{length(skew.ahead_us)} in the future",
            severity="warning",
            evidence=Evidence(
                detector="clock",
                statistic=skew.ahead_us / 1e6,
                threshold=float(self._max_skew_s),
                affected_count=skew.n,
            ),
            update_us=_UPDATE_US,
        )

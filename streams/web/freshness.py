"""How much of what is shown is true now: a sentence, and which sites nobody can speak for. Pure."""

from typing import Literal, NamedTuple

from schemas.config import Config
from streams.clock import seconds_to_us
from streams.partitioner import partition_of
from streams.web.words import Clockface, length

Tone = Literal["live", "reading", "behind", "unknown", "lost"]
SILENT_US = 15_000_000
REFRESH_S = 60.0  # an idle shard writes where it stands so often (streams/engine.py)


class Reading(NamedTuple):
    """What the page's reader says of itself.

    `heard_us`: when the broker last answered; None: never. `share` of what was there at the start
    is read.
    """

    heard_us: int | None = None
    share: float = 0.0
    partitions: int | None = None


class Freshness(NamedTuple):
    """`tone` is `live` only where all that is shown is true now."""

    tone: Tone
    sentence: str
    blind: frozenset[int]
    partitions: int | None

    @property
    def is_live(self) -> bool:
        """Whether anything may be shown as good."""
        return self.tone in ("live", "behind")

    def is_blind(self, site: str) -> bool:
        """Whether what is said of a site may be out of date."""
        if not self.is_live or self.partitions is None:
            return True
        return partition_of(site, self.partitions) in self.blind


def freshness(
    config: Config,
    reading: Reading,
    proved_us: dict[int, int],
    stale: frozenset[int],
    clock: Clockface,
) -> Freshness:
    """What can be said now; `stale` are partitions of which the monitor itself says so."""
    n = reading.partitions

    def said(tone: Tone, sentence: str, blind: frozenset[int] = frozenset()) -> Freshness:
        return Freshness(tone, sentence, blind, n)

    if reading.heard_us is None or n is None:
        return said("lost", "Not live: the broker has not answered yet.")
    if clock.now_us - reading.heard_us > SILENT_US:
        since = clock.at(reading.heard_us)
        return said(
            "lost",
            f"Not live since {since.text} ({since.ago}): the broker does not answer. "
            "What is shown is of then.",
        )
    if reading.share < 1:
        read = min(99, int(reading.share * 100))
        return said("reading", f"Not live yet: {read} % of the past is read.")
    return _monitor(config, proved_us, stale, clock, n)


def _monitor(
    config: Config, proved_us: dict[int, int], stale: frozenset[int], clock: Clockface, n: int
) -> Freshness:
    if not proved_us:
        words = (
            "Not live: no word from the monitor yet. A worker says where it stands every minute."
        )
        return Freshness("unknown", words, frozenset(range(n)), n)
    allowed_us = seconds_to_us(config.clock.lateness_s + config.clock.stale_after_s + REFRESH_S)
    oldest_us = min(proved_us.values())
    late = stale | {
        partition
        for partition in range(n)
        if clock.now_us - proved_us.get(partition, 0) > allowed_us
    }
    if not late:
        until = clock.at(oldest_us)
        words = f"Live. All that happened until {until.text} is judged."
        return Freshness("live", words, frozenset(), n)
    if len(late) == n:
        until = clock.at(max(proved_us.values()))
        words = (
            f"Not live: the monitor is behind. Until {until.text} ({until.ago} ago) all is judged."
        )
        return Freshness("unknown", words, frozenset(late), n)
    known = [proved_us[partition] for partition in late if partition in proved_us]
    behind = f"up to {length((clock.now_us - min(known)) / 1e6)} behind" if known else "not heard"
    words = f"The monitor is {behind} on {len(late)} of {n} partitions; their sites are blind."
    return Freshness("behind", words, frozenset(late), n)

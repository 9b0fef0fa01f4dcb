"""How much of what is shown is true now: a sentence, and which sites nobody can speak for. Pure."""

from collections.abc import Collection, Mapping
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
    is_read: bool = True
    """Whether the past was read at all: until then nothing is known, and 0 would be a guess."""

    @property
    def none_open(self) -> str:
        """What an empty list of incidents means."""
        if not self.is_read:
            return "What is open is not known yet."
        return "None is open." if self.is_live else "None was open when this page was last live."

    @property
    def is_live(self) -> bool:
        """Whether anything may be shown as good."""
        return self.tone in ("live", "behind")

    def is_blind(self, site: str) -> bool:
        """Whether what is said of a site may be out of date."""
        if not self.is_live or self.partitions is None:
            return True
        return partition_of(site, self.partitions) in self.blind


class Proof(NamedTuple):
    """What the monitor says of itself: proved time by partition, where it is stale, its sites."""

    proved_us: Mapping[int, int]
    stale: frozenset[int]
    sites: Collection[str]


def freshness(config: Config, reading: Reading, proof: Proof, clock: Clockface) -> Freshness:
    """What can be said now."""
    n = reading.partitions

    def said(tone: Tone, sentence: str, blind: frozenset[int] = frozenset()) -> Freshness:
        return Freshness(tone, sentence, blind, n, reading.share >= 1)

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
    return _monitor(config, proof, clock, n)


def _monitor(config: Config, proof: Proof, clock: Clockface, n: int) -> Freshness:
    proved_us = proof.proved_us
    allowed_us = seconds_to_us(config.clock.lateness_s + config.clock.stale_after_s + REFRESH_S)
    late = proof.stale | {
        partition
        for partition in range(n)
        if clock.now_us - proved_us.get(partition, 0) > allowed_us
    }
    if not proved_us:
        words = "no word from the monitor yet. A worker says where it stands every minute."
        return Freshness("unknown", f"Not live: {words}", late, n)
    if len(late) == n:
        until = clock.at(max(proved_us.values()))
        words = f"the monitor is behind. Until {until.text} ({until.ago} ago) all is judged."
        return Freshness("unknown", f"Not live: {words}", late, n)
    # A partition that never had an event says nothing in its first minute: nobody waits for it.
    homes = {partition_of(site, n) for site in proof.sites}
    missed = {one for one in late if one in proved_us or one in homes or one in proof.stale}
    if not missed:
        # One without a site writes where it stands once a minute: nothing has happened there.
        of_sites = [proved_us[one] for one in homes if one in proved_us]
        until = clock.at(min(of_sites or proved_us.values()))
        return Freshness("live", f"Live. All that happened until {until.text} is judged.", late, n)
    known = [proved_us[partition] for partition in missed if partition in proved_us]
    behind = f"up to {length((clock.now_us - min(known)) / 1e6)} behind" if known else "not heard"
    words = f"The monitor is {behind} on {len(missed)} of {n} partitions; their sites are blind."
    return Freshness("behind", words, late, n)

"""Time in the core: whole microseconds since the epoch, and the watermark that only proof moves.

Live, the edge proves event time against the broker (streams/kafka/proof.py); in replay, arrival
times do. Either way the watermark is what is proved minus the lateness that is granted to
producers.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 86_400_000_000
NEVER_US = 2**62


def to_us(moment: datetime) -> int:
    """Microseconds since the epoch, exactly.

    >>> to_us(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000
    """
    since = moment - _EPOCH
    return since.days * _DAY_US + since.seconds * 1_000_000 + since.microseconds


def from_us(us: int) -> datetime:
    """The aware UTC datetime of a microsecond count.

    >>> from_us(86_400_000_001).isoformat()
    '1970-01-02T00:00:00.000001+00:00'
    """
    return _EPOCH + timedelta(microseconds=us)


def seconds_to_us(seconds: float) -> int:
    """Whole microseconds of a length in seconds."""
    return round(seconds * 1_000_000)


def length(us: int) -> str:
    """A length of time as a title says it.

    >>> length(90_000_000), length(45 * 60_000_000), length(7 * 3_600_000_000), length(5 * _DAY_US)
    ('90 s', '45 min', '7.0 h', '5.0 days')
    """
    minutes = us / 60e6
    if minutes < 2:
        return f"{us / 1e6:.0f} s"
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"


class Clock:
    """The watermark of one shard: never backwards, and never moved by a producer's stamp."""

    def __init__(self, lateness_s: float, max_skew_s: float) -> None:
        self._behind_us = seconds_to_us(lateness_s) + 1
        self._max_skew_us = seconds_to_us(max_skew_s)
        self.watermark_us = -NEVER_US

    def arrived(self, arrived_us: int) -> int:
        """The watermark that the arrival of an event proves, dated by the broker."""
        proved_us = arrived_us - self._behind_us
        self.watermark_us = max(self.watermark_us, proved_us)
        return self.watermark_us

    def proved_by(self, arrived_us: int) -> int:
        """What an arrival proves by itself, however far time was proved before it.

        Up to the moment before: more may arrive in the same one, and be as late as it may be.
        """
        return arrived_us - self._behind_us

    def advance(self, watermark_us: int) -> int:
        """Raise the watermark to a proved time; an older proof changes nothing."""
        self.watermark_us = max(self.watermark_us, watermark_us)
        return self.watermark_us

    def is_skewed(self, at_us: int, arrived_us: int) -> bool:
        """Whether a stamp lies further ahead of its arrival than a clock may be wrong."""
        return at_us > arrived_us + self._max_skew_us

    def lag_us(self, now_us: int) -> int:
        """How far the watermark is behind the promise at `now_us`; 0 when it is kept."""
        return max(0, self.proved_by(now_us) - self.watermark_us)

"""A feed: what comes from one site of one kind, and how far its hours have been looked at."""

from typing import Literal, NamedTuple

from msgspec import Struct, field

from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from streams.clock import NEVER_US

HOUR_US = 3_600_000_000
LONGEST_STATION = 200  # a subject has 256 characters

FeedType = Literal["all feeds", "studies", "predictions", "reports"]


class FeedId(NamedTuple):
    """`model` of predictions, `station` of a scanner's studies, else "".

    Without a station: all studies of the site. The same shape names what a silence is the silence
    of (scope.py): then also "all feeds", and predictions without a model.
    """

    site: str
    type: FeedType
    model: str = ""
    station: str = ""


class Excursion(Struct, omit_defaults=True):
    """What came, and what was expected, since the partial-silence statistic last stood at 0."""

    statistic: float = 0.0
    since_hour: int = 0
    hours: int = 0
    n: int = 0
    expected: float = 0.0


class Feed(Struct, omit_defaults=True):
    """State of a feed. Hours are whole hours since the epoch; `hour` is the first not yet closed.

    `counts`: arrivals in hours that are not closed. `carried`: the surprise of the silence up to
    the beginning of `hour`. `counted_us`: silence before this does not count. `spoilt_hour`: not
    learnt from. `excused`: a person has closed its incident; it is waited for without a clock.
    `days`: between false alarms, 0 until it is watched. `again`: while its silence is told, how far
    it has come back (again.py), and `again_us` since when it has, 0 if nothing has come.
    """

    id: FeedId
    first_us: int
    last_us: int
    hour: int
    spoilt_hour: int
    counts: dict[int, int] = field(default_factory=dict)
    days: float = 0.0
    counted_us: int = -NEVER_US
    carried: float = 0.0
    excused: bool = False
    excursion: Excursion = field(default_factory=Excursion)
    again: float = 0.0
    again_us: int = 0

    @property
    def silent_from_us(self) -> int:
        """From when on silence counts: its last arrival, or a later end of what explained it."""
        return max(self.last_us, self.counted_us)


def new_feed(feed_id: FeedId, arrived_us: int) -> Feed:
    """A feed at its first arrival; the hour that it began in is not a whole one."""
    hour = arrived_us // HOUR_US
    return Feed(feed_id, first_us=arrived_us, last_us=arrived_us, hour=hour, spoilt_hour=hour)


FeedKey = tuple[str, FeedType, str, str]
"""A FeedId as a plain tuple, which takes a tenth of the time to make."""


def feeds_of(event: Study | Prediction | Report) -> tuple[FeedKey, ...]:
    """The feeds that an event is an arrival of, the wider one first; a shadow's answer is none."""
    if isinstance(event, Study):
        scanner = event.scanner
        if scanner is None or not scanner.station or len(scanner.station) > LONGEST_STATION:
            return ((event.site, "studies", "", ""),)
        return (event.site, "studies", "", ""), (event.site, "studies", "", scanner.station)
    if isinstance(event, Report):
        return ((event.site, "reports", "", ""),)
    return () if event.role == "shadow" else ((event.site, "predictions", event.model, ""),)

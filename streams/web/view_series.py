"""The points of every watched series, in bounded space: the older, the coarser. Pure."""

from collections import Counter

from msgspec import Struct

from schemas.series import Phase, SeriesPoint
from streams.clock import to_us

POINTS = 160
SERIES = 5_000
Key = tuple[str, str, str]


class Point(Struct, frozen=True, gc=False):
    """Observations from `since_us` to `at_us`; `statistic` over its threshold, 1 is an alarm."""

    since_us: int
    at_us: int
    n: int
    mean: float
    low: float
    high: float
    statistic: float | None
    phase: Phase


class Line:
    """One series: its points, and what was last said of its reference."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.phase: Phase = "learning"
        self.reference_n = 0
        self.notes: tuple[str, ...] = ()
        self.watched_us: int | None = None  # when its reference was frozen, as far as is known

    def take(self, point: SeriesPoint) -> None:
        """Take its next block."""
        at_us = to_us(point.at)
        if self.points and at_us < self.points[-1].at_us:
            return
        if point.phase == "watching" and self.phase == "learning" and self.points:
            self.watched_us = at_us
        self.phase, self.reference_n = point.phase, point.reference_n
        self.notes = tuple(point.notes or ())
        self.points.append(
            Point(
                since_us=to_us(point.since),
                at_us=at_us,
                n=point.n,
                mean=point.mean,
                low=point.low,
                high=point.high,
                statistic=max(point.statistics.values(), default=None)
                if point.statistics
                else None,
                phase=point.phase,
            )
        )
        if len(self.points) > POINTS:
            half = POINTS // 2
            older, newer = self.points[:half], self.points[half:]
            pairs = zip(older[::2], older[1::2], strict=True)
            self.points = [*(_merged(a, b) for a, b in pairs), *newer]

    @property
    def per_day(self) -> float | None:
        """Observations a day over its newest points; None while that cannot be said."""
        recent = self.points[-20:]
        if len(recent) < 2 or recent[-1].at_us <= recent[0].at_us:
            return None
        n = sum(point.n for point in recent[1:])
        return n / ((recent[-1].at_us - recent[0].at_us) / 86_400e6)


class Lines:
    """All series by site, model ("" for what belongs to the studies) and subject."""

    def __init__(self) -> None:
        self._lines: dict[Key, Line] = {}
        self.dropped: Counter[str] = Counter()

    def take(self, point: SeriesPoint) -> None:
        """Take a block."""
        key = (point.site, point.model or "", point.subject)
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= SERIES:
                self.dropped["series"] += 1
                return
            line = self._lines[key] = Line()
        line.take(point)

    def get(self, site: str, model: str, subject: str) -> Line | None:
        """One series."""
        return self._lines.get((site, model, subject))

    def of(self, site: str | None = None, model: str | None = None) -> list[tuple[Key, Line]]:
        """Those of a site, of a model, or of both, in order."""
        return sorted(
            (key, line)
            for key, line in self._lines.items()
            if site in (None, key[0]) and model in (None, key[1])
        )

    def phases(self) -> dict[tuple[str, str], Counter[str]]:
        """How many series of each site and model are in which phase."""
        phases: dict[tuple[str, str], Counter[str]] = {}
        for (site, model, _), line in self._lines.items():
            phases.setdefault((site, model), Counter())[line.phase] += 1
        return phases

    def __len__(self) -> int:
        return len(self._lines)


def _merged(one: Point, other: Point) -> Point:
    n = one.n + other.n
    known = [s for s in (one.statistic, other.statistic) if s is not None]
    return Point(
        since_us=one.since_us,
        at_us=other.at_us,
        n=n,
        mean=(one.mean * one.n + other.mean * other.n) / n,
        low=min(one.low, other.low),
        high=max(one.high, other.high),
        statistic=max(known, default=None),
        phase=other.phase,
    )

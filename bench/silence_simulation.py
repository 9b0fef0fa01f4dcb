"""Many feeds at once, as arrays: what streams/silence/ computes for one (a test compares them).

Arrivals follow a weekly rhythm, times a gamma factor of each day and one of each hour; of the
dispersion a fifth is the days'. Arrivals within an hour are uniform. Every feed learns its profile
online from its first arrival; statistics are those of `streams.silence`, at its estimates.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.hospital.rhythm import intensity
from streams.silence.partial import LEFT
from streams.silence.profile import (
    KEEP_HOURLY,
    KEEP_WEEKLY,
    KINDS_OF_HOUR,
    KNOWN_AFTER,
    LEAST_DISPERSION,
    LEAST_UNEVENNESS,
    PSEUDO_WEEKS,
    RATED_AFTER,
    USUAL_DISPERSION,
    USUAL_UNEVENNESS,
    USUAL_WEIGHT,
    worth,
)

Floats = NDArray[np.float64]
WEEK = 168
_MONDAY_US = 4 * 86_400_000_000
HOSPITAL = np.array([intensity(_MONDAY_US + hour * 3_600_000_000) for hour in range(WEEK)])
OFFICE = np.array([float(hour // 24 < 5 and 8 <= hour % 24 < 18) for hour in range(WEEK)])
_DAY = np.arange(WEEK) // 24
UNEVEN = HOSPITAL * np.array([1.3, 1.0, 0.75, 1.1, 0.85, 1.4, 0.6])[_DAY]
SHAPES = {
    "hospital": HOSPITAL,
    "office hours": OFFICE,
    "flat": np.ones(WEEK),
    "uneven days": UNEVEN,
    "two days a week": HOSPITAL * np.isin(_DAY, (1, 3)),
}
DAYS_PART = 0.2


class Hour(NamedTuple):
    """One hour of all feeds: the greatest statistics in it, and what they are judged by."""

    hour: int
    counts: NDArray[np.int64]
    gap: Floats
    partial: Floats
    silent_hours: Floats
    per_hour: Floats
    dispersion: Floats


class Profiles:
    """`streams.silence.profile.Profile` for many feeds."""

    def __init__(self, feeds: int) -> None:
        self.sums, self.weeks = np.zeros((WEEK, feeds)), np.zeros(WEEK)
        self.arrivals, self.hours = np.zeros(feeds), 0.0
        self.excess, self.square = np.zeros(feeds), np.zeros(feeds)
        self.unevenness, self.learnt_hours = np.full(feeds, USUAL_UNEVENNESS), 0
        self.is_open = np.zeros((WEEK // 24, feeds), bool)  # has anything come on that day, ever

    @property
    def dispersion(self) -> Floats:
        """Of each feed."""
        estimate: Floats = (self.excess + USUAL_DISPERSION * USUAL_WEIGHT) / (
            self.square + USUAL_WEIGHT
        )
        return estimate.clip(LEAST_DISPERSION)

    def expected(self, weekhour: int) -> Floats:
        """Arrivals in an hour of the week."""
        hour, first = weekhour % 24, 0 if weekhour < 120 else 120
        days = slice(first + hour, WEEK if first else 120, 24)
        is_open = self.is_open[first // 24 : days.stop // 24]
        open_weeks = (self.weeks[days, None] * is_open).sum(0)
        shared = self.sums[days].sum(0) / np.maximum(open_weeks, 1e-9)
        uneven_n = (1 + self.dispersion * shared) / self.unevenness
        shared_n = np.maximum(np.minimum(PSEUDO_WEEKS * shared, uneven_n), 1e-300)
        own_n, own_weeks = self.sums[weekhour], self.weeks[weekhour]
        expected: Floats = (own_n + shared_n) * shared / (own_weeks * shared + shared_n)
        return np.where(self.is_open[weekhour // 24], expected, 0.0)

    def learn(self, hour: int, counts: NDArray[np.int64]) -> None:
        """Take the counts of an hour since the beginning."""
        weekhour = hour % WEEK
        if self.learnt_hours >= RATED_AFTER:
            expected = self.expected(weekhour)
            self.excess = self.excess * KEEP_HOURLY + (counts - expected) ** 2 - expected
            self.square = self.square * KEEP_HOURLY + expected**2
        self.sums[weekhour] = self.sums[weekhour] * KEEP_WEEKLY + counts
        self.weeks[weekhour] = self.weeks[weekhour] * KEEP_WEEKLY + 1
        self.arrivals = self.arrivals * KEEP_HOURLY + counts
        self.hours = self.hours * KEEP_HOURLY + 1
        self.is_open[weekhour // 24] |= counts > 0
        self.learnt_hours += 1
        if self.learnt_hours % 24 == 0:
            self._find_unevenness()

    def _find_unevenness(self) -> None:
        dispersion = self.dispersion
        excess = np.full_like(dispersion, USUAL_UNEVENNESS * USUAL_WEIGHT)
        square = np.full_like(dispersion, USUAL_WEIGHT)
        for alike in KINDS_OF_HOUR:
            learnt = self.weeks[alike] > 0
            weeks = self.weeks[alike][learnt]
            if len(weeks) < 2:
                continue
            days = np.arange(WEEK)[alike][learnt] // 24
            counted = self.is_open[days]
            others_n = counted.sum(0) - 1
            n = np.maximum(others_n + 1, 1)
            rates = self.sums[alike][learnt] / weeks[:, None]  # 0 where a day is closed
            mean = rates.sum(0) / n
            per_day = np.array([1 / worth(known) for known in weeks])[:, None]
            per_week = (per_day * counted).sum(0) / n
            chance = mean * (1 + dispersion * mean) * per_week
            squares = ((rates - mean) ** 2 * counted).sum(0)
            excess += np.where(others_n > 0, squares - others_n * chance, 0.0)
            square += np.where(others_n > 0, others_n * mean * mean, 0.0)
        self.unevenness = np.maximum(LEAST_UNEVENNESS, excess / square)


def simulate(
    mean: float, dispersion: float, feeds: int, weeks: int, seed: int, shape: Floats = HOSPITAL
) -> Iterator[Hour]:
    """In-control hours from the moment at which the feeds are watched; `mean` arrivals an hour."""
    rng = np.random.default_rng(seed)
    rates = mean * shape / shape.mean()
    profiles, statistic = Profiles(feeds), np.zeros(feeds)
    carried, silent_hours = np.zeros(feeds), np.zeros(feeds)
    day = np.ones(feeds)
    for hour in range(weeks * WEEK):
        if hour % 24 == 0:
            day = _gamma(rng, DAYS_PART * dispersion, feeds)
        level = day * _gamma(rng, (1 - DAYS_PART) * dispersion, feeds)
        counts = rng.poisson(rates[hour % WEEK] * level)
        if hour >= KNOWN_AFTER:
            expected, a = profiles.expected(hour % WEEK), profiles.dispersion
            first, inner, last = _spacings(rng, counts)
            none = counts == 0
            before = carried + np.log1p(a * expected * first) / a
            after = np.where(none, before, np.log1p(a * expected * last) / a)
            gap = np.maximum(np.maximum(before, after), np.log1p(a * expected * inner) / a)
            long = np.maximum(silent_hours + first, inner)
            carried, silent_hours = after, np.where(none, silent_hours + 1, last)
            q = (1 + a * expected) / (1 + a * LEFT * expected)
            statistic = np.maximum(0, statistic + counts * np.log(LEFT * q) + np.log(q) / a)
            per_hour = profiles.arrivals / profiles.hours
            yield Hour(hour, counts, gap, statistic, long, per_hour, a)
        profiles.learn(hour, counts)


def _gamma(rng: np.random.Generator, variance: float, n: int) -> Floats:
    return rng.gamma(1 / variance, variance, n) if variance else np.ones(n)


def _spacings(rng: np.random.Generator, counts: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Parts of the hour before the first arrival, the longest between two, after the last."""
    feeds, most = np.arange(len(counts)), int(counts.max())
    if most == 0:
        return np.ones(len(counts)), np.zeros(len(counts)), np.ones(len(counts))
    parts = rng.standard_exponential((most + 1, len(counts)))
    parts[np.arange(most + 1)[:, None] > counts] = 0.0
    parts /= parts.sum(0)
    first, last = parts[0].copy(), parts[counts, feeds].copy()
    parts[0], parts[counts, feeds] = 0.0, 0.0
    return first, parts.max(0), last

"""How far local days have levels of their own, and scores without them.

Staff, lists, rooms and weather move a series from day to day by little: .1 sd is far below what a
block of a few dozen observations shows, and a thousand a day still agree on it. Each day has then a
level of its own, drawn anew: the random effects of a one-way layout (Searle, Casella & McCulloch
1992, "Variance Components"). Its variance is measured from each day and the one before it
(`detectors._day_variance`), so that a change, which comes between two days, is not taken for it;
and it goes on being measured while the series is watched, since a reference of a few days tells
little. How far days spread is measured beside it (`detectors.day_spreads`).

Scores become innovations: each less what the day's scores before it tell of the day's level, over
how far it may lie from that (Kalman 1960; Harvey 1989, "Forecasting, structural time series models
and the Kalman filter"). In control those are as good as independent of N(0, 1), however much the
days differ. A change stands out against the first scores of each day as much as ever, and in the
middle of one more: what is lost is what no monitor can know, whether all of a day's scores are high
for the reason that the day is.
"""

from collections.abc import Sequence
from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from detectors import _day_variance
from detectors._compiled import compiled
from detectors._contract import IN_FULL, Floats, Ints, State, StateUnreadable
from detectors._day_variance import DIFFERENCES, EXPECTED, ONE_IN_6, VARIANCE, day_n, day_variance
from detectors.day_spreads import DaySpreads

_FORMAT = 2
_FORMAT_1 = 1  # without spreads
_LEVEL_N = _day_variance.SUMS_N
SUMS_N = 2 * _LEVEL_N
_LEVELS, _WEEKDAY = range(_LEVEL_N, _LEVEL_N + 2)
_DAY, _BEFORE, _LENGTH = 5, 8, 11
_N, _SUM, _SQUARES = range(3)
_ASSUMED = 0.05**2  # of the variance of single scores, not of what they are worth


class Innovations(NamedTuple):
    """Scores without the levels of days, and what each is worth to a detector: see its `run`."""

    scores: Floats
    shown: Floats
    drawn: Floats


class DayLevels:
    """What days have told so far, and the day that is filling.

    Sums are what outlasts a reference: the three of levels (`detectors._day_variance`), and those
    of spreads. `variance_ratio` is that by which scores are known to vary within a day beyond
    independent ones (`detectors.dependence`), `spread_ratio` the same of their squares.
    """

    def __init__(
        self, sums: Sequence[float] = (), variance_ratio: float = 1.0, spread_ratio: float = 1.0
    ) -> None:
        self._seen = np.zeros(_LENGTH)
        self._seen[:_LEVEL_N] = sums[:_LEVEL_N] or 0.0
        self._seen[_WEEKDAY] = -1
        self._within_ratio = variance_ratio
        self._seen[_LEVELS] = day_variance(self._seen, _ASSUMED / variance_ratio, ONE_IN_6)
        self._spreads = DaySpreads(sums[_LEVEL_N:], spread_ratio)

    @property
    def sums(self) -> list[float]:
        """See the class."""
        sums: list[float] = self._seen[:_LEVEL_N].tolist()
        return sums + self._spreads.sums

    @property
    def variance(self) -> float:
        """That of the levels of days, over that of scores within a day; 0: none shows."""
        return float(self._seen[_LEVELS])

    @property
    def ratio(self) -> float:
        """So many scores of whole days are worth as much as an independent one."""
        return 1 + self.variance * day_n(self._seen)

    @property
    def spread_ratio(self) -> float:
        """The same of their squares."""
        return self._spreads.ratio

    def innovations(self, scores: Floats, weekdays: Ints) -> Innovations:
        """Those of the next scores, each with its local day of the week.

        The same bits however scores are cut into calls.
        """
        found, shown = np.empty((2, len(scores)))
        are_others = _read(scores, weekdays, self._seen, self._within_ratio, found, shown)
        drawn = self._spreads.drawn(found, weekdays)
        return Innovations(found, shown if are_others else IN_FULL, drawn)

    def held_against(
        self, sums: Sequence[float], variance_ratio: float, spread_ratio: float
    ) -> "DayLevels":
        """What goes on under another reference: what is known of days, its own sums if more."""
        known = self.sums
        more = sums if len(sums) and sums[EXPECTED] > known[EXPECTED] else known
        return DayLevels(more, variance_ratio, spread_ratio)

    def end_day(self) -> None:
        """What comes is of another day."""
        _end_day(self._seen, self._within_ratio)
        self._spreads.end_day()

    def forget_days(self) -> None:
        """What comes is not to be compared with the day that is filling, or the one before."""
        self._seen[_DAY:] = 0.0
        self._spreads.forget_days()

    def copy(self) -> "DayLevels":
        """As it is now."""
        other = DayLevels.__new__(DayLevels)
        other._seen, other._within_ratio = self._seen.copy(), self._within_ratio
        other._spreads = self._spreads.copy()
        return other

    def go_back_to(self, earlier: "DayLevels") -> None:
        """Forget what came since."""
        self._seen[:] = earlier._seen
        self._spreads.go_back_to(earlier._spreads)

    def state(self) -> State:
        """Plain numbers: the sums, the variance, and two days; and of spreads."""
        return {
            "format": _FORMAT,
            "ratio": self._within_ratio,
            "seen": self._seen.tolist(),
            "spreads": self._spreads.state(),
        }

    @classmethod
    def restore(cls, state: State) -> "DayLevels":
        """Go on by a state. Raises StateUnreadable; format 1 had nothing of spreads."""
        form, seen = state.get("format"), state.get("seen")
        if form not in (_FORMAT_1, _FORMAT) or not isinstance(seen, list) or len(seen) != _LENGTH:
            raise StateUnreadable("not the levels of days of format 1 or 2")
        levels = cls((), state["ratio"])
        levels._seen[:] = seen
        if form == _FORMAT:
            try:
                levels._spreads = DaySpreads.restore(state["spreads"])
            except ValueError as error:
                raise StateUnreadable("not the spreads of days") from error
        return levels


def day_sums(
    scores: Floats, weekdays: Ints, variance_ratio: float = 1.0, spread_ratio: float = 1.0
) -> list[float]:
    """The sums of a sample, in the order in which it came; each with its local day of the week."""
    levels = DayLevels((), variance_ratio, spread_ratio)
    levels.innovations(scores, weekdays)
    levels.end_day()
    return levels.sums


def are_sums(sums: Sequence[float]) -> bool:
    """Whether these are sums of days."""
    return len(sums) == SUMS_N and all(0 <= number < inf for number in sums)


def observations_for(independent_n: float, per_day: float, variance: float) -> float:
    """How many observations after a lasting change tell as much as so many independent ones.

    It comes in the middle of a day. k of a day after n others are worth k (1 + n v) / (1 + (n + k)
    v), v the variance of levels of days.

    >>> round(observations_for(50, 1000, 0.0)), round(observations_for(50, 1000, 0.01))
    (50, 55)
    >>> round(observations_for(500, 1000, 0.01))
    2583
    """
    half = per_day / 2
    known = 1 + half * variance
    of_half, of_day = half * known / (known + half * variance), per_day / (1 + per_day * variance)
    if independent_n <= of_half:
        return independent_n * known / (known - independent_n * variance)
    days, left = divmod(independent_n - of_half, of_day)
    return half + days * per_day + left / (1 - left * variance)


@compiled
def _read(
    scores: Floats, weekdays: Ints, seen: Floats, within_ratio: float, found: Floats, shown: Floats
) -> bool:
    are_others = False
    for place, score in enumerate(scores):
        if seen[_WEEKDAY] != weekdays[place]:
            _end_day(seen, within_ratio)
            seen[_WEEKDAY] = weekdays[place]
        levels, n = seen[_LEVELS], seen[_DAY + _N]
        found[place], shown[place] = score, 1.0
        if levels > 0:
            told = levels / (1 + n * levels)
            within = 1 / (1 + levels)
            sd = sqrt(within * (1 + within_ratio * told))
            found[place] = (score - told * seen[_DAY + _SUM]) / sd
            shown[place] = 1 / (1 + n * levels) / sd
            are_others = True
        seen[_DAY + _N] += 1
        seen[_DAY + _SUM] += score
        seen[_DAY + _SQUARES] += score * score
    return are_others


@compiled
def _end_day(seen: Floats, within_ratio: float) -> None:
    """A day is full: how far its mean differs from that of the day before.

    Chance is that of dealing out all that came on both, so whatever they spread by now; the
    variance of the square is that of dealing out, and of the pair before, which shares a day.
    """
    day, before = seen[_DAY:_BEFORE], seen[_BEFORE:_LENGTH]
    n = day[_N] + before[_N]
    if day[_N] > 0 and before[_N] > 0 and n > 2:
        mean = (day[_SUM] + before[_SUM]) / n
        spread = (day[_SQUARES] + before[_SQUARES] - n * mean * mean) / (n - 1)
        weight = 2 * day[_N] * before[_N] / n
        if spread > 0:
            apart = day[_SUM] / day[_N] - before[_SUM] / before[_N]
            by_chance = within_ratio * spread * 2 / weight
            seen[DIFFERENCES] += weight * apart * apart / by_chance
            seen[EXPECTED] += weight
            seen[VARIANCE] += 3 * weight * weight * (n - 2) / (n + 1)
            seen[_LEVELS] = day_variance(seen, _ASSUMED / within_ratio, ONE_IN_6)
    if day[_N] > 0:
        before[:] = day
        day[:] = 0.0

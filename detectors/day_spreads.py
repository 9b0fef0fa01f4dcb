"""How far local days spread as no other day does, and what their squares are worth.

Lists of outpatients and of emergencies, a queue, a resident: the spread of a series differs from
day to day by some percent, which a thousand squares a day show and a few dozen do not. Days differ
by the logarithm of their variances; its variance is measured as that of their levels is
(`detectors.day_levels`), and goes on being measured. How far squares lie from one is then drawn in,
until those of whole days add up as independent ones would: a change of the spread is believed after
as many days as it takes to stand out from days, and no sooner.
"""

from collections.abc import Sequence
from math import log, sqrt

import numpy as np

from detectors._compiled import compiled
from detectors._contract import Floats, Ints
from detectors._day_variance import (
    DIFFERENCES,
    EXPECTED,
    ONE_IN_44,
    SUMS_N,
    VARIANCE,
    day_n,
    day_variance,
)

_DRAWN, _WEEKDAY = range(SUMS_N, SUMS_N + 2)
_DAY, _BEFORE, _LENGTH = range(SUMS_N + 2, SUMS_N + 9, 3)
_N, _SUM, _SQUARES = range(3)
_ROUNDED = 1e-9
_ASSUMED = 0.05**2  # of the variance of single squares: days that differ by 3.5 %


class DaySpreads:
    """What the spreads of days have told so far, and the day that is filling.

    `sums` as in `detectors._day_variance`; `variance_ratio` is that by which squares are known to
    vary within a day beyond independent ones.
    """

    def __init__(self, sums: Sequence[float] = (), variance_ratio: float = 1.0) -> None:
        self._seen = np.zeros(_LENGTH)
        self._seen[:SUMS_N] = sums or 0.0
        self._seen[_WEEKDAY] = -1
        self.within_ratio = variance_ratio
        self._seen[_DRAWN] = _drawn(self._seen)

    @property
    def sums(self) -> list[float]:
        """See the class."""
        sums: list[float] = self._seen[:SUMS_N].tolist()
        return sums

    @property
    def ratio(self) -> float:
        """So many squares of whole days are worth as much as an independent one."""
        return float(self._seen[_DRAWN]) ** -2

    def drawn(self, scores: Floats, weekdays: Ints) -> Floats:
        """What part of how far the square of each next score lies from one is believed.

        The same bits however scores are cut into calls.
        """
        drawn = np.empty(len(scores))
        _read(scores, weekdays, self._seen, self.within_ratio, drawn)
        return drawn

    def end_day(self) -> None:
        """What comes is of another day."""
        _end_day(self._seen, self.within_ratio)

    def forget_days(self) -> None:
        """What comes is not to be compared with the day that is filling, or the one before."""
        self._seen[_DAY:] = 0.0

    def copy(self) -> "DaySpreads":
        """As it is now."""
        other = DaySpreads.__new__(DaySpreads)
        other._seen, other.within_ratio = self._seen.copy(), self.within_ratio
        return other

    def go_back_to(self, earlier: "DaySpreads") -> None:
        """Forget what came since."""
        self._seen[:] = earlier._seen

    def state(self) -> list[float]:
        """Plain numbers: the sums, what is believed, and two days."""
        return [self.within_ratio, *self._seen.tolist()]

    @classmethod
    def restore(cls, state: Sequence[float]) -> "DaySpreads":
        """Go on by a state. ValueError if it is none."""
        if len(state) != 1 + _LENGTH:
            raise ValueError("not the spreads of days")
        spreads = cls((), state[0])
        spreads._seen[:] = state[1:]
        return spreads


@compiled
def _read(scores: Floats, weekdays: Ints, seen: Floats, within_ratio: float, drawn: Floats) -> None:
    for place, score in enumerate(scores):
        if seen[_WEEKDAY] != weekdays[place]:
            _end_day(seen, within_ratio)
            seen[_WEEKDAY] = weekdays[place]
        drawn[place] = seen[_DRAWN]
        seen[_DAY + _N] += 1
        seen[_DAY + _SUM] += score
        seen[_DAY + _SQUARES] += score * score


@compiled
def _end_day(seen: Floats, within_ratio: float) -> None:
    """A day is full: how far the logarithm of its variance differs from that of the day before.

    By chance that of n scores varies by 2 / (n - 1) + 2 / (n - 1)^2 (the trigamma function of half
    the freedom).
    """
    day, before = seen[_DAY:_BEFORE], seen[_BEFORE:_LENGTH]
    spread, spread_before = _variance(day), _variance(before)
    if spread > 0 and spread_before > 0:
        n, before_n = day[_N] - 1, before[_N] - 1
        weight = 2 * n * before_n / (n + before_n)
        by_chance = 2 / n + 2 / n**2 + 2 / before_n + 2 / before_n**2
        apart = log(spread / spread_before)
        seen[DIFFERENCES] += weight * apart * apart / (within_ratio * by_chance)
        seen[EXPECTED] += weight
        seen[VARIANCE] += 3 * weight * weight
        seen[_DRAWN] = _drawn(seen)
    if day[_N] > 0:
        before[:] = day
        day[:] = 0.0


@compiled
def _variance(day: Floats) -> float:
    """0 of fewer than two scores, or where rounding is all there is."""
    if day[_N] < 2:
        return 0.0
    left = day[_SQUARES] - day[_SUM] * day[_SUM] / day[_N]
    return float(left / (day[_N] - 1)) if left > _ROUNDED * day[_SQUARES] else 0.0


@compiled
def _drawn(seen: Floats) -> float:
    return 1 / sqrt(1 + day_variance(seen, _ASSUMED, ONE_IN_44) * day_n(seen))

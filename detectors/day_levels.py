"""How far local days have levels of their own, and scores without them.

Staff, lists, rooms and weather move a series from day to day by little: .1 sd is far below what a
block of a few dozen observations shows, and a thousand a day still agree on it. Each day has then a
level of its own, drawn anew: the random effects of a one-way layout (Searle, Casella & McCulloch
1992, "Variance Components"). Its variance is measured from each day and the one before it (von
Neumann 1941, "Distribution of the ratio of the mean square successive difference to the variance"),
so that a change, which comes between two days, is not taken for it; and it goes on being measured
while the series is watched, since a reference of a few days tells little.

Scores become innovations: each less what the day's scores before it tell of the day's level, over
how far it may lie from that (Kalman 1960; Harvey 1989, "Forecasting, structural time series models
and the Kalman filter"). In control those are as good as independent of N(0, 1), however much the
days differ. A change stands out against the first scores of each day as much as ever, and in the
middle of one more: what is lost is what no monitor can know, whether all of a day's scores are high
for the reason that the day is.
"""

from collections.abc import Sequence
from math import inf, sqrt

import numpy as np

from detectors._compiled import compiled
from detectors._contract import IN_FULL, Floats, Ints, State, StateUnreadable
from detectors.chi_squared import chi_squared_in_loops

_FORMAT = 1
SUMS_N = 3
_DIFFERENCES, _EXPECTED, _VARIANCE, _LEVELS, _WEEKDAY = range(5)
_DAY, _BEFORE, _LENGTH = 5, 8, 11
_N, _SUM, _SQUARES = range(3)
_LEAST_FREEDOM = 4.0  # of eight days, of which the first and the last need not be whole
_ONE_IN_6 = 1.0
_ASSUMED_SD = 0.05  # when the first two days are over, and ever less as more come
_ASSUMED_FREEDOM = 3.0


class DayLevels:
    """What days have told so far, and the day that is filling.

    Three sums are what outlasts a reference: squared differences of days, what they would be by
    chance, and the variance of that. `variance_ratio` is that by which scores are known to vary
    within a day beyond independent ones (`detectors.dependence`).
    """

    def __init__(self, sums: Sequence[float] = (), variance_ratio: float = 1.0) -> None:
        self._seen = np.zeros(_LENGTH)
        self._seen[:SUMS_N] = sums or 0.0
        self._seen[_WEEKDAY] = -1
        self._within_ratio = variance_ratio
        self._seen[_LEVELS] = _levels(self._seen, variance_ratio)

    @property
    def sums(self) -> list[float]:
        """See the class."""
        sums: list[float] = self._seen[:SUMS_N].tolist()
        return sums

    @property
    def variance(self) -> float:
        """That of the levels of days, over that of scores within a day; 0: none shows."""
        return float(self._seen[_LEVELS])

    @property
    def ratio(self) -> float:
        """So many scores of whole days are worth as much as an independent one."""
        expected = self._seen[_EXPECTED]
        per_day = self._seen[_VARIANCE] / 3 / expected if expected > 0 else 0.0
        return 1 + self.variance * float(per_day)

    def innovations(self, scores: Floats, weekdays: Ints) -> tuple[Floats, Floats]:
        """Those of the next scores, each with its local day of the week.

        And what part of a shift of all days each shows (`detectors.Detector.run`). The same bits
        however scores are cut into calls.
        """
        found, shown = np.empty((2, len(scores)))
        are_others = _read(scores, weekdays, self._seen, self._within_ratio, found, shown)
        return found, shown if are_others else IN_FULL

    def held_against(self, variance_ratio: float, sums: Sequence[float]) -> "DayLevels":
        """What goes on under another reference: what is known of days, its own sums if more."""
        known = self.sums
        more = sums if len(sums) and sums[_EXPECTED] > known[_EXPECTED] else known
        return DayLevels(more, variance_ratio)

    def end_day(self) -> None:
        """What comes is of another day."""
        _end_day(self._seen, self._within_ratio)

    def forget_days(self) -> None:
        """What comes is not to be compared with the day that is filling, or the one before."""
        self._seen[_DAY:] = 0.0

    def copy(self) -> "DayLevels":
        """As it is now."""
        other = DayLevels.__new__(DayLevels)
        other._seen, other._within_ratio = self._seen.copy(), self._within_ratio
        return other

    def go_back_to(self, earlier: "DayLevels") -> None:
        """Forget what came since."""
        self._seen[:] = earlier._seen

    def state(self) -> State:
        """Plain numbers: the sums, the variance, and two days."""
        return {"format": _FORMAT, "ratio": self._within_ratio, "seen": self._seen.tolist()}

    @classmethod
    def restore(cls, state: State) -> "DayLevels":
        """Go on by a state. Raises StateUnreadable."""
        seen = state.get("seen")
        if state.get("format") != _FORMAT or not isinstance(seen, list) or len(seen) != _LENGTH:
            raise StateUnreadable("not the levels of days of format 1")
        levels = cls((), state["ratio"])
        levels._seen[:] = seen
        return levels


def day_sums(scores: Floats, weekdays: Ints, variance_ratio: float) -> list[float]:
    """The sums of a sample, in the order in which it came; each with its local day of the week."""
    levels = DayLevels((), variance_ratio)
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
            seen[_DIFFERENCES] += weight * apart * apart / by_chance
            seen[_EXPECTED] += weight
            seen[_VARIANCE] += 3 * weight * weight * (n - 2) / (n + 1)
            seen[_LEVELS] = _levels(seen, within_ratio)
    if day[_N] > 0:
        before[:] = day
        day[:] = 0.0


@compiled
def _levels(seen: Floats, within_ratio: float) -> float:
    """The variance of levels of days, where they differ more than by chance once in six.

    Taken a standard error greater than it is estimated: one too small costs more than one too
    great. What is assumed beforehand is a share of the sd of single scores, not of what they are
    worth.
    """
    expected, variance = seen[_EXPECTED], seen[_VARIANCE]
    freedom = 2 * expected * expected / variance if variance > 0 else 0.0
    fading = _ASSUMED_FREEDOM / (_ASSUMED_FREEDOM + freedom)
    assumed = _ASSUMED_SD**2 / within_ratio * fading if variance > 0 else 0.0
    if freedom < _LEAST_FREEDOM:
        return assumed
    ratio, error = seen[_DIFFERENCES] / expected, sqrt(variance) / expected
    if ratio * freedom <= chi_squared_in_loops(freedom, _ONE_IN_6):
        return assumed
    return max(assumed, float((ratio * (1 + error) - 1) * 3 * expected / variance))

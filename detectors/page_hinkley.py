"""The Page-Hinkley test on normal scores: for shifts of half a standard deviation and more.

Step for step as River's PageHinkley computes it (the same bits, which a test holds it to), compiled
because a call of Python for each observation costs ten times the arithmetic.

Three settings make it keep a promise. alpha = 1: any less fades the sum but not its extreme. The
tolerance is .25 + 1.64 / sqrt(m): a dead band as wide as the reference is uncertain. The threshold
is the one at which a two-sided CUSUM of slope .25 has the promised ARL (Siegmund 1985, "Sequential
Analysis"). Its mean begins as that of m scores, all in control, else a shift that is there from
the first observation would be taken for the mean.

It counts observations, not days: its promise is kept up to the pace that it was granted at. Scores
of dependent values come scaled, and sums of them vary as those of independent ones.
"""

from functools import lru_cache
from math import exp, sqrt
from typing import Self

import numpy as np

from detectors._compiled import compiled
from detectors._contract import (
    IN_FULL,
    INDEPENDENT,
    MIN_ARL,
    Dependence,
    Floats,
    Promise,
    State,
    StateUnreadable,
    check_scores,
    check_settings,
)

_FORMAT = 1
_SLOPE = 0.25
_ONE_SIDED_95 = 1.64
_OVERSHOOT = 1.166
# The mean, the two sums, their extremes; the observations so far, and those at the extremes.
_MEAN_N, _MEAN, _RISING, _LOWEST, _FALLING, _HIGHEST, _N, _LOWEST_N, _HIGHEST_N = range(9)


class Detector:
    """Page-Hinkley, both directions, with the reference as the past of its running mean."""

    def __init__(
        self, promise: Promise, reference_n: int, dependence: Dependence = INDEPENDENT
    ) -> None:
        check_settings(promise, reference_n)
        self.threshold = siegmund_threshold(max(promise.arl, MIN_ARL), _SLOPE)
        self._reference_n = reference_n
        self._tolerance = _SLOPE + _ONE_SIDED_95 / sqrt(reference_n)
        self._found: tuple[float, int] | None = None
        self._begin()

    def run(
        self, scores: Floats, days: Floats, shown: Floats = IN_FULL, drawn: Floats = IN_FULL
    ) -> int | None:
        """See detectors.Detector."""
        check_scores(scores, days)
        if not len(scores):
            return None
        self._found = None
        alarm: int = _read(scores, self._test, self._tolerance, self.threshold)
        if alarm < 0:
            return None
        n, rise, fall = self._test[_N], self._rise(), self._fall()
        turned_n = self._test[_LOWEST_N] if rise > fall else self._test[_HIGHEST_N]
        self._found = max(rise, fall), int(n - turned_n)
        self._begin()
        return alarm

    @property
    def statistic(self) -> float:
        """How far the sum has risen above its lowest or fallen below its highest, in scores."""
        return self._found[0] if self._found else max(self._rise(), self._fall())

    @property
    def changed_n(self) -> int:
        """The observations since the sum turned."""
        return self._found[1] if self._found else 0

    def state(self) -> State:
        """Plain numbers: the running mean, both sums, their extremes and when those were."""
        test = self._test.tolist()
        return {
            "format": _FORMAT,
            "mean": test[_MEAN_N : _MEAN + 1],
            "increase": test[_RISING : _LOWEST + 1],
            "decrease": test[_FALLING : _HIGHEST + 1],
            "n": [int(n) for n in test[_N:]],
            "found": list(self._found) if self._found else None,
        }

    @classmethod
    def restore(
        cls,
        promise: Promise,
        reference_n: int,
        state: State,
        dependence: Dependence = INDEPENDENT,
    ) -> Self:
        """See detectors.Detector."""
        if state.get("format") != _FORMAT:
            raise StateUnreadable("written by another version")
        detector = cls(promise, reference_n, dependence)
        parts = (state[name] for name in ("mean", "increase", "decrease", "n"))
        detector._test = np.array([number for part in parts for number in part], dtype=np.float64)
        found = state["found"]
        detector._found = (found[0], found[1]) if found else None
        return detector

    def _begin(self) -> None:
        self._test: Floats = np.zeros(9)
        self._test[_MEAN_N] = self._reference_n

    def _rise(self) -> float:
        return float(self._test[_RISING] - self._test[_LOWEST])

    def _fall(self) -> float:
        return float(self._test[_HIGHEST] - self._test[_FALLING])


@compiled
def _read(scores: Floats, test: Floats, tolerance: float, threshold: float) -> int:
    """The place of the score that alarmed, the last one read; -1 where none does."""
    for place, score in enumerate(scores):
        test[_MEAN_N] += 1
        test[_MEAN] += (1 / test[_MEAN_N]) * (score - test[_MEAN])
        test[_N] += 1
        deviation = score - test[_MEAN]
        test[_RISING] = test[_RISING] + deviation - tolerance
        test[_FALLING] = test[_FALLING] + deviation + tolerance
        if test[_RISING] <= test[_LOWEST]:
            test[_LOWEST], test[_LOWEST_N] = test[_RISING], test[_N]
        if test[_FALLING] >= test[_HIGHEST]:
            test[_HIGHEST], test[_HIGHEST_N] = test[_FALLING], test[_N]
        rise, fall = test[_RISING] - test[_LOWEST], test[_HIGHEST] - test[_FALLING]
        if rise > threshold or fall > threshold:
            return place
    return -1


@lru_cache(maxsize=1024)
def siegmund_threshold(arl: float, slope: float) -> float:
    """The threshold h of a two-sided CUSUM on N(0, 1) with this slope k and mean run length.

    One side has ARL (e^(2kb) - 2kb - 1) / (2 k^2) with b = h + 1.166; two sides half of that.

    >>> round(siegmund_threshold(1e5, 0.25), 1)
    19.1
    """
    low, high = 0.0, 1e3
    while high - low > 1e-9:
        middle = (low + high) / 2
        reach = 2 * slope * (middle + _OVERSHOOT)
        two_sided = (exp(reach) - reach - 1) / (4 * slope**2)
        low, high = (middle, high) if two_sided < arl else (low, middle)
    return high

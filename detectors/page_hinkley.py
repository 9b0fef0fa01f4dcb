"""River's Page-Hinkley test on normal scores: for shifts of half a standard deviation and more.

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
from typing import Any, Self

from river.drift import PageHinkley
from river.stats import Mean

from detectors._contract import (
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


class Detector:
    """Page-Hinkley, both directions, with the reference as the past of its running mean."""

    def __init__(
        self, promise: Promise, reference_n: int, dependence: Dependence = INDEPENDENT
    ) -> None:
        check_settings(promise, reference_n)
        self.threshold = siegmund_threshold(max(promise.arl, MIN_ARL), _SLOPE)
        self._reference_n = reference_n
        self._found: tuple[float, int] | None = None
        self._n = self._lowest_n = self._highest_n = 0
        self._begin()

    def run(self, scores: Floats, days: Floats) -> int | None:
        """See detectors.Detector."""
        check_scores(scores, days)
        if not len(scores):
            return None
        self._found = None
        test, n, lowest_n, highest_n = self._test, self._n, self._lowest_n, self._highest_n
        update = test.update
        for index, score in enumerate(scores.tolist()):
            update(score)
            n += 1
            if test._sum_increase == test._min_increase:
                lowest_n = n
            if test._sum_decrease == test._max_decrease:
                highest_n = n
            if test._drift_detected:
                self._found = self._rise_or_fall(n - lowest_n, n - highest_n)
                self._begin()
                return index
        self._n, self._lowest_n, self._highest_n = n, lowest_n, highest_n
        return None

    @property
    def statistic(self) -> float:
        """How far the sum has risen above its lowest or fallen below its highest, in scores."""
        return self._found[0] if self._found else max(self._rise(), self._fall())

    @property
    def changed_n(self) -> int:
        """The observations since the sum turned."""
        return self._found[1] if self._found else 0

    @property
    def found_form(self) -> str:
        """The sums are those of deviations from the mean."""
        return "mean" if self._found else ""

    def state(self) -> State:
        """Plain numbers: the running mean, both sums, their extremes and when those were."""
        test = self._test
        return {
            "format": _FORMAT,
            "mean": [test._x_mean.n, test._x_mean.get()],
            "increase": [test._sum_increase, test._min_increase],
            "decrease": [test._sum_decrease, test._max_decrease],
            "n": [self._n, self._lowest_n, self._highest_n],
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
        test = detector._test
        test._x_mean = _mean(*state["mean"])
        test._sum_increase, test._min_increase = state["increase"]
        test._sum_decrease, test._max_decrease = state["decrease"]
        detector._n, detector._lowest_n, detector._highest_n = state["n"]
        found = state["found"]
        detector._found = (found[0], found[1]) if found else None
        return detector

    def _begin(self) -> None:
        tolerance = _SLOPE + _ONE_SIDED_95 / sqrt(self._reference_n)
        test: Any = PageHinkley(delta=tolerance, threshold=self.threshold, alpha=1.0)
        test._x_mean = _mean(float(self._reference_n), 0.0)
        test._min_increase = test._max_decrease = 0.0
        self._test = test
        self._n = self._lowest_n = self._highest_n = 0

    def _rise(self) -> float:
        return float(self._test._sum_increase - self._test._min_increase)

    def _fall(self) -> float:
        return float(self._test._max_decrease - self._test._sum_decrease)

    def _rise_or_fall(self, since_lowest: int, since_highest: int) -> tuple[float, int]:
        rise, fall = self._rise(), self._fall()
        return (rise, since_lowest) if rise > fall else (fall, since_highest)


def _mean(n: float, mean: float) -> Mean:
    made = Mean()
    made.n, made._mean = n, mean
    return made


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

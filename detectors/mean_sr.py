"""Shiryaev-Roberts for a change from a level and a spread that are themselves only estimated.

For each moment a change may have begun, two Bayes factors: that the mean since then differs from
the mean before (the reference included), and that the mean square does. Neither depends on what the
level and the spread were, so an uncertain reference costs time, never the promise
(`detectors._bayes_factors`). M is the sum over all starts of the mean of both, the level weighing
.9 and the spread .1: one statistic for both.

The promise is one per days. In control each Bayes factor is a martingale of mean 1 from its start
on, for normal scores of unknown mean and variance, and a start weighs the days since the one
before. So M - (days gone by) is a supermartingale, M at an alarm is at least the threshold, and
hence the days gone by are at least the threshold on average, at any pace and however it changes.

An alarm comes with the first observation at which M is that great. What M can be at most grows by
so little with each that it is seldom computed.
"""

from math import exp, inf, sqrt
from typing import Self

import numpy as np

from detectors._bayes_factors import LEVEL, SPREAD, WORTH, bayes_factors, growth, log_bounds
from detectors._compiled import compiled
from detectors._contract import (
    IN_FULL,
    INDEPENDENT,
    Dependence,
    Floats,
    Promise,
    State,
    StateUnreadable,
    check_scores,
    check_settings,
)
from detectors._mean_sr_3 import taken_up
from detectors._starts import (
    BORN_N,
    CHUNK_N,
    ELAPSED,
    NEWEST,
    N,
    Starts,
    no_starts,
    restored,
    thin,
    wait,
)

_FORMAT = 5
_ROUNDED = 1 - 1e-9
_NOTHING = 1e-100
_FORM_PARTS = np.array([0.9, 0.1])  # level, spread


class Detector:
    """Mean and mean square since any start, against those of all before it."""

    _most: float
    """No less than M, and what the next start will weigh."""

    def __init__(
        self, promise: Promise, reference_n: int, dependence: Dependence = INDEPENDENT
    ) -> None:
        check_settings(promise, reference_n)
        self.threshold = promise.days
        self._reference_n = reference_n
        self._worth = min(float(reference_n), dependence.effective_n * dependence.ratio)
        self._shrunk = 1 / sqrt(dependence.ratio)
        self._spread_shrunk = 1 / sqrt(dependence.spread_ratio)
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
        alarm, self._most = _read(
            scores,
            days,
            shown,
            drawn,
            self._starts,
            self._totals,
            self._reference_n,
            self._shrunk,
            self._spread_shrunk,
            self.threshold,
            self._most,
        )
        if alarm < 0:
            return None
        self._found = self._strongest()
        self._begin()
        return alarm

    @property
    def statistic(self) -> float:
        """M now, or that of the alarm just raised."""
        return self._found[0] if self._found else float(self._evidence().sum())

    @property
    def changed_n(self) -> int:
        """The observations since the start with the most evidence."""
        return self._found[1] if self._found else 0

    def state(self) -> State:
        """Plain numbers: the sums; for each start when it was, the sums until then, its weights."""
        n, elapsed, newest, _ = self._starts.clock.tolist()
        began, totals_then, weights = self._starts.columns()
        return {
            "format": _FORMAT,
            "n": int(n),
            "totals": self._totals.tolist(),
            "elapsed": [elapsed, newest],
            "began": began.tolist(),
            "totals_then": totals_then.tolist(),
            "weights": weights.tolist(),
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
        """See detectors.Detector; formats 2 to 4 are taken up (`detectors._mean_sr_3`)."""
        if state.get("format") not in (2, 3, 4, _FORMAT):
            raise StateUnreadable("written by another version")
        detector = cls(promise, reference_n, dependence)
        detector._most = inf
        if state["format"] < _FORMAT:
            detector._starts, detector._totals = taken_up(state, reference_n)
        else:
            columns = (state[name] for name in ("elapsed", "began", "totals_then", "weights"))
            detector._starts = restored(state["n"], *columns)
            detector._totals = np.array(state["totals"])
        if state["format"] == 2 and state["waiting"][0]:
            scores, days = (np.array(part) for part in state["waiting"])
            detector.run(scores, days)
        found = state["found"]
        detector._found = (found[0], found[1]) if found else None
        return detector

    def _begin(self) -> None:
        self._totals: Floats = np.array([0.0, 0.0, self._worth])
        self._starts = no_starts(len(self._totals), len(_FORM_PARTS))
        self._most = 0.0

    def _evidence(self) -> Floats:
        """By form and start."""
        born_n, weights = int(self._starts.clock[BORN_N]), self._starts.held
        factors = np.zeros_like(weights)
        bayes_factors(self._starts, self._totals, self._reference_n, factors)
        evidence: Floats = (factors * weights)[:, :born_n]
        return evidence

    def _strongest(self) -> tuple[float, int]:
        """M, and the observations since the start with the most of it in one form."""
        evidence = self._evidence()
        form = int(evidence.sum(axis=1).argmax())
        began = self._starts.began[evidence[form].argmax()]
        return float(evidence.sum()), self._starts.n - int(began)


@compiled
def _read(
    scores: Floats,
    days: Floats,
    shown: Floats,
    drawn: Floats,
    starts: Starts,
    totals: Floats,
    reference_n: int,
    shrunk: float,
    spread_shrunk: float,
    threshold: float,
    most: float,
) -> tuple[int, float]:
    """The place of the score that alarmed, the last one read; -1 where none does.

    And the most that M can be then, given what it could be before: evidence is only looked at where
    that reaches the threshold.
    """
    clock, _, _, weights = starts
    factors = np.ones_like(weights)
    for place, score in enumerate(scores):
        wait(starts, days[place], totals, _FORM_PARTS, threshold)
        part = shown[place] if len(shown) else 1.0
        believed = spread_shrunk * drawn[place] if len(drawn) else spread_shrunk
        square = 1 + ((score / shrunk) ** 2 - 1) * believed
        most = (most + days[place]) * exp(growth(score, part, square, starts, totals, reference_n))
        totals[LEVEL] += part * score
        totals[WORTH] += part * part
        totals[SPREAD] += square
        clock[N] += 1
        unweighed = clock[ELAPSED] - clock[NEWEST]  # the days that the next start will weigh
        if most >= threshold * _ROUNDED:
            most = _bound(starts, totals, reference_n, factors) + unweighed
        if most >= threshold * _ROUNDED:
            m = _sum(starts, totals, reference_n, factors)
            if m >= threshold:
                return place, m
            most = m + unweighed
        if clock[N] % CHUNK_N == 0:
            bayes_factors(starts, totals, reference_n, factors)
            _thin(starts, factors)
    return -1, most


@compiled
def _sum(starts: Starts, totals: Floats, reference_n: int, factors: Floats) -> float:
    """M, and the Bayes factors. What was thinned out still stands beyond the starts in use."""
    bayes_factors(starts, totals, reference_n, factors)
    born_n = int(starts.clock[BORN_N])
    return float((starts.held[:, :born_n] * factors[:, :born_n]).sum())


@compiled
def _bound(starts: Starts, totals: Floats, reference_n: int, bounds: Floats) -> float:
    """M is no more than this. `bounds` is room to work in."""
    log_bounds(starts, totals, reference_n, bounds)
    weights, most = starts.held, 0.0
    for start in range(int(starts.clock[BORN_N])):
        for form in range(len(weights)):
            most += weights[form, start] * exp(bounds[form, start])
    return most


@compiled
def _thin(starts: Starts, factors: Floats) -> None:
    """Starts hand on what they have of M; what is kept weighs that over its own Bayes factor.

    One whose factor is as good as 0 has nothing from then on, which is less than it may have.
    """
    weights, began, place = starts.held, starts.began.copy(), 0
    weights *= factors
    thin(starts)
    for start in range(int(starts.clock[BORN_N])):
        while began[place] != starts.began[start]:
            place += 1
        for form in range(len(factors)):
            factor = factors[form, place]
            weights[form, start] *= 1 / factor if factor > _NOTHING else 0.0

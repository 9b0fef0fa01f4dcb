"""Shiryaev-Roberts for a shift of unknown size from a level that is itself only estimated.

For each moment a change may have begun, a Bayes factor: the mean since then differs from the
mean before (the reference included) by a shift drawn from N(0, .5^2), or it does not. It depends
on the difference of the two means alone, so an uncertain reference costs time, never the promise
(Pollak & Siegmund 1991, "Sequential detection of a change in a normal mean when the initial value
is unknown"). The same is done with the scores' spread scores, and M is the mean of both, location
weighing .8 and scale .2: one statistic for both.

The promise is one per days. In control each Bayes factor is a martingale of mean 1 from its start
on, for normal scores of unknown mean, and a start weighs the days since the one before. So
M - (days gone by) is a supermartingale, M at an alarm is at least the threshold, and hence the days
gone by are at least the threshold on average, at any pace and however it changes.

Evidence is looked at every 2 observations.
"""

from math import exp, sqrt
from typing import Self

import numpy as np

from detectors._compiled import compiled
from detectors._contract import (
    INDEPENDENT,
    Dependence,
    Floats,
    Promise,
    State,
    StateUnreadable,
    check_scores,
    check_settings,
)
from detectors._normal import spread
from detectors._starts import BORN_N, CHUNK_N, N, Starts, no_starts, restored, thin, wait

_FORMAT = 3
_SHIFT_SD = 0.5
_LOOK_EVERY = 2
_ROUNDING = 1e-9
_FORM_PARTS = np.array([0.8, 0.2])  # mean, spread


class Detector:
    """Mean since any start against the mean before it, of the scores and of their spread scores."""

    def __init__(
        self, promise: Promise, reference_n: int, dependence: Dependence = INDEPENDENT
    ) -> None:
        check_settings(promise, reference_n)
        self.threshold = promise.days
        self._reference_n = reference_n
        self._shrunk = 1 / sqrt(dependence.ratio)
        self._spread_shrunk = 1 / sqrt(dependence.spread_ratio)
        self._found: tuple[float, int] | None = None
        self._begin()

    def run(self, scores: Floats, days: Floats) -> int | None:
        """See detectors.Detector."""
        check_scores(scores, days)
        if not len(scores):
            return None
        self._found = None
        alarm: int = _read(
            scores,
            days,
            self._starts,
            self._totals,
            self._reference_n,
            self._shrunk,
            self._spread_shrunk,
            self.threshold,
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
        """Plain numbers: the sums, and for each start when, the sums until then, its weights."""
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
        """See detectors.Detector.

        Format 2 kept the observation after the last look apart. What was found had a third part,
        the form that had the most evidence.
        """
        if state.get("format") not in (2, _FORMAT):
            raise StateUnreadable("written by another version")
        detector = cls(promise, reference_n, dependence)
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
        self._starts = no_starts(len(_FORM_PARTS), len(_FORM_PARTS))
        self._totals: Floats = np.zeros(len(_FORM_PARTS))

    def _evidence(self) -> Floats:
        """By form and start."""
        born_n, weights = int(self._starts.clock[BORN_N]), self._starts.held
        factors = np.zeros_like(weights)
        _bayes_factors(self._starts, self._totals, self._reference_n, factors)
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
    starts: Starts,
    totals: Floats,
    reference_n: int,
    shrunk: float,
    spread_shrunk: float,
    threshold: float,
) -> int:
    """The place of the score that alarmed, the last one read; -1 where none does."""
    clock, _, _, weights = starts
    factors = np.ones_like(weights)
    for place, score in enumerate(scores):
        wait(starts, days[place], totals, _FORM_PARTS, threshold)
        totals[0] += score
        totals[1] += spread(score / shrunk) * spread_shrunk
        clock[N] += 1
        if clock[N] % _LOOK_EVERY:
            continue
        if _may_alarm(starts, totals, reference_n, threshold):
            _bayes_factors(starts, totals, reference_n, factors)
            if (weights * factors).sum() >= threshold:
                return place
        if clock[N] % CHUNK_N == 0:
            _bayes_factors(starts, totals, reference_n, factors)
            weights *= factors
            thin(starts)
            _bayes_factors(starts, totals, reference_n, factors)
            weights /= factors
    return -1


@compiled
def _may_alarm(starts: Starts, totals: Floats, reference_n: int, threshold: float) -> bool:
    """Whether all weights, times the highest factor that any start may have, reach the threshold.

    Nearly always they do not, and no other exponential is needed.
    """
    clock, began, totals_then, weights = starts
    highest, weight, all_n = 0.0, 0.0, clock[N] + reference_n
    for start in range(int(clock[BORN_N])):
        share = (began[start] + reference_n) / all_n
        scale_2 = 1 / (1 + _SHIFT_SD**2 * (clock[N] - began[start]) * share)
        for form in range(len(totals)):
            x = totals_then[form, start] - share * totals[form]
            highest = max(highest, x * x * scale_2)
            weight += weights[form, start]
    return weight * exp(highest * (_SHIFT_SD**2 / 2)) >= threshold * (1 - _ROUNDING)


@compiled
def _bayes_factors(starts: Starts, totals: Floats, reference_n: int, factors: Floats) -> None:
    """By form and start, into `factors`.

    With s observations since a start, b before it and T = s + b: x is the sum of those before,
    less b / T of the sum of all; q = 1 + .5^2 s b / T; the factor exp(.5^2 x^2 / 2q) / sqrt(q).
    """
    clock, began, totals_then, _ = starts
    all_n = clock[N] + reference_n
    for start in range(int(clock[BORN_N])):
        share = (began[start] + reference_n) / all_n
        scale_2 = 1 / (1 + _SHIFT_SD**2 * (clock[N] - began[start]) * share)
        for form in range(len(totals)):
            x = totals_then[form, start] - share * totals[form]
            factors[form, start] = exp(x * x * scale_2 * (_SHIFT_SD**2 / 2)) * sqrt(scale_2)

"""Shiryaev-Roberts for a shift of unknown size from a level that is itself only estimated.

For each past moment a change may have begun, a Bayes factor: the mean since then differs from the
mean before (the reference included) by a shift drawn from N(0, .5^2), or it does not. It depends
on the difference of the two means alone, so an uncertain reference costs time, never the promise.
Their sum M is a Shiryaev-Roberts statistic: M_n - n is a martingale for normal scores in control,
so the threshold is the ARL itself (Pollak & Siegmund 1991 for unknown initial means).

A start is added, and the evidence looked at, every 8 observations. At most 24 starts are kept: the
weakest hands its evidence to its neighbour, which leaves M as it is and a martingale.
"""

from collections.abc import Sequence
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors._contract import State, StateUnreadable, check_finite, check_settings

_FORMAT = 1
_SHIFT_SD = 0.5
_LOOK_EVERY = 8
_STARTS_MAX = 24
_YOUNG_N = 16

_Floats: TypeAlias = NDArray[np.float64]


class Detector:
    """Mean since any start against the mean before it, reference included."""

    _n: int
    _total: float

    def __init__(self, arl: float, reference_n: int) -> None:
        check_settings(arl, reference_n)
        self.threshold = arl
        self._reference_n = reference_n
        self._found: tuple[float, int] | None = None
        self._begin()

    def run(self, scores: Sequence[float]) -> int | None:
        """See detectors.Detector."""
        check_finite(scores)
        if not scores:
            return None
        self._found = None
        n, total = self._n, self._total
        for index, score in enumerate(scores):
            n += 1
            total += score
            if n % _LOOK_EVERY == 0:
                self._n, self._total = n, total
                if self._look():
                    return index
        self._n, self._total = n, total
        return None

    @property
    def statistic(self) -> float:
        """M at the last look, or that of the alarm just raised."""
        return self._found[0] if self._found else self._evidence

    @property
    def changed_n(self) -> int:
        """The observations since the start with the most evidence."""
        return self._found[1] if self._found else 0

    def state(self) -> State:
        """Plain numbers: the sum, and for each start when, the sum until then and its weight."""
        return {
            "format": _FORMAT,
            "n": self._n,
            "total": self._total,
            "evidence": self._evidence,
            "starts": self._starts.tolist(),
            "found": list(self._found) if self._found else None,
        }

    @classmethod
    def restore(cls, arl: float, reference_n: int, state: State) -> Self:
        """See detectors.Detector."""
        if state.get("format") != _FORMAT:
            raise StateUnreadable("written by another version")
        detector = cls(arl, reference_n)
        detector._n, detector._total = state["n"], state["total"]
        detector._evidence = state["evidence"]
        detector._starts = np.array(state["starts"], dtype=np.float64)
        found = state["found"]
        detector._found = (found[0], found[1]) if found else None
        return detector

    def _begin(self) -> None:
        self._n, self._total, self._evidence = 0, 0.0, 0.0
        self._starts: _Floats = np.array([[0.0], [0.0], [float(_LOOK_EVERY)]])

    def _look(self) -> bool:
        weight = self._starts[2]
        evidence = weight * self._bayes_factors()
        self._evidence = float(evidence.sum())
        if self._evidence >= self.threshold:
            began = int(self._starts[0, evidence.argmax()])
            self._found = (self._evidence, self._n - began)
            self._begin()
            return True
        if len(weight) == _STARTS_MAX:
            self._merge_weakest(evidence)
        new = [[float(self._n)], [self._total], [float(_LOOK_EVERY)]]
        self._starts = np.concatenate([self._starts, new], axis=1)
        return False

    def _bayes_factors(self) -> _Floats:
        began, total_before, _ = self._starts
        since_n, before_n = self._n - began, self._reference_n + began
        difference = (self._total - total_before) / since_n - total_before / before_n
        variance = 1 / since_n + 1 / before_n
        wider = variance + _SHIFT_SD**2
        gain = difference**2 / 2 * (1 / variance - 1 / wider)
        factors: _Floats = np.sqrt(variance / wider) * np.exp(gain)
        return factors

    def _merge_weakest(self, evidence: _Floats) -> None:
        """Give the evidence of the weakest start that is not young to the one before it."""
        old = int((self._n - self._starts[0] > _YOUNG_N).sum())
        weakest = int(evidence[:old].argmin())
        heir = weakest - 1 if weakest else 1
        self._starts[2, heir] *= 1 + evidence[weakest] / evidence[heir]
        self._starts = np.delete(self._starts, weakest, axis=1)

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

from math import sqrt
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from detectors import _starts
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
from detectors._normal import spreads
from detectors._starts import CHUNK_N, EVERY_N, KEPT_N, ROOM_N

_FORMAT = 2
_SHIFT_SD = 0.5
_LOOK_EVERY = 2
_FORMS = ("mean", "spread")
_FORM_PARTS = np.array([[0.8], [0.2]])


class Detector:
    """Mean since any start against the mean before it, of the scores and of their spread scores."""

    _waiting: tuple[list[float], list[float]]

    def __init__(
        self, promise: Promise, reference_n: int, dependence: Dependence = INDEPENDENT
    ) -> None:
        check_settings(promise, reference_n)
        self.threshold = promise.days
        self._reference_n = reference_n
        self._shrunk = 1 / sqrt(dependence.ratio)
        self._spread_shrunk = 1 / sqrt(dependence.spread_ratio)
        self._found: tuple[float, int, str] | None = None
        self._begin()

    def run(self, scores: Floats, days: Floats) -> int | None:
        """See detectors.Detector."""
        check_scores(scores, days)
        if not len(scores):
            return None
        self._found = None
        waiting_n = len(self._waiting[0])
        if waiting_n:
            scores = np.concatenate((self._waiting[0], scores))
            days = np.concatenate((self._waiting[1], days))
        at, whole = 0, len(scores) - len(scores) % _LOOK_EVERY
        while at < whole:
            end = min(at + CHUNK_N - self._n % CHUNK_N, whole)
            alarm = self._read(scores[at:end], days[at:end])
            if alarm is not None:
                return at + alarm - waiting_n
            at = end
        self._waiting = (scores[whole:].tolist(), days[whole:].tolist())
        return None

    @property
    def statistic(self) -> float:
        """M at the last look, or that of the alarm just raised."""
        return self._found[0] if self._found else self._evidence

    @property
    def changed_n(self) -> int:
        """The observations since the start with the most evidence."""
        return self._found[1] if self._found else 0

    @property
    def found_form(self) -> str:
        """Which of the two has the most evidence."""
        return self._found[2] if self._found else ""

    def state(self) -> State:
        """Plain numbers: the sums, and for each start when, the sums until then, its weights."""
        born = slice(self._born_n)
        return {
            "format": _FORMAT,
            "n": self._n,
            "totals": self._totals.tolist(),
            "elapsed": [self._elapsed, self._newest],
            "evidence": self._evidence,
            "began": self._began[born].tolist(),
            "totals_then": self._totals_then[:, born].tolist(),
            "weights": self._weights[:, born].tolist(),
            "waiting": [list(part) for part in self._waiting],
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
        detector._n = state["n"]
        detector._totals = np.array(state["totals"])
        detector._elapsed, detector._newest = state["elapsed"]
        detector._evidence = state["evidence"]
        detector._add(state["began"], state["totals_then"], state["weights"])
        scores, days = state["waiting"]
        detector._waiting = (list(scores), list(days))
        found = state["found"]
        detector._found = (found[0], found[1], found[2]) if found else None
        return detector

    def _begin(self) -> None:
        self._n = 0
        self._totals: Floats = np.zeros(2)
        self._elapsed = self._newest = self._evidence = 0.0
        self._waiting = ([], [])
        self._no_starts()

    def _no_starts(self) -> None:
        self._born_n = 0
        self._began: Floats = np.full(ROOM_N, _starts.NOT_BORN)
        self._totals_then: Floats = np.zeros((2, ROOM_N))
        self._weights: Floats = np.zeros((2, ROOM_N))

    def _read(self, scores: Floats, days: Floats) -> int | None:
        """Whole looks of one chunk: a row for each look, a column for each start."""
        totals = self._totals_at_looks(scores)
        self._add_starts(totals, days)
        factors = self._bayes_factors(totals[1:])
        evidence = factors * self._weights
        by_look = np.add.reduce(evidence.reshape(len(evidence), -1), axis=1)
        if np.maximum.reduce(by_look) >= self.threshold:
            return self._alarm(int((by_look >= self.threshold).argmax()), by_look, evidence)
        self._n, self._totals, self._evidence = (
            self._n + len(scores),
            totals[-1],
            float(by_look[-1]),
        )
        if self._n % CHUNK_N == 0:
            self._thin(evidence[-1], factors[-1])
        return None

    def _totals_at_looks(self, scores: Floats) -> Floats:
        """The sums of both forms before the first look and at each."""
        of_spread = spreads(scores if self._shrunk == 1 else scores / self._shrunk)
        if self._spread_shrunk < 1:
            of_spread = of_spread * self._spread_shrunk
        totals = np.empty((len(scores) // _LOOK_EVERY + 1, 2))
        totals[0] = self._totals
        for form, values in enumerate((scores, of_spread)):
            np.add.reduce(values.reshape(-1, _LOOK_EVERY), axis=1, out=totals[1:, form])
        return np.add.accumulate(totals, out=totals)

    def _add_starts(self, totals: Floats, days: Floats) -> None:
        until = _starts.until(self._elapsed, days)
        self._elapsed = float(until[-1])
        due = _starts.due(self._n)
        if due >= len(days):
            return
        at = until[due::EVERY_N]
        weights = _starts.weights(at, self._newest, self.threshold)
        self._newest = float(at[-1])
        began = np.arange(self._n + due, self._n + len(days), EVERY_N)
        then = totals[due // _LOOK_EVERY : -1 : EVERY_N // _LOOK_EVERY]
        self._add(began, then.T, _FORM_PARTS * weights)

    def _add(self, began: ArrayLike, totals_then: ArrayLike, weights: ArrayLike) -> None:
        new = slice(self._born_n, self._born_n + np.size(began))
        self._born_n = new.stop
        self._began[new] = began
        self._totals_then[:, new] = totals_then
        self._weights[:, new] = weights

    def _bayes_factors(self, totals: Floats) -> Floats:
        """By look, form and start; 0 before the start.

        With s observations since a start, b before it and T = s + b: x is the sum of those before,
        less b / T of the sum of all; q = 1 + .5^2 s b / T; the factor exp(.5^2 x^2 / 2q) / sqrt(q).
        """
        n = self._n + _LOOK_EVERY * np.arange(1.0, len(totals) + 1)[:, None]
        all_n = n + self._reference_n
        before_n = self._began + self._reference_n
        since_n = np.maximum(n - self._began, 0.0)
        scale = (since_n > 0) / np.sqrt(since_n * before_n * (_SHIFT_SD**2 / all_n) + 1)
        x = self._totals_then - before_n * (totals / all_n)[:, :, None]
        x *= x
        x *= (scale * scale * (_SHIFT_SD**2 / 2))[:, None]
        factors: Floats = np.exp(x, out=x)
        factors *= scale[:, None]
        return factors

    def _alarm(self, look: int, by_look: Floats, evidence: Floats) -> int:
        forms = evidence[look]
        form = int(forms.sum(axis=1).argmax())
        alarm = (look + 1) * _LOOK_EVERY - 1
        changed_n = self._n + alarm + 1 - int(self._began[forms[form].argmax()])
        self._found = (float(by_look[look]), changed_n, _FORMS[form])
        self._begin()
        return alarm

    def _thin(self, evidence: Floats, factors: Floats) -> None:
        if self._born_n <= KEPT_N:
            return
        began = self._began[: self._born_n]
        kept = _starts.kept(began, self._n)
        weights = _starts.handed(evidence[:, : self._born_n], kept) / factors[:, kept]
        began, totals_then = began[kept], self._totals_then[:, kept]
        self._no_starts()
        self._add(began, totals_then, weights)

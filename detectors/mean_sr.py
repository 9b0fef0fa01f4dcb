"""Shiryaev-Roberts for a shift of unknown size from a level that is itself only estimated.

For each moment a change may have begun, a Bayes factor: the mean since then differs from the
mean before (the reference included) by a shift drawn from N(0, .5^2), or it does not. It depends
on the difference of the two means alone, so an uncertain reference costs time, never the promise
(Pollak & Siegmund 1991, "Sequential detection of a change in a normal mean when the initial value
is unknown"). The same is done with the scores' spread scores, and M is the sum of both, each
weighing half: one statistic for location and for scale.

The promise is one per days. In control each Bayes factor is a martingale of mean 1 from its start
on, for normal scores of unknown mean, and a start weighs the days since the one before. So
M - (days gone by) is a supermartingale, M at an alarm is at least the threshold, and hence the days
gone by are at least the threshold on average, at any pace and however it changes.

Evidence is looked at every 4 observations.
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from detectors import _starts
from detectors._contract import (
    Floats,
    Promise,
    State,
    StateUnreadable,
    check_scores,
    check_settings,
)
from detectors._normal import spreads
from detectors._starts import CHUNK_N, ROOM_N

_FORMAT = 2
_SHIFT_SD = 0.5
_LOOK_EVERY = 4
_FORMS = ("mean", "spread")
_FORM_PARTS = np.array([[0.5], [0.5]])


class Detector:
    """Mean since any start against the mean before it, of the scores and of their spread scores."""

    def __init__(self, promise: Promise, reference_n: int) -> None:
        check_settings(promise, reference_n)
        self.threshold = promise.days
        self._reference_n = reference_n
        self._found: tuple[float, int, str] | None = None
        self._begin()

    def run(self, scores: Floats, days: Floats) -> int | None:
        """See detectors.Detector."""
        check_scores(scores, days)
        if not len(scores):
            return None
        self._found = None
        waiting_n = len(self._waiting[0])
        if waiting_n + len(scores) < _LOOK_EVERY:
            self._wait(scores, days)
            return None
        scores = np.concatenate((self._waiting[0], scores))
        days = np.concatenate((self._waiting[1], days))
        at, whole = 0, len(scores) - len(scores) % _LOOK_EVERY
        while at < whole:
            end = min(at + CHUNK_N - self._n % CHUNK_N, whole)
            alarm = self._read(scores[at:end], days[at:end])
            if alarm is not None:
                return at + alarm - waiting_n
            at = end
        self._waiting = ([], [])
        self._wait(scores[whole:], days[whole:])
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
        born = np.isfinite(self._began)
        return {
            "format": _FORMAT,
            "n": self._n,
            "totals": self._totals.tolist(),
            "elapsed": [self._elapsed, self._newest],
            "evidence": self._evidence,
            "began": self._began[born].astype(int).tolist(),
            "totals_then": self._totals_then[:, born].tolist(),
            "weights": self._weights[:, born].tolist(),
            "waiting": [list(part) for part in self._waiting],
            "found": list(self._found) if self._found else None,
        }

    @classmethod
    def restore(cls, promise: Promise, reference_n: int, state: State) -> Self:
        """See detectors.Detector."""
        if state.get("format") != _FORMAT:
            raise StateUnreadable("written by another version")
        detector = cls(promise, reference_n)
        detector._n = state["n"]
        detector._totals = np.array(state["totals"])
        detector._elapsed, detector._newest = state["elapsed"]
        detector._evidence = state["evidence"]
        detector._add(
            slice(len(state["began"])), state["began"], state["totals_then"], state["weights"]
        )
        scores, days = state["waiting"]
        detector._waiting = (list(scores), list(days))
        found = state["found"]
        detector._found = (found[0], found[1], found[2]) if found else None
        return detector

    def _begin(self) -> None:
        self._n = 0
        self._totals: Floats = np.zeros(2)
        self._elapsed = self._newest = self._evidence = 0.0
        self._waiting: tuple[list[float], list[float]] = ([], [])
        self._no_starts()

    def _no_starts(self) -> None:
        self._began: Floats = np.full(ROOM_N, _starts.NOT_BORN)
        self._totals_then: Floats = np.zeros((2, ROOM_N))
        self._weights: Floats = np.zeros((2, ROOM_N))

    def _wait(self, scores: Floats, days: Floats) -> None:
        self._waiting[0].extend(scores.tolist())
        self._waiting[1].extend(days.tolist())

    def _read(self, scores: Floats, days: Floats) -> int | None:
        """Whole looks of one chunk: a row for each look, a column for each start."""
        forms = np.stack((scores, spreads(scores)), axis=1)
        sums = forms.reshape(-1, _LOOK_EVERY, 2).sum(axis=1)
        totals = np.add.accumulate(np.concatenate((self._totals[None], sums)))
        self._add_starts(totals, days)
        looks_n = self._n + _LOOK_EVERY * np.arange(1, len(sums) + 1)
        factors = self._bayes_factors(looks_n, totals[1:])
        evidence = factors * self._weights
        by_look = evidence.reshape(len(sums), -1).sum(axis=1)
        alarms = np.flatnonzero(by_look >= self.threshold)
        if len(alarms):
            return self._alarm(int(alarms[0]), looks_n, by_look, evidence)
        self._n, self._totals, self._evidence = int(looks_n[-1]), totals[-1], float(by_look[-1])
        if self._n % CHUNK_N == 0:
            self._merge(evidence[-1], factors[-1])
        return None

    def _add_starts(self, totals: Floats, days: Floats) -> None:
        elapsed = np.add.accumulate(np.concatenate(([self._elapsed], days)))
        self._elapsed = float(elapsed[-1])
        places = _starts.born(self._n, len(days))
        if not len(places):
            return
        until = elapsed[1:]
        weights = _starts.weights(until, places, self._newest, self.threshold)
        self._newest = float(until[places[-1]])
        first = _starts.born_n(self._began)
        self._add(
            slice(first, first + len(places)),
            self._n + places,
            totals[places // _LOOK_EVERY].T,
            _FORM_PARTS * weights,
        )

    def _add(
        self, where: slice, began: ArrayLike, totals_then: ArrayLike, weights: ArrayLike
    ) -> None:
        self._began[where] = began
        self._totals_then[:, where] = totals_then
        self._weights[:, where] = weights

    def _bayes_factors(self, looks_n: Floats, totals: Floats) -> Floats:
        """By look, form and start; 0 before the start."""
        since_n = looks_n[:, None] - self._began
        is_born = since_n > 0
        since_n = np.where(is_born, since_n, 1.0)
        before_n = self._reference_n + self._began
        variance = 1 / since_n + 1 / before_n
        wider = variance + _SHIFT_SD**2
        gain = (1 / variance - 1 / wider) / 2 * is_born
        scale = np.sqrt(variance / wider) * is_born
        since = (totals[:, :, None] - self._totals_then) / since_n[:, None]
        difference = since - self._totals_then / before_n
        factors: Floats = scale[:, None] * np.exp(difference**2 * gain[:, None])
        return factors

    def _alarm(self, look: int, looks_n: Floats, by_look: Floats, evidence: Floats) -> int:
        forms = evidence[look]
        form = int(forms.sum(axis=1).argmax())
        began = int(self._began[forms[form].argmax()])
        n = int(looks_n[look])
        alarm = n - self._n - 1
        self._found = (float(by_look[look]), n - began, _FORMS[form])
        self._begin()
        return alarm

    def _merge(self, evidence: Floats, factors: Floats) -> None:
        kept = _starts.kept(evidence.sum(axis=0), self._began, self._n)
        weights = _starts.handed(evidence, kept) / factors[:, kept]
        began, totals_then = self._began[kept], self._totals_then[:, kept]
        self._no_starts()
        self._add(slice(len(kept)), began, totals_then, weights)

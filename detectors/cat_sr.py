"""Shiryaev-Roberts for categories whose shares are only estimated: new values, other mixtures.

For each moment a change may have begun: the chance of each observation since then, had the
shares begun to move from what they were (a Dirichlet prior worth a = 5, 20 or 100 observations:
bold to cautious), over its chance if nothing changed (all counts so far, reference included).
Each is a likelihood ratio with both shares unknown, a martingale on average over the
Dirichlet(1/2) prior, and a start weighs the days since the one before: M less the days gone by is
a martingale, so the threshold is the promise itself, in days (see `mean_sr`; measured in
bench/calibration.py).

Where observations depend on each other the evidence is tempered: counts and the logarithms of
ratios are multiplied by 1 / `variance_ratio`, as if there were so many fewer observations.

Evidence is looked at with each observation, as a value never seen before shows at once.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from detectors import _starts
from detectors._contract import (
    Floats,
    Ints,
    Promise,
    State,
    StateUnreadable,
    check_days,
    check_promise,
)
from detectors._starts import CHUNK_N, EVERY_N, KEPT_N, ROOM_N

_FORMAT = 2
_PRIOR_N = np.array([[5.0], [20.0], [100.0]])
_PSEUDO_COUNT = 0.5


class CategoryDetector:
    """Watches the shares of cells; `reference_counts` has how often each was seen, the unseen 0.

    `days` is the promise: on average at least so many between two false alarms. Fed cells as
    `detectors.categories` or `detectors.cells` number them. An alarm ends what was watched: the
    next observation begins anew, against the reference.
    """

    found_form = "shares"

    def __init__(
        self, days: float, reference_counts: Sequence[int], variance_ratio: float = 1.0
    ) -> None:
        check_promise(Promise(days, 1.0))
        if len(reference_counts) < 2 or sum(reference_counts) < 1 or min(reference_counts) < 0:
            raise ValueError("reference_counts must have two cells and one observation")
        if not variance_ratio >= 1:
            raise ValueError("variance_ratio must be at least 1")
        self.threshold = days
        self._counted = 1 / variance_ratio
        reference = np.array(reference_counts, dtype=np.float64)
        self._reference = reference * self._counted + _PSEUDO_COUNT
        self._reference_n = float(self._reference.sum())
        self._found: tuple[float, int] | None = None
        self._begin()

    def run(self, cells: Ints, days: Floats) -> int | None:
        """Feed cells in order. The index of the one that alarmed, the last one read, or None.

        `days` has for each the time since the observation before it. ValueError for a cell that
        does not exist or a time that is negative or not finite; then nothing was read.
        """
        check_days(days, len(cells))
        if not len(cells):
            return None
        if not 0 <= cells.min() <= cells.max() < len(self._reference):
            raise ValueError("no such cell")
        self._found = None
        at = 0
        while at < len(cells):
            end = at + CHUNK_N - self._n % CHUNK_N
            alarm = self._read(cells[at:end], days[at:end])
            if alarm is not None:
                return at + alarm
            at = end
        return None

    @property
    def statistic(self) -> float:
        """M now, or that of the alarm just raised; an alarm means >= `threshold`."""
        return self._found[0] if self._found else float(self._evidence.sum())

    @property
    def changed_n(self) -> int:
        """After an alarm: the observations since the start with the most evidence. Else 0."""
        return self._found[1] if self._found else 0

    def state(self) -> State:
        """Plain numbers: the counts; for each start when it was, the counts then, its evidence."""
        born = slice(self._born_n)
        return {
            "format": _FORMAT,
            "counts": self._counts.astype(int).tolist(),
            "elapsed": [self._elapsed, self._newest],
            "began": self._began[born].astype(int).tolist(),
            "counts_then": self._counts_then[:, born].astype(int).tolist(),
            "evidence": self._evidence[:, born].tolist(),
            "found": list(self._found) if self._found else None,
        }

    @classmethod
    def restore(
        cls,
        days: float,
        reference_counts: Sequence[int],
        state: State,
        variance_ratio: float = 1.0,
    ) -> Self:
        """Resume; a new promise changes the threshold and keeps the evidence.

        Raises StateUnreadable when this code cannot read the state.
        """
        if state.get("format") != _FORMAT or len(state["counts"]) != len(reference_counts):
            raise StateUnreadable("written by another version, or for other cells")
        detector = cls(days, reference_counts, variance_ratio)
        detector._counts = np.array(state["counts"], dtype=np.float64)
        detector._n = int(detector._counts.sum())
        detector._elapsed, detector._newest = state["elapsed"]
        detector._add(state["began"], state["counts_then"], state["evidence"])
        found = state["found"]
        detector._found = (found[0], found[1]) if found else None
        return detector

    def _begin(self) -> None:
        self._n = 0
        self._counts: Floats = np.zeros(len(self._reference))
        self._elapsed = self._newest = 0.0
        self._no_starts()

    def _no_starts(self) -> None:
        self._born_n = 0
        self._began: Floats = np.full(ROOM_N, _starts.NOT_BORN)
        self._counts_then: Floats = np.zeros((len(self._reference), ROOM_N))
        self._evidence: Floats = np.zeros((len(_PRIOR_N), ROOM_N))

    def _read(self, cells: Ints, days: Floats) -> int | None:
        """Observations of one chunk: a row for each, a column for each start."""
        counts = np.zeros((len(cells) + 1, len(self._reference)))
        counts[0] = self._counts
        places = np.arange(len(cells))
        counts[places + 1, cells] = 1.0
        np.add.accumulate(counts, out=counts)
        new = self._add_starts(counts, days)
        n = self._n + places.astype(np.float64)[:, None]
        is_born = (n >= self._began[new])[:, None]
        evidence = np.empty((len(cells) + 1, *self._evidence.shape))
        evidence[0], ratios = self._evidence, evidence[1:]
        self._ratios(cells, n, counts[places, cells, None], out=ratios)
        ratios[:, :, new] = np.where(is_born, ratios[:, :, new], 1.0)
        np.multiply.accumulate(evidence, out=evidence)
        last = evidence[-1].copy()
        ratios[:, :, new] *= is_born
        by_place = np.add.reduce(ratios.reshape(len(cells), -1), axis=1)
        if np.maximum.reduce(by_place) >= self.threshold:
            return self._alarm(int((by_place >= self.threshold).argmax()), by_place, ratios)
        self._n, self._counts, self._evidence = self._n + len(cells), counts[-1], last
        if self._n % CHUNK_N == 0:
            self._thin()
        return None

    def _add_starts(self, counts: Floats, days: Floats) -> slice:
        until = _starts.until(self._elapsed, days)
        self._elapsed = float(until[-1])
        due, first = _starts.due(self._n), self._born_n
        if due < len(days):
            at = until[due::EVERY_N]
            weights = _starts.weights(at, self._newest, self.threshold)
            self._newest = float(at[-1])
            began = np.arange(self._n + due, self._n + len(days), EVERY_N)
            self._add(began, counts[due:-1:EVERY_N].T, weights / len(_PRIOR_N))
        return slice(first, self._born_n)

    def _add(self, began: ArrayLike, counts_then: ArrayLike, evidence: ArrayLike) -> None:
        new = slice(self._born_n, self._born_n + np.size(began))
        self._born_n = new.stop
        self._began[new] = began
        self._counts_then[:, new] = counts_then
        self._evidence[:, new] = evidence

    def _ratios(self, cells: Ints, n: Floats, now: Floats, out: Floats) -> None:
        """The likelihood ratio of each observation by prior and start; before the start, anything.

        The share of its cell after a change, with a prior of so many observations at the share
        before the start, over its share in all that came.
        """
        then, known, counted = self._counts_then[cells], self._reference[cells, None], self._counted
        share_now = (now * counted + known) / (n * counted + self._reference_n)
        share_then = (then * counted + known) / (self._began * counted + self._reference_n)
        since = np.maximum(now - then, 0.0) * counted
        since_n = np.maximum(n - self._began, 0.0) * counted
        np.multiply((share_then / share_now)[:, None], _PRIOR_N, out=out)
        out += (since / share_now)[:, None]
        out /= since_n[:, None] + _PRIOR_N
        if counted < 1:
            out **= counted

    def _alarm(self, place: int, by_place: Floats, evidence: Floats) -> int:
        began = int(self._began[evidence[place].sum(axis=0).argmax()])
        self._found = (float(by_place[place]), self._n + place + 1 - began)
        self._begin()
        return place

    def _thin(self) -> None:
        if self._born_n <= KEPT_N:
            return
        began = self._began[: self._born_n]
        kept = _starts.kept(began, self._n)
        evidence = _starts.handed(self._evidence[:, : self._born_n], kept)
        began, counts_then = began[kept], self._counts_then[:, kept]
        self._no_starts()
        self._add(began, counts_then, evidence)

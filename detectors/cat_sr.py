"""Shiryaev-Roberts for categories whose shares are only estimated: new values, other mixtures.

For each past moment a change may have begun: the chance of each observation since then, had the
shares begun to move from what they were (a Dirichlet prior worth a = 5, 20 or 100 observations:
bold to cautious), over its chance if nothing changed (all counts so far, reference included).
Each is a likelihood ratio with both shares unknown, so M_n - n is a martingale on average over the
Dirichlet(1/2) prior, and the threshold is the ARL itself; measured in bench/calibration.py.

A start is added every 8 observations; at most 24 are kept, the weakest hands its evidence to its
neighbour. Evidence is looked at with each observation, as a value never seen before shows at once.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors._contract import State, StateUnreadable

_FORMAT = 1
_PRIOR_N = np.array([[5.0], [20.0], [100.0]])
_PSEUDO_COUNT = 0.5
_START_EVERY = 8
_STARTS_MAX = 24
_YOUNG_N = 16

_Floats: TypeAlias = NDArray[np.float64]


class CategoryDetector:
    """Watches the shares of cells; `reference_counts` has how often each was seen, the unseen 0.

    Fed cells as `detectors.categories.Categories` numbers them. An alarm ends what was watched:
    the next observation begins anew, against the reference.
    """

    def __init__(self, arl: float, reference_counts: Sequence[int]) -> None:
        if not (isfinite(arl) and arl >= 1):
            raise ValueError("arl must be a finite number of at least 1")
        if len(reference_counts) < 2 or sum(reference_counts) < 1 or min(reference_counts) < 0:
            raise ValueError("reference_counts must have two cells and one observation")
        self.threshold = arl
        self._reference = np.array(reference_counts, dtype=np.float64) + _PSEUDO_COUNT
        self._reference_n = float(self._reference.sum())
        self._found: tuple[float, int] | None = None
        self._begin()

    def run(self, cells: Sequence[int]) -> int | None:
        """Feed cells in order. The index of the one that alarmed, the last one read, or None."""
        if not cells:
            return None
        if not 0 <= min(cells) <= max(cells) < len(self._reference):
            raise ValueError("no such cell")
        self._found = None
        for index, cell in enumerate(cells):
            if self._weigh(cell) >= self.threshold:
                self._found = (self.statistic, self._n + 1 - self._strongest())
                self._begin()
                return index
            self._count(cell)
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
        return {
            "format": _FORMAT,
            "n": self._n,
            "counts": self._counts.tolist(),
            "began": self._began.tolist(),
            "counts_then": self._counts_then.tolist(),
            "evidence": self._evidence.tolist(),
            "found": list(self._found) if self._found else None,
        }

    @classmethod
    def restore(cls, arl: float, reference_counts: Sequence[int], state: State) -> Self:
        """Resume; a new `arl` changes the threshold and keeps the evidence.

        Raises StateUnreadable when this code cannot read the state.
        """
        if state.get("format") != _FORMAT or len(state["counts"]) != len(reference_counts):
            raise StateUnreadable("written by another version, or for other cells")
        detector = cls(arl, reference_counts)
        detector._n = state["n"]
        detector._counts = np.array(state["counts"], dtype=np.float64)
        detector._began = np.array(state["began"], dtype=np.float64)
        detector._counts_then = np.array(state["counts_then"], dtype=np.float64)
        detector._evidence = np.array(state["evidence"], dtype=np.float64)
        found = state["found"]
        detector._found = (found[0], found[1]) if found else None
        return detector

    def _begin(self) -> None:
        cells = len(self._reference)
        self._n = 0
        self._counts: _Floats = np.zeros(cells)
        self._began: _Floats = np.empty(0)
        self._counts_then: _Floats = np.empty((cells, 0))
        self._evidence: _Floats = np.empty((len(_PRIOR_N), 0))
        self._add_start()

    def _weigh(self, cell: int) -> float:
        """Multiply the evidence of each start by the likelihood ratio of this observation: M."""
        then, now = self._counts_then[cell], self._counts[cell]
        known, known_n = self._reference[cell], self._reference_n
        share_then = (known + then) / (known_n + self._began)
        changed = (_PRIOR_N * share_then + (now - then)) / (_PRIOR_N + (self._n - self._began))
        self._evidence *= changed * ((known_n + self._n) / (known + now))
        return float(self._evidence.sum())

    def _count(self, cell: int) -> None:
        self._counts[cell] += 1
        self._n += 1
        if self._n % _START_EVERY == 0:
            if len(self._began) == _STARTS_MAX:
                self._merge_weakest()
            self._add_start()

    def _add_start(self) -> None:
        share = np.full((len(_PRIOR_N), 1), _START_EVERY / len(_PRIOR_N))
        self._began = np.append(self._began, self._n)
        self._counts_then = np.concatenate([self._counts_then, self._counts[:, None]], axis=1)
        self._evidence = np.concatenate([self._evidence, share], axis=1)

    def _merge_weakest(self) -> None:
        """Give the evidence of the weakest start that is not young to the one before it."""
        old = int((self._n - self._began > _YOUNG_N).sum())
        weakest = int(self._evidence.sum(axis=0)[:old].argmin())
        self._evidence[:, weakest - 1 if weakest else 1] += self._evidence[:, weakest]
        self._began = np.delete(self._began, weakest)
        self._counts_then = np.delete(self._counts_then, weakest, axis=1)
        self._evidence = np.delete(self._evidence, weakest, axis=1)

    def _strongest(self) -> int:
        return int(self._began[self._evidence.sum(axis=0).argmax()])

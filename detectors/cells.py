"""Numbers as cells, for CatSR: a mixture that moves shows there before it moves the mean.

A series with at most 12 different values has a cell for each of them and one for what was never
seen. One with more is not categorical, whatever it counts: its scores fall in seven cells, the
lowest and the highest of 5 % each, so that a few percent of another kind show.
"""

from typing import Protocol

import numpy as np

from detectors._contract import Floats, Ints
from detectors._normal import quantiles
from detectors.standard import Singles, Standard

DISTINCT_MAX = 12
_EDGES = np.array([0.05, 0.23, 0.41, 0.59, 0.77, 0.95])


class Cells(Protocol):
    """How the numbers of one series become cells."""

    counts: tuple[int, ...]
    """How often each cell occurred in the reference."""

    def cells(self, values: Floats, scores: Floats) -> Ints:
        """The cell of each value, given with its score against the same reference."""

    def levelled(self, cells: Ints, scores: Floats) -> Ints:
        """The cells of those once their scores are without the levels of days."""


class ValueCells:
    """A cell for each value, by size; the last one is for what the reference does not have."""

    def __init__(self, distinct: Singles, counts: Ints) -> None:
        self._distinct = distinct
        self.counts = (*counts.tolist(), 0)

    def cells(self, values: Floats, scores: Floats) -> Ints:
        """See Cells."""
        single = values.astype(np.float32)
        places = np.minimum(self._distinct.searchsorted(single), len(self._distinct) - 1)
        unseen = len(self._distinct)
        return np.where(self._distinct[places] == single, places, unseen)

    def levelled(self, cells: Ints, scores: Floats) -> Ints:
        """The same: a value is what it is."""
        return cells


class ScoreCells:
    """Seven cells of scores, with the shares that those of the reference have in each."""

    def __init__(self, standard: Standard) -> None:
        shares = np.diff(_EDGES, prepend=0.0, append=1.0)
        self.counts = tuple((standard.n * shares).round().astype(int).tolist())
        self._edges = quantiles(_EDGES) / np.sqrt(standard.dependence.ratio)

    def cells(self, values: Floats, scores: Floats) -> Ints:
        """See Cells."""
        cells: Ints = self._edges.searchsorted(scores)
        return cells

    def levelled(self, cells: Ints, scores: Floats) -> Ints:
        """Those of the new scores."""
        return self.cells(scores, scores)


def number_cells(standard: Standard) -> Cells:
    """The cells of a series of numbers with this reference."""
    distinct, counts = np.unique(standard.values, return_counts=True)
    if len(distinct) <= DISTINCT_MAX:
        return ValueCells(distinct, counts)
    return ScoreCells(standard)

"""The frozen reference of a series of words: which there were, and how often.

A word becomes a cell. The most frequent have one each, the other known ones share one, and the
last cell is for what was never seen.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Self

import msgspec
import numpy as np

from detectors._contract import INDEPENDENT, Dependence, Ints, StateUnreadable
from detectors.overdispersion import are_sums

CELLS_MAX = 32
DISTINCT_MAX = 256
_FORMAT = 3
Overdispersion = Sequence[Sequence[float]]


class Categories:
    """Cells of a frozen sample; `counts` has how often each cell occurred in it.

    `dependence` is that of the sample, as `detectors.dependence` measures it, `overdispersion` what
    its blocks told of it, as `detectors.overdispersion` sums it up.

    ValueError for no values, or more than 256 different ones: that is a name, not a category.

    >>> versions = Categories(["1.2", "1.2", "1.3"])
    >>> versions.cells(["1.2", "1.3", "2.0"]), versions.counts
    (array([0, 1, 2]), (2, 1, 0))
    """

    dependence: Dependence = INDEPENDENT
    overdispersion: Overdispersion = ()

    def __init__(self, values: Iterable[str | float]) -> None:
        self._count(Counter(values))

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[str, int],
        dependence: Dependence = INDEPENDENT,
        overdispersion: Overdispersion = (),
    ) -> Self:
        """Those of a sample that was counted as it came; a count of 0 has a cell all the same."""
        categories = cls.__new__(cls)
        categories._count(counts)
        categories.dependence, categories.overdispersion = dependence, overdispersion
        return categories

    def _count(self, counts: Mapping[str, int] | Mapping[str | float, int]) -> None:
        if not 0 < len(counts) <= DISTINCT_MAX:
            raise ValueError(f"a category has 1 to {DISTINCT_MAX} different values")
        self._set(sorted(counts.items(), key=lambda item: (-item[1], str(item[0]))))

    def _set(self, ordered: list[tuple[str | float, int]]) -> None:
        self._ordered = ordered
        shared = min(len(ordered), CELLS_MAX - 2)
        self._cells = {value: min(index, shared) for index, (value, _) in enumerate(ordered)}
        own, rest = ordered[:shared], ordered[shared:]
        together = [sum(count for _, count in rest)] if rest else []
        self.counts = tuple([count for _, count in own] + together + [0])

    def as_counts(self) -> dict[str | float, int]:
        """How often each value occurred, the most frequent first."""
        return dict(self._ordered)

    def cell(self, value: str | float) -> int:
        """The cell of a value; the last one if the sample did not have it."""
        return self._cells.get(value, len(self.counts) - 1)

    def value(self, cell: int) -> str | float | None:
        """The value of a cell; None of one that several share, or that was never seen."""
        own_n = min(len(self._ordered), CELLS_MAX - 2)
        return self._ordered[cell][0] if cell < own_n else None

    def cells(self, values: Iterable[str | float]) -> Ints:
        """`cell` of each."""
        find, unseen = self._cells.get, len(self.counts) - 1
        return np.array([find(value, unseen) for value in values], dtype=np.int64)

    def is_new(self, value: str | float) -> bool:
        """Whether the sample did not have the value."""
        return value not in self._cells

    def to_bytes(self) -> bytes:
        """A versioned record that `from_bytes` reads."""
        told = [[*row] for row in self.overdispersion]
        return msgspec.msgpack.encode(_Record(_FORMAT, self._ordered, self.dependence, told))

    @classmethod
    def from_bytes(cls, record: bytes) -> Self:
        """The categories of a record; StateUnreadable if it is not one of format 1 to 3.

        Format 1 took them for independent, format 2 had nothing of blocks.
        """
        try:
            read = msgspec.msgpack.decode(record, type=_Record)
        except msgspec.MsgspecError as error:
            raise StateUnreadable("not a record of categories") from error
        if read.format not in (1, 2, _FORMAT):
            raise StateUnreadable("written by another version")
        if not read.ordered or not 1 <= read.dependence.ratio < inf:
            raise StateUnreadable("no words, or no variance ratio")
        if not are_sums(read.overdispersion):
            raise StateUnreadable("no sums of blocks")
        categories = cls.__new__(cls)
        categories._set(read.ordered)
        categories.dependence = read.dependence
        categories.overdispersion = read.overdispersion
        return categories


class _Record(msgspec.Struct, array_like=True):
    format: int
    ordered: list[tuple[str | float, int]]
    dependence: Dependence = INDEPENDENT
    overdispersion: list[list[float]] = []

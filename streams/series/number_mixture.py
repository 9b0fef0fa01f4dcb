"""The mixture of a reference of numbers: how often each cell came, and what blocks told of them.

Where that of weekends is another than that of weekdays, numbers are held against their own kind of
day. They tell how far the shares of days differ (`detectors.overdispersion`), as words do: values
as they are, and parts of the range of scores once those are without the levels of days.
"""

from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.cells import Cells
from detectors.overdispersion import are_sums, overdispersion_of, ratio_told, together
from streams.series.agreement import days_differ
from streams.series.seen import Floats
from streams.series.vote_by_day import ByDay, CellBasis
from streams.series.week import is_weekend


class Mixture(msgspec.Struct, array_like=True, frozen=True):
    """That of all days is known from the values themselves."""

    by_day: tuple[list[int], list[int]] | None = None
    """How often each cell came on weekdays, and on weekends, where that differs."""
    overdispersion: list[list[list[float]]] = []
    """What blocks told: of all days, or of both kinds. Once nothing was kept."""

    @classmethod
    def learn(
        cls,
        known: Cells,
        readings: tuple[Floats, Floats],
        weekdays: NDArray[np.int64],
        variance_ratio: float,
    ) -> Self:
        """That of a sample, given as values and innovations in the order in which they came."""
        cells = known.cells(*readings)
        weekend = is_weekend(weekdays)
        weekdays_n, weekends_n = (
            np.bincount(cells[mine], minlength=len(known.counts)).tolist()
            for mine in (~weekend, weekend)
        )
        told = [overdispersion_of(cells[mine], weekdays[mine]) for mine in (~weekend, weekend)]
        days_ratio = ratio_told(together(told), known.counts)
        if days_differ(weekdays_n, weekends_n, max(variance_ratio, days_ratio)):
            return cls((weekdays_n, weekends_n), told)
        return cls(None, [overdispersion_of(cells, weekdays)])

    def of_all(self, counts: Sequence[int], variance_ratio: float) -> CellBasis:
        """For a vote on all days."""
        told = self.overdispersion[0] if self.by_day is None and self.overdispersion else ()
        return CellBasis(counts, variance_ratio, told)

    def of_kinds(self, variance_ratio: float) -> ByDay | None:
        """For a vote by kinds of days; None if there are none."""
        if self.by_day is None:
            return None
        told = self.overdispersion or [[], []]
        weekdays, weekends = (
            CellBasis(counts, variance_ratio, sums)
            for counts, sums in zip(self.by_day, told, strict=True)
        )
        return weekdays, weekends

    def may_be_of(self, cells_n: int) -> bool:
        """Whether so many cells may have such a mixture."""
        kinds = self.by_day or ()
        return (
            all(len(one) == cells_n and min(one) >= 0 and sum(one) > 0 for one in kinds)
            and len(self.overdispersion) in (0, len(kinds) or 1)
            and all(are_sums(sums) for sums in self.overdispersion)
        )


NOT_KNOWN = Mixture()

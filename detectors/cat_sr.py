"""Shiryaev-Roberts for categories whose shares are only estimated: new values, other mixtures.

For each moment a change may have begun: the chance of each observation since then, had the
shares begun to move from what they were (a Dirichlet prior worth a = 5 or 40 observations: bold
and cautious), over its chance if nothing changed (all counts so far, reference included).
Each is a likelihood ratio with both shares unknown, a martingale on average over the
Dirichlet(1/2) prior, and a start weighs the days since the one before: M less the days gone by is
a martingale, so the threshold is the promise itself, in days (see `mean_sr`; measured in
bench/calibration.py).

Where observations depend on each other the evidence is tempered: likelihoods are raised to 1 / the
variance ratio, as if there were so many fewer observations (`_category_evidence`). The ratio is
that of the reference, or what was seen up to the start if that is greater
(`detectors.overdispersion`): what comes after a start cannot make it doubt itself.

Evidence is looked at with each observation, as a value never seen before shows at once.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np

from detectors._category_evidence import PRIORS_N, read
from detectors._compiled import compiled
from detectors._contract import (
    Floats,
    Ints,
    Promise,
    State,
    StateUnreadable,
    check_days,
    check_promise,
)
from detectors._starts import no_starts, restored
from detectors.overdispersion import frequent_shares, nothing_seen, ratio_of

_FORMAT = 4
_FORMAT_3 = 3  # three priors
_FORMAT_2 = 2  # and one variance ratio for all starts, and no blocks


class CategoryDetector:
    """Watches the shares of cells; `reference_counts` has how often each was seen, the unseen 0.

    `days` is the promise: on average at least so many between two false alarms. Fed cells as
    `detectors.categories` or `detectors.cells` number them. An alarm ends what was watched: the
    next observation begins anew, against the reference. `overdispersion` is what a reference told
    of blocks of its observations (`detectors.overdispersion`); what is watched goes on telling it.
    `per_day` is about how many come on one, 0 if all are of one.
    """

    def __init__(
        self,
        days: float,
        reference_counts: Sequence[int],
        variance_ratio: float = 1.0,
        overdispersion: Sequence[Sequence[float]] = (),
        per_day: float = 0.0,
    ) -> None:
        check_promise(Promise(days, 1.0))
        if len(reference_counts) < 2 or sum(reference_counts) < 1 or min(reference_counts) < 0:
            raise ValueError("reference_counts must have two cells and one observation")
        if not variance_ratio >= 1:
            raise ValueError("variance_ratio must be at least 1")
        self.threshold = days
        self._least_ratio, self._per_day = variance_ratio, per_day
        counts = np.array(reference_counts, dtype=np.float64)
        self._against = np.stack((counts, frequent_shares(counts)))
        self._seen = nothing_seen(len(reference_counts), overdispersion)
        self._found: tuple[float, int] | None = None
        self._counts_since: Floats = np.zeros(0)
        self._begin()

    def run(self, cells: Ints, days: Floats, weekdays: Ints | None = None) -> int | None:
        """Feed cells in order. The index of the one that alarmed, the last one read, or None.

        `days` has for each the time since the observation before it, `weekdays` its local day of
        the week, any numbers that tell a day from the next; without, all are of one day.
        ValueError for a cell that does not exist or a time that is negative or not finite; then
        nothing was read.
        """
        check_days(days, len(cells))
        if not len(cells):
            return None
        if not _are_cells(cells, self._against.shape[1]):
            raise ValueError("no such cell")
        if weekdays is None:
            weekdays = np.zeros(len(cells), dtype=np.int64)
        self._found = None
        alarm, evidence = read(
            cells,
            days,
            weekdays,
            self._starts,
            self._totals,
            self._seen,
            self._against,
            self._least_ratio,
            self._per_day,
            self.threshold,
        )
        if alarm < 0:
            return None
        began, totals_then, held = self._starts.columns()
        start = held.sum(axis=0).argmax()
        self._found = (evidence, self._starts.n - int(began[start]))
        self._counts_since = self._totals[:-1] - totals_then[:-1, start]
        self._begin()
        return alarm

    @property
    def variance_ratio(self) -> float:
        """By which a start is tempered that begins now."""
        return max(self._least_ratio, ratio_of(self._seen, self._against[1], self._per_day))

    @property
    def statistic(self) -> float:
        """M now, or that of the alarm just raised; an alarm means >= `threshold`."""
        return self._found[0] if self._found else float(self._starts.columns()[2].sum())

    @property
    def changed_n(self) -> int:
        """After an alarm: the observations since the start with the most evidence. Else 0."""
        return self._found[1] if self._found else 0

    @property
    def counts(self) -> tuple[list[int], list[int]]:
        """Of each cell in the reference and, right after an alarm, since that start; else none."""
        since = [] if self._found is None else self._counts_since.astype(int).tolist()
        return self._against[0].astype(int).tolist(), since

    def state(self) -> State:
        """Plain numbers: the counts; for each start when it was, the counts then, its evidence.

        And what is counted of an observation since then, and the blocks that were seen.
        """
        _, elapsed, newest, _ = self._starts.clock.tolist()
        began, totals_then, evidence = self._starts.columns()
        return {
            "format": _FORMAT,
            "counts": self._totals[:-1].astype(int).tolist(),
            "elapsed": [elapsed, newest],
            "began": began.astype(int).tolist(),
            "counts_then": totals_then[:-1].astype(int).tolist(),
            "counted_then": totals_then[-1].tolist(),
            "evidence": evidence.tolist(),
            "blocks": self._seen.tolist(),
            "found": list(self._found) if self._found else None,
        }

    @classmethod
    def restore(
        cls,
        days: float,
        reference_counts: Sequence[int],
        state: State,
        variance_ratio: float = 1.0,
        overdispersion: Sequence[Sequence[float]] = (),
        per_day: float = 0.0,
    ) -> Self:
        """Resume; a new promise changes the threshold and keeps the evidence.

        Raises StateUnreadable when this code cannot read the state.
        """
        form = state.get("format")
        is_read = form in (_FORMAT_2, _FORMAT_3, _FORMAT)
        if not is_read or len(state["counts"]) != len(reference_counts):
            raise StateUnreadable("written by another version, or for other cells")
        detector = cls(days, reference_counts, variance_ratio, overdispersion, per_day)
        counted_then = [1 / variance_ratio] * len(state["began"])
        if form != _FORMAT_2:
            counted_then = state["counted_then"]
            detector._seen = np.array(state["blocks"], dtype=np.float64)
        detector._totals = np.array([*state["counts"], 1 / detector.variance_ratio])
        totals_then = [*state["counts_then"], counted_then]
        evidence = np.array(state["evidence"])
        if form != _FORMAT:
            evidence = np.stack((evidence[0], evidence[1:].sum(axis=0)))
        detector._starts = restored(
            sum(state["counts"]), state["elapsed"], state["began"], totals_then, evidence
        )
        found = state["found"]
        detector._found = (found[0], found[1]) if found else None
        return detector

    def begin_anew(self) -> None:
        """Forget the evidence. What blocks of observations have told stays, as after an alarm."""
        self._found = None
        self._begin()

    def _begin(self) -> None:
        cells_n = self._against.shape[1]
        self._totals: Floats = np.append(np.zeros(cells_n), 1 / self.variance_ratio)
        self._starts = no_starts(cells_n + 1, len(PRIORS_N))


@compiled
def _are_cells(cells: Ints, n: int) -> bool:
    for cell in cells:  # noqa: SIM110 - all() of a generator cannot be compiled
        if not 0 <= cell < n:
            return False
    return True

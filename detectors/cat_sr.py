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
from detectors._starts import (
    BORN_N,
    CHUNK_N,
    ROOM_N,
    N,
    Starts,
    no_starts,
    restored,
    thin,
    wait,
)

_FORMAT = 2
_PRIORS_N = (5.0, 20.0, 100.0)
_PRIOR_PARTS = np.full(len(_PRIORS_N), 1 / len(_PRIORS_N))
_PSEUDO_COUNT = 0.5
_NEAR = 0.1


class CategoryDetector:
    """Watches the shares of cells; `reference_counts` has how often each was seen, the unseen 0.

    `days` is the promise: on average at least so many between two false alarms. Fed cells as
    `detectors.categories` or `detectors.cells` number them. An alarm ends what was watched: the
    next observation begins anew, against the reference.
    """

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
        if not _are_cells(cells, len(self._reference)):
            raise ValueError("no such cell")
        self._found = None
        alarm, evidence = _read(
            cells, days, self._starts, self._counts, self._reference, self._counted, self.threshold
        )
        if alarm < 0:
            return None
        began, _, held = self._starts.columns()
        since = self._starts.n - int(began[held.sum(axis=0).argmax()])
        self._found = (evidence, since)
        self._begin()
        return alarm

    @property
    def statistic(self) -> float:
        """M now, or that of the alarm just raised; an alarm means >= `threshold`."""
        return self._found[0] if self._found else float(self._starts.columns()[2].sum())

    @property
    def changed_n(self) -> int:
        """After an alarm: the observations since the start with the most evidence. Else 0."""
        return self._found[1] if self._found else 0

    def state(self) -> State:
        """Plain numbers: the counts; for each start when it was, the counts then, its evidence."""
        _, elapsed, newest, _ = self._starts.clock.tolist()
        began, counts_then, evidence = self._starts.columns()
        return {
            "format": _FORMAT,
            "counts": self._counts.astype(int).tolist(),
            "elapsed": [elapsed, newest],
            "began": began.astype(int).tolist(),
            "counts_then": counts_then.astype(int).tolist(),
            "evidence": evidence.tolist(),
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
        columns = (state[name] for name in ("elapsed", "began", "counts_then", "evidence"))
        detector._starts = restored(int(detector._counts.sum()), *columns)
        found = state["found"]
        detector._found = (found[0], found[1]) if found else None
        return detector

    def _begin(self) -> None:
        self._counts: Floats = np.zeros(len(self._reference))
        self._starts = no_starts(len(self._reference), len(_PRIORS_N))


@compiled
def _read(
    cells: Ints,
    days: Floats,
    starts: Starts,
    counts: Floats,
    reference: Floats,
    counted: float,
    threshold: float,
) -> tuple[int, float]:
    """The place of the cell that alarmed, the last one read, and M then; -1 where none does.

    The ratio by which an observation multiplies evidence: the share of its cell after a change,
    with a prior of so many observations at the share before the start, over its share in all that
    came. Short loops over the starts, as each becomes one of vector instructions.
    """
    clock, began, counts_then, evidence = starts
    reference_n = reference.sum()
    m, moved, since, since_n, ratio, near = np.empty((6, ROOM_N))
    for place, cell in enumerate(cells):
        wait(starts, days[place], counts, _PRIOR_PARTS, threshold)
        born_n, n = int(clock[BORN_N]), clock[N]
        now, known = counts[cell] * counted, reference[cell]
        share_now = (now + known) / (n * counted + reference_n)
        for start in range(born_n):
            then = counts_then[cell, start] * counted
            moved[start] = (then + known) / ((began[start] * counted + reference_n) * share_now)
            since[start] = (now - then) / share_now
            since_n[start] = (n - began[start]) * counted
            m[start] = 0.0
        for prior, prior_n in enumerate(_PRIORS_N):
            for start in range(born_n):
                ratio[start] = (moved[start] * prior_n + since[start]) / (since_n[start] + prior_n)
            if counted < 1:
                _raise(ratio[:born_n], counted, near[:born_n])
            for start in range(born_n):
                evidence[prior, start] *= ratio[start]
                m[start] += evidence[prior, start]
        counts[cell] += 1
        clock[N] += 1
        total = m[:born_n].sum()
        if total >= threshold:
            return place, total
        if clock[N] % CHUNK_N == 0:
            thin(starts)
    return -1, 0.0


@compiled
def _raise(ratios: Floats, exponent: float, near: Floats) -> None:
    """Each ratio to the power. Near 1, where nearly all are, by the binomial series.

    That is off by less than 1e-8, and a tenth of the time; `near` has room for it.
    """
    second, third = (exponent - 1) / 2, (exponent - 2) / 3
    fourth, fifth, sixth = (exponent - 3) / 4, (exponent - 4) / 5, (exponent - 5) / 6
    for place in range(len(ratios)):
        x = ratios[place] - 1
        series = 1 + fourth * x * (1 + fifth * x * (1 + sixth * x))
        near[place] = 1 + exponent * x * (1 + second * x * (1 + third * x * series))
    for place in range(len(ratios)):
        is_near = 1 - _NEAR < ratios[place] < 1 + _NEAR
        ratios[place] = near[place] if is_near else ratios[place] ** exponent


@compiled
def _are_cells(cells: Ints, n: int) -> bool:
    for cell in cells:  # noqa: SIM110 - all() of a generator cannot be compiled
        if not 0 <= cell < n:
            return False
    return True
